//! Equal to libjpeg-turbo's `jpegtran -flip` and pixel-equal in `djpeg` over a matrix of kinds.
//!
//! Where the tools (Debian: libjpeg-turbo-progs) are missing, the comparison with them is left out, and the test says
//! so; the coefficients are judged all the same.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, coefficients, flip_checked};
use jpeg_encoder::ColorType;
use rustcluster::kernels::flip::Direction;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a tool on `input`; none where the tool is missing.
pub fn run(tool: &str, args: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the tool ends");
    feeder.join().expect("no panic").expect("the tool reads its input");
    assert!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// Whether one of the tools is missing; says so.
pub fn tools_missing() -> bool {
    let missing = ["jpegtran", "djpeg"].iter().any(|tool| Command::new(tool).arg("-version").output().is_err());
    if missing {
        eprintln!("jpegtran or djpeg is missing: the comparison with libjpeg-turbo is left out");
    }
    missing
}

fn transform(direction: Direction) -> &'static [&'static str] {
    match direction {
        Direction::Vertical => &["-copy", "none", "-perfect", "-flip", "vertical"],
        Direction::Horizontal => &["-copy", "none", "-perfect", "-flip", "horizontal"],
        Direction::Both => &["-copy", "none", "-perfect", "-rotate", "180"],
    }
}

/// Flips `file` all ways that its size allows; compares with both tools. Returns how many ways that were.
fn compare(file: &[u8], what: &str, (width, height): (bool, bool)) -> u32 {
    let mut compared = 0;
    for direction in DIRECTIONS {
        if (direction != Direction::Vertical && !width) || (direction != Direction::Horizontal && !height) {
            continue;
        }
        let ours = flip_checked(file, direction, what);
        let theirs = run("jpegtran", transform(direction), file).expect("jpegtran is there");
        let (a, b) = (coefficients::read(&ours), coefficients::read(&theirs));
        let planes = |p: Option<coefficients::Picture>| p.map(|p| p.planes);
        assert!(planes(a) == planes(b), "{what} {direction:?}: other coefficients than jpegtran's");
        let pixels = |file: &[u8]| run("djpeg", &[], file).expect("djpeg is there");
        assert!(pixels(&ours) == pixels(&theirs), "{what} {direction:?}: other pixels than jpegtran's");
        compared += 1;
    }
    compared
}

#[test]
fn equals_jpegtran_over_the_matrix() {
    if tools_missing() {
        return;
    }
    let mut compared = 0;
    for (name, sampling, mcu_x, mcu_y) in SAMPLINGS {
        for quality in [30, 92] {
            // Whole MCUs both ways, then one dimension odd.
            for (width, height) in [(mcu_x * 3, mcu_y * 2), (mcu_x * 2 + 5, mcu_y * 3), (mcu_x * 3, mcu_y + 3)] {
                for restart in [0, 1, 4] {
                    for optimised in [false, true] {
                        for progressive in [false, true] {
                            let kind =
                                Kind { quality, restart, optimised, progressive, ..Kind::new(width, height, sampling) };
                            let whole = (width % mcu_x == 0, height % mcu_y == 0);
                            compared += compare(&kind.encode(), &format!("{name} {kind:?}"), whole);
                        }
                    }
                }
            }
        }
    }
    println!("{compared} flips compared");
}

#[test]
fn equals_jpegtran_for_other_color_models() {
    if tools_missing() {
        return;
    }
    for color in [ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck] {
        for (_, sampling, mcu_x, mcu_y) in SAMPLINGS.into_iter().take(4) {
            for progressive in [false, true] {
                let kind = Kind { color, progressive, ..Kind::new(mcu_x * 3, mcu_y * 3, sampling) };
                compare(&kind.encode(), &format!("{kind:?}"), (true, true));
            }
        }
    }
}

/// Scan scripts for three components: sequential ones, and progressive ones that differ from every default.
const SCRIPTS: [&str; 6] = [
    "0; 1; 2;",
    "0; 1 2;",
    "0 2; 1;",
    "0,1,2: 0-0, 0, 0; 0: 1-63, 0, 0; 2: 1-63, 0, 0; 1: 1-63, 0, 0;",
    "0: 0-0, 0, 2; 1: 0-0, 0, 1; 2: 0-0, 0, 0; 0: 0-0, 2, 1; 0: 0-0, 1, 0; 1: 0-0, 1, 0;
     0: 1-5, 0, 3; 0: 6-63, 0, 2; 0: 1-5, 3, 2; 0: 1-63, 2, 1; 0: 1-63, 1, 0; 1: 1-63, 0, 1; 1: 1-63, 1, 0;
     2: 1-1, 0, 0; 2: 2-63, 0, 0;",
    "0,1,2: 0-0, 0, 1; 0,1,2: 0-0, 1, 0; 0: 1-63, 0, 4; 0: 1-63, 4, 3; 0: 1-63, 3, 2; 0: 1-63, 2, 1; 0: 1-63, 1, 0;
     1: 1-63, 0, 3; 1: 1-63, 3, 2; 1: 1-63, 2, 1; 1: 1-63, 1, 0; 2: 1-63, 0, 1; 2: 1-63, 1, 0;",
];

#[test]
fn equals_jpegtran_for_dense_blocks() {
    if tools_missing() {
        return;
    }
    // Long blocks with long values: few steps of the lookup table, many refills.
    for (name, sampling, mcu_x, mcu_y) in [SAMPLINGS[0], SAMPLINGS[3]] {
        let plain = Kind { quality: 100, ..Kind::new(mcu_x * 3, mcu_y * 3, sampling) }.encode();
        compare(&plain, &format!("{name} plain"), (true, true));
        let progressive = run("jpegtran", &["-progressive"], &plain).expect("jpegtran is there");
        compare(&progressive, &format!("{name} progressive"), (true, true));
    }
}

/// A script that leaves out planes and bands: such files are legal, but djpeg smooths them as it sees fit.
const INCOMPLETE: &str = "0,1,2: 0-0, 0, 1; 0: 1-63, 0, 2; 0: 1-63, 2, 1; 2: 1-9, 0, 0;";

#[test]
fn flips_incomplete_progressions() {
    if tools_missing() {
        return;
    }
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(&script, INCOMPLETE).expect("the file is writable");
    let plain = Kind::new(48, 64, SAMPLINGS[3].1).encode();
    let args = ["-scans", script.path().to_str().expect("ASCII")];
    let made = run("jpegtran", &args, &plain).expect("jpegtran is there");
    for direction in DIRECTIONS {
        flip_checked(&made, direction, "incomplete");
    }
}

#[test]
fn equals_jpegtran_for_what_jpegtran_makes() {
    if tools_missing() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, sampling, mcu_x, mcu_y) in SAMPLINGS {
        for (width, height) in [(mcu_x * 3, mcu_y * 4), (mcu_x * 3 + 1, mcu_y * 2)] {
            let plain = Kind { quality: 75, ..Kind::new(width, height, sampling) }.encode();
            let whole = (width % mcu_x == 0, true);
            for restart in ["0", "3B", "1"] {
                for args in [&["-optimize"][..], &["-progressive"], &["-grayscale"], &["-grayscale", "-progressive"]] {
                    let args = [args, &["-restart", restart]].concat();
                    let made = run("jpegtran", &args, &plain).expect("jpegtran is there");
                    compare(&made, &format!("{name} {width}x{height} {args:?}"), whole);
                }
                for (i, script) in SCRIPTS.iter().enumerate() {
                    let path = folder.path().join(i.to_string());
                    std::fs::write(&path, script).expect("the folder is writable");
                    let args = ["-optimize", "-scans", path.to_str().expect("ASCII"), "-restart", restart];
                    let made = run("jpegtran", &args, &plain).expect("jpegtran is there");
                    compare(&made, &format!("{name} {width}x{height} script {i} restart {restart}"), whole);
                }
            }
        }
    }
}
