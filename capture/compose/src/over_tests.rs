//! Rows against pixman's, whatever the pixels are.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use pixman::{FormatCode, Operation};
use proptest::prelude::*;
use stratus_frame::Size;

use super::*;
use crate::image_unsafe::{ReadImage, bytes_of};

/// Any word, those with the alphas that have ways of their own, and nothing at all: in runs, so
/// that eight in a row may be alike.
fn pixels() -> impl Strategy<Value = Vec<u32>> {
    let word = prop_oneof![
        3 => any::<u32>(),
        2 => any::<u32>().prop_map(|n| n | 0xff00_0000),
        1 => any::<u32>().prop_map(|n| n & 0x00ff_ffff),
        2 => Just(0),
    ];
    prop::collection::vec((word, 1usize..20, any::<bool>()), 120).prop_map(|runs| {
        let run = |(word, len, alike): (u32, usize, bool)| {
            (0..len as u32).map(move |i| if alike { word } else { word ^ (i * 0x1_0307) })
        };
        runs.into_iter().flat_map(run).collect()
    })
}

proptest! {
    #[test]
    fn what_lies_over_is_what_pixman_makes_of_it(
        above in pixels(),
        below in pixels(),
        [left, top] in [0u32..9, 0u32..4],
        [width, height] in [1u32..40, 1u32..4],
        [padding, shift] in [0u32..4, 0u32..4],
        hole: bool,
    ) {
        let Some(avx2) = Avx2::of_processor() else { return Ok(()) };
        let size = Size::new(left + width + 2, top + height);
        let part = Rect { x: left, y: top, width, height };
        let stride = ((width + padding) * 4) as usize;
        let len = (size.width * size.height) as usize;
        prop_assume!(below.len() >= len && above.len() * 4 >= stride * height as usize + 4);
        let mut region = Region32::init_rect(left as i32, top as i32, width, height);
        if hole {
            let hole = Region32::init_rect(left as i32 + 1, top as i32, 1, 2);
            region = region.subtract(&hole);
        }
        let (mut ours, mut theirs) = (below[..len].to_vec(), below[..len].to_vec());

        let mut target = Target { words: &mut theirs, size };
        let mut image = target.image().unwrap();
        image.set_clip_region32(Some(&region)).unwrap();
        let read = ReadImage::new(
            FormatCode::A8R8G8B8, Size::new(width, height), bytes_of(&above), stride,
        );
        let read = read.unwrap().unwrap();
        let [x, y, w, h] = [left, top, width, height].map(|n| n as i32);
        image.composite32(Operation::Over, read.get(), None, (0, 0), (0, 0), (x, y), (w, h));
        drop(image);

        // Bytes that begin anywhere.
        let mut bytes = vec![0; shift as usize];
        bytes.extend_from_slice(bytes_of(&above));
        let mut target = Target { words: &mut ours, size };
        over(avx2, &mut target, (&bytes[shift as usize..], stride), part, &region);
        prop_assert_eq!(ours, theirs);
    }
}
