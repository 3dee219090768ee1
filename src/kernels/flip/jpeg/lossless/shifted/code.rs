//! What a shifted scan is coded as: counted first where its tables may not do, then written.
#![forbid(unsafe_code)]

use super::super::dc::{self, Predictor};
use super::super::huffman::Codes;
use super::super::job::Block;
use super::super::writer::BitWriter;
use super::walk::Sink;
use crate::kernels::flip::jpeg::fdct::Coefficients;

/// The symbol that ends a block, and the one for sixteen zeros (T.81 F.1.2.2).
pub(super) const EOB: u8 = 0;
pub(super) const ZRL: u8 = 0xF0;

/// Counts symbols, by component.
#[derive(Default)]
pub(super) struct Count {
    predictor: Predictor,
    /// Categories of DC differences.
    pub dc: Counts,
    /// AC symbols of blocks that are made anew, padding among them.
    pub ac: Counts,
}

/// How often each symbol stands there, for each of four components.
pub(super) struct Counts(pub [[u32; 256]; 4]);

impl Default for Counts {
    fn default() -> Self {
        Self([[0; 256]; 4])
    }
}

impl Count {
    #[inline(always)]
    fn difference(&mut self, component: usize, value: i16) {
        let difference = self.predictor.difference(component, value);
        self.dc.0[component & 3][dc::category(difference) as usize] += 1;
    }
}

impl Sink for Count {
    #[inline(always)]
    fn exact(&mut self, component: usize, block: Block, _: bool) {
        self.difference(component, block.dc);
    }

    #[inline(always)]
    fn coded(&mut self, component: usize, coefficients: &Coefficients) {
        self.difference(component, coefficients.get(0));
        symbols(coefficients, |symbol, _| self.ac.0[component & 3][usize::from(symbol)] += 1);
    }

    #[inline(always)]
    fn padding(&mut self, component: usize) {
        self.dc.0[component & 3][0] += 1;
        self.ac.0[component & 3][usize::from(EOB)] += 1;
    }

    #[inline(always)]
    fn restart(&mut self, _: u32) {
        self.predictor = Predictor::default();
    }
}

/// Shows `each` the AC symbols of a block with the values that follow them; a value has as many bits as its symbol's
/// lower half says.
#[inline(always)]
fn symbols(coefficients: &Coefficients, mut each: impl FnMut(u8, i32)) {
    let mut rest = coefficients.nonzero() & !1;
    let mut before = 0;
    while rest != 0 {
        let k = rest.trailing_zeros();
        rest &= rest - 1;
        let mut run = k - before - 1;
        while run > 15 {
            each(ZRL, 0);
            run -= 16;
        }
        let value = i32::from(coefficients.get(k as usize));
        each((run << 4 | dc::category(value)) as u8, value);
        before = k;
    }
    if before < 63 {
        each(EOB, 0);
    }
}

/// Writes a scan.
pub(super) struct Write<'a> {
    /// The source's code, complemented.
    pub code: &'a [u8],
    /// By component: the DC codes, whether they are others than the source's, and the AC codes.
    pub codes: &'a [(Codes, bool, Codes)],
    /// Where to.
    pub writer: BitWriter<'a>,
    predictor: Predictor,
    /// The piece of the source that is not copied yet, in bits.
    from: u32,
    to: u32,
    /// Whether every symbol had a code so far.
    all_coded: bool,
}

impl<'a> Write<'a> {
    /// Starts a scan.
    pub fn new(code: &'a [u8], codes: &'a [(Codes, bool, Codes)], writer: BitWriter<'a>) -> Self {
        Self { code, codes, writer, predictor: Predictor::default(), from: 0, to: 0, all_coded: true }
    }

    /// Writes what is pending; false if a symbol had no code and the scan is of no use.
    pub fn finish(mut self) -> bool {
        self.flush();
        self.writer.finish();
        self.all_coded
    }

    #[inline(always)]
    fn flush(&mut self) {
        self.writer.copy(self.code, self.from, self.to);
        (self.from, self.to) = (0, 0);
    }

    #[inline(always)]
    fn difference(&mut self, component: usize, value: i16) {
        let difference = self.predictor.difference(component, value);
        self.all_coded &= dc::write(&mut self.writer, &self.codes[component].0, difference);
    }
}

impl Sink for Write<'_> {
    #[inline(always)]
    fn exact(&mut self, component: usize, block: Block, keeps: bool) {
        if keeps && !self.codes[component].1 {
            self.predictor.difference(component, block.dc);
            if block.start != self.to {
                self.flush();
                self.from = block.start;
            }
        } else {
            self.flush();
            self.difference(component, block.dc);
            self.from = block.ac();
        }
        self.to = block.end();
    }

    #[inline(always)]
    fn coded(&mut self, component: usize, coefficients: &Coefficients) {
        self.flush();
        self.difference(component, coefficients.get(0));
        let codes = &self.codes[component].2;
        symbols(coefficients, |symbol, value| {
            let (code, length) = codes.get(symbol);
            let size = u32::from(symbol & 15);
            // Negative values are sent as their one's complement (F.1.2.2.1).
            let bits = (value + (value >> 31)) as u32 & !(!0 << size);
            self.writer.put(code << size | u64::from(bits), length + size);
            self.all_coded &= length > 0;
        });
    }

    #[inline(always)]
    fn padding(&mut self, component: usize) {
        self.flush();
        // The DC coefficient of the block before: the shortest that there is, and what libjpeg pads with.
        let codes = &self.codes[component];
        let (code, length) = codes.2.get(EOB);
        self.all_coded &= length > 0 && dc::write(&mut self.writer, &codes.0, 0);
        self.writer.put(code, length);
    }

    #[inline(always)]
    fn restart(&mut self, number: u32) {
        self.flush();
        self.writer.restart(number);
        self.predictor = Predictor::default();
    }

    #[inline(always)]
    fn has_failed(&self) -> bool {
        !self.all_coded
    }
}
