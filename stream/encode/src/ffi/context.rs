//! Fields of a codec context that ffmpeg-next does not offer.
#![allow(unsafe_code, reason = "reads and writes plain fields of AVCodecContext")]

use ffmpeg_next::codec;

/// Sets the size of the rate control's buffer (VBV), in bits. Encoders that can change their rate
/// while open look at it before each frame.
pub(crate) fn set_rate_buffer(context: &mut codec::Context, bits: i32) {
    // SAFETY: only returns a pointer, which lives as long as `context`.
    let pointer = unsafe { context.as_mut_ptr() };
    // SAFETY: null or a live AVCodecContext, borrowed exclusively.
    if let Some(fields) = unsafe { pointer.as_mut() } {
        fields.rc_buffer_size = bits;
    }
}

/// Whether an open encoder says that it holds frames back.
pub(crate) fn has_delay(context: &codec::Context) -> bool {
    // SAFETY: only returns a pointer, which lives as long as `context`.
    let pointer = unsafe { context.as_ptr() };
    // SAFETY: null or a live AVCodecContext, which nobody changes while `context` is borrowed.
    let fields = unsafe { pointer.as_ref() };
    fields.is_some_and(|f| f.has_b_frames != 0 || f.delay != 0)
}
