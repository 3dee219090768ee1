//! Which Huffman tables code a shifted scan.
#![forbid(unsafe_code)]

use super::super::huffman::{Codes, Table};
use super::super::job::Job;
use super::super::optimal;
use super::super::tables::Class;
use super::code::{Count, Counts, EOB, ZRL};
use super::walk::Part;
use crate::error::{Error, Result};
use std::rc::Rc;

/// The tables of a scan by component, each with its number.
pub(super) struct Choice {
    dc: Vec<Chosen>,
    ac: Vec<Chosen>,
}

/// A table, and whether it is another one than the source's.
#[derive(Clone)]
struct Chosen {
    number: usize,
    table: Rc<Table>,
    is_new: bool,
}

impl Choice {
    /// The source's own tables.
    ///
    /// # Errors
    /// `ImageCorrupt` when one is not defined.
    pub fn of_source(job: &Job<'_>) -> Result<Self> {
        let chosen = |class, number| Ok(Chosen { number, table: job.tables.get(class, number)?, is_new: false });
        let components = &job.scan.components;
        Ok(Self {
            dc: components.iter().map(|component| chosen(Class::Dc, component.dc_table)).collect::<Result<_>>()?,
            ac: components.iter().map(|component| chosen(Class::Ac, component.ac_table)).collect::<Result<_>>()?,
        })
    }

    /// Whether these tables have a code for whatever may come up in an 8-bit picture, as those of T.81 annex K do.
    pub fn is_complete(&self, parts: &[Part]) -> bool {
        let has = |chosen: &Chosen, mut symbols: Box<dyn Iterator<Item = u8>>| {
            let codes = chosen.table.codes();
            symbols.all(|symbol| codes.get(symbol).1 > 0)
        };
        let all = || (0..16).flat_map(|run| (1..=10).map(move |size| run << 4 | size)).chain([EOB, ZRL]);
        self.dc.iter().all(|chosen| has(chosen, Box::new(0..12)))
            && self.ac.iter().zip(parts).all(|(chosen, part)| {
                if part.recoder.is_some() {
                    has(chosen, Box::new(all()))
                } else {
                    has(chosen, Box::new([EOB].into_iter()))
                }
            })
    }

    /// Replaces tables that lack a code for what was counted; those of blocks that are made anew also where the best
    /// table is shorter by far.
    ///
    /// # Errors
    /// `NotLossless` when a component whose blocks stay would need another AC table: its code is copied.
    pub fn fit(&mut self, parts: &[Part], counts: &Count) -> Result<()> {
        for chosen in groups(&self.dc) {
            let sum = sum(&counts.dc, &self.dc, chosen.number, |_| true);
            if !chosen.table.codes().covers(&sum) {
                replace(&mut self.dc, chosen.number, |_| true, chosen.number, &sum);
            }
        }
        let is_made = |component: usize| parts[component].recoder.is_some();
        let stays = |component: usize| !is_made(component);
        for chosen in groups(&self.ac) {
            let (kept, made) =
                (sum(&counts.ac, &self.ac, chosen.number, stays), sum(&counts.ac, &self.ac, chosen.number, is_made));
            let codes = chosen.table.codes();
            if !codes.covers(&kept) {
                return Err(Error::NotLossless("a Huffman table has no end of block to pad with".into()));
            }
            if made == [0; 256] || codes.covers(&made) && is_near_best(&codes, &made) {
                continue;
            }
            // A number that no copied code is read by, nor another component's.
            let taken = |number: usize| {
                self.ac.iter().enumerate().any(|(component, other)| {
                    other.number == number && (stays(component) || other.number != chosen.number)
                })
            };
            let number = [chosen.number, 0, 1].into_iter().find(|&number| !taken(number));
            match number {
                Some(number) => replace(&mut self.ac, chosen.number, is_made, number, &made),
                None if codes.covers(&made) => {}
                None => return Err(Error::NotLossless("its components share their Huffman tables".into())),
            }
        }
        Ok(())
    }

    /// The tables as they have to be defined.
    pub fn needed(&self) -> Vec<(Class, usize, Rc<Table>)> {
        let needed = |class, chosen: &Chosen| (class, chosen.number, Rc::clone(&chosen.table));
        let dc = self.dc.iter().map(|chosen| needed(Class::Dc, chosen));
        dc.chain(self.ac.iter().map(|chosen| needed(Class::Ac, chosen))).collect()
    }

    /// By component: DC codes, whether they are new ones, AC codes.
    pub fn codes(&self) -> Vec<(Codes, bool, Codes)> {
        self.dc.iter().zip(&self.ac).map(|(dc, ac)| (dc.table.codes(), dc.is_new, ac.table.codes())).collect()
    }

    /// The scan header, which names the tables; `header` is the source's.
    pub fn header(&self, header: &[u8]) -> Vec<u8> {
        let mut header = header.to_vec();
        // Behind marker, length and count, two bytes a component.
        for ((_, place), (dc, ac)) in
            header.iter_mut().skip(5).enumerate().filter(|(i, _)| i % 2 == 1).zip(self.dc.iter().zip(&self.ac))
        {
            *place = (dc.number << 4 | ac.number) as u8;
        }
        header
    }
}

/// One component's table of each number.
fn groups(chosen: &[Chosen]) -> Vec<Chosen> {
    let is_first = |&(i, table): &(usize, &Chosen)| chosen[..i].iter().all(|other| other.number != table.number);
    chosen.iter().enumerate().filter(is_first).map(|(_, table)| table.clone()).collect()
}

/// What those components that `of` is true for count together, of those with a table number.
fn sum(counts: &Counts, chosen: &[Chosen], number: usize, of: impl Fn(usize) -> bool) -> [u32; 256] {
    let mut sum = [0; 256];
    for (component, (counts, chosen)) in counts.0.iter().zip(chosen).enumerate() {
        if chosen.number == number && of(component) {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    sum
}

/// Gives those components that `of` is true for, of those with table `number`, the best table for these counts.
fn replace(chosen: &mut [Chosen], number: usize, of: impl Fn(usize) -> bool, to: usize, counts: &[u32; 256]) {
    let table = Rc::new(optimal::table(counts));
    for (component, chosen) in chosen.iter_mut().enumerate() {
        if chosen.number == number && of(component) {
            *chosen = Chosen { number: to, table: Rc::clone(&table), is_new: true };
        }
    }
}

/// Whether the best table would save no more than it takes to define it, and a hundredth.
fn is_near_best(codes: &Codes, counts: &[u32; 256]) -> bool {
    let best = optimal::table(counts);
    let cost = best.codes().cost(counts);
    codes.cost(counts) <= cost + cost / 100 + 8 * best.size()
}
