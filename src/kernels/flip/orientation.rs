//! From what people see to what is stored: EXIF orientation and the direction of a flip.

use super::options::Direction;

/// How a viewer turns the stored picture before showing it (Exif 2.32, tag 0x0112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orientation {
    /// Values 1 to 4: stored rows are shown as rows.
    #[default]
    Upright,
    /// Values 5 to 8: stored rows are shown as columns.
    Transposed,
}

impl Orientation {
    /// From the tag's value; what is no valid value counts as 1, as viewers do.
    pub fn from_tag(value: u32) -> Self {
        if (5..=8).contains(&value) { Self::Transposed } else { Self::Upright }
    }

    /// The direction along the *stored* axes that flips in `seen` direction what a viewer shows.
    ///
    /// A mirror along an axis commutes with the mirrors among the eight orientations and changes its axis under a
    /// transposition, so the tag itself stays as it is.
    pub fn stored(self, seen: Direction) -> Direction {
        match (self, seen) {
            (Self::Transposed, Direction::Vertical) => Direction::Horizontal,
            (Self::Transposed, Direction::Horizontal) => Direction::Vertical,
            (_, direction) => direction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture as rows of numbers.
    type Picture = Vec<Vec<u32>>;

    fn vertical(picture: &Picture) -> Picture {
        picture.iter().rev().cloned().collect()
    }

    fn horizontal(picture: &Picture) -> Picture {
        picture.iter().map(|row| row.iter().rev().copied().collect()).collect()
    }

    fn transpose(picture: &Picture) -> Picture {
        (0..picture[0].len()).map(|x| picture.iter().map(|row| row[x]).collect()).collect()
    }

    fn flip(picture: &Picture, direction: Direction) -> Picture {
        match direction {
            Direction::Vertical => vertical(picture),
            Direction::Horizontal => horizontal(picture),
            Direction::Both => vertical(&horizontal(picture)),
        }
    }

    /// What a viewer shows, from the meaning of row 0 and column 0 in the Exif specification.
    fn seen(stored: &Picture, orientation: u32) -> Picture {
        match orientation {
            2 => horizontal(stored),
            3 => horizontal(&vertical(stored)),
            4 => vertical(stored),
            5 => transpose(stored),
            6 => horizontal(&transpose(stored)),
            7 => horizontal(&vertical(&transpose(stored))),
            8 => vertical(&transpose(stored)),
            _ => stored.clone(),
        }
    }

    #[test]
    fn flipping_what_is_stored_flips_what_is_seen() {
        let stored: Picture = vec![vec![1, 2, 3], vec![4, 5, 6]];
        for orientation in 0..=9 {
            for direction in [Direction::Vertical, Direction::Horizontal, Direction::Both] {
                let flipped = flip(&stored, Orientation::from_tag(orientation).stored(direction));
                assert_eq!(
                    seen(&flipped, orientation),
                    flip(&seen(&stored, orientation), direction),
                    "orientation {orientation}, {direction:?}"
                );
            }
        }
    }
}
