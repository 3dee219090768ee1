//! The scan header and the order of the blocks in a scan (T.81 B.2.3, A.2).
#![forbid(unsafe_code)]

use super::corrupt;
use super::frame::Frame;
use crate::error::Result;
use crate::kernels::flip::options::Direction;

/// A component as a scan names it.
#[derive(Clone, Copy)]
pub(super) struct ScanComponent {
    /// Its index in the frame.
    pub index: usize,
    /// Which DC table codes it, 0 to 3.
    pub dc_table: usize,
    /// Which AC table codes it, 0 to 3.
    pub ac_table: usize,
}

/// What SOS says.
pub(super) struct Scan {
    /// One to four components, in the frame's order.
    pub components: Vec<ScanComponent>,
    /// Start of the spectral selection, 0 to 63.
    pub ss: u32,
    /// End of the spectral selection, 0 to 63.
    pub se: u32,
    /// Successive approximation, high: 0 in a first scan.
    pub ah: u32,
    /// Successive approximation, low.
    pub al: u32,
}

impl Scan {
    /// Reads a scan header.
    ///
    /// # Errors
    /// `ImageCorrupt` for values outside T.81's ranges.
    pub fn parse(frame: &Frame, payload: &[u8]) -> Result<Self> {
        let Some((&count, rest)) = payload.split_first() else {
            return Err(corrupt("the scan header is too short"));
        };
        if !(1..=4).contains(&count) || rest.len() != 2 * usize::from(count) + 3 {
            return Err(corrupt("the scan header's length does not fit its components"));
        }
        let (selectors, tail) = rest.split_at(2 * usize::from(count));
        let mut components: Vec<ScanComponent> = Vec::with_capacity(usize::from(count));
        for selector in selectors.as_chunks::<2>().0 {
            let index = frame.components.iter().position(|component| component.id == selector[0]);
            let index = index.ok_or_else(|| corrupt("a scan names a component that the frame has not"))?;
            let (dc_table, ac_table) = (usize::from(selector[1] >> 4), usize::from(selector[1] & 15));
            if dc_table > 3 || ac_table > 3 {
                return Err(corrupt("a scan names a Huffman table above 3"));
            }
            if components.last().is_some_and(|before| before.index >= index) {
                return Err(corrupt("a scan's components are out of order"));
            }
            components.push(ScanComponent { index, dc_table, ac_table });
        }
        let (ss, se) = (u32::from(tail[0]), u32::from(tail[1]));
        let (ah, al) = (u32::from(tail[2] >> 4), u32::from(tail[2] & 15));
        let legal = if !frame.progressive {
            // Some encoders leave these bytes 0; every decoder takes them as the only possible values.
            true
        } else if ss == 0 {
            se == 0
        } else {
            (ss..64).contains(&se) && components.len() == 1
        };
        if !legal || (frame.progressive && (al > 13 || (ah != 0 && ah != al + 1))) {
            return Err(corrupt("a scan's spectral selection or successive approximation is out of range"));
        }
        Ok(Self { components, ss, se, ah, al })
    }
}

/// One block of an MCU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its component, as an index into the scan's.
    pub component: usize,
    /// Which block of the MCU of the source stands here in the flipped scan.
    pub source: usize,
    /// Whether, in the flipped scan, the block before it in its component is the one that was before it in the
    /// source too, so that its DC difference stays. Holds without restarts and, where the block before it is in the
    /// MCU before, not for the first MCU of a row.
    pub keeps: Keeps,
}

/// When a block's DC difference survives a flip.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// In no MCU.
    Never,
    /// In every MCU but the first of a row.
    Inside,
    /// In every MCU.
    Always,
}

/// The MCUs of a scan and what a flip does to their order.
pub(super) struct Layout {
    /// MCUs in a row.
    pub mcus_x: u32,
    /// Rows of MCUs.
    pub mcus_y: u32,
    /// The blocks of an MCU in coding order.
    pub slots: Vec<Slot>,
    /// Whether rows change their order.
    pub flip_rows: bool,
    /// Whether the MCUs of a row change their order.
    pub flip_columns: bool,
}

impl Layout {
    /// Lays out the scan of these components.
    ///
    /// # Errors
    /// `ImageCorrupt` when an interleaved MCU would have more than ten blocks (B.2.3).
    pub fn new(frame: &Frame, scan: &Scan, direction: Direction) -> Result<Self> {
        let flip_rows = direction != Direction::Horizontal;
        let flip_columns = direction != Direction::Vertical;
        if let [only] = scan.components[..] {
            let component = &frame.components[only.index];
            let keeps = if flip_columns { Keeps::Never } else { Keeps::Inside };
            let slots = vec![Slot { component: 0, source: 0, keeps }];
            let (mcus_x, mcus_y) = (component.blocks_x, component.blocks_y);
            return Ok(Self { mcus_x, mcus_y, slots, flip_rows, flip_columns });
        }
        let mut slots: Vec<Slot> = Vec::with_capacity(10);
        for (component, in_scan) in scan.components.iter().enumerate() {
            let (h, v) = (frame.components[in_scan.index].h as usize, frame.components[in_scan.index].v as usize);
            let first = slots.len();
            let mirrored = |row: usize, column: usize| {
                let row = if flip_rows { v - 1 - row } else { row };
                let column = if flip_columns { h - 1 - column } else { column };
                first + row * h + column
            };
            for row in 0..v {
                for column in 0..h {
                    let source = mirrored(row, column);
                    let keeps = if flip_columns {
                        Keeps::Never
                    } else if column > 0 {
                        Keeps::Always
                    } else if v == 1 {
                        Keeps::Inside
                    } else {
                        Keeps::Never
                    };
                    slots.push(Slot { component, source, keeps });
                }
            }
        }
        if slots.len() > 10 {
            return Err(corrupt("an MCU has more than ten blocks"));
        }
        Ok(Self { mcus_x: frame.mcus_x, mcus_y: frame.mcus_y, slots, flip_rows, flip_columns })
    }

    /// Blocks in the whole scan.
    pub fn blocks(&self) -> u64 {
        u64::from(self.mcus_x) * u64::from(self.mcus_y) * self.slots.len() as u64
    }
}
