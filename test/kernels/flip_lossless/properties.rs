//! What holds for every file.

use super::make::{Kind, SAMPLINGS};
use super::{DIRECTIONS, coefficients, flip, flip_checked};
use jpeg_encoder::ColorType;
use proptest::prelude::*;
use rustcluster::kernels::control::Control;
use rustcluster::kernels::flip::jpeg::lossless;

prop_compose! {
    fn any_kind()(
        sampling in 0..SAMPLINGS.len(),
        (columns, rows) in (1_u16..6, 1_u16..6),
        color in 0_usize..4,
        quality in 1_u8..=100,
        restart in prop_oneof![Just(0_u16), 1_u16..40],
        optimised: bool,
        progressive: bool,
        seed: u32,
    ) -> Kind {
        let (_, sampling, mcu_x, mcu_y) = SAMPLINGS[sampling];
        let color = [ColorType::Rgb, ColorType::Luma, ColorType::Cmyk, ColorType::CmykAsYcck][color];
        let (width, height) = (columns * mcu_x, rows * mcu_y);
        Kind { width, height, color, sampling, quality, restart, optimised, progressive, seed }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_what_mirroring_changes_and_nothing_else(kind in any_kind()) {
        let file = kind.encode();
        for direction in DIRECTIONS {
            flip_checked(&file, direction, &format!("{kind:?}"));
        }
    }

    #[test]
    fn flipped_twice_is_the_source(kind in any_kind()) {
        let file = kind.encode();
        let before = coefficients::read(&file);
        for direction in DIRECTIONS {
            let twice = flip(&flip(&file, direction).unwrap(), direction).unwrap();
            prop_assert!(coefficients::read(&twice) == before, "{:?}", direction);
        }
    }
}

#[test]
fn metadata_and_trailer_stand_where_they_belong() {
    let file = Kind::new(16, 16, SAMPLINGS[0].1).encode();
    let metadata = [0xFF, 0xFE, 0, 4, b'h', b'i'];
    let flipped = lossless::flip(&file, DIRECTIONS[0], &metadata, b"behind", &Control::new()).unwrap();
    assert_eq!(flipped[..8], [0xFF, 0xD8, 0xFF, 0xFE, 0, 4, b'h', b'i']);
    assert!(flipped.ends_with(&[0xFF, 0xD9, b'b', b'e', b'h', b'i', b'n', b'd']));
    // The source's own JFIF segment is the caller's to keep or to drop.
    assert!(!flipped.windows(4).any(|window| window == b"JFIF"));
}
