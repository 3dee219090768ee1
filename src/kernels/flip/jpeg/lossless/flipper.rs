//! The walk over a whole file: which segments pass, and what happens to each scan (T.81 B.2.1).
#![forbid(unsafe_code)]

use super::corrupt;
use super::frame::Frame;
use super::job::{Job, Output};
use super::marker::{self, Cursor, Segment};
use super::scan::{Layout, Scan};
use super::scratch::{self, Scratch};
use super::tables::Tables;
use super::{progressive, sequential, shifted};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::jpeg::frame::read_tables;
use crate::kernels::flip::options::Direction;

/// One file on its way from source to output.
pub(super) struct Flipper<'a> {
    file: &'a [u8],
    direction: Direction,
    control: &'a Control,
    out: Vec<u8>,
    /// Whether components that do not line up may be coded anew; and whether the frame has any.
    partly: bool,
    shifts: bool,
    frame: Option<Frame>,
    /// Quantisation tables in force, read where components are coded anew.
    quantisers: shifted::Quantisers,
    /// Huffman tables as the source has defined them so far, and as the output has.
    read: Tables,
    written: Tables,
    /// MCUs between restart markers, 0 for none.
    restart: u32,
    /// Which components have had their scan, their first one in progressive files.
    coded: [bool; 4],
    /// Blocks in all scans so far.
    walked: u64,
    /// Progressive scans: what is known of each component so far.
    progress: [progressive::Progress; 4],
    scratch: Scratch,
}

impl<'a> Flipper<'a> {
    /// Prepares to flip `file`; `metadata` goes behind SOI. With `partly`, components whose blocks do not line up are
    /// coded anew.
    pub fn new(file: &'a [u8], direction: Direction, partly: bool, metadata: &[u8], control: &'a Control) -> Self {
        // An eighth more than the input: DC differences and stuffing rarely need as much.
        let mut out = scratch::take_output(file.len() + file.len() / 8 + metadata.len() + 64);
        out.extend_from_slice(&[0xFF, marker::SOI]);
        out.extend_from_slice(metadata);
        Self {
            file,
            direction,
            control,
            out,
            partly,
            shifts: false,
            frame: None,
            quantisers: [None; 4],
            read: Tables::default(),
            written: Tables::default(),
            restart: 0,
            coded: [false; 4],
            walked: 0,
            progress: Default::default(),
            scratch: scratch::take(),
        }
    }

    /// Flips the file and writes `trailer` behind EOI.
    ///
    /// # Errors
    /// Those of [`flip`](super::flip).
    pub fn run(mut self, trailer: &[u8]) -> Result<Vec<u8>> {
        let result = self.segments(trailer);
        scratch::give(self.scratch);
        match result {
            Ok(()) => Ok(self.out),
            Err(error) => {
                scratch::give_output(self.out);
                Err(error)
            }
        }
    }

    /// Walks over all segments.
    fn segments(&mut self, trailer: &[u8]) -> Result<()> {
        let mut cursor = Cursor::new(self.file)?;
        loop {
            self.control.check()?;
            let segment = cursor.next()?;
            match segment.code {
                marker::EOI => break,
                marker::SOS => {
                    let end = self.scan(&segment, cursor.position())?;
                    cursor.resume(end);
                }
                _ => self.segment(&segment)?,
            }
        }
        let components = self.frame.as_ref().map_or(0, |frame| frame.components.len());
        if components == 0 || self.coded[..components].contains(&false) {
            return Err(corrupt("the file ends before all components were coded"));
        }
        self.out.extend_from_slice(&[0xFF, marker::EOI]);
        self.out.extend_from_slice(trailer);
        Ok(())
    }

    /// Deals with a segment that is neither EOI nor SOS.
    fn segment(&mut self, segment: &Segment<'_>) -> Result<()> {
        match segment.code {
            // The caller has already decided about these.
            0xE0..=0xEF | marker::COM | marker::TEM => {}
            // Written before the scan that needs them, since a scan may need another one than the source's.
            marker::DHT => self.read.read(segment.payload)?,
            // No coefficient changes its place, so its quantiser stays too.
            marker::DQT => {
                if self.partly {
                    read_tables(segment.payload, &mut self.quantisers)?;
                }
                self.out.extend_from_slice(segment.raw);
            }
            marker::DRI => {
                let &[high, low] = segment.payload else {
                    return Err(corrupt("a DRI segment has the wrong length"));
                };
                self.restart = u32::from(high) << 8 | u32::from(low);
                self.out.extend_from_slice(segment.raw);
            }
            marker::DNL => return Err(Error::ImageUnsupported("JPEG: DNL".into())),
            marker::DAC => return Err(Error::ImageUnsupported("JPEG: arithmetic coding".into())),
            marker::DHP | marker::EXP => return Err(Error::ImageUnsupported("JPEG: hierarchical JPEG".into())),
            0xC0..=0xCF if segment.code != 0xC8 => {
                if self.frame.is_some() {
                    return Err(corrupt("a second frame header"));
                }
                let frame = Frame::parse(segment.code, segment.payload)?;
                match frame.require_whole_mcus(self.direction) {
                    Err(Error::NotLossless(_)) if self.partly => {
                        frame.require_exact_component(self.direction)?;
                        self.shifts = true;
                    }
                    result => result?,
                }
                self.frame = Some(frame);
                self.out.extend_from_slice(segment.raw);
            }
            code => return Err(corrupt(format!("unexpected marker {code:02X}"))),
        }
        Ok(())
    }

    /// Flips a scan whose entropy-coded data starts at the given place; returns where it ends.
    fn scan(&mut self, segment: &Segment<'_>, data: (&[u8], usize)) -> Result<usize> {
        let frame = self.frame.as_ref().ok_or_else(|| corrupt("a scan before the frame header"))?;
        let scan = Scan::parse(frame, segment.payload)?;
        let layout = Layout::new(frame, &scan, self.direction)?;
        // A scan takes time for each of its blocks, but may take next to no bytes. Twenty scans of each component are
        // more than any encoder writes; more than that have to come with as much data.
        self.walked += layout.blocks();
        if self.walked > 20 * frame.blocks() + 8 * self.file.len() as u64 {
            return Err(Error::ImageUnsupported("JPEG: too many scans".into()));
        }
        let job = Job {
            scan: &scan,
            header: segment.raw,
            layout: &layout,
            restart: self.restart,
            direction: self.direction,
            tables: &self.read,
            control: self.control,
        };
        let mut output = Output { file: &mut self.out, tables: &mut self.written };
        if frame.progressive {
            for component in &scan.components {
                self.coded[component.index] |= scan.ss == 0;
            }
            return progressive::flip_scan(&job, data, &mut self.progress, &mut self.scratch, &mut output);
        }
        for component in &scan.components {
            if std::mem::replace(&mut self.coded[component.index], true) {
                return Err(corrupt("a component is coded twice"));
            }
        }
        // A component of a scan of its own has no MCUs to be padded.
        let lines_up = |index| scan.components.len() == 1 && frame.is_exact(index, self.direction);
        if !self.shifts || lines_up(scan.components[0].index) {
            return sequential::flip_scan(&job, data, &mut self.scratch, &mut output);
        }
        shifted::flip_scan(&job, (frame, &self.quantisers), data, &mut self.scratch, &mut output)
    }
}
