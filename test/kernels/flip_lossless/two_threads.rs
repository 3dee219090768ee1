//! A flip that may have a second thread gives the very bytes that it gives without.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, app_segments, flip};
use rustcluster::error::Result;
use rustcluster::kernels::control::{Control, Cores, Spare};
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Has a core to spare always, and counts how often one was taken and given back.
#[derive(Default)]
struct Plenty {
    taken: AtomicUsize,
    given_back: AtomicUsize,
}

struct Core<'a>(&'a Plenty);

impl Cores for Plenty {
    fn spare(&self) -> Option<Box<dyn Spare + '_>> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Core(self)))
    }
}

impl Spare for Core<'_> {}

impl Drop for Core<'_> {
    fn drop(&mut self) {
        self.0.given_back.fetch_add(1, Ordering::Relaxed);
    }
}

/// Never has one.
struct Busy;

impl Cores for Busy {
    fn spare(&self) -> Option<Box<dyn Spare + '_>> {
        None
    }
}

/// Flips with a second thread; tells how many were taken too.
fn flip_in_two(file: &[u8], direction: Direction) -> (Result<Vec<u8>>, usize) {
    let cores = Arc::new(Plenty::default());
    let control = Control::with_cores(Arc::clone(&cores) as Arc<dyn Cores>);
    let flipped = lossless::flip(file, direction, &app_segments(file), &[], &control);
    let taken = cores.taken.load(Ordering::Relaxed);
    assert_eq!(cores.given_back.load(Ordering::Relaxed), taken, "a core is given back, whatever comes");
    (flipped, taken)
}

/// A megapixel, with noise enough for as many bytes.
fn kind(sampling: usize) -> Kind {
    let (_, sampling, mcu_x, mcu_y) = SAMPLINGS[sampling];
    Kind { quality: 98, ..Kind::new(1120 / mcu_x * mcu_x, 1024 / mcu_y * mcu_y, sampling) }
}

/// Whether this CPU walks over code in lanes at all.
fn has_lanes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512vbmi2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn the_same_bytes_as_in_one() {
    for (sampling, restart) in [(0, 0), (1, 0), (3, 0), (3, 7), (3, 500), (3, 2000)] {
        let file = Kind { restart, ..kind(sampling) }.encode();
        for direction in DIRECTIONS {
            let what = format!("{sampling} {restart} {direction:?}");
            let (two, taken) = flip_in_two(&file, direction);
            assert!(two.unwrap() == flip(&file, direction).unwrap(), "{what}");
            // Intervals too short to be walked over at once leave nothing for another thread.
            assert_eq!(taken, usize::from(has_lanes() && restart != 7), "{what}");
        }
    }
}

#[test]
fn the_same_answer_for_damaged_files() {
    let file = kind(3).encode();
    for at in (700..file.len() - 1).step_by(file.len() / 25) {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        damaged[at + 1] = damaged[at + 1].wrapping_add(at as u8);
        let direction = DIRECTIONS[at % 3];
        match (flip(&damaged, direction), flip_in_two(&damaged, direction).0) {
            (Ok(one), Ok(two)) => assert!(one == two, "byte {at}"),
            (Err(one), Err(two)) => assert_eq!(one.to_string(), two.to_string(), "byte {at}"),
            (one, two) => panic!("byte {at}: {:?} and {:?}", one.map(|_| ()), two.map(|_| ())),
        }
    }
}

#[test]
fn small_files_take_no_core_and_large_ones_do_without() {
    let small = Kind::new(640, 480, SAMPLINGS[3].1).encode();
    assert_eq!(flip_in_two(&small, DIRECTIONS[0]).1, 0);
    let large = kind(3).encode();
    let busy = Control::with_cores(Arc::new(Busy));
    let flipped = lossless::flip(&large, DIRECTIONS[0], &app_segments(&large), &[], &busy).unwrap();
    assert!(flipped == flip(&large, DIRECTIONS[0]).unwrap());
}

#[test]
fn an_aborted_one_ends() {
    let control = Control::with_cores(Arc::new(Plenty::default()));
    control.abort();
    assert!(lossless::flip(&kind(3).encode(), DIRECTIONS[0], &[], &[], &control).is_err());
}
