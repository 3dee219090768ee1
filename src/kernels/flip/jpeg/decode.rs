//! From a JPEG file to the samples of its components, in the colour space they are stored in.

use super::frame::{Component, Frame};
use super::segments::{self, Layout, Segment, marker};
use super::source::{Observed, Source};
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::scratch::Scratch;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The samples of all components at full resolution, interleaved.
///
/// # Errors
/// `ImageCorrupt`, also when coded data is missing before EOI; `ImageUnsupported` for a mixture of scans; `Aborted`.
pub fn decode(file: &[u8], layout: &Layout<'_>, frame: &Frame, control: &Control) -> Result<Scratch> {
    let scans = layout.segments.iter().filter(|segment| segment.code == marker::SOS);
    let mut sizes = scans.map(|scan| scan.payload.first().copied().map_or(0, usize::from));
    let components = frame.components.len();
    // The decoder gets lines wrong in sequential files that keep subsampled components in scans of their own.
    if !frame.is_progressive() && components > 1 && !sizes.clone().any(|size| size == components) {
        if sizes.any(|size| size != 1) {
            return Err(Error::ImageUnsupported("sequential JPEG with scans of some components".into()));
        }
        return decode_planes(file, layout, frame, control);
    }
    // Without Adobe and JFIF segments the decoder knows the colour space by the number of components only; asking
    // for the one it assumes hands out the samples as they are stored.
    let stored = match components {
        1 => ColorSpace::Luma,
        3 if frame.components.iter().map(|component| component.id).eq(*b"RGB") => ColorSpace::RGB,
        3 => ColorSpace::YCbCr,
        _ => ColorSpace::CMYK,
    };
    let bare = Bare::new(file, layout.segments.iter().filter(|segment| !marker::is_metadata(segment.code)));
    bare.decode((frame.width, frame.height), stored, control)
}

/// A file without its metadata: the decoder has nothing to do with it, and need not meet what is broken in it.
///
/// Zeros stand between the last scan and EOI: the decoder takes what follows EOI for granted and would not say that
/// data is missing.
struct Bare {
    bytes: Vec<u8>,
    /// Where the last scan ends.
    end: usize,
}

impl Bare {
    fn new<'a>(file: &[u8], parts: impl Iterator<Item = &'a Segment<'a>>) -> Self {
        let mut bytes = Vec::with_capacity(file.len());
        bytes.extend_from_slice(&[0xFF, marker::SOI]);
        parts.for_each(|segment| bytes.extend_from_slice(&file[segment.span.clone()]));
        Self::finish(bytes)
    }

    fn finish(mut bytes: Vec<u8>) -> Self {
        let end = bytes.len();
        bytes.extend_from_slice(&[0; 64]);
        bytes.extend_from_slice(&[0xFF, marker::EOI]);
        Self { bytes, end }
    }

    fn decode(&self, (width, height): (u16, u16), color: ColorSpace, control: &Control) -> Result<Scratch> {
        let corrupt = |error| match control.check() {
            Ok(()) => Error::ImageCorrupt(format!("JPEG: {error:?}")),
            Err(aborted) => aborted,
        };
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(color);
        let observed = Observed::default();
        let source = Source::new(&self.bytes, self.end, &observed, control);
        let mut decoder = JpegDecoder::new_with_options(source, options);
        decoder.decode_headers().map_err(corrupt)?;
        let (width, height) = (usize::from(width), usize::from(height));
        if decoder.dimensions() != Some((width, height)) || decoder.input_colorspace() != Some(color) {
            return Err(Error::ImageCorrupt("JPEG: more than one frame".into()));
        }
        let mut samples = Scratch::zeroed(width * height * color.num_components());
        decoder.decode_into(&mut samples).map_err(corrupt)?;
        if observed.overrun() {
            return Err(Error::ImageCorrupt("JPEG: the picture ends before its last line".into()));
        }
        Ok(samples)
    }
}

/// Every component as a gray picture of its own, put together: for sequential files of one scan each.
fn decode_planes(file: &[u8], layout: &Layout<'_>, frame: &Frame, control: &Control) -> Result<Scratch> {
    let (width, height, count) = (usize::from(frame.width), usize::from(frame.height), frame.components.len());
    let most = |factor: fn(&Component) -> u8| u16::from(frame.components.iter().map(factor).max().unwrap_or(1));
    let (across, down) = (most(|component| component.horizontal), most(|component| component.vertical));
    let mut samples = Scratch::zeroed(width * height * count);
    for (index, component) in frame.components.iter().enumerate() {
        // T.81, A.1.1: the size of a component.
        let own = |full: u16, factor: u8, most: u16| {
            u16::try_from((u32::from(full) * u32::from(factor)).div_ceil(most.into())).unwrap_or(u16::MAX)
        };
        let own_width = own(frame.width, component.horizontal, across);
        let own_height = own(frame.height, component.vertical, down);
        let bare = plane(file, layout, frame, component, (own_width, own_height))?;
        let plane = bare.decode((own_width, own_height), ColorSpace::Luma, control)?;
        let (across, down) = (usize::from(across), usize::from(down));
        for (y, line) in samples.chunks_exact_mut(width * count).enumerate() {
            control.check()?;
            let row = &plane[y * usize::from(component.vertical) / down * usize::from(own_width)..];
            for (x, pixel) in line.chunks_exact_mut(count).enumerate() {
                pixel[index] = row[x * usize::from(component.horizontal) / across];
            }
        }
    }
    Ok(samples)
}

/// The file of one component: the tables as they stand at its scan, a frame of one component, the scan.
fn plane(file: &[u8], layout: &Layout<'_>, frame: &Frame, component: &Component, size: (u16, u16)) -> Result<Bare> {
    let mut out = vec![0xFF, marker::SOI];
    for segment in &layout.segments {
        match segment.code {
            marker::SOS if segment.payload.get(1) == Some(&component.id) => {
                let mut header = vec![8];
                header.extend_from_slice(&size.1.to_be_bytes());
                header.extend_from_slice(&size.0.to_be_bytes());
                header.extend_from_slice(&[1, component.id, 0x11, component.table]);
                segments::push(&mut out, frame.code, &header);
                out.extend_from_slice(&file[segment.span.clone()]);
                return Ok(Bare::finish(out));
            }
            marker::DQT | marker::DHT | marker::DRI => out.extend_from_slice(&file[segment.span.clone()]),
            _ => {}
        }
    }
    Err(Error::ImageCorrupt("JPEG: a component without a scan".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::flip::tests::pictures::{Coded, jpeg, photo};
    use jpeg_encoder::ColorType;

    #[test]
    fn an_abort_reaches_into_the_decoder() {
        for progressive in [false, true] {
            let coded = Coded { progressive, ..Coded::default() };
            let file = jpeg(&photo(64, 64), 64, 64, ColorType::Rgb, coded);
            let layout = segments::parse(&file).unwrap();
            let frame = Frame::read(&layout).unwrap();
            let control = Control::new();
            assert_eq!(decode(&file, &layout, &frame, &control).unwrap().len(), 64 * 64 * 3);
            control.abort();
            assert!(matches!(decode(&file, &layout, &frame, &control), Err(Error::Aborted)));
        }
    }
}
