//! Decodes, mirrors and encodes the coded data of one picture of a PNG file.

use super::chunks::{SIGNATURE, push};
use super::corrupt;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::limits::packed_size;
use crate::kernels::flip::mirror::{Raster, mirror};
use crate::kernels::flip::options::Direction;
use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Filter, Transformations};
use std::io::{Cursor, Write};

/// What the pictures of one file have in common.
pub struct Codec<'a> {
    /// The data of IHDR, 13 bytes.
    pub header: &'a [u8],
    /// The data of PLTE.
    pub palette: Option<&'a [u8]>,
    /// Looked at between rows.
    pub control: &'a Control,
}

impl Codec<'_> {
    /// Takes the zlib stream of a picture of `size`, in parts, and returns that of its mirror image, not interlaced.
    ///
    /// # Errors
    /// `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
    pub fn flip(&self, parts: &[&[u8]], size: (u32, u32), direction: Direction) -> Result<Vec<u8>> {
        let (mut pixels, color, depth) = self.decode(parts, size)?;
        let bits = color.samples() * depth as usize;
        let (stride, _) = packed_size(size.0, size.1, bits)?;
        let raster = Raster { width: size.0 as usize, rows: size.1 as usize, stride, bits };
        mirror(&mut pixels, raster, direction, self.control)?;
        self.encode(&pixels, raster, color, depth)
    }

    fn decode(&self, parts: &[&[u8]], size: (u32, u32)) -> Result<(Vec<u8>, ColorType, BitDepth)> {
        let mut header = self.header.to_vec();
        header[..4].copy_from_slice(&size.0.to_be_bytes());
        header[4..8].copy_from_slice(&size.1.to_be_bytes());
        let mut file = SIGNATURE.to_vec();
        push(&mut file, b"IHDR", &header);
        if let Some(palette) = self.palette {
            push(&mut file, b"PLTE", palette);
        }
        for part in parts {
            push(&mut file, b"IDAT", part);
        }
        push(&mut file, b"IEND", &[]);
        let broken = |error: png::DecodingError| match error {
            png::DecodingError::LimitsExceeded => Error::ImageTooLarge("PNG: more than can be addressed".into()),
            error => corrupt(&error.to_string()),
        };
        let mut decoder = Decoder::new_with_limits(Cursor::new(&file), png::Limits { bytes: usize::MAX });
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(broken)?;
        let (color, depth) = reader.output_color_type();
        let length = reader.output_buffer_size().ok_or_else(|| broken(png::DecodingError::LimitsExceeded))?;
        // Deflate shrinks to a 1,032nd at most: what announces more than its data can hold needs no memory.
        if length / 1032 > file.len() {
            return Err(corrupt("less image data than the header announces"));
        }
        let mut pixels = vec![0; length];
        if reader.info().interlaced {
            reader.next_frame(&mut pixels).map_err(broken)?;
        } else {
            let stride = reader.output_line_size(size.0).unwrap_or(length).max(1);
            for row in pixels.chunks_exact_mut(stride) {
                self.control.check()?;
                reader.read_row(row).map_err(broken)?;
            }
        }
        Ok((pixels, color, depth))
    }

    fn encode(&self, pixels: &[u8], raster: Raster, color: ColorType, depth: BitDepth) -> Result<Vec<u8>> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("PNG encoder: {error}"));
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, raster.width as u32, raster.rows as u32);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.set_compression(Compression::Balanced);
        // Neighbours in a row of indexes or single bits are no neighbours in colour: filters make such files larger.
        let filter = if color == ColorType::Indexed || raster.bits < 8 { Filter::NoFilter } else { Filter::Adaptive };
        encoder.set_filter(filter);
        if let Some(palette) = self.palette {
            encoder.set_palette(palette);
        }
        let mut writer = encoder.write_header().map_err(|error| internal(&error))?;
        {
            let mut stream = writer.stream_writer().map_err(|error| internal(&error))?;
            for row in pixels.chunks_exact(raster.stride) {
                self.control.check()?;
                stream.write_all(row).map_err(|error| internal(&error))?;
            }
            stream.finish().map_err(|error| internal(&error))?;
        }
        writer.finish().map_err(|error| internal(&error))?;
        let chunks = super::chunks::parse(&file)?;
        let data: Vec<&[u8]> = chunks.iter().filter(|chunk| &chunk.name == b"IDAT").map(|chunk| chunk.data).collect();
        Ok(data.concat())
    }
}
