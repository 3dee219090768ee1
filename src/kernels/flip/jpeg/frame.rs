//! What the headers of a JPEG file say of its picture: frame, quantisation tables, restart interval.

use super::super::bytes::Endian;
use super::segments::{Layout, marker};
use crate::error::{Error, Result};

/// One colour component of a frame (T.81, B.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// The identifier scans refer to.
    pub id: u8,
    /// Horizontal sampling factor, 1 to 4.
    pub horizontal: u8,
    /// Vertical sampling factor, 1 to 4.
    pub vertical: u8,
    /// Which quantisation table it uses, 0 to 3.
    pub table: u8,
}

/// The frame header and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The start-of-frame code, 0xC0 to 0xCF.
    pub code: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Samples in a line.
    pub width: u16,
    /// Lines; 0 when a DNL segment tells it later.
    pub height: u16,
    /// One to four components.
    pub components: Vec<Component>,
    /// The quantisation tables in zigzag order, as they stand at the first scan.
    pub tables: [Option<[u16; 64]>; 4],
    /// MCUs between restart markers, 0 for none, as it stands at the first scan.
    pub restart_interval: u16,
}

impl Frame {
    /// Reads the headers up to the first scan.
    ///
    /// # Errors
    /// `ImageCorrupt` when there is no frame or scan, or a header contradicts itself or T.81.
    pub fn read(layout: &Layout<'_>) -> Result<Self> {
        let mut frame = None;
        let mut tables = [None; 4];
        let mut restart_interval = 0;
        for segment in &layout.segments {
            match segment.code {
                marker::DQT => read_tables(segment.payload, &mut tables)?,
                marker::DRI => {
                    restart_interval =
                        Endian::Big.u16(segment.payload, 0).ok_or_else(|| corrupt("restart interval"))?;
                }
                marker::SOS => {
                    let frame: Self = frame.ok_or_else(|| corrupt("scan without a frame"))?;
                    return Ok(Self { tables, restart_interval, ..frame });
                }
                code if marker::is_frame(code) && frame.is_none() => {
                    frame = Some(read_frame(code, segment.payload).ok_or_else(|| corrupt("frame header"))?);
                }
                _ => {}
            }
        }
        Err(corrupt("no scan"))
    }

    /// Whether the file is coded progressively.
    pub fn is_progressive(&self) -> bool {
        self.code == 0xC2
    }

    /// That the frame is of a kind the pixel path decodes: 8 bits, Huffman, DCT, lines known.
    ///
    /// # Errors
    /// `ImageUnsupported`, saying what is not.
    pub fn check_supported(&self) -> Result<()> {
        let reason = match self.code {
            _ if self.precision != 8 => format!("JPEG with {} bits a sample", self.precision),
            0xC0..=0xC2 if self.height == 0 => "JPEG that tells its height behind the picture (DNL)".into(),
            0xC0..=0xC2 if self.components.len() == 2 => "JPEG with two components".into(),
            0xC0..=0xC2 if !self.can_be_upsampled() => "JPEG with rare chroma subsampling".into(),
            0xC0..=0xC2 => return Ok(()),
            0xC3 | 0xC7 | 0xCB | 0xCF => "lossless JPEG (T.81 annex H)".into(),
            0xC5 | 0xC6 | 0xCD | 0xCE => "hierarchical JPEG".into(),
            _ => "JPEG with arithmetic coding".into(),
        };
        Err(Error::ImageUnsupported(reason))
    }

    /// The decoder gets lines wrong where one sample stands for more than two lines or for a fraction of a pixel, and
    /// where the first component is not the finest.
    fn can_be_upsampled(&self) -> bool {
        let most = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1);
        let (across, down) = (most(|component| component.horizontal), most(|component| component.vertical));
        // A single component is never subsampled, whatever its factors say (T.81, A.2.2).
        self.components.len() == 1
            || self.components.iter().all(|component| {
                let whole = across % component.horizontal == 0 && down % component.vertical == 0;
                let finest = (self.components[0].horizontal, self.components[0].vertical) == (across, down);
                finest
                    && whole
                    && matches!((across / component.horizontal, down / component.vertical), (1 | 2, 1 | 2) | (_, 1))
            })
    }
}

fn corrupt(what: &str) -> Error {
    Error::ImageCorrupt(format!("JPEG: {what}"))
}

fn read_frame(code: u8, payload: &[u8]) -> Option<Frame> {
    let count = usize::from(*payload.get(5)?);
    let parameters = payload.get(6..)?;
    if !(1..=4).contains(&count) || parameters.len() != count * 3 {
        return None;
    }
    let components: Vec<Component> = parameters
        .chunks_exact(3)
        .map(|raw| Component { id: raw[0], horizontal: raw[1] >> 4, vertical: raw[1] & 15, table: raw[2] })
        .collect();
    let sane = |component: &Component| {
        (1..=4).contains(&component.horizontal) && (1..=4).contains(&component.vertical) && component.table < 4
    };
    let frame = Frame {
        code,
        precision: payload[0],
        height: Endian::Big.u16(payload, 1)?,
        width: Endian::Big.u16(payload, 3)?,
        components,
        tables: [None; 4],
        restart_interval: 0,
    };
    (frame.width > 0 && frame.components.iter().all(sane)).then_some(frame)
}

/// Takes over the tables of a DQT segment, in zigzag order.
///
/// # Errors
/// `ImageCorrupt` when it is cut short or has a step of 0.
pub(super) fn read_tables(payload: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Result<()> {
    let mut rest = payload;
    while let [head, values @ ..] = rest {
        let wide = head >> 4 != 0;
        let size = if wide { 128 } else { 64 };
        let slot = tables.get_mut(usize::from(head & 15)).ok_or_else(|| corrupt("quantisation table number"))?;
        if head >> 4 > 1 || values.len() < size {
            return Err(corrupt("quantisation table"));
        }
        let mut table = [0; 64];
        for (index, value) in table.iter_mut().enumerate() {
            *value = if wide {
                u16::from_be_bytes([values[2 * index], values[2 * index + 1]])
            } else {
                u16::from(values[index])
            };
        }
        if table.contains(&0) {
            return Err(corrupt("quantisation by zero"));
        }
        *slot = Some(table);
        rest = &values[size..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::flip::jpeg::segments;
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    fn sample(progressive: bool) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 80);
        encoder.set_sampling_factor(SamplingFactor::F_2_1);
        encoder.set_restart_interval(3);
        encoder.set_progressive(progressive);
        encoder.encode(&[90; 20 * 10 * 3], 20, 10, ColorType::Rgb).unwrap();
        file
    }

    #[test]
    fn reads_what_the_encoder_wrote() {
        for progressive in [false, true] {
            let file = sample(progressive);
            let frame = Frame::read(&segments::parse(&file).unwrap()).unwrap();
            assert_eq!((frame.width, frame.height, frame.restart_interval), (20, 10, 3));
            assert_eq!(frame.is_progressive(), progressive);
            let factors: Vec<_> = frame.components.iter().map(|part| (part.horizontal, part.vertical)).collect();
            assert_eq!(factors, [(2, 1), (1, 1), (1, 1)]);
            assert_eq!(frame.tables[0].unwrap()[0], 6, "16 scaled to quality 80");
            assert!(frame.check_supported().is_ok());
        }
    }

    #[test]
    fn other_processes_are_named() {
        let file = sample(false);
        let mut frame = Frame::read(&segments::parse(&file).unwrap()).unwrap();
        frame.code = 0xC9;
        assert!(
            matches!(frame.check_supported(), Err(Error::ImageUnsupported(reason)) if reason.contains("arithmetic"))
        );
        frame.code = 0xC1;
        frame.precision = 12;
        assert!(matches!(frame.check_supported(), Err(Error::ImageUnsupported(reason)) if reason.contains("12")));
    }
}
