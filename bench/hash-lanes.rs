//! Measures the SHA-256 lanes alone, without Node: `cargo run --release --no-default-features --example hash-lanes`.
//!
//! Every backend this CPU has, over sets of messages of several sizes, against one stream at a time. Digests are
//! compared before anything is timed; runs are interleaved and the median of the thread's CPU time is given, which other
//! processes disturb less than the wall clock. Cycles are of the clock that a chain of multiplications runs at, which
//! takes three of them each. `--widths` adds sets of 1 to 16 messages, `--files` files.

use rustcluster::kernels::control::Control;
use rustcluster::kernels::hash::{Algorithm, Backend, backends, digest, file, files, many, many_on};
use std::hint::black_box;
use std::time::Duration;

const RUNS: usize = 9;

fn main() {
    let hertz = clock();
    println!(
        "clock {:.2} GHz, backends {:?}",
        hertz / 1e9,
        backends().into_iter().map(Backend::name).collect::<Vec<_>>()
    );
    let pool: Vec<u8> = (0..64_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, sizes) in sets() {
        let mut at = 0;
        let messages: Vec<&[u8]> = sizes
            .iter()
            .map(|&size| {
                at = if at + size > pool.len() { 0 } else { at };
                at += size;
                &pool[at - size..at]
            })
            .collect();
        report(&name, &messages, hertz);
    }
    if std::env::args().any(|argument| argument == "--files") {
        report_files(&pool);
    }
}

/// One file of 64 MiB and 64 of 1 MiB, all cached.
fn report_files(pool: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let one = folder.path().join("one");
    std::fs::write(&one, pool).expect("written");
    let many: Vec<_> = (0..64).map(|index| folder.path().join(format!("{index}"))).collect();
    for (path, data) in many.iter().zip(pool.chunks(1 << 20)) {
        std::fs::write(path, data).expect("written");
    }
    type Job<'a> = &'a dyn Fn() -> Vec<u8>;
    let jobs: [(&str, Job); 2] = [
        ("file, 1 x 64 MiB", &|| file(Algorithm::Sha256, &one, &Control::new()).expect("a digest")),
        ("files, 64 x 1 MiB", &|| files(Algorithm::Sha256, &many, &Control::new()).expect("digests")),
    ];
    for (name, job) in jobs {
        let mut times: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = cpu_time();
                black_box(job());
                (cpu_time() - start).as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name:<18} {:.3} GB/s", pool.len() as f64 / times[RUNS / 2] / 1e9);
    }
}

/// Sets of message sizes, in bytes, by name.
fn sets() -> Vec<(String, Vec<usize>)> {
    let mut random = 1_u64;
    let skewed = (0..256)
        .map(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            1 + (random >> 33) as usize % 65_536
        })
        .collect();
    let mut sets = vec![
        ("10,000 x 64 B".into(), vec![64; 10_000]),
        ("2,000 x 1 KiB".into(), vec![1024; 2000]),
        ("256 x 64 KiB".into(), vec![65_536; 256]),
        ("256 x random".into(), skewed),
        ("1 x 16 MiB".into(), vec![16 << 20]),
        ("1 x 64 MiB".into(), vec![64 << 20]),
    ];
    if std::env::args().any(|argument| argument == "--widths") {
        sets.extend((1..=16).map(|count| (format!("{count} x 64 KiB"), vec![65_536; count])));
    }
    sets
}

fn report(name: &str, messages: &[&[u8]], hertz: f64) {
    let control = Control::new();
    let want: Vec<u8> =
        messages.iter().flat_map(|message| digest(Algorithm::Sha256, message, &control).expect("a digest")).collect();
    let bytes: usize = messages.iter().map(|message| message.len()).sum();
    let repeats = (8 << 20) / bytes.max(1) + 1;

    type Job<'a> = Box<dyn Fn() -> Vec<u8> + 'a>;
    let mut jobs: Vec<(&str, Job)> = vec![
        (
            "one by one",
            Box::new(|| {
                messages.iter().flat_map(|m| digest(Algorithm::Sha256, m, &control).expect("a digest")).collect()
            }),
        ),
        ("chosen", Box::new(|| many(Algorithm::Sha256, messages, &control).expect("digests"))),
    ];
    for backend in backends() {
        let job = move || many_on(backend, Algorithm::Sha256, messages, &Control::new()).expect("digests");
        jobs.push((backend.name(), Box::new(job)));
    }
    let mut times = vec![Vec::new(); jobs.len()];
    for _ in 0..RUNS {
        for ((label, job), times) in jobs.iter().zip(&mut times) {
            assert_eq!(job(), want, "{label}");
            let start = cpu_time();
            for _ in 0..repeats {
                black_box(job());
            }
            times.push((cpu_time() - start) / repeats as u32);
        }
    }
    for ((label, _), times) in jobs.iter().zip(&mut times) {
        times.sort();
        let median: Duration = times[times.len() / 2];
        let seconds = median.as_secs_f64();
        println!(
            "{name:<16} {label:<12} {:>7.3} GB/s {:>7.2} cycles/byte {:>9.1} ns/message",
            bytes as f64 / seconds / 1e9,
            seconds * hertz / bytes as f64,
            seconds * 1e9 / messages.len() as f64
        );
    }
}

/// The clock in hertz, under plain integer load.
fn clock() -> f64 {
    const ROUNDS: u32 = 20_000_000;
    let times = (0..5).map(|_| {
        let start = cpu_time();
        let mut x = black_box(3_u64);
        for _ in 0..ROUNDS {
            x = x.wrapping_mul(x);
        }
        black_box(x);
        (cpu_time() - start).as_secs_f64()
    });
    f64::from(ROUNDS) * 3.0 / times.fold(f64::MAX, f64::min)
}

/// What this thread has used of the CPU.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a live timespec for the call to fill.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(answer, 0, "no thread CPU clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
