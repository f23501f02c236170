//! Premultiplied pixels over others, eight at a time.
//!
//! The same numbers as pixman's: of what lies below, each byte times 255 less the alpha above,
//! divided by 255 and rounded, plus the byte above, at most 255. pixman does four pixels at a time,
//! which takes longer than memory does.

use pixman::Region32;
use stratus_frame::Rect;

use crate::avx2_unsafe::Avx2;
#[cfg(target_arch = "x86_64")]
use crate::avx2_unsafe::prefetch;
use crate::target::Target;

/// Puts `above`, rows of pixels that are `stride` bytes apart and lie at `part`, over `target` in
/// `region`, which lies in `part`.
pub(crate) fn over(
    avx2: Avx2,
    target: &mut Target<'_>,
    (above, stride): (&[u8], usize),
    part: Rect,
    region: &Region32,
) {
    let width = target.size.width as usize;
    for rect in region.rectangles() {
        // A region of a picture begins at 0 or beyond.
        let [left, top, right, bottom] = [rect.x1, rect.y1, rect.x2, rect.y2].map(|n| n as usize);
        let len = right - left;
        for y in top..bottom {
            let from = (y - part.y as usize) * stride + (left - part.x as usize) * 4;
            let to = y * width + left;
            let next = if y + 1 < bottom { &above[from + stride..][..len * 4] } else { &[] };
            avx2.over(&mut target.words[to..to + len], &above[from..][..len * 4], next);
        }
    }
}

/// One row; as many pixels as the shorter one has. `next` is the row that will be put over the row
/// below, which is asked for now: memory takes longer to answer than eight pixels take, and a
/// processor by itself looks ahead too little.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) fn row(below: &mut [u32], above: &[u8], next: &[u8]) {
    let (below, last_below) = below.as_chunks_mut::<8>();
    let (above, last_above) = above.as_chunks::<32>();
    for (at, (below, above)) in below.iter_mut().zip(above).enumerate() {
        if let Some(byte) = next.get(at * 32) {
            prefetch(byte);
        }
        eight(below, above);
    }
    if last_below.is_empty() {
        return;
    }
    let (mut eight_below, mut eight_above) = ([0; 8], [0; 32]);
    eight_below[..last_below.len()].copy_from_slice(last_below);
    eight_above[..last_above.len()].copy_from_slice(last_above);
    eight(&mut eight_below, &eight_above);
    last_below.copy_from_slice(&eight_below[..last_below.len()]);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn eight(below: &mut [u32; 8], above: &[u8; 32]) {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi16, _mm256_adds_epu8, _mm256_mulhi_epu16, _mm256_mullo_epi16,
        _mm256_packus_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_testc_si256, _mm256_testz_si256, _mm256_unpackhi_epi8,
        _mm256_unpacklo_epi8, _mm256_xor_si256,
    };

    let source: __m256i = bytemuck::cast(*above);
    let alphas = _mm256_set1_epi32(0xff00_0000_u32.cast_signed());
    if _mm256_testc_si256(source, alphas) == 1 {
        // All are opaque.
        *below = bytemuck::cast(source);
        return;
    }
    if _mm256_testz_si256(source, source) == 1 {
        return;
    }
    let times = |bytes: __m256i, by: __m256i| {
        let product = _mm256_add_epi16(_mm256_mullo_epi16(bytes, by), _mm256_set1_epi16(0x80));
        // Times 257 / 65536, which is (product + product / 256) / 256.
        _mm256_mulhi_epu16(product, _mm256_set1_epi16(0x101))
    };
    // In each half, the first two pixels become words of 16 bits, and the last two.
    let (old, zero): (__m256i, _) = (bytemuck::cast(*below), _mm256_setzero_si256());
    let inverted = _mm256_xor_si256(source, alphas);
    let first = _mm256_shuffle_epi8(inverted, bytemuck::cast(alphas_from(3)));
    let last = _mm256_shuffle_epi8(inverted, bytemuck::cast(alphas_from(11)));
    let first = times(_mm256_unpacklo_epi8(old, zero), first);
    let last = times(_mm256_unpackhi_epi8(old, zero), last);
    *below = bytemuck::cast(_mm256_adds_epu8(source, _mm256_packus_epi16(first, last)));
}

/// Which bytes of a half make words of the alpha of two pixels, the first of which is at `first`.
#[cfg(target_arch = "x86_64")]
const fn alphas_from(first: u8) -> [u8; 32] {
    // 0x80 is a byte of zero.
    let (a, b, o) = (first, first + 4, 0x80);
    [
        a, o, a, o, a, o, a, o, b, o, b, o, b, o, b, o, //
        a, o, a, o, a, o, a, o, b, o, b, o, b, o, b, o,
    ]
}

#[cfg(test)]
#[path = "over_tests.rs"]
mod tests;
