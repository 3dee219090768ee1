//! One picture of a TIFF: its strips or tiles, decoded to planes, mirrored, and cut up again.

use super::coding::Coding;
use super::corrupt;
use super::directory::{Directory, tag};
use super::predictor::Predictor;
use super::space::Space;
use crate::error::{Error, Result};
use crate::kernels::control::Control;
use crate::kernels::flip::limits::packed_size;
use crate::kernels::flip::mirror::{Raster, mirror};
use crate::kernels::flip::options::Direction;
use std::ops::Range;

/// A picture and how it is cut up.
#[derive(Debug, Clone)]
pub struct Page {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bits of a pixel in one plane.
    bits: usize,
    /// 1, or the samples of a pixel where each has its own plane.
    planes: usize,
    coding: Coding,
    predictor: Predictor,
    tiled: bool,
    /// Size of a whole strip or tile.
    chunk: (u32, u32),
    /// Where each strip or tile lies in the file.
    places: Vec<Range<usize>>,
}

impl Page {
    /// Reads the picture of a directory; `None` when it has none.
    ///
    /// # Errors
    /// `ImageCorrupt`, `ImageUnsupported`.
    pub fn read(file: &[u8], directory: &Directory) -> Result<Option<Self>> {
        let number = |tag, default| directory.number(file, tag).unwrap_or(default);
        let tiled = directory.find(tag::TILE_OFFSETS).is_some();
        if directory.find(tag::WIDTH).is_none() || !(tiled || directory.find(tag::STRIP_OFFSETS).is_some()) {
            return Ok(None);
        }
        let size = |tag| u32::try_from(number(tag, 0)).ok().filter(|&size| size > 0);
        let (width, height) = size(tag::WIDTH).zip(size(tag::HEIGHT)).ok_or_else(|| corrupt("width or height"))?;
        let coding = Coding::from_tag(number(tag::COMPRESSION, 1))?;
        let (bits, samples) = sample_size(file, directory)?;
        let planar = number(tag::PLANAR_CONFIGURATION, 1) == 2;
        let (planes, together) = if planar { (samples, 1) } else { (1, samples) };
        let chunk = if tiled {
            size(tag::TILE_WIDTH).zip(size(tag::TILE_LENGTH)).ok_or_else(|| corrupt("tile size"))?
        } else {
            (width, u32::try_from(number(tag::ROWS_PER_STRIP, height.into())).unwrap_or(height).clamp(1, height))
        };
        // Tiles are a multiple of 16 pixels wide; others would not begin at whole bytes.
        if tiled
            && (!(u64::from(chunk.0) * (bits * together) as u64).is_multiple_of(8) || chunk.0.max(chunk.1) > 1 << 20)
        {
            return Err(corrupt("tile size"));
        }
        let endian = directory.layout().endian;
        let mut page = Self {
            width,
            height,
            bits: bits * together,
            planes,
            coding,
            predictor: Predictor::from_tag(number(tag::PREDICTOR, 1), endian, bits, together)?,
            tiled,
            chunk,
            places: Vec::new(),
        };
        page.places = page.read_places(file, directory)?;
        Ok(Some(page))
    }

    fn tags(&self) -> (u16, u16) {
        if self.tiled {
            (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS)
        }
    }

    fn across(&self) -> u32 {
        self.width.div_ceil(self.chunk.0)
    }

    fn down(&self) -> u32 {
        self.height.div_ceil(self.chunk.1)
    }

    /// Rows of the `index`-th chunk of a plane: the last strip is shorter, tiles are all whole.
    fn rows(&self, index: usize) -> usize {
        let above = index as u32 / self.across() * self.chunk.1;
        (if self.tiled { self.chunk.1 } else { self.chunk.1.min(self.height - above) }) as usize
    }

    fn read_places(&self, file: &[u8], directory: &Directory) -> Result<Vec<Range<usize>>> {
        let (offsets, counts) = self.tags();
        let offsets = directory.numbers(file, offsets).ok_or_else(|| corrupt("strip or tile offsets"))?;
        let expected = u64::from(self.across()) * u64::from(self.down()) * self.planes as u64;
        if offsets.len() as u64 != expected {
            return Err(corrupt("number of strips or tiles"));
        }
        let counts = directory.numbers(file, counts);
        if counts.as_ref().is_some_and(|counts| counts.len() != offsets.len()) {
            return Err(corrupt("number of strips or tiles"));
        }
        let per_plane = (self.across() * self.down()) as usize;
        let mut places = Vec::with_capacity(offsets.len());
        for (index, &offset) in offsets.iter().enumerate() {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let count = match (&counts, self.coding) {
                // Writers disagree on the count of plain data, its length is certain.
                (_, Coding::Plain) => packed_size(self.chunk.0, self.rows(index % per_plane) as u32, self.bits)?.1,
                (Some(counts), _) => usize::try_from(counts[index]).unwrap_or(usize::MAX),
                (None, _) => file.len().saturating_sub(start),
            };
            let place = start..start.saturating_add(count);
            file.get(place.clone()).ok_or_else(|| corrupt("strip or tile past the end of the file"))?;
            places.push(place);
        }
        Ok(places)
    }

    /// The coded strips or tiles of the mirror image, in order.
    ///
    /// # Errors
    /// `ImageCorrupt`, `ImageTooLarge`, `Aborted`.
    pub fn flip(&self, file: &[u8], direction: Direction, control: &Control) -> Result<Vec<Vec<u8>>> {
        let (stride, length) = packed_size(self.width, self.height, self.bits)?;
        let (chunk_stride, chunk_length) = packed_size(self.chunk.0, self.chunk.1, self.bits)?;
        // A header that announces more than its data can hold needs no memory.
        let coded: usize = self.places.iter().fold(0, |sum, place| sum.saturating_add(place.len()));
        let most = coded.saturating_mul(self.coding.greatest_ratio());
        if length.saturating_mul(self.planes) > most || chunk_length > most {
            return Err(corrupt("less data than the header announces"));
        }
        let raster = Raster { width: self.width as usize, rows: self.height as usize, stride, bits: self.bits };
        let mut plane = vec![0; length];
        let mut chunk = vec![0; chunk_length];
        let mut out = Vec::with_capacity(self.places.len());
        for places in self.places.chunks((self.across() * self.down()) as usize) {
            for (index, place) in places.iter().enumerate() {
                control.check()?;
                let chunk = &mut chunk[..self.rows(index) * chunk_stride];
                self.coding.decode(&file[place.clone()], chunk)?;
                chunk.chunks_exact_mut(chunk_stride).for_each(|row| self.predictor.undo(row));
                self.each_row(index, stride, chunk_stride, |in_plane, in_chunk| {
                    plane[in_plane].copy_from_slice(&chunk[in_chunk]);
                });
            }
            mirror(&mut plane, raster, direction, control)?;
            for index in 0..places.len() {
                control.check()?;
                let chunk = &mut chunk[..self.rows(index) * chunk_stride];
                chunk.fill(0);
                self.each_row(index, stride, chunk_stride, |in_plane, in_chunk| {
                    chunk[in_chunk].copy_from_slice(&plane[in_plane]);
                });
                chunk.chunks_exact_mut(chunk_stride).for_each(|row| self.predictor.apply(row));
                out.push(self.coding.encode(chunk, chunk_stride)?);
            }
        }
        Ok(out)
    }

    /// Calls `copy` with the place in the plane and in the chunk of every row of the `index`-th chunk of a plane.
    fn each_row(
        &self,
        index: usize,
        stride: usize,
        chunk_stride: usize,
        mut copy: impl FnMut(Range<usize>, Range<usize>),
    ) {
        let (column, line) = (index % self.across() as usize, index / self.across() as usize);
        let left = column * chunk_stride;
        let length = chunk_stride.min(stride - left);
        let top = line * self.chunk.1 as usize;
        for row in 0..self.rows(index).min(self.height as usize - top) {
            let (in_plane, in_chunk) = ((top + row) * stride + left, row * chunk_stride);
            copy(in_plane..in_plane + length, in_chunk..in_chunk + length);
        }
    }

    /// Writes the strips or tiles into the file and tells its directory where.
    ///
    /// # Errors
    /// `ImageTooLarge` when the file grows beyond the offsets of its format.
    pub fn store(&self, out: &mut Vec<u8>, directory: &Directory, chunks: &[Vec<u8>], space: &mut Space) -> Result<()> {
        let lengths: Vec<usize> = chunks.iter().map(Vec::len).collect();
        let starts = space.place(&self.places, &lengths, out.len());
        for (chunk, &start) in chunks.iter().zip(&starts) {
            let end = start + chunk.len();
            if out.len() < end {
                out.resize(end, 0);
            }
            out[start..end].copy_from_slice(chunk);
        }
        let (offsets, counts) = self.tags();
        let starts: Vec<u64> = starts.iter().map(|&start| start as u64).collect();
        let lengths: Vec<u64> = lengths.iter().map(|&length| length as u64).collect();
        let written = directory.set(out, offsets, &starts);
        let written = written.and_then(|()| match directory.find(counts) {
            Some(_) => directory.set(out, counts, &lengths),
            None => Some(()),
        });
        written.ok_or_else(|| Error::ImageTooLarge("TIFF of more than 4 GiB".into()))
    }
}

/// Bits of a sample, and samples of a pixel.
fn sample_size(file: &[u8], directory: &Directory) -> Result<(usize, usize)> {
    let samples = directory.number(file, tag::SAMPLES_PER_PIXEL).unwrap_or(1);
    let bits = directory.numbers(file, tag::BITS_PER_SAMPLE).unwrap_or_else(|| vec![1]);
    let (Some(&first), 1..=64) = (bits.first(), samples) else { return Err(corrupt("samples of a pixel")) };
    if !(1..=64).contains(&first) {
        return Err(corrupt("bits of a sample"));
    }
    if bits.iter().any(|&other| other != first) {
        return Err(Error::ImageUnsupported("TIFF whose samples differ in size".into()));
    }
    let total = first * samples;
    let is_plain = directory.number(file, tag::COMPRESSION).unwrap_or(1) == 1;
    if directory.number(file, tag::FILL_ORDER) == Some(2) && !(is_plain && total.is_multiple_of(8)) {
        return Err(Error::ImageUnsupported("TIFF with reversed bit order".into()));
    }
    let subsampling = directory.numbers(file, tag::YCBCR_SUBSAMPLING);
    if directory.number(file, tag::PHOTOMETRIC) == Some(6) && subsampling.is_none_or(|factors| factors != [1, 1]) {
        return Err(Error::ImageUnsupported("TIFF with subsampled YCbCr".into()));
    }
    Ok((first as usize, samples as usize))
}
