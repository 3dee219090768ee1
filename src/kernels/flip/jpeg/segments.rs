//! Walks the marker segments of a JPEG file (ITU-T T.81, annex B.1) and finds where its parts begin and end.

use super::super::bytes::Endian;
use crate::error::{Error, Result};
use std::ops::Range;

/// Marker codes, the byte behind 0xFF (T.81, table B.1).
pub mod marker {
    /// Start of image.
    pub const SOI: u8 = 0xD8;
    /// End of image.
    pub const EOI: u8 = 0xD9;
    /// Start of scan.
    pub const SOS: u8 = 0xDA;
    /// Define quantization tables.
    pub const DQT: u8 = 0xDB;
    /// Define number of lines.
    pub const DNL: u8 = 0xDC;
    /// Define restart interval.
    pub const DRI: u8 = 0xDD;
    /// Define Huffman tables; lies among the start-of-frame codes.
    pub const DHT: u8 = 0xC4;
    /// Reserved for extensions; lies among the start-of-frame codes.
    pub const JPG: u8 = 0xC8;
    /// Define arithmetic coding conditioning; lies among the start-of-frame codes.
    pub const DAC: u8 = 0xCC;
    /// Comment.
    pub const COM: u8 = 0xFE;

    /// Whether `code` starts a frame: SOF0 to SOF15.
    pub fn is_frame(code: u8) -> bool {
        (0xC0..=0xCF).contains(&code) && !matches!(code, DHT | JPG | DAC)
    }

    /// Whether `code` carries metadata: APP0 to APP15 and comments.
    pub fn is_metadata(code: u8) -> bool {
        (0xE0..=0xEF).contains(&code) || code == COM
    }
}

/// One marker segment with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The marker code, the byte behind 0xFF.
    pub code: u8,
    /// The parameters, without the marker and the length.
    pub payload: &'a [u8],
    /// Where the whole segment lies in the file, from its 0xFF on; for a scan, its entropy-coded data included.
    pub span: Range<usize>,
}

/// A JPEG file in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout<'a> {
    /// Every segment between SOI and EOI, in order.
    pub segments: Vec<Segment<'a>>,
    /// The first byte behind EOI.
    pub end: usize,
}

/// Takes a JPEG file apart. Fill bytes, and stray bytes between segments, are passed over as decoders do.
///
/// # Errors
/// `ImageCorrupt` when SOI is missing, a length reaches past the end, or the file ends before EOI.
pub fn parse(file: &[u8]) -> Result<Layout<'_>> {
    if !file.starts_with(&[0xFF, marker::SOI]) {
        return Err(Error::ImageCorrupt("no start of a JPEG image".into()));
    }
    let mut segments = Vec::new();
    let mut at = 2;
    loop {
        let (start, code) = next_marker(file, at).ok_or_else(truncated)?;
        let body = start + 2;
        match code {
            marker::EOI => return Ok(Layout { segments, end: body }),
            // Markers without parameters: a second SOI, TEM, restart markers outside a scan.
            marker::SOI | 0x01 | 0xD0..=0xD7 => at = body,
            _ => {
                let length = Endian::Big.u16(file, body).ok_or_else(truncated)?;
                let payload = body + 2..body + usize::from(length);
                if length < 2 {
                    return Err(Error::ImageCorrupt(format!("segment FF{code:02X} has the length {length}")));
                }
                let end = payload.end;
                let payload = file.get(payload).ok_or_else(truncated)?;
                at = if code == marker::SOS { scan_end(file, end) } else { end };
                segments.push(Segment { code, payload, span: start..at });
            }
        }
    }
}

/// The segment at the very start of `bytes`: code, parameters, and how far it reaches, for a scan with its data.
/// `None` at EOI and where there is no whole segment.
pub fn segment_at(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let &[0xFF, code, high, low, ..] = bytes else { return None };
    let end = 2 + usize::from(u16::from_be_bytes([high, low]));
    let payload = bytes.get(4..end).filter(|_| code != marker::EOI)?;
    Some((code, payload, if code == marker::SOS { scan_end(bytes, end) } else { end }))
}

fn truncated() -> Error {
    Error::ImageCorrupt("the JPEG file ends before its end-of-image marker".into())
}

/// The next marker at or behind `at`: where its last 0xFF lies and its code.
fn next_marker(file: &[u8], at: usize) -> Option<(usize, u8)> {
    let mut at = at;
    loop {
        at = find_ff(file, at)?;
        match *file.get(at + 1)? {
            // A stuffed zero is no marker; a second 0xFF makes the first a fill byte.
            0 => at += 2,
            0xFF => at += 1,
            code => return Some((at, code)),
        }
    }
}

/// Where entropy-coded data that starts at `at` ends: at the first marker that is no restart.
fn scan_end(file: &[u8], at: usize) -> usize {
    let mut at = at;
    loop {
        match next_marker(file, at) {
            Some((start, 0xD0..=0xD7)) => at = start + 2,
            Some((start, _)) => return start,
            None => return file.len(),
        }
    }
}

/// The first 0xFF at or behind `at`.
fn find_ff(file: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    // `contains` on bytes looks at words at a time, `position` at bytes: skip what has none in large steps.
    for chunk in file.get(at..)?.chunks(64) {
        if chunk.contains(&0xFF) {
            return chunk.iter().position(|&byte| byte == 0xFF).map(|offset| start + offset);
        }
        start += chunk.len();
    }
    None
}

/// Appends a segment: marker, length, parameters. `false`, and nothing appended, when the parameters are longer than
/// the 65,533 bytes a segment holds.
pub fn push(out: &mut Vec<u8>, code: u8, payload: &[u8]) -> bool {
    let Ok(length) = u16::try_from(payload.len() + 2) else { return false };
    out.extend_from_slice(&[0xFF, code]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: [u8; 32] = [
        0xFF, 0xD8, // SOI
        0xFF, 0xFF, 0xFE, 0, 4, b'h', b'i', // COM behind a fill byte
        0xFF, 0xDA, 0, 3, 9, // SOS, a (shortened) header of one byte
        1, 0xFF, 0, 2, 0xFF, 0xD0, 3, // entropy-coded data with a stuffed zero and a restart
        0xFF, 0xFF, 0xDA, 0, 2, 7, // second scan behind a fill byte
        0xFF, 0xD9, b'e', b'n', b'd', // EOI and a trailer
    ];

    #[test]
    fn parts_and_trailer() {
        let layout = parse(&FILE).unwrap();
        let codes: Vec<u8> = layout.segments.iter().map(|segment| segment.code).collect();
        assert_eq!(codes, [marker::COM, marker::SOS, marker::SOS]);
        assert_eq!(layout.segments[0].payload, b"hi");
        assert_eq!(layout.segments[0].span, 3..9);
        assert_eq!(layout.segments[1].span, 9..22);
        assert_eq!(&FILE[layout.end..], b"end");
    }

    #[test]
    fn truncation_is_corrupt_everywhere() {
        for length in 0..29 {
            assert!(matches!(parse(&FILE[..length]), Err(Error::ImageCorrupt(_))), "{length}");
        }
        assert!(parse(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0xFF, 0xD9]).is_err());
    }

    #[test]
    fn only_what_fits_is_pushed() {
        let mut out = Vec::new();
        assert!(push(&mut out, 0xE1, b"ab"));
        assert_eq!(out, [0xFF, 0xE1, 0, 4, b'a', b'b']);
        assert!(push(&mut out, 0xE1, &vec![0; 65_533]));
        assert!(!push(&mut out, 0xE1, &vec![0; 65_534]));
    }
}
