//! Samples as clients store them, and as numbers.

use pulseaudio::protocol::SampleFormat;

/// Bytes of one sample; nothing for formats that nobody may use.
pub(crate) fn width(format: SampleFormat) -> Option<usize> {
    Some(format.bytes_per_sample()).filter(|n| *n > 0)
}

/// The byte that silence consists of. All formats have one but mu-law, whose is near enough.
pub(crate) fn silence(format: SampleFormat) -> u8 {
    match format {
        SampleFormat::U8 => 0x80,
        SampleFormat::Alaw => 0xd5,
        SampleFormat::Ulaw => 0xff,
        _ => 0,
    }
}

/// Appends the samples of `bytes`, whole ones only, each from -1 to 1; floats may go beyond, up to
/// where no mix of streams can overflow.
pub(crate) fn decode(format: SampleFormat, bytes: &[u8], out: &mut Vec<f32>) {
    match format {
        SampleFormat::U8 => out.extend(bytes.iter().map(|b| (f32::from(*b) - 128.0) / 128.0)),
        SampleFormat::Alaw => out.extend(bytes.iter().map(|b| int(i32::from(alaw(*b)) << 16))),
        SampleFormat::Ulaw => out.extend(bytes.iter().map(|b| int(i32::from(ulaw(*b)) << 16))),
        SampleFormat::S16Le => {
            each(bytes, out, |b| f32::from(i16::from_le_bytes(b)) / 32768.0);
        }
        SampleFormat::S16Be => {
            each(bytes, out, |b| f32::from(i16::from_be_bytes(b)) / 32768.0);
        }
        SampleFormat::S24Le => each(bytes, out, |[a, b, c]| int(i32::from_le_bytes([0, a, b, c]))),
        SampleFormat::S24Be => each(bytes, out, |[a, b, c]| int(i32::from_be_bytes([a, b, c, 0]))),
        // The upper byte of these is of no meaning.
        SampleFormat::S24In32Le => each(bytes, out, |b| int(i32::from_le_bytes(b) << 8)),
        SampleFormat::S24In32Be => each(bytes, out, |b| int(i32::from_be_bytes(b) << 8)),
        SampleFormat::S32Le => each(bytes, out, |b| int(i32::from_le_bytes(b))),
        SampleFormat::S32Be => each(bytes, out, |b| int(i32::from_be_bytes(b))),
        SampleFormat::Float32Le => each(bytes, out, |b| float(f32::from_le_bytes(b))),
        SampleFormat::Float32Be => each(bytes, out, |b| float(f32::from_be_bytes(b))),
        SampleFormat::Invalid => {}
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut Vec<f32>, sample: impl Fn([u8; N]) -> f32) {
    let (whole, _) = bytes.as_chunks::<N>();
    out.extend(whole.iter().map(|b| sample(*b)));
}

fn int(n: i32) -> f32 {
    n as f32 / 2_147_483_648.0
}

fn float(x: f32) -> f32 {
    if x.is_finite() { x.clamp(-16.0, 16.0) } else { 0.0 }
}

/// ITU-T G.711, A-law: 13 bits, in the upper bits of 16.
fn alaw(byte: u8) -> i16 {
    let b = byte ^ 0x55;
    let mantissa = i16::from(b & 0x0f) << 4;
    let magnitude = match (b >> 4) & 7 {
        0 => mantissa + 8,
        segment => (mantissa + 0x108) << (segment - 1),
    };
    if b & 0x80 != 0 { magnitude } else { -magnitude }
}

/// ITU-T G.711, mu-law: 14 bits, in the upper bits of 16.
fn ulaw(byte: u8) -> i16 {
    let b = !byte;
    let magnitude = (((i16::from(b & 0x0f) << 3) + 0x84) << ((b >> 4) & 7)) - 0x84;
    if b & 0x80 != 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn all(format: SampleFormat, bytes: &[u8]) -> Vec<f32> {
        let mut out = Vec::new();
        decode(format, bytes, &mut out);
        out
    }

    #[test]
    fn half_of_full_scale_is_a_half_in_every_format() {
        use SampleFormat as F;
        let cases: [(F, &[u8]); 11] = [
            (F::U8, &[0xc0]),
            (F::S16Le, &[0, 0x40]),
            (F::S16Be, &[0x40, 0]),
            (F::S24Le, &[0, 0, 0x40]),
            (F::S24Be, &[0x40, 0, 0]),
            (F::S24In32Le, &[0, 0, 0x40, 0xee]),
            (F::S24In32Be, &[0xee, 0x40, 0, 0]),
            (F::S32Le, &[0, 0, 0, 0x40]),
            (F::S32Be, &[0x40, 0, 0, 0]),
            (F::Float32Le, &[0, 0, 0, 0x3f]),
            (F::Float32Be, &[0x3f, 0, 0, 0]),
        ];
        for (format, bytes) in cases {
            assert_eq!(all(format, bytes), [0.5], "{format:?}");
            assert_eq!(width(format), Some(bytes.len()), "{format:?}");
            let quiet = vec![silence(format); bytes.len()];
            assert_eq!(all(format, &quiet), [0.0], "{format:?}");
        }
    }

    #[test]
    fn companded_samples_have_the_values_of_the_standard() {
        // G.711: the largest and smallest decoder outputs, 4032 and 1 of 4096, 8031 and 0 of 8192.
        assert_eq!((alaw(0xaa), alaw(0xd5), alaw(0x55)), (32256, 8, -8));
        assert_eq!((ulaw(0x80), ulaw(0xff), ulaw(0x00)), (32124, 0, -32124));
    }

    #[test]
    fn no_float_is_taken_that_would_spoil_the_mix() {
        let bytes: Vec<u8> = [f32::NAN, f32::INFINITY, 1e30, -1e30, 1.5]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        assert_eq!(all(SampleFormat::Float32Le, &bytes), [0.0, 0.0, 16.0, -16.0, 1.5]);
    }
}
