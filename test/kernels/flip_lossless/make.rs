//! Small JPEGs of all kinds.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// What a test file is to be.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub width: u16,
    pub height: u16,
    pub color: ColorType,
    pub sampling: SamplingFactor,
    pub quality: u8,
    pub restart: u16,
    pub optimised: bool,
    pub progressive: bool,
    pub seed: u32,
}

impl Kind {
    /// A plain colour file of this size and sampling.
    pub fn new(width: u16, height: u16, sampling: SamplingFactor) -> Self {
        Self {
            width,
            height,
            color: ColorType::Rgb,
            sampling,
            quality: 85,
            restart: 0,
            optimised: false,
            progressive: false,
            seed: 1,
        }
    }

    /// Encodes it.
    pub fn encode(&self) -> Vec<u8> {
        let channels = match self.color {
            ColorType::Luma => 1,
            ColorType::Cmyk | ColorType::CmykAsYcck => 4,
            _ => 3,
        };
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.quality);
        encoder.set_sampling_factor(self.sampling);
        // The encoder's optimised tables do not count restarts' differences: it panics. jpegtran's are tested instead.
        encoder.set_optimized_huffman_tables(self.optimised && self.restart == 0);
        encoder.set_progressive(self.progressive);
        if self.restart > 0 {
            encoder.set_restart_interval(self.restart);
        }
        let pixels = self.paint(channels);
        encoder.encode(&pixels, self.width, self.height, self.color).expect("the encoder takes every kind");
        file
    }

    /// Gradients, a bright box and noise: low and high frequencies of both signs, nothing symmetric.
    fn paint(&self, channels: u32) -> Vec<u8> {
        let mut state = self.seed.wrapping_mul(0x9E37_79B1) | 1;
        let mut pixels = Vec::new();
        for y in 0..u32::from(self.height) {
            for x in 0..u32::from(self.width) {
                for channel in 0..channels {
                    state ^= state << 13;
                    state ^= state >> 17;
                    state ^= state << 5;
                    let ramp = (x * (3 + channel) + y * (5 - channel)) % 200;
                    let boxed = if (8..21).contains(&(x % 50)) && (3..13).contains(&(y % 37)) { 90 } else { 0 };
                    pixels.push((ramp / 2 + boxed + state % 40).min(255) as u8);
                }
            }
        }
        pixels
    }
}

/// The samplings by name.
pub const SAMPLINGS: [(&str, SamplingFactor, u16, u16); 8] = [
    ("4:4:4", SamplingFactor::F_1_1, 8, 8),
    ("4:2:2", SamplingFactor::F_2_1, 16, 8),
    ("4:4:0", SamplingFactor::F_1_2, 8, 16),
    ("4:2:0", SamplingFactor::F_2_2, 16, 16),
    ("4:1:1", SamplingFactor::F_4_1, 32, 8),
    ("4:4:1", SamplingFactor::F_1_4, 8, 32),
    ("4:1:0", SamplingFactor::F_4_2, 32, 16),
    ("2x4", SamplingFactor::F_2_4, 16, 32),
];
