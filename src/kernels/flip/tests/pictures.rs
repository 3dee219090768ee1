//! Pictures to test with, made here.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Bytes without a pattern, the same in every run.
pub fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    (0..length).map(next).collect()
}

/// Something like a photo: soft shapes in colour, an edge, a little grain. RGB.
pub fn photo(width: usize, height: usize) -> Vec<u8> {
    let grain = noise(width * height, 7);
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = (x as f32 / width as f32, y as f32 / height as f32);
            let wave = (fx * 9.0 + fy * 4.0).sin() * 40.0 + (fy * 13.0 - fx * 3.0).cos() * 25.0;
            let edge = if (fx - 0.6).hypot(fy - 0.4) < 0.2 { 50.0 } else { 0.0 };
            let grain = f32::from(grain[y * width + x]) / 42.0 - 3.0;
            for base in [90.0 + 60.0 * fx, 110.0 + 50.0 * fy, 140.0 - 40.0 * fx * fy] {
                out.push((base + wave * (base / 140.0) + edge + grain).clamp(0.0, 255.0) as u8);
            }
        }
    }
    out
}

/// How a JPEG is to be coded.
#[derive(Debug, Clone, Copy)]
pub struct Coded {
    pub factor: SamplingFactor,
    pub quality: u8,
    pub restart: u16,
    pub progressive: bool,
}

impl Default for Coded {
    fn default() -> Self {
        Self { factor: SamplingFactor::F_2_2, quality: 90, restart: 0, progressive: false }
    }
}

/// A JPEG of `pixels`.
pub fn jpeg(pixels: &[u8], width: usize, height: usize, color: ColorType, coded: Coded) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, coded.quality);
    encoder.set_sampling_factor(coded.factor);
    encoder.set_restart_interval(coded.restart);
    encoder.set_progressive(coded.progressive);
    encoder.encode(pixels, width as u16, height as u16, color).unwrap();
    out
}

/// A small picture in each format.
pub fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    let (width, height) = (23, 17);
    let rgb = photo(width, height);
    let image = image::RgbImage::from_raw(23, 17, rgb.clone()).unwrap();
    let mut list = vec![
        ("jpeg 4:2:0", jpeg(&rgb, width, height, ColorType::Rgb, Coded::default())),
        (
            "jpeg progressive",
            jpeg(&rgb, width, height, ColorType::Rgb, Coded { progressive: true, ..Coded::default() }),
        ),
    ];
    for (name, format) in [
        ("png", image::ImageFormat::Png),
        ("gif", image::ImageFormat::Gif),
        ("bmp", image::ImageFormat::Bmp),
        ("tiff", image::ImageFormat::Tiff),
        ("webp", image::ImageFormat::WebP),
    ] {
        let mut out = std::io::Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        list.push((name, out.into_inner()));
    }
    list
}

/// A picture decoded by the `image` crate, as RGBA of 16 bits so that nothing is lost.
pub fn decoded(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let image = image::load_from_memory(file).unwrap().into_rgba16();
    let bytes = image.as_raw().iter().flat_map(|value| value.to_be_bytes()).collect();
    (image.width(), image.height(), bytes)
}
