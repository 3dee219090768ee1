//! What a picture may announce before anything of its size is allocated.

use crate::error::{Error, Result};

/// Counts the pixels an image announces, frame by frame, against the caller's limit.
#[derive(Debug)]
pub struct PixelBudget {
    limit: u64,
    used: u64,
}

impl PixelBudget {
    /// A budget of `max_pixels` pixels over all frames of one image.
    pub fn new(max_pixels: u64) -> Self {
        Self { limit: max_pixels, used: 0 }
    }

    /// Takes `width` x `height` pixels out of the budget; call it before allocating for them.
    ///
    /// # Errors
    /// `ImageCorrupt` for a picture without pixels, `ImageTooLarge` when the budget is spent.
    pub fn take(&mut self, width: u32, height: u32) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::ImageCorrupt(format!("a picture of {width} x {height} pixels")));
        }
        self.used = self.used.saturating_add(u64::from(width) * u64::from(height));
        if self.used > self.limit {
            return Err(Error::ImageTooLarge(format!(
                "{width} x {height} makes {} pixels in all, the limit is {}",
                self.used, self.limit
            )));
        }
        Ok(())
    }
}

/// `width` x `height` pixels of `bits` bits in rows of whole bytes: the length of one row and of all, in bytes.
///
/// # Errors
/// `ImageTooLarge` when this machine cannot address so many bytes.
pub fn packed_size(width: u32, height: u32, bits: usize) -> Result<(usize, usize)> {
    let sizes = (width as usize)
        .checked_mul(bits)
        .map(|row| row.div_ceil(8))
        .and_then(|row| Some((row, row.checked_mul(height as usize)?)))
        .filter(|&(_, all)| isize::try_from(all).is_ok());
    sizes.ok_or_else(|| Error::ImageTooLarge(format!("{width} x {height} pixels of {bits} bits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limit_stops_the_largest_jpeg_header() {
        let limit = crate::kernels::flip::Options::default().max_pixels;
        assert!(matches!(PixelBudget::new(limit).take(65_535, 65_535), Err(Error::ImageTooLarge(_))));
        assert!(PixelBudget::new(limit).take(0x3FFF, 0x3FFF).is_ok());
    }

    #[test]
    fn frames_add_up() {
        let mut budget = PixelBudget::new(10);
        assert!(budget.take(2, 4).is_ok());
        assert!(matches!(budget.take(1, 3), Err(Error::ImageTooLarge(_))));
        assert!(matches!(PixelBudget::new(10).take(0, 3), Err(Error::ImageCorrupt(_))));
    }

    #[test]
    fn rows_are_whole_bytes() {
        assert_eq!(packed_size(9, 3, 1).unwrap(), (2, 6));
        assert_eq!(packed_size(3, 2, 24).unwrap(), (9, 18));
        assert!(packed_size(u32::MAX, u32::MAX, 256).is_err());
    }
}
