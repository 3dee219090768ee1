//! Tells the format of an image by its first bytes.

use super::options::Format;
use crate::error::{Error, Result};

/// The format whose signature `input` starts with.
///
/// # Errors
/// `ImageCorrupt` for empty input, `ImageUnsupported` when no signature fits.
pub fn sniff(input: &[u8]) -> Result<Format> {
    if input.is_empty() {
        return Err(Error::ImageCorrupt("the input is empty".into()));
    }
    let format = match input {
        [0xFF, 0xD8, ..] => Format::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Format::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::WebP,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::Gif,
        // 42 is TIFF, 43 BigTIFF.
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Format::Tiff,
        // Two letters are no signature: the size of the information header has to be a known one as well.
        [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, 12 | 16..=124, 0, 0, 0, ..] => Format::Bmp,
        _ => return Err(Error::ImageUnsupported("no known image format starts with these bytes".into())),
    };
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_text_and_signatures() {
        assert!(matches!(sniff(b""), Err(Error::ImageCorrupt(message)) if message.contains("empty")));
        for other in [&b"hello, world"[..], b"BMW is no bitmap, is it?", b"RIFF1234WAVE", b"%PDF-1.7", b"\0"] {
            assert!(matches!(sniff(other), Err(Error::ImageUnsupported(_))));
        }
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF]).unwrap(), Format::Jpeg);
        assert_eq!(sniff(b"GIF89a").unwrap(), Format::Gif);
        assert_eq!(sniff(b"MM\0*\0\0\0\x08").unwrap(), Format::Tiff);
        assert_eq!(sniff(b"RIFF\x04\0\0\0WEBP").unwrap(), Format::WebP);
    }
}
