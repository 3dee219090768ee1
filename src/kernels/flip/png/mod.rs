//! PNG and APNG: every chunk is kept byte for byte, but the coded pictures and the positions of frames.
//!
//! So colour type, bit depth, palette, transparency, colour profile, gamma and text stay; Adam7 interlacing does not.

mod chunks;
mod codec;

use super::exif::{self, Subject};
use super::jpeg::Inner;
use super::limits::PixelBudget;
use super::options::{Direction, Exact, Flipped, Format, Options};
use super::orientation::Orientation;
use super::xmp;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::bytes::Endian::Big;
use chunks::{Chunk, push};
use codec::Codec;

/// An uncompressed XMP packet: keyword, compression flag and method, no language, no translated keyword.
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";

/// Flips the picture of a PNG, and every frame of an APNG.
///
/// # Errors
/// `ImageCorrupt`, `ImageTooLarge`, `ImageUnsupported`, `Aborted`.
pub fn flip(file: &[u8], options: &Options, control: &Control) -> Result<Flipped> {
    let chunks = chunks::parse(file)?;
    let header = chunks.first().filter(|chunk| &chunk.name == b"IHDR" && chunk.data.len() == 13);
    let header = header.ok_or_else(|| corrupt("no image header"))?.data;
    let width = Big.u32(header, 0).unwrap_or(0);
    let height = Big.u32(header, 4).unwrap_or(0);
    let mut budget = PixelBudget::new(options.max_pixels);
    budget.take(width, height)?;
    let block = chunks.iter().find(|chunk| &chunk.name == b"eXIf").map(|chunk| chunk.data);
    let orientation = block.and_then(exif::orientation).unwrap_or(1);
    let direction = Orientation::from_tag(orientation).stored(options.direction);
    let palette = chunks.iter().find(|chunk| &chunk.name == b"PLTE").map(|chunk| chunk.data);
    let writer = Writer {
        codec: Codec { header, palette, control },
        subject: Subject { width, height, direction },
        seen: options.direction,
        out: file[..8].to_vec(),
        sequence: 0,
        frame: None,
        budget,
    };
    let bytes = writer.run(&chunks)?;
    Ok(Flipped { bytes, format: Format::Png, width, height, exact: Exact::All })
}

fn corrupt(what: &str) -> Error {
    Error::ImageCorrupt(format!("PNG: {what}"))
}

/// Walks the chunks and writes the flipped file.
struct Writer<'a> {
    codec: Codec<'a>,
    subject: Subject,
    /// The direction as people see it.
    seen: Direction,
    out: Vec<u8>,
    /// The next sequence number of an animation chunk.
    sequence: u32,
    /// Size of the frame whose control chunk was seen last.
    frame: Option<(u32, u32)>,
    budget: PixelBudget,
}

impl Writer<'_> {
    fn run(mut self, chunks: &[Chunk<'_>]) -> Result<Vec<u8>> {
        let mut seen_picture = false;
        let mut index = 0;
        while let Some(chunk) = chunks.get(index) {
            self.codec.control.check()?;
            // Data of one picture may be spread over several chunks.
            let parts = chunks[index..].iter().take_while(|next| next.name == chunk.name).count();
            match &chunk.name {
                b"IHDR" if index == 0 => {
                    // Interlacing is left out: it makes files larger, and a flipped one would not be the same anyway.
                    let mut header = chunk.data.to_vec();
                    header[12] = 0;
                    push(&mut self.out, b"IHDR", &header);
                }
                b"IDAT" => {
                    if std::mem::replace(&mut seen_picture, true) {
                        return Err(corrupt("image data in two places"));
                    }
                    let size = (self.subject.width, self.subject.height);
                    let data: Vec<&[u8]> = chunks[index..index + parts].iter().map(|part| part.data).collect();
                    let coded = self.codec.flip(&data, size, self.subject.direction)?;
                    push(&mut self.out, b"IDAT", &coded);
                    index += parts - 1;
                }
                b"fcTL" => self.control_chunk(chunk.data, seen_picture)?,
                b"fdAT" => {
                    let size = self.frame.take().ok_or_else(|| corrupt("frame without its control chunk"))?;
                    let data: Option<Vec<&[u8]>> =
                        chunks[index..index + parts].iter().map(|part| part.data.get(4..)).collect();
                    let data = data.ok_or_else(|| corrupt("frame data"))?;
                    let coded = self.codec.flip(&data, size, self.subject.direction)?;
                    let sequence = self.next_sequence();
                    push(&mut self.out, b"fdAT", &[&sequence, &coded[..]].concat());
                    index += parts - 1;
                }
                // Byte offsets into the image data (Apple) and signed claims over it (C2PA) are false now.
                b"iDOT" | b"caBX" => {}
                b"eXIf" => {
                    let mut block = chunk.data.to_vec();
                    let (subject, seen) = (self.subject, self.seen);
                    let mut inner = Inner::new(subject.width, subject.height, self.codec.control);
                    exif::flip(&mut block, subject, usize::MAX, &mut |thumbnail, own| {
                        let direction = own.map_or(subject.direction, |own| Orientation::from_tag(own).stored(seen));
                        inner.flip(thumbnail, direction)
                    })?;
                    push(&mut self.out, b"eXIf", &block);
                }
                b"iTXt" if chunk.data.starts_with(XMP_KEYWORD) => {
                    // A packet that cannot be corrected is dropped.
                    let packet = std::str::from_utf8(&chunk.data[XMP_KEYWORD.len()..]).ok();
                    if let Some(packet) = packet.and_then(|packet| xmp::without(packet, &xmp::FALSE_AFTER_FLIP)) {
                        push(&mut self.out, b"iTXt", &[XMP_KEYWORD, packet.as_bytes()].concat());
                    }
                }
                _ => self.out.extend_from_slice(chunk.whole),
            }
            index += 1;
        }
        if seen_picture { Ok(self.out) } else { Err(corrupt("no image data")) }
    }

    fn next_sequence(&mut self) -> [u8; 4] {
        let sequence = self.sequence;
        self.sequence += 1;
        sequence.to_be_bytes()
    }

    /// A frame control chunk: sequence, width, height, x, y, delay, disposal, blending.
    fn control_chunk(&mut self, data: &[u8], seen_picture: bool) -> Result<()> {
        let field = |at| if data.len() == 26 { Big.u32(data, at) } else { None };
        let [Some(width), Some(height), Some(x), Some(y)] = [4, 8, 12, 16].map(field) else {
            return Err(corrupt("frame control chunk"));
        };
        let Subject { width: full_width, height: full_height, direction } = self.subject;
        let right = full_width.checked_sub(width).and_then(|rest| rest.checked_sub(x));
        let below = full_height.checked_sub(height).and_then(|rest| rest.checked_sub(y));
        let Some((right, below)) = right.zip(below) else { return Err(corrupt("frame outside the picture")) };
        // The first frame may be the picture itself, which has been counted.
        if seen_picture {
            self.budget.take(width, height)?;
        } else if (width, height) != (full_width, full_height) {
            return Err(corrupt("first frame of another size than the picture"));
        }
        self.frame = Some((width, height));
        let mut data = data.to_vec();
        data[..4].copy_from_slice(&self.next_sequence());
        let x = if direction == Direction::Vertical { x } else { right };
        let y = if direction == Direction::Horizontal { y } else { below };
        data[12..16].copy_from_slice(&x.to_be_bytes());
        data[16..20].copy_from_slice(&y.to_be_bytes());
        push(&mut self.out, b"fcTL", &data);
        Ok(())
    }
}
