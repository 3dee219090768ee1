//! Makes a photo-like JPEG of any size and kind: input for benches, tests by hand and the fuzzers' seed corpus.
//!
//! ```text
//! cargo run --release --no-default-features --example make-jpeg -- out.jpg width=5184 height=3456 sampling=4:2:0
//!     quality=90 restart=0 seed=1 color=rgb|gray|cmyk|ycck [progressive] [optimise]
//! ```
//! The picture is a sum of four octaves of value noise (sky and foliage), straight and round edges (houses and wheels)
//! and sensor grain, so that its entropy per block resembles a camera's.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// What the command line asks for.
struct Wish {
    width: u16,
    height: u16,
    sampling: SamplingFactor,
    quality: u8,
    restart: u16,
    seed: u32,
    color: ColorType,
    progressive: bool,
    optimise: bool,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("usage: make-jpeg out.jpg [key=value ...]");
    let wish = read_wish(args);
    let pixels = paint(&wish);
    let mut encoder = Encoder::new_file(&path, wish.quality).expect("cannot create the file");
    encoder.set_sampling_factor(wish.sampling);
    encoder.set_progressive(wish.progressive);
    encoder.set_optimized_huffman_tables(wish.optimise);
    if wish.restart > 0 {
        encoder.set_restart_interval(wish.restart);
    }
    encoder.encode(&pixels, wish.width, wish.height, wish.color).expect("cannot encode");
}

/// Reads `key=value` pairs and flags; what is absent keeps an 18-megapixel photo's values.
fn read_wish(args: impl Iterator<Item = String>) -> Wish {
    let mut wish = Wish {
        width: 5184,
        height: 3456,
        sampling: SamplingFactor::F_2_2,
        quality: 90,
        restart: 0,
        seed: 1,
        color: ColorType::Rgb,
        progressive: false,
        optimise: false,
    };
    for arg in args {
        let (key, value) = arg.split_once('=').unwrap_or((&arg, ""));
        let number = || value.parse::<u32>().unwrap_or_else(|_| panic!("{key} needs a number"));
        match key {
            "width" => wish.width = number() as u16,
            "height" => wish.height = number() as u16,
            "quality" => wish.quality = number() as u8,
            "restart" => wish.restart = number() as u16,
            "seed" => wish.seed = number(),
            "progressive" => wish.progressive = true,
            "optimise" => wish.optimise = true,
            "sampling" => {
                wish.sampling = match value {
                    "4:4:4" => SamplingFactor::F_1_1,
                    "4:2:2" => SamplingFactor::F_2_1,
                    "4:4:0" => SamplingFactor::F_1_2,
                    "4:2:0" => SamplingFactor::F_2_2,
                    "4:1:1" => SamplingFactor::F_4_1,
                    "4:1:0" => SamplingFactor::F_4_2,
                    _ => panic!("unknown sampling {value}"),
                }
            }
            "color" => {
                wish.color = match value {
                    "gray" => ColorType::Luma,
                    "rgb" => ColorType::Rgb,
                    "cmyk" => ColorType::Cmyk,
                    "ycck" => ColorType::CmykAsYcck,
                    _ => panic!("unknown color {value}"),
                }
            }
            _ => panic!("unknown option {key}"),
        }
    }
    wish
}

/// Mixes three numbers into 32 random-looking bits.
fn hash(x: u32, y: u32, salt: u32) -> u32 {
    let mut h = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77) ^ salt.wrapping_mul(0xC2B2_AE3D);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// Value noise in -1..1 with the given cell size in pixels.
fn noise(x: u32, y: u32, cell: u32, salt: u32) -> f32 {
    let corner = |i: u32, j: u32| (hash(x / cell + i, y / cell + j, salt) & 0xFFFF) as f32 / 32768.0 - 1.0;
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let u = smooth((x % cell) as f32 / cell as f32);
    let v = smooth((y % cell) as f32 / cell as f32);
    let top = corner(0, 0) * (1.0 - u) + corner(1, 0) * u;
    let bottom = corner(0, 1) * (1.0 - u) + corner(1, 1) * u;
    top * (1.0 - v) + bottom * v
}

/// Paints the interleaved samples of the picture.
fn paint(wish: &Wish) -> Vec<u8> {
    let channels: u32 = match wish.color {
        ColorType::Luma => 1,
        ColorType::Cmyk | ColorType::CmykAsYcck => 4,
        _ => 3,
    };
    let (width, height) = (u32::from(wish.width), u32::from(wish.height));
    let mut pixels = Vec::with_capacity((width * height * channels) as usize);
    for y in 0..height {
        for x in 0..width {
            let shape = noise(x, y, 211, wish.seed) * 60.0
                + noise(x, y, 53, wish.seed + 1) * 28.0
                + noise(x, y, 13, wish.seed + 2) * 12.0
                + noise(x, y, 4, wish.seed + 3) * 9.0;
            let edge = if (x / 97 + y / 61) % 5 == 0 { 35.0 } else { 0.0 };
            let (dx, dy) = ((x % 331) as f32 - 165.0, (y % 331) as f32 - 165.0);
            let wheel = if dx * dx + dy * dy < 9000.0 { -30.0 } else { 0.0 };
            let grain = |salt: u32| (hash(x, y, wish.seed + salt) & 15) as f32 - 7.5;
            // Most of a camera's grain is the same in all channels: chroma takes an eighth of a 4:2:0 file.
            let luma_grain = grain(20) * 1.7;
            for channel in 0..channels {
                let tint = noise(x, y, 167, wish.seed + 10 + channel) * 40.0;
                let grain = luma_grain + grain(21 + channel) * 1.0;
                pixels.push((128.0 + shape + edge + wheel + tint + grain).clamp(0.0, 255.0) as u8);
            }
        }
    }
    pixels
}
