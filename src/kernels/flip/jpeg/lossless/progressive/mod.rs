//! Progressive scans (T.81 G): each is mirrored by itself, the scan script stays.
//!
//! No coefficient is ever put together. A first scan's values and a refinement's signs are complemented where the
//! coefficient is negated; correction bits add to a magnitude and stay. The one thing to remember from scan to scan
//! is which coefficients are nonzero already, a bit each, since a refinement's code depends on it.
#![forbid(unsafe_code)]

mod ac;
mod ac_parse;
mod dc_first;
mod dc_refine;
mod eob_run;

use super::corrupt;
use super::job::{Job, Output};
use super::scan::Scan;
use super::scratch::Scratch;
use crate::error::Result;

/// What earlier scans said of a component.
pub(super) struct Progress {
    /// The bit plane each coefficient is known to, by zigzag position.
    planes: [Option<u32>; 64],
    /// Which coefficients are nonzero so far, bit k for zigzag position k, by block; empty before the first AC
    /// scan.
    nonzero: Vec<u64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { planes: [None; 64], nonzero: Vec::new() }
    }
}

impl Progress {
    /// Takes note of a scan's band and bit plane.
    ///
    /// # Errors
    /// `ImageCorrupt` when the scan does not go on where the last one ended (G.1.1.1).
    fn advance(&mut self, scan: &Scan) -> Result<()> {
        let before = (scan.ah > 0).then_some(scan.ah);
        if scan.ss > 0 && self.planes[0].is_none() {
            return Err(corrupt("an AC scan before the component's DC scan"));
        }
        for plane in &mut self.planes[scan.ss as usize..=scan.se as usize] {
            if *plane != before {
                return Err(corrupt("a progressive scan does not follow from the ones before it"));
            }
            *plane = Some(scan.al);
        }
        Ok(())
    }
}

/// Mirrors one scan: reads its entropy-coded data from the given place and appends tables, header and data to the
/// output. Returns the offset behind the data.
///
/// # Errors
/// `ImageCorrupt`, `NotLossless` for half a GiB of data, `Aborted`.
pub(super) fn flip_scan(
    job: &Job<'_>,
    data: (&[u8], usize),
    progress: &mut [Progress; 4],
    scratch: &mut Scratch,
    output: &mut Output<'_>,
) -> Result<usize> {
    for component in &job.scan.components {
        progress[component.index].advance(job.scan)?;
    }
    match job.scan {
        Scan { ss: 0, ah: 0, .. } => dc_first::flip_scan(job, data, scratch, output),
        Scan { ss: 0, .. } => dc_refine::flip_scan(job, data, scratch, output),
        scan => ac::flip_scan(job, data, &mut progress[scan.components[0].index].nonzero, scratch, output),
    }
}
