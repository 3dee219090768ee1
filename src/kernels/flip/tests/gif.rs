//! GIF: all frames, their places, palettes, disposal, and every other block.

use super::{DIRECTIONS, Direction, expected, pictures, run, towards};
use gif::{ColorOutput, DecodeOptions, DisposalMethod, Encoder, Frame, Repeat};
use std::borrow::Cow;

fn animation(interlaced: bool) -> Vec<u8> {
    let mut out = Vec::new();
    {
        let palette: Vec<u8> = (0..16u8).flat_map(|n| [n * 16, 255 - n, n]).collect();
        let mut encoder = Encoder::new(&mut out, 31, 20, &palette).unwrap();
        encoder.set_repeat(Repeat::Finite(3)).unwrap();
        for (index, (left, top, width, height)) in
            [(0, 0, 31, 20), (3, 5, 11, 9), (30, 0, 1, 20), (0, 19, 31, 1)].into_iter().enumerate()
        {
            let buffer = pictures::noise(usize::from(width) * usize::from(height), index as u32)
                .iter()
                .map(|b| b % 16)
                .collect();
            let local = (index == 1).then(|| palette.iter().rev().copied().collect());
            let dispose = [DisposalMethod::Keep, DisposalMethod::Background, DisposalMethod::Previous][index % 3];
            let transparent = (index > 0).then_some(5);
            encoder
                .write_frame(&Frame {
                    delay: 7 + index as u16,
                    dispose,
                    transparent,
                    left,
                    top,
                    width,
                    height,
                    interlaced,
                    palette: local,
                    buffer: Cow::Owned(buffer),
                    ..Frame::default()
                })
                .unwrap();
        }
    }
    out
}

fn frames(file: &[u8]) -> (Vec<Frame<'static>>, Repeat, Vec<u8>) {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    let mut decoder = options.read_info(file).unwrap();
    let mut list = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        list.push(frame.clone());
    }
    (list, decoder.repeat(), decoder.global_palette().unwrap().to_vec())
}

#[test]
fn every_frame_with_all_that_belongs_to_it() {
    for interlaced in [false, true] {
        let file = animation(interlaced);
        let (before, repeat, palette) = frames(&file);
        assert_eq!(before.len(), 4);
        for direction in DIRECTIONS {
            let flipped = run(&file, &towards(direction)).unwrap();
            let (after, new_repeat, new_palette) = frames(&flipped.bytes);
            assert_eq!((new_repeat, &new_palette, after.len()), (repeat, &palette, before.len()));
            for (old, new) in before.iter().zip(&after) {
                let left = if direction == Direction::Vertical { old.left } else { 31 - old.left - old.width };
                let top = if direction == Direction::Horizontal { old.top } else { 20 - old.top - old.height };
                assert_eq!((new.left, new.top, new.width, new.height), (left, top, old.width, old.height));
                assert_eq!((new.delay, new.dispose, new.transparent), (old.delay, old.dispose, old.transparent));
                assert_eq!(new.palette, old.palette);
                assert_eq!(*new.buffer, *expected(&old.buffer, old.width.into(), 1, direction), "{direction:?}");
            }
        }
    }
}

#[test]
fn comments_and_what_follows_the_trailer_stay() {
    let mut file = animation(false);
    let comment = [0x21, 0xFE, 3, b'a', b'b', b'c', 0];
    let end = file.len() - 1;
    file.splice(end..end, comment);
    file.extend_from_slice(b"behind");
    let flipped = run(&file, &towards(Direction::Vertical)).unwrap();
    assert!(flipped.bytes.ends_with(&[&comment[..], b"\x3Bbehind"].concat()));
}

#[test]
fn the_limit_counts_all_frames() {
    let file = animation(false);
    let mut options = towards(Direction::Vertical);
    options.max_pixels = 31 * 20 + 11 * 9 + 20 + 31;
    assert!(run(&file, &options).is_ok());
    options.max_pixels -= 1;
    assert!(matches!(run(&file, &options), Err(crate::error::Error::ImageTooLarge(_))));
}
