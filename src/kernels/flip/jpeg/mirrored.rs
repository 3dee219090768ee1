//! The decoded samples as the encoder reads them: lines in mirrored order, chroma averaged where it is subsampled.

use super::frame::Frame;
use crate::kernels::flip::options::Direction;
use jpeg_encoder::{ImageBuffer, JpegColorType};
use std::cell::RefCell;

/// Interleaved samples seen through a mirror.
pub struct Mirrored<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
    components: usize,
    kind: JpegColorType,
    /// Pixels a chroma sample covers, across and down.
    group: (usize, usize),
    upside_down: bool,
    right_to_left: bool,
    /// Sums of a line of chroma over the lines of its group, one per component.
    sums: RefCell<Vec<u16>>,
}

impl<'a> Mirrored<'a> {
    /// `samples` holds the frame's components at full resolution; `group` is how many pixels, across and down, one
    /// sample of the second and third component stands for.
    pub fn new(samples: &'a [u8], frame: &Frame, group: (usize, usize), direction: Direction) -> Self {
        Self {
            samples,
            width: frame.width.into(),
            height: frame.height.into(),
            components: frame.components.len(),
            // For four components the encoder's YCCK samples the first and last alike, as the files themselves do.
            kind: match frame.components.len() {
                1 => JpegColorType::Luma,
                3 => JpegColorType::Ycbcr,
                _ => JpegColorType::Ycck,
            },
            group,
            upside_down: direction != Direction::Horizontal,
            right_to_left: direction != Direction::Vertical,
            sums: RefCell::new(Vec::new()),
        }
    }

    /// The stored line that is shown as line `y`.
    #[inline(always)]
    fn line(&self, y: usize) -> &'a [u8] {
        let y = if self.upside_down { self.height - 1 - y } else { y };
        let stride = self.width * self.components;
        &self.samples[y * stride..][..stride]
    }

    /// Appends one component of line `y` as it is.
    #[inline(always)]
    fn plane<const N: usize>(&self, y: usize, component: usize, out: &mut Vec<u8>) {
        let pixels = self.line(y).as_chunks::<N>().0;
        if self.right_to_left {
            out.extend(pixels.iter().rev().map(|pixel| pixel[component]));
        } else {
            out.extend(pixels.iter().map(|pixel| pixel[component]));
        }
    }

    /// Takes line `y` apart, a plane of the picture's width for each component.
    ///
    /// All of them in one loop: compilers make shuffles of that, and a load per sample of a loop for each component.
    #[inline(always)]
    pub fn split<'b>(&self, y: usize, mut planes: impl Iterator<Item = &'b mut [u8]>) {
        let line = self.line(y);
        let mut next = || planes.next().unwrap_or_default();
        let mut all = [next(), next(), next(), next()];
        let [a, b, c, d] = &mut all;
        match self.components {
            1 => a.copy_from_slice(line),
            3 => {
                let pixels = line.as_chunks::<3>().0.iter();
                for (((pixel, a), b), c) in pixels.zip(a.iter_mut()).zip(b.iter_mut()).zip(c.iter_mut()) {
                    [*a, *b, *c] = *pixel;
                }
            }
            _ => {
                let pixels = line.as_chunks::<4>().0.iter();
                let planes = a.iter_mut().zip(b.iter_mut()).zip(c.iter_mut()).zip(d.iter_mut());
                for (pixel, (((a, b), c), d)) in pixels.zip(planes) {
                    [*a, *b, *c, *d] = *pixel;
                }
            }
        }
        if self.right_to_left {
            for plane in &mut all {
                plane.reverse();
            }
        }
    }

    /// Appends the average of a group of lines that [`Self::split`] took apart, over the pixels of each group.
    #[inline(always)]
    pub fn average(&self, lines: &[u8], out: &mut Vec<u8>) {
        let mut sums = self.sums.borrow_mut();
        sums.clear();
        sums.resize(self.width, 0);
        for line in lines.chunks_exact(self.width) {
            for (sum, &sample) in sums.iter_mut().zip(line) {
                *sum += u16::from(sample);
            }
        }
        self.means(&sums, (lines.len() / self.width) as u32, out);
    }

    #[inline(always)]
    fn averaged<const N: usize>(&self, line: usize, component: usize, out: &mut Vec<u8>) {
        let down = self.group.1;
        let lines = line * down..((line + 1) * down).min(self.height);
        let count = lines.len() as u32;
        let mut sums = self.sums.borrow_mut();
        sums.clear();
        sums.resize(self.width, 0);
        for line in lines {
            let pixels = self.line(line).as_chunks::<N>().0;
            for (sum, pixel) in sums.iter_mut().zip(pixels) {
                *sum += u16::from(pixel[component]);
            }
        }
        if self.right_to_left {
            sums.reverse();
        }
        self.means(&sums, count, out);
    }

    /// Appends what sums over `count` lines come to on average, over the pixels of each group.
    #[inline(always)]
    fn means(&self, sums: &[u16], count: u32, out: &mut Vec<u8>) {
        let across = self.group.0;
        if across == 2 && count <= 2 {
            // The rounding bias alternates so that it does not add up, as in libjpeg's downsampler.
            let (pairs, rest) = sums.as_chunks::<2>();
            let bias = [count as u16 - 1, count as u16];
            let values = pairs.iter().enumerate();
            out.extend(values.map(|(index, pair)| ((pair[0] + pair[1] + bias[index & 1]) >> count) as u8));
            out.extend(rest.iter().map(|&sum| mean(&[sum], count)));
        } else {
            out.extend(sums.chunks(across).map(|group| mean(group, count * group.len() as u32)));
        }
    }

    /// For the encoder that picks the first pixel of each group, and pads with the last pixel and the last line.
    fn spread(&self, y: usize, component: usize, out: &mut Vec<u8>) {
        let mut line = Vec::with_capacity(self.width.div_ceil(self.group.0));
        match self.components {
            3 => self.averaged::<3>(y / self.group.1, component, &mut line),
            _ => self.averaged::<4>(y / self.group.1, component, &mut line),
        }
        let pixels = line.iter().flat_map(|&value| std::iter::repeat_n(value, self.group.0));
        out.extend(pixels.take(self.width));
    }

    fn fill<const N: usize>(&self, y: usize, out: &mut [Vec<u8>; 4]) {
        for (component, buffer) in out.iter_mut().enumerate().take(N) {
            if self.group != (1, 1) && matches!(component, 1 | 2) {
                self.spread(y, component, buffer);
            } else {
                self.plane::<N>(y, component, buffer);
            }
        }
    }
}

#[inline(always)]
fn mean(sums: &[u16], count: u32) -> u8 {
    let sum: u32 = sums.iter().map(|&sum| u32::from(sum)).sum();
    ((sum + count / 2) / count) as u8
}

impl ImageBuffer for Mirrored<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        self.kind
    }

    fn width(&self) -> u16 {
        self.width as u16
    }

    fn height(&self) -> u16 {
        self.height as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let y = usize::from(y);
        match self.components {
            1 => self.fill::<1>(y, buffers),
            3 => self.fill::<3>(y, buffers),
            _ => self.fill::<4>(y, buffers),
        }
    }
}
