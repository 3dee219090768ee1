//! Reads all coefficients of a JPEG: the tests' and fuzzers' own judge of what a flip may change.
//!
//! Written for plainness, bit by bit after T.81 F.2 and G.2, and sharing nothing with the code under test. Covers 8-bit
//! Huffman-coded sequential and progressive files.

use std::collections::HashMap;

/// One component's blocks, row by row, those that only pad an MCU left out; coefficients in zigzag order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    pub id: u8,
    pub h: u32,
    pub v: u32,
    pub quantiser: u8,
    pub blocks_x: usize,
    pub blocks_y: usize,
    pub blocks: Vec<[i32; 64]>,
}

/// A whole picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub progressive: bool,
    pub width: u32,
    pub height: u32,
    pub planes: Vec<Plane>,
}

/// A table as the procedures of C.2 and F.2.2.3 want it.
#[derive(Clone, Default)]
struct Codes {
    /// By length: the first code, the number of codes and the index of the first one's symbol.
    lengths: [(u32, u32, usize); 17],
    symbols: Vec<u8>,
}

struct Bits<'a> {
    file: &'a [u8],
    at: usize,
    byte: u8,
    left: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.byte = *self.file.get(self.at)?;
            self.at += 1;
            if self.byte == 0xFF {
                let mut next = *self.file.get(self.at)?;
                while next == 0xFF {
                    self.at += 1;
                    next = *self.file.get(self.at)?;
                }
                if next != 0 {
                    return None;
                }
                self.at += 1;
            }
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.byte) >> self.left & 1)
    }

    fn bits(&mut self, count: u32) -> Option<i32> {
        (0..count).try_fold(0, |value, _| Some(value << 1 | self.bit()? as i32))
    }

    fn symbol(&mut self, codes: &Codes) -> Option<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.bit()?;
            let (first, count, index) = codes.lengths[length];
            if code >= first && code - first < count {
                return codes.symbols.get(index + (code - first) as usize).copied();
            }
        }
        None
    }

    /// A value of `size` bits (F.2.2.1: RECEIVE and EXTEND).
    fn value(&mut self, size: u32) -> Option<i32> {
        let bits = self.bits(size)?;
        Some(if size > 0 && bits >> (size - 1) == 0 { bits - (1 << size) + 1 } else { bits })
    }

    /// Goes to the next marker and returns it.
    fn marker(&mut self) -> Option<u8> {
        self.left = 0;
        loop {
            match (self.file.get(self.at)?, self.file.get(self.at + 1)?) {
                (0xFF, code) if !matches!(code, 0 | 0xFF) => {
                    self.at += 2;
                    return Some(*code);
                }
                _ => self.at += 1,
            }
        }
    }
}

/// The band and the bit plane of a scan.
#[derive(Clone, Copy)]
struct Band {
    ss: usize,
    se: usize,
    ah: u32,
    al: u32,
}

/// Reads the coefficients; none for files that are broken or of another kind.
pub fn read(file: &[u8]) -> Option<Picture> {
    let mut bits = Bits { file, at: 0, byte: 0, left: 0 };
    let mut tables: HashMap<u8, Codes> = HashMap::new();
    let mut picture: Option<Picture> = None;
    let mut restart = 0;
    if bits.marker()? != 0xD8 {
        return None;
    }
    loop {
        let code = bits.marker()?;
        if code == 0xD9 {
            return picture;
        }
        if code == 0x01 {
            // TEM stands alone.
            continue;
        }
        let length = usize::from(*file.get(bits.at)?) << 8 | usize::from(*file.get(bits.at + 1)?);
        let payload = file.get(bits.at + 2..bits.at + length)?;
        bits.at += length;
        match code {
            0xC0..=0xC2 => picture = Some(frame(code == 0xC2, payload)?),
            0xC4 => define(&mut tables, payload)?,
            0xDD => restart = usize::from(payload[0]) << 8 | usize::from(payload[1]),
            0xDA => scan(&mut bits, payload, &tables, picture.as_mut()?, restart)?,
            _ => {}
        }
    }
}

fn frame(progressive: bool, payload: &[u8]) -> Option<Picture> {
    let word = |at: usize| u32::from(payload[at]) << 8 | u32::from(payload[at + 1]);
    let (height, width) = (word(1), word(3));
    let specs: Vec<&[u8]> = payload.get(6..)?.chunks_exact(3).collect();
    let h_max = specs.iter().map(|spec| u32::from(spec[1] >> 4)).max()?;
    let v_max = specs.iter().map(|spec| u32::from(spec[1] & 15)).max()?;
    let planes = specs
        .iter()
        .map(|spec| {
            let (h, v) = (u32::from(spec[1] >> 4), u32::from(spec[1] & 15));
            let blocks_x = (width * h).div_ceil(h_max).div_ceil(8) as usize;
            let blocks_y = (height * v).div_ceil(v_max).div_ceil(8) as usize;
            let blocks = vec![[0; 64]; blocks_x * blocks_y];
            Plane { id: spec[0], h, v, quantiser: spec[2], blocks_x, blocks_y, blocks }
        })
        .collect();
    Some(Picture { progressive, width, height, planes })
}

fn define(tables: &mut HashMap<u8, Codes>, mut payload: &[u8]) -> Option<()> {
    while let Some((&head, rest)) = payload.split_first() {
        let counts = rest.get(..16)?;
        let mut codes = Codes::default();
        let (mut code, mut index) = (0, 0);
        for (length, &count) in (1..).zip(counts) {
            codes.lengths[length] = (code, count.into(), index);
            code = (code + u32::from(count)) << 1;
            index += usize::from(count);
        }
        codes.symbols = rest.get(16..16 + index)?.to_vec();
        payload = &rest[16 + index..];
        tables.insert(head, codes);
    }
    Some(())
}

fn scan(
    bits: &mut Bits<'_>,
    payload: &[u8],
    tables: &HashMap<u8, Codes>,
    picture: &mut Picture,
    restart: usize,
) -> Option<()> {
    let count = usize::from(*payload.first()?);
    let selectors: Vec<&[u8]> = payload.get(1..1 + 2 * count)?.chunks_exact(2).collect();
    let tail = payload.get(1 + 2 * count..)?;
    let band = if picture.progressive {
        let (ah, al) = (u32::from(tail[2] >> 4), u32::from(tail[2] & 15));
        Band { ss: tail[0].into(), se: tail[1].into(), ah, al }
    } else {
        Band { ss: 0, se: 63, ah: 0, al: 0 }
    };
    let planes: Vec<usize> =
        selectors.iter().map(|s| picture.planes.iter().position(|p| p.id == s[0])).collect::<Option<_>>()?;
    let h_max = picture.planes.iter().map(|plane| plane.h).max()?;
    let v_max = picture.planes.iter().map(|plane| plane.v).max()?;
    let alone = count == 1;
    let (mcus_x, mcus_y) = if alone {
        (picture.planes[planes[0]].blocks_x, picture.planes[planes[0]].blocks_y)
    } else {
        (picture.width.div_ceil(8 * h_max) as usize, picture.height.div_ceil(8 * v_max) as usize)
    };
    let none = Codes::default();
    let mut dc = [0; 4];
    let mut eob_run = 0;
    for mcu in 0..mcus_x * mcus_y {
        if restart > 0 && mcu > 0 && mcu % restart == 0 {
            if bits.marker()? != 0xD0 + ((mcu / restart - 1) % 8) as u8 {
                return None;
            }
            dc = [0; 4];
            eob_run = 0;
        }
        for (&index, selector) in planes.iter().zip(&selectors) {
            let plane = &mut picture.planes[index];
            let dc_codes = tables.get(&(selector[1] >> 4)).unwrap_or(&none);
            let ac_codes = tables.get(&(0x10 | selector[1] & 15)).unwrap_or(&none);
            let (h, v) = if alone { (1, 1) } else { (plane.h as usize, plane.v as usize) };
            for i in 0..h * v {
                let (x, y) = (mcu % mcus_x * h + i % h, mcu / mcus_x * v + i / h);
                let mut padding = [0; 64];
                let inside = x < plane.blocks_x && y < plane.blocks_y;
                let block = if inside { &mut plane.blocks[y * plane.blocks_x + x] } else { &mut padding };
                if !picture.progressive {
                    dc[index] += difference(bits, dc_codes)?;
                    block[0] = dc[index];
                    sequential_ac(bits, ac_codes, block)?;
                } else if band.ss == 0 && band.ah == 0 {
                    dc[index] += difference(bits, dc_codes)?;
                    block[0] = dc[index] << band.al;
                } else if band.ss == 0 {
                    block[0] |= (bits.bit()? as i32) << band.al;
                } else if band.ah == 0 {
                    first_ac(bits, ac_codes, band, &mut eob_run, block)?;
                } else {
                    refine_ac(bits, ac_codes, band, &mut eob_run, block)?;
                }
            }
        }
    }
    Some(())
}

fn difference(bits: &mut Bits<'_>, codes: &Codes) -> Option<i32> {
    let size = bits.symbol(codes)?;
    if size > 16 { None } else { bits.value(size.into()) }
}

fn sequential_ac(bits: &mut Bits<'_>, codes: &Codes, block: &mut [i32; 64]) -> Option<()> {
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(codes)?;
        k += usize::from(symbol >> 4);
        match symbol {
            0 => break,
            0xF0 => {}
            _ => *block.get_mut(k)? = bits.value((symbol & 15).into())?,
        }
        k += 1;
    }
    Some(())
}

fn first_ac(bits: &mut Bits<'_>, codes: &Codes, band: Band, eob_run: &mut i32, block: &mut [i32; 64]) -> Option<()> {
    let mut k = band.ss;
    while *eob_run == 0 && k <= band.se {
        let symbol = bits.symbol(codes)?;
        let (run, size) = (symbol >> 4, u32::from(symbol & 15));
        if size == 0 && run < 15 {
            *eob_run = (1 << run) + bits.bits(run.into())?;
        } else {
            k += usize::from(run);
            if size > 0 {
                *block.get_mut(k)? = bits.value(size)? << band.al;
            }
            k += 1;
        }
    }
    *eob_run = (*eob_run - 1).max(0);
    Some(())
}

fn refine_ac(bits: &mut Bits<'_>, codes: &Codes, band: Band, eob_run: &mut i32, block: &mut [i32; 64]) -> Option<()> {
    let one = 1 << band.al;
    let mut k = band.ss;
    while *eob_run == 0 && k <= band.se {
        let symbol = bits.symbol(codes)?;
        let (mut run, size) = (symbol >> 4, symbol & 15);
        let mut new = 0;
        if size == 0 && run < 15 {
            *eob_run = (1 << run) + bits.bits(run.into())?;
            break;
        } else if size > 0 {
            new = if bits.bit()? == 1 { one } else { -one };
        }
        loop {
            let value = block.get_mut(k)?;
            if k > band.se {
                return None;
            }
            k += 1;
            if *value != 0 {
                correct(bits, value, one)?;
            } else if run == 0 {
                *value = new;
                break;
            } else {
                run -= 1;
            }
            if k > band.se && new == 0 {
                break;
            }
        }
    }
    if *eob_run > 0 {
        for value in block.get_mut(k..=band.se)?.iter_mut().filter(|value| **value != 0) {
            correct(bits, value, one)?;
        }
        *eob_run -= 1;
    }
    Some(())
}

/// Reads the correction bit of a coefficient that is not zero any more (G.1.2.3).
fn correct(bits: &mut Bits<'_>, value: &mut i32, one: i32) -> Option<()> {
    if bits.bit()? == 1 {
        *value += one * value.signum();
    }
    Some(())
}

/// What flipping has to make of a picture whose flipped dimensions are whole MCUs.
pub fn mirror(picture: &Picture, rows: bool, columns: bool) -> Picture {
    let mut mirrored = picture.clone();
    for (to, from) in mirrored.planes.iter_mut().zip(&picture.planes) {
        for y in 0..from.blocks_y {
            for x in 0..from.blocks_x {
                let from_y = if rows { from.blocks_y - 1 - y } else { y };
                let from_x = if columns { from.blocks_x - 1 - x } else { x };
                let mut block = from.blocks[from_y * from.blocks_x + from_x];
                for (k, value) in block.iter_mut().enumerate() {
                    let (u, v) = (ZIGZAG[k] % 8, ZIGZAG[k] / 8);
                    if (rows && v % 2 == 1) != (columns && u % 2 == 1) {
                        *value = -*value;
                    }
                }
                to.blocks[y * to.blocks_x + x] = block;
            }
        }
    }
    mirrored
}

/// The place in a row-wise block of each zigzag position (figure 5).
pub const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];
