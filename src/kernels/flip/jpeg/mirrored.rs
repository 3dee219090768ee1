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
    pub fn new(
        samples: &'a [u8],
        frame: &Frame,
        kind: JpegColorType,
        group: (usize, usize),
        direction: Direction,
    ) -> Self {
        Self {
            samples,
            width: frame.width.into(),
            height: frame.height.into(),
            components: frame.components.len(),
            kind,
            group,
            upside_down: direction != Direction::Horizontal,
            right_to_left: direction != Direction::Vertical,
            sums: RefCell::new(Vec::new()),
        }
    }

    /// The stored line that is shown as line `y`.
    fn line(&self, y: usize) -> &'a [u8] {
        let y = if self.upside_down { self.height - 1 - y } else { y };
        let stride = self.width * self.components;
        &self.samples[y * stride..][..stride]
    }

    /// Appends one component of line `y` as it is.
    fn plane<const N: usize>(&self, y: usize, component: usize, out: &mut Vec<u8>) {
        let pixels = self.line(y).as_chunks::<N>().0;
        if self.right_to_left {
            out.extend(pixels.iter().rev().map(|pixel| pixel[component]));
        } else {
            out.extend(pixels.iter().map(|pixel| pixel[component]));
        }
    }

    /// Appends one component of the group of lines that `y` belongs to, averaged over the pixels of each group.
    ///
    /// The encoder picks the first pixel of each group and pads with the last pixel of a line and the last line, so
    /// every pixel of a group gets the group's value.
    fn averaged<const N: usize>(&self, y: usize, component: usize, out: &mut Vec<u8>) {
        let (across, down) = self.group;
        let first = y - y % down;
        // The encoder does not look at the other lines, but for the last, with which it pads.
        if y != first && y + 1 != self.height {
            out.resize(out.len() + self.width, 0);
            return;
        }
        let last = (first + down).min(self.height);
        let mut sums = self.sums.borrow_mut();
        sums.clear();
        sums.resize(self.width, 0);
        for line in first..last {
            let pixels = self.line(line).as_chunks::<N>().0;
            for (sum, pixel) in sums.iter_mut().zip(pixels) {
                *sum += u16::from(pixel[component]);
            }
        }
        if self.right_to_left {
            sums.reverse();
        }
        let lines = (last - first) as u32;
        if across == 2 {
            // The rounding bias alternates so that it does not add up, as in libjpeg's downsampler.
            let count = 2 * lines;
            let shift = count.trailing_zeros();
            let (pairs, rest) = sums.as_chunks::<2>();
            if count.is_power_of_two() {
                out.extend(pairs.iter().enumerate().flat_map(|(index, pair)| {
                    let bias = (count / 2 - 1 + (index as u32 & 1)) as u16;
                    let value = ((pair[0] + pair[1] + bias) >> shift) as u8;
                    [value, value]
                }));
            } else {
                out.extend(pairs.iter().flat_map(|pair| [mean(pair, count); 2]));
            }
            out.extend(rest.iter().map(|&sum| mean(&[sum], lines)));
        } else {
            for group in sums.chunks(across) {
                let value = mean(group, lines * group.len() as u32);
                out.extend(std::iter::repeat_n(value, group.len()));
            }
        }
    }

    fn fill<const N: usize>(&self, y: usize, out: &mut [Vec<u8>; 4]) {
        for (component, buffer) in out.iter_mut().enumerate().take(N) {
            if self.group != (1, 1) && matches!(component, 1 | 2) {
                self.averaged::<N>(y, component, buffer);
            } else {
                self.plane::<N>(y, component, buffer);
            }
        }
    }
}

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
