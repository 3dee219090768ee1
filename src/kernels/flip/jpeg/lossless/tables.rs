//! The Huffman tables in force, those read and those written (T.81 B.2.4.2).
#![forbid(unsafe_code)]

use super::huffman::Table;
use super::{corrupt, marker};
use crate::error::Result;
use std::rc::Rc;

/// Which of the two kinds a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Codes categories of DC differences.
    Dc = 0,
    /// Codes runs and categories of AC coefficients.
    Ac = 1,
}

/// Four tables of each class; each lasts until it is defined again.
#[derive(Clone, Default)]
pub(super) struct Tables {
    slots: [[Option<Rc<Table>>; 4]; 2],
}

impl Tables {
    /// Takes over the tables of a DHT segment.
    ///
    /// # Errors
    /// `ImageCorrupt` when the segment breaks T.81's rules.
    pub fn read(&mut self, mut payload: &[u8]) -> Result<()> {
        while let Some((&head, rest)) = payload.split_first() {
            let (class, number) = (usize::from(head >> 4), usize::from(head & 15));
            if class > 1 || number > 3 {
                return Err(corrupt("a Huffman table's class or number is out of range"));
            }
            let (table, rest) = Table::parse(rest)?;
            self.slots[class][number] = Some(Rc::new(table));
            payload = rest;
        }
        Ok(())
    }

    /// The table in force.
    ///
    /// # Errors
    /// `ImageCorrupt` when none was defined.
    pub fn get(&self, class: Class, number: usize) -> Result<Rc<Table>> {
        let table = self.slots[class as usize].get(number).and_then(Option::as_ref);
        table.cloned().ok_or_else(|| corrupt("a scan uses a Huffman table that was never defined"))
    }

    /// Appends a DHT segment with those of `needed` that are not in force here yet, and takes them over.
    pub fn write(&mut self, needed: &[(Class, usize, Rc<Table>)], out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend_from_slice(&[0xFF, marker::DHT, 0, 0]);
        for (class, number, table) in needed {
            let slot = &mut self.slots[*class as usize][*number];
            if slot.as_ref() != Some(table) {
                out.push((*class as u8) << 4 | *number as u8);
                table.write(out);
                *slot = Some(Rc::clone(table));
            }
        }
        // Eight tables of at most 273 bytes: two bytes hold the length.
        let length = (out.len() - begin - 2) as u16;
        if length == 2 {
            out.truncate(begin);
        } else {
            out[begin + 2..begin + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
}
