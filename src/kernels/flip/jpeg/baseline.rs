//! A baseline JPEG encoder (T.81, annex F.1): one interleaved scan, the typical Huffman tables of annex K.

use super::bits::BitWriter;
use super::fdct::Quantiser;
use super::frame::Frame;
use super::huffman::{AC, Codes, DC};
use super::mirrored::Mirrored;
use super::pixels::ZIGZAG;
use super::segments::{marker, push};
use crate::error::Result;
use crate::kernels::control::Control;
use crate::sys::simd::{self, Work};

/// Appends the picture from its tables to EOI. `factors` are the sampling factors of the first and fourth component,
/// the others have 1 x 1; `tables` the quantisation tables of those and of the others, in natural order.
///
/// # Errors
/// `Aborted`, looked at once per row of MCUs.
pub fn encode(
    image: &Mirrored<'_>,
    frame: &Frame,
    factors: (u8, u8),
    tables: &[[u16; 64]; 2],
    out: &mut Vec<u8>,
    control: &Control,
) -> Result<()> {
    headers(frame, factors, tables, out);
    let factors = (usize::from(factors.0), usize::from(factors.1));
    let size = (usize::from(frame.width), usize::from(frame.height));
    let quantisers = [Quantiser::new(&tables[0]), Quantiser::new(&tables[1])];
    let codes = [(DC[0].codes(), AC[0].codes()), (DC[1].codes(), AC[1].codes())];
    let mcus = size.0.div_ceil(8 * factors.0);
    let bands: Vec<Band> = (0..frame.components.len())
        .map(|component| {
            let is_full = is_first_kind(component);
            Band::new(component, if is_full { factors } else { (1, 1) }, mcus, is_full || factors == (1, 1))
        })
        .collect();
    let writer = BitWriter::new(out);
    let mut scan = Scan {
        image,
        factors,
        width: size.0,
        height: size.1,
        mcus,
        quantisers,
        codes,
        bands,
        writer,
        restart_interval: frame.restart_interval,
        left: frame.restart_interval,
        restarts: 0,
    };
    for row in 0..size.1.div_ceil(8 * factors.1) {
        control.check()?;
        simd::run(Row { scan: &mut scan, row });
    }
    scan.writer.marker(marker::EOI);
    Ok(())
}

/// The state of the encoder between rows of MCUs.
struct Scan<'a> {
    image: &'a Mirrored<'a>,
    factors: (usize, usize),
    width: usize,
    height: usize,
    /// MCUs in a row.
    mcus: usize,
    quantisers: [Quantiser; 2],
    codes: [(Codes, Codes); 2],
    bands: Vec<Band>,
    writer: BitWriter<'a>,
    restart_interval: u16,
    /// MCUs up to the next restart marker.
    left: u16,
    restarts: u8,
}

/// One row of MCUs to be encoded.
struct Row<'a, 'b> {
    scan: &'a mut Scan<'b>,
    row: usize,
}

impl Work for Row<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let scan = self.scan;
        let lines = scan.factors.1 * 8;
        let lines = self.row * lines..((self.row + 1) * lines).min(scan.height);
        for (index, line) in lines.clone().enumerate() {
            scan.image.split(line, scan.bands.iter_mut().map(|band| band.line(index, scan.width)));
        }
        for band in &mut scan.bands {
            band.finish(scan.image, lines.len(), scan.width, scan.factors.1);
        }
        for mcu in 0..scan.mcus {
            if scan.restart_interval > 0 {
                scan.restart();
            }
            for band in &mut scan.bands {
                let kind = usize::from(!is_first_kind(band.component));
                for v in 0..band.factors.1 {
                    for h in 0..band.factors.0 {
                        let block = band.block(mcu * band.factors.0 + h, v);
                        let coefficients = scan.quantisers[kind].transform(&block);
                        let first = coefficients.get(0);
                        let difference = i32::from(first) - i32::from(band.previous);
                        band.previous = first;
                        scan.writer.block(&coefficients, difference, &scan.codes[kind]);
                    }
                }
            }
        }
    }
}

impl Scan<'_> {
    /// Writes a restart marker when it is due.
    fn restart(&mut self) {
        if self.left == 0 {
            self.writer.marker(0xD0 + self.restarts);
            self.restarts = (self.restarts + 1) % 8;
            self.left = self.restart_interval;
            self.bands.iter_mut().for_each(|band| band.previous = 0);
        }
        self.left -= 1;
    }
}

/// Whether a component is coded as luma: the first, and the black of four.
fn is_first_kind(component: usize) -> bool {
    component.is_multiple_of(3)
}

fn headers(frame: &Frame, factors: (u8, u8), tables: &[[u16; 64]; 2], out: &mut Vec<u8>) {
    let kinds = if frame.components.len() == 1 { 1 } else { 2 };
    for (number, table) in tables.iter().enumerate().take(kinds) {
        let values = ZIGZAG.iter().map(|&position| table[position] as u8);
        push(out, marker::DQT, &std::iter::once(number as u8).chain(values).collect::<Vec<u8>>());
    }
    let mut header = vec![8];
    header.extend_from_slice(&frame.height.to_be_bytes());
    header.extend_from_slice(&frame.width.to_be_bytes());
    header.push(frame.components.len() as u8);
    let mut scan = vec![frame.components.len() as u8];
    for (index, component) in frame.components.iter().enumerate() {
        let (kind, sampling) = if is_first_kind(index) { (0, factors.0 << 4 | factors.1) } else { (1, 0x11) };
        header.extend_from_slice(&[component.id, sampling, kind]);
        scan.extend_from_slice(&[component.id, kind * 0x11]);
    }
    scan.extend_from_slice(&[0, 63, 0]);
    push(out, 0xC0, &header);
    for kind in 0..kinds {
        for (class, table) in [(0x00, &DC[kind]), (0x10, &AC[kind])] {
            push(out, marker::DHT, &[&[class | kind as u8][..], &table.lengths, table.symbols].concat());
        }
    }
    if frame.restart_interval > 0 {
        push(out, marker::DRI, &frame.restart_interval.to_be_bytes());
    }
    push(out, marker::SOS, &scan);
}

/// The samples of one component in one row of MCUs.
struct Band {
    component: usize,
    factors: (usize, usize),
    /// Whether it is coded at full resolution.
    is_full: bool,
    stride: usize,
    samples: Vec<u8>,
    /// Lines that wait to be averaged.
    wide: Vec<u8>,
    /// The DC coefficient coded last.
    previous: i16,
}

impl Band {
    fn new(component: usize, factors: (usize, usize), mcus: usize, is_full: bool) -> Self {
        Self {
            component,
            factors,
            is_full,
            stride: mcus * factors.0 * 8,
            samples: Vec::new(),
            wide: Vec::new(),
            previous: 0,
        }
    }

    /// Where the `index`-th line of this row of MCUs goes, as wide as the picture.
    #[inline(always)]
    fn line(&mut self, index: usize, width: usize) -> &mut [u8] {
        let (samples, stride) = if self.is_full { (&mut self.samples, self.stride) } else { (&mut self.wide, width) };
        if samples.len() < (index + 1) * stride {
            samples.resize((index + 1) * stride, 0);
        }
        &mut samples[index * stride..][..width]
    }

    /// Averages `lines` lines where the component is subsampled, and repeats the last sample and the last line up to
    /// whole blocks.
    #[inline(always)]
    fn finish(&mut self, image: &Mirrored<'_>, lines: usize, width: usize, down: usize) {
        if self.is_full {
            self.samples.truncate(lines * self.stride);
            for line in self.samples.chunks_exact_mut(self.stride) {
                let last = line[width - 1];
                line[width..].fill(last);
            }
        } else {
            self.samples.clear();
            for group in self.wide[..lines * width].chunks(down * width) {
                image.average(group, &mut self.samples);
                let last = self.samples.last().copied().unwrap_or(0);
                self.samples.resize(self.samples.len().next_multiple_of(self.stride), last);
            }
        }
        while self.samples.len() < self.factors.1 * 8 * self.stride {
            let last = self.samples.len() - self.stride;
            self.samples.extend_from_within(last..);
        }
    }

    /// The block in a column and row of blocks, less 128.
    #[inline(always)]
    fn block(&self, column: usize, row: usize) -> [[f32; 8]; 8] {
        std::array::from_fn(|y| {
            let at = (row * 8 + y) * self.stride + column * 8;
            let line: [u8; 8] = self.samples[at..].first_chunk().copied().unwrap_or([128; 8]);
            std::array::from_fn(|x| f32::from(line[x]) - 128.0)
        })
    }
}
