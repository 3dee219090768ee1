//! Flips one JPEG on the bitstream N times: for comparing a whole process's CPU with `jpegtran -flip`.
//!
//! ```text
//! cargo run --release --no-default-features --example flip-lossless -- in.jpg out.jpg [vertical|horizontal|both] [N] [partly] [two]
//! perf stat -e instructions:u,cycles:u target/release/examples/flip-lossless in.jpg out.jpg
//! ```
//! APPn and COM segments are left behind, as by `jpegtran -copy none`. `partly` codes components anew whose blocks do not
//! line up in the flipped picture; `two` lets each flip have a second thread.

use rustcluster::kernels::control::{Control, Cores, Spare};
use rustcluster::kernels::flip::Direction;
use rustcluster::kernels::flip::jpeg::lossless;
use std::sync::Arc;
use std::time::Instant;

/// A core is always free.
struct Always;

impl Spare for Always {}

impl Cores for Always {
    fn spare(&self) -> Option<Box<dyn Spare + '_>> {
        Some(Box::new(Self))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let usage = "usage: flip-lossless in.jpg out.jpg [vertical|horizontal|both] [N] [partly] [two]";
    let (source, target) = (args.get(1).expect(usage), args.get(2).expect(usage));
    let direction = match args.get(3).map_or("vertical", String::as_str) {
        "vertical" => Direction::Vertical,
        "horizontal" => Direction::Horizontal,
        "both" => Direction::Both,
        _ => panic!("{usage}"),
    };
    let times: usize = args.get(4).map_or(1, |n| n.parse().expect(usage));
    let flip = if args.iter().skip(5).any(|arg| arg == "partly") { lossless::flip_partly } else { lossless::flip };
    let two = args.iter().skip(5).any(|arg| arg == "two");
    let control = if two { Control::with_cores(Arc::new(Always)) } else { Control::new() };
    let file = std::fs::read(source).expect("cannot read the source");
    let mut shortest = f64::INFINITY;
    let mut flipped = Vec::new();
    for _ in 0..times {
        lossless::recycle(std::mem::take(&mut flipped));
        let begin = Instant::now();
        flipped = match flip(&file, direction, &[], &[], &control) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
        };
        shortest = shortest.min(begin.elapsed().as_secs_f64());
    }
    std::fs::write(target, &flipped).expect("cannot write the target");
    if times > 1 {
        println!("{times} flips of {} bytes, shortest {:.2} ms", file.len(), shortest * 1e3);
    }
}
