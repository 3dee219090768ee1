//! Animated WebP: the frames of ANMF chunks (RFC 9649, section 2.7.1.1).
//!
//! Frames are flipped as they are, with their positions. Positions are stored halved, so a frame of odd distance to the
//! far edge has no mirrored position: then every frame is replaced by the whole picture as shown at its time.

use super::codec::{self, Bitstream};
use super::corrupt;
use super::riff::{self, Chunk, u24};
use crate::error::Result;
use crate::kernels::control::Control;
use crate::kernels::flip::exif::Subject;
use crate::kernels::flip::limits::PixelBudget;
use crate::kernels::flip::options::Direction;
use image_webp::WebPDecoder;
use std::io::Cursor;

/// Neither blended with what was shown before nor cleared afterwards.
const OVERWRITE: u8 = 0x02;

struct Frame<'a> {
    x: u32,
    y: u32,
    picture: Bitstream<'a>,
    /// Duration and flags, kept as they are.
    tail: &'a [u8],
}

/// The data of the ANMF chunks of the flipped animation.
///
/// # Errors
/// `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
pub fn flip(
    file: &[u8],
    chunks: &[Chunk<'_>],
    canvas: Subject,
    budget: PixelBudget,
    control: &Control,
) -> Result<Vec<Vec<u8>>> {
    let mut budget = budget;
    let mut frames = Vec::new();
    for chunk in chunks.iter().filter(|chunk| &chunk.name == b"ANMF") {
        let frame = read(chunk.data, canvas)?;
        // The whole picture, since that is what may have to be decoded for every frame.
        budget.take(canvas.width, canvas.height)?;
        frames.push(frame);
    }
    if frames.is_empty() {
        return Err(corrupt("an animation without frames"));
    }
    match frames.iter().map(|frame| mirrored(frame, canvas)).collect::<Option<Vec<_>>>() {
        Some(places) => {
            frames.iter().zip(places).map(|(frame, place)| rewrite(frame, place, canvas, control)).collect()
        }
        None => compose(file, &frames, canvas, control),
    }
}

fn read<'a>(data: &'a [u8], canvas: Subject) -> Result<Frame<'a>> {
    let field = |at| u24(data, at).ok_or_else(|| corrupt("frame header"));
    let (x, y, width, height) = (field(0)? * 2, field(3)? * 2, field(6)? + 1, field(9)? + 1);
    let tail = data.get(12..16).ok_or_else(|| corrupt("frame header"))?;
    let picture = Bitstream::find(&riff::list(&data[16..])?)?;
    if (picture.width, picture.height) != (width, height) || x + width > canvas.width || y + height > canvas.height {
        return Err(corrupt("frame size"));
    }
    Ok(Frame { x, y, picture, tail })
}

/// The mirrored position, where it can be stored.
fn mirrored(frame: &Frame<'_>, canvas: Subject) -> Option<(u32, u32)> {
    let right = canvas.width - frame.x - frame.picture.width;
    let below = canvas.height - frame.y - frame.picture.height;
    let x = if canvas.direction == Direction::Vertical { frame.x } else { right };
    let y = if canvas.direction == Direction::Horizontal { frame.y } else { below };
    (x % 2 == 0 && y % 2 == 0).then_some((x, y))
}

fn rewrite(frame: &Frame<'_>, place: (u32, u32), canvas: Subject, control: &Control) -> Result<Vec<u8>> {
    let coded = codec::flip(&frame.picture, canvas.direction, control)?;
    Ok(frame_data(place, (frame.picture.width, frame.picture.height), frame.tail, &coded))
}

fn frame_data(place: (u32, u32), size: (u32, u32), tail: &[u8], coded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 + coded.len());
    for value in [place.0 / 2, place.1 / 2, size.0 - 1, size.1 - 1] {
        out.extend_from_slice(&value.to_le_bytes()[..3]);
    }
    out.extend_from_slice(tail);
    riff::push(&mut out, b"VP8L", coded);
    out
}

/// Every frame as the whole picture that is shown at its time.
fn compose(file: &[u8], frames: &[Frame<'_>], canvas: Subject, control: &Control) -> Result<Vec<Vec<u8>>> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(codec::broken)?;
    let size = (canvas.width, canvas.height);
    if !decoder.is_animated() || decoder.dimensions() != size || decoder.num_frames() as usize != frames.len() {
        return Err(corrupt("animation"));
    }
    // Viewers clear to transparent, whatever background the file suggests.
    decoder.set_background_color([0; 4]).map_err(codec::broken)?;
    let mut shown = vec![0; decoder.output_buffer_size().ok_or_else(|| corrupt("animation"))?];
    let has_alpha = decoder.has_alpha();
    let mut out = Vec::with_capacity(frames.len());
    for frame in frames {
        control.check()?;
        decoder.read_frame(&mut shown).map_err(codec::broken)?;
        let coded = codec::flip_pixels(&mut shown, size, has_alpha, canvas.direction, control)?;
        let tail = [frame.tail[0], frame.tail[1], frame.tail[2], OVERWRITE];
        out.push(frame_data((0, 0), size, &tail, &coded));
    }
    Ok(out)
}
