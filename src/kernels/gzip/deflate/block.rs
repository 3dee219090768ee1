//! Writes one deflate block (RFC 1951, section 3.2.3): stored, or with the fixed or its own codes, whichever is shortest.

use super::bits::{Bits, Writer};
use super::header::{Header, Lengths};
use super::huffman::{self, Code};
use super::tables::{
    DISTANCES, END, FIXED, FIXED_DISTANCE, LENGTH_BASE, LENGTH_EXTRA, LENGTH_SLOT, LITLEN, distance_base,
    distance_extra, distance_slot,
};

/// Literals, then a match; one without length ends a block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sequence {
    pub literals: u32,
    pub length: u16,
    pub distance: u16,
}

/// How often each symbol occurs in a block.
pub(super) struct Frequencies {
    pub litlen: [u32; LITLEN],
    pub distances: [u32; DISTANCES],
}

impl Frequencies {
    pub(super) const NONE: Self = Self { litlen: [0; LITLEN], distances: [0; DISTANCES] };
}

/// The most bytes of a stored block.
const STORED: usize = 65_535;

/// Ends the input: an empty block, whose code is one symbol.
pub(super) fn write_end(bits: &mut Bits<'_>) {
    // Final, fixed codes, and the end's seven zeros.
    bits.append(10, |writer| writer.put(0b011, 10));
    bits.align();
}

/// Fills up to a whole byte, so that another stream can follow: an empty stored block, as zlib's `Z_SYNC_FLUSH`.
pub(super) fn write_boundary(bits: &mut Bits<'_>) {
    bits.append(3, |writer| writer.put(0, 3));
    bits.align();
    bits.bytes(&[0, 0, 0xff, 0xff]);
}

/// Writes the block of `data` that `sequences` make of it; returns the codes that are shortest for them.
#[inline(always)]
pub(super) fn write(
    bits: &mut Bits<'_>,
    data: &[u8],
    sequences: &[Sequence],
    frequencies: &mut Frequencies,
) -> Lengths {
    frequencies.litlen[END] = 1;
    let mut own = Lengths { litlen: [0; LITLEN], distances: [0; DISTANCES] };
    huffman::lengths(&frequencies.litlen, 15, &mut own.litlen);
    huffman::lengths(&frequencies.distances, 15, &mut own.distances);
    let header = Header::new(&own);
    let fixed = Lengths { litlen: FIXED, distances: [FIXED_DISTANCE; DISTANCES] };
    let extra = extra_bits(frequencies);
    let own_bits = header.bits() + extra + cost(frequencies, &own);
    let fixed_bits = 3 + extra + cost(frequencies, &fixed);
    let stored_bits = 8 * (data.len() + 5 * data.len().div_ceil(STORED).max(1)) as u64 + 8;
    let least = own_bits.min(fixed_bits);
    if stored_bits < least {
        write_stored(bits, data);
        return own;
    }
    bits.append(least, |writer| {
        let lengths = if own_bits < fixed_bits {
            header.write(writer);
            &own
        } else {
            writer.put(0b010, 3);
            &fixed
        };
        write_sequences(writer, data, sequences, lengths);
    });
    own
}

fn write_stored(bits: &mut Bits<'_>, data: &[u8]) {
    for part in data.chunks(STORED) {
        bits.append(3, |writer| writer.put(0, 3));
        bits.align();
        let length = part.len() as u16;
        bits.bytes(&length.to_le_bytes());
        bits.bytes(&(!length).to_le_bytes());
        bits.bytes(part);
    }
}

fn extra_bits(frequencies: &Frequencies) -> u64 {
    let lengths =
        frequencies.litlen[END + 1..].iter().zip(LENGTH_EXTRA).map(|(&f, extra)| u64::from(f) * u64::from(extra));
    let distances =
        frequencies.distances.iter().enumerate().map(|(slot, &f)| u64::from(f) * u64::from(distance_extra(slot)));
    lengths.chain(distances).sum()
}

fn cost(frequencies: &Frequencies, lengths: &Lengths) -> u64 {
    let sum = |frequencies: &[u32], lengths: &[u8]| -> u64 {
        frequencies.iter().zip(lengths).map(|(&f, &length)| u64::from(f) * u64::from(length)).sum()
    };
    sum(&frequencies.litlen, &lengths.litlen) + sum(&frequencies.distances, &lengths.distances)
}

#[inline(always)]
fn write_sequences(bits: &mut Writer<'_>, data: &[u8], sequences: &[Sequence], lengths: &Lengths) {
    let (mut litlen, mut distances) = ([Code::default(); LITLEN], [Code::default(); DISTANCES]);
    huffman::codes(&lengths.litlen, &mut litlen);
    huffman::codes(&lengths.distances, &mut distances);
    let literals: &[Code; 256] = litlen.first_chunk().expect("literals come first");
    // A length's code with its extra bits behind it.
    let whole: [(u32, u8); 256] = std::array::from_fn(|over| {
        let slot = usize::from(LENGTH_SLOT[over]);
        let code = litlen[END + 1 + slot];
        let extra = over as u32 + 3 - u32::from(LENGTH_BASE[slot]);
        (u32::from(code.bits) | extra << code.length, code.length + LENGTH_EXTRA[slot])
    });
    let mut rest = data;
    for sequence in sequences {
        let (run, after) = rest.split_at(sequence.literals as usize);
        let (threes, ones) = run.as_chunks::<3>();
        for three in threes {
            for &byte in three {
                let code = literals[usize::from(byte)];
                bits.put(u64::from(code.bits), u32::from(code.length));
            }
            bits.flush();
        }
        for &byte in ones {
            let code = literals[usize::from(byte)];
            bits.put(u64::from(code.bits), u32::from(code.length));
        }
        if sequence.length == 0 {
            break;
        }
        // Two literals of 15 bits, a length of 20 and a distance of 28 would be too many.
        if ones.len() > 1 {
            bits.flush();
        }
        let (code, length) = whole[usize::from(sequence.length - 3) & 255];
        bits.put(u64::from(code), u32::from(length));
        let slot = distance_slot(sequence.distance);
        let code = distances[slot];
        bits.put(u64::from(code.bits), u32::from(code.length));
        bits.flush();
        bits.put(u64::from(u32::from(sequence.distance) - distance_base(slot)), distance_extra(slot));
        bits.flush();
        rest = &after[usize::from(sequence.length)..];
    }
    bits.flush();
    let end = litlen[END];
    bits.write(u64::from(end.bits), u32::from(end.length));
}
