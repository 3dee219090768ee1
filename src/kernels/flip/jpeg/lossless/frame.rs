//! The frame header and the geometry that follows from it (T.81 B.2.2, A.1.1, A.2.4).
#![forbid(unsafe_code)]

use super::corrupt;
use crate::error::{Error, Result};
use crate::kernels::flip::options::Direction;

/// One component of the frame.
pub(super) struct Component {
    /// The identifier scans name it by.
    pub id: u8,
    /// Horizontal sampling factor, 1 to 4.
    pub h: u32,
    /// Vertical sampling factor, 1 to 4.
    pub v: u32,
    /// Samples in a line, padding left out.
    pub width: u32,
    /// Lines of samples, padding left out.
    pub height: u32,
    /// Its quantisation table's number, 0 to 3.
    pub quantiser: usize,
    /// Blocks in a row, those that only pad an MCU left out.
    pub blocks_x: u32,
    /// Rows of blocks, those that only pad an MCU left out.
    pub blocks_y: u32,
}

/// What SOFn says.
pub(super) struct Frame {
    /// SOF2: coefficients come in bands and bit planes.
    pub progressive: bool,
    /// One to four components.
    pub components: Vec<Component>,
    /// MCUs in a row of an interleaved scan.
    pub mcus_x: u32,
    /// Rows of MCUs of an interleaved scan.
    pub mcus_y: u32,
    width: u32,
    height: u32,
    mcu_width: u32,
    mcu_height: u32,
}

impl Frame {
    /// Reads the header that follows marker `code` (SOF0 to SOF15).
    ///
    /// # Errors
    /// `ImageUnsupported` for everything but 8-bit Huffman-coded sequential and progressive DCT, and for a height
    /// that is left to DNL; `ImageCorrupt` for values outside T.81's ranges.
    pub fn parse(code: u8, payload: &[u8]) -> Result<Self> {
        let progressive = match code {
            0xC0 | 0xC1 => false,
            0xC2 => true,
            0xC3 => return Err(unsupported("lossless JPEG (SOF3)")),
            0xC9..=0xCB => return Err(unsupported("arithmetic coding")),
            _ => return Err(unsupported("hierarchical JPEG")),
        };
        let &[precision, y1, y0, x1, x0, count, ref specs @ ..] = payload else {
            return Err(corrupt("the frame header is too short"));
        };
        if precision != 8 {
            return Err(unsupported(&format!("{precision}-bit samples")));
        }
        let height = u32::from(y1) << 8 | u32::from(y0);
        let width = u32::from(x1) << 8 | u32::from(x0);
        if height == 0 {
            return Err(unsupported("the height stands in a DNL segment behind the first scan"));
        }
        if width == 0 {
            return Err(corrupt("the width is 0"));
        }
        if !(1..=4).contains(&count) || specs.len() != 3 * usize::from(count) {
            return Err(corrupt("the frame header's length does not fit its components"));
        }
        Self::lay_out(progressive, width, height, specs)
    }

    /// Derives all that depends on the sampling factors; `specs` holds three bytes a component.
    fn lay_out(progressive: bool, width: u32, height: u32, specs: &[u8]) -> Result<Self> {
        let (specs, _) = specs.as_chunks::<3>();
        let factors = |spec: &[u8; 3]| (u32::from(spec[1] >> 4), u32::from(spec[1] & 15));
        for (i, spec) in specs.iter().enumerate() {
            let (h, v) = factors(spec);
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) || spec[2] > 3 {
                return Err(corrupt("a sampling factor or table number is out of range"));
            }
            if specs[..i].iter().any(|other| other[0] == spec[0]) {
                return Err(corrupt("two components have the same identifier"));
            }
        }
        let h_max = specs.iter().map(|spec| factors(spec).0).max().unwrap_or(1);
        let v_max = specs.iter().map(|spec| factors(spec).1).max().unwrap_or(1);
        let components = specs
            .iter()
            .map(|spec| {
                let (h, v) = factors(spec);
                let (width, height) = ((width * h).div_ceil(h_max), (height * v).div_ceil(v_max));
                let (blocks_x, blocks_y) = (width.div_ceil(8), height.div_ceil(8));
                Component { id: spec[0], h, v, width, height, quantiser: spec[2].into(), blocks_x, blocks_y }
            })
            .collect();
        // A single component is never interleaved, so its MCU is one block whatever its factors (A.2.2).
        let alone = specs.len() == 1;
        let (mcu_width, mcu_height) = if alone { (8, 8) } else { (8 * h_max, 8 * v_max) };
        Ok(Self {
            progressive,
            components,
            mcus_x: width.div_ceil(mcu_width),
            mcus_y: height.div_ceil(mcu_height),
            width,
            height,
            mcu_width,
            mcu_height,
        })
    }

    /// Blocks in all components.
    pub fn blocks(&self) -> u64 {
        let blocks = |component: &Component| u64::from(component.blocks_x) * u64::from(component.blocks_y);
        self.components.iter().map(blocks).sum()
    }

    /// Makes sure that a flip would move no padding into the picture.
    ///
    /// # Errors
    /// `NotLossless` when a flipped dimension is not a multiple of the MCU's.
    pub fn require_whole_mcus(&self, direction: Direction) -> Result<()> {
        let (horizontal, vertical) = (direction != Direction::Vertical, direction != Direction::Horizontal);
        for (flipped, name, size, mcu) in
            [(horizontal, "width", self.width, self.mcu_width), (vertical, "height", self.height, self.mcu_height)]
        {
            if flipped && size % mcu != 0 {
                return Err(Error::NotLossless(format!("the {name} {size} is not a multiple of the MCU's {mcu}")));
            }
        }
        Ok(())
    }

    /// Makes sure that a flip leaves at least one component's coefficients what they are, and moves the others by whole
    /// samples.
    ///
    /// # Errors
    /// `NotLossless` when it does not, and for progressive files, whose coefficients are never put together.
    pub fn require_exact_component(&self, direction: Direction) -> Result<()> {
        if self.progressive {
            return Err(Error::NotLossless("progressive, and its size is not whole MCUs".into()));
        }
        let (horizontal, vertical) = (direction != Direction::Vertical, direction != Direction::Horizontal);
        if !(0..self.components.len()).any(|component| self.is_exact(component, direction)) {
            return Err(Error::NotLossless("no component is a whole number of blocks".into()));
        }
        let most = |factor: fn(&Component) -> u32| self.components.iter().map(factor).max().unwrap_or(1);
        let (h_max, v_max) = (most(|component| component.h), most(|component| component.v));
        // A fraction of a sample left over would move the component against the others.
        let of_samples = |component: &Component| {
            let (across, down) = (self.width * component.h % h_max, self.height * component.v % v_max);
            !(horizontal && across > 0 || vertical && down > 0)
        };
        if !self.components.iter().all(of_samples) {
            return Err(Error::NotLossless("a component ends within a sample".into()));
        }
        Ok(())
    }

    /// Whether a component is a whole number of blocks along the flipped axes.
    pub fn is_exact(&self, component: usize, direction: Direction) -> bool {
        let Component { width, height, .. } = self.components[component];
        (direction == Direction::Vertical || width % 8 == 0) && (direction == Direction::Horizontal || height % 8 == 0)
    }
}

fn unsupported(what: &str) -> Error {
    Error::ImageUnsupported(format!("JPEG: {what}"))
}
