//! Flips a JPEG through its samples: decode, mirror, encode.
//!
//! The samples stay in the colour space they are stored in (no way round over RGB), and the mirror costs nothing:
//! the encoder asks for lines and [`Mirrored`] hands them out in the other order. Sequential files are written by our
//! own [`baseline`] encoder, which takes subsampled chroma as it is; progressive ones by the crate jpeg-encoder.

use super::baseline;
use super::decode::decode;
use super::frame::{Component, Frame};
use super::mirrored::Mirrored;
use super::segments::{self, Layout, marker};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::options::Direction;
use jpeg_encoder::{Encoder, EncodingError, JfifWrite, QuantizationTableType, SamplingFactor};

/// A flip through samples, all that it needs to know.
pub struct Job<'a> {
    /// The whole input, SOI first.
    pub file: &'a [u8],
    /// Its segments.
    pub layout: &'a Layout<'a>,
    /// Its frame.
    pub frame: &'a Frame,
    /// The direction along the stored axes.
    pub direction: Direction,
    /// 1 to 100, or `None` for the source's own quantisation tables.
    pub quality: Option<u8>,
    /// APPn and COM segments of the output, markers included.
    pub metadata: &'a [u8],
    /// What follows EOI.
    pub trailer: &'a [u8],
}

/// Decodes, mirrors and encodes. Chroma subsampling, restart interval, progression and component identifiers stay
/// the source's; its Huffman tables do not.
///
/// # Errors
/// `ImageUnsupported` for 12-bit, arithmetic, hierarchical and lossless JPEG and for two components, `ImageCorrupt`,
/// `Aborted`.
pub fn flip(job: &Job<'_>, control: &Control) -> Result<Vec<u8>> {
    job.frame.check_supported()?;
    control.check()?;
    let samples = decode(job.file, job.layout, job.frame, control)?;
    control.check()?;
    encode(job, &samples, control)
}

fn encode(job: &Job<'_>, samples: &[u8], control: &Control) -> Result<Vec<u8>> {
    let frame = job.frame;
    let mut out = Vec::with_capacity(job.file.len() + job.file.len() / 4);
    out.extend_from_slice(&[0xFF, marker::SOI]);
    out.extend_from_slice(job.metadata);
    let factors = sampling(&frame.components);
    let tables = quantisation(job)?;
    let image = Mirrored::new(samples, frame, (factors.0.into(), factors.1.into()), job.direction);
    if frame.is_progressive() {
        encode_progressive(job, image, factors, tables, &mut out, control)?;
    } else {
        baseline::encode(&image, frame, factors, &tables, &mut out, control)?;
    }
    out.extend_from_slice(job.trailer);
    Ok(out)
}

fn encode_progressive(
    job: &Job<'_>,
    image: Mirrored<'_>,
    factors: (u8, u8),
    tables: [[u16; 64]; 2],
    out: &mut Vec<u8>,
    control: &Control,
) -> Result<()> {
    let frame = job.frame;
    let start = out.len();
    let header = if frame.components.len() == 4 { JFIF_LENGTH + ADOBE_LENGTH } else { JFIF_LENGTH };
    let mut encoder = Encoder::new(Sink { out, skip: 2 + header, control }, 100);
    let factor = SamplingFactor::from_factors(factors.0, factors.1).unwrap_or(SamplingFactor::F_1_1);
    encoder.set_sampling_factor(factor);
    encoder.set_restart_interval(frame.restart_interval);
    encoder.set_progressive(true);
    // The standard tables cost a progressive file a third of its size. (With restart intervals the encoder counts
    // other DC differences than it writes, and optimised tables may lack one.)
    encoder.set_optimized_huffman_tables(frame.restart_interval == 0);
    let [luma, chroma] = tables.map(|table| QuantizationTableType::Custom(Box::new(table)));
    encoder.set_quantization_tables(luma, chroma);
    encoder.encode_image(image).map_err(|error| match control.check() {
        Ok(()) => Error::Internal(format!("JPEG encoder: {error}")),
        Err(aborted) => aborted,
    })?;
    restore_identifiers(out, start, &frame.components)
}

/// The length of the JFIF segment the encoder puts in front, marker included.
const JFIF_LENGTH: usize = 18;
/// The length of the Adobe segment it adds for four components, marker included.
const ADOBE_LENGTH: usize = 16;

/// Takes what the encoder writes, but for the segments it puts in front of its own accord, and stops it on abort.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    skip: usize,
    control: &'a Control,
}

impl JfifWrite for Sink<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> std::result::Result<(), EncodingError> {
        if self.control.is_aborted() {
            return Err(EncodingError::Write("aborted".into()));
        }
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.out.extend_from_slice(&bytes[skipped..]);
        Ok(())
    }
}

/// The sampling factors of the first component against the second, where the encoder can write them; 1 x 1 (nothing
/// is subsampled, nothing lost) for layouts it cannot.
fn sampling(components: &[Component]) -> (u8, u8) {
    let same = |a: &Component, b: &Component| (a.horizontal, a.vertical) == (b.horizontal, b.vertical);
    let (first, second) = match components {
        [first, second, third] if same(second, third) => (first, second),
        [first, second, third, fourth] if same(second, third) && same(first, fourth) => (first, second),
        _ => return (1, 1),
    };
    let whole = first.horizontal % second.horizontal == 0 && first.vertical % second.vertical == 0;
    let factors = (first.horizontal / second.horizontal, first.vertical / second.vertical);
    let known = SamplingFactor::from_factors(factors.0, factors.1).is_some();
    if whole && known { factors } else { (1, 1) }
}

/// The quantisation tables of luma and chroma, in natural order.
fn quantisation(job: &Job<'_>) -> Result<[[u16; 64]; 2]> {
    let components = &job.frame.components;
    if let Some(quality) = job.quality {
        // Components that are no luma and chroma (RGB, CMYK) all get the finer table.
        let chroma = if is_luma_chroma(job) { &CHROMA } else { &LUMA };
        return Ok([scaled(&LUMA, quality), scaled(chroma, quality)]);
    }
    let table = |index: usize| -> Result<[u16; 64]> {
        let number = components.get(index).map_or(0, |component| usize::from(component.table));
        job.frame.tables[number].ok_or_else(|| Error::ImageCorrupt("JPEG: quantisation table missing".into()))
    };
    // Where components that share a table here had two, the finer step of the two loses nothing.
    let finer = |a: [u16; 64], b: [u16; 64]| std::array::from_fn(|index| a[index].min(b[index]));
    let (luma, chroma) = match components.len() {
        1 => (table(0)?, table(0)?),
        3 => (table(0)?, finer(table(1)?, table(2)?)),
        _ => (finer(table(0)?, table(3)?), finer(table(1)?, table(2)?)),
    };
    Ok([luma, chroma].map(|zigzag| {
        let mut natural = [1; 64];
        for (value, &position) in zigzag.iter().zip(&ZIGZAG) {
            natural[position] = (*value).min(255);
        }
        natural
    }))
}

/// Whether the components are YCbCr or YCCK rather than RGB or CMYK: by the Adobe segment, then by what is usual.
fn is_luma_chroma(job: &Job<'_>) -> bool {
    let adobe =
        job.layout.segments.iter().find(|segment| segment.code == 0xEE && segment.payload.starts_with(b"Adobe"));
    match (job.frame.components.len(), adobe.and_then(|segment| segment.payload.get(11))) {
        (4, transform) => transform == Some(&2),
        (3, Some(0)) => false,
        (3, None) => !job.frame.components.iter().map(|component| component.id).eq(*b"RGB"),
        _ => true,
    }
}

/// A table of T.81 annex K.1 at a quality, by the formula all encoders took over from libjpeg.
fn scaled(table: &[u8; 64], quality: u8) -> [u16; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let scale = if quality < 50 { 5000 / quality } else { 200 - quality * 2 };
    table.map(|value| ((u32::from(value) * scale + 50) / 100).clamp(1, 255) as u16)
}

/// Puts the source's component identifiers into the frame and scan headers; the encoder counts from 0.
fn restore_identifiers(file: &mut [u8], start: usize, components: &[Component]) -> Result<()> {
    // SOI again, two bytes before: the walker wants a whole file.
    let unexpected = || Error::Internal("JPEG encoder: unexpected headers".into());
    let mut whole = file.get(start..).filter(|rest| rest.starts_with(&[0xFF])).ok_or_else(unexpected)?;
    let mut places = Vec::new();
    let mut at = start;
    while let Some((code, payload, next)) = segments::segment_at(whole) {
        if marker::is_frame(code) {
            places.extend((0..components.len()).map(|index| at + 4 + 6 + 3 * index));
        } else if code == marker::SOS {
            let count = payload.first().copied().map_or(0, usize::from);
            places.extend((0..count).map(|index| at + 4 + 1 + 2 * index));
        }
        at += next;
        whole = &whole[next..];
    }
    for place in places {
        let identifier = file.get_mut(place).ok_or_else(unexpected)?;
        *identifier = components.get(usize::from(*identifier)).ok_or_else(unexpected)?.id;
    }
    Ok(())
}

/// Position in a block of the n-th zigzag value (T.81, figure A.6).
pub(super) const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// T.81, table K.1, in natural order.
const LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// T.81, table K.2, in natural order.
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];
