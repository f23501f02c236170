//! Fields of a codec context that ffmpeg-next does not offer.
#![allow(unsafe_code, reason = "writes plain fields of AVCodecContext")]

use ffmpeg_next::codec;

/// Sets the size of the rate control's buffer (VBV), in bits. Encoders that can change their rate
/// while open look at it before each frame.
pub(crate) fn set_rate_buffer(context: &mut codec::Context, bits: i32) {
    // SAFETY: the context is alive and borrowed exclusively; the field is a plain int that
    // libavcodec documents as settable by the user.
    unsafe { (*context.as_mut_ptr()).rc_buffer_size = bits };
}

/// The context's options for its codec could not be known to be right without this: whether the
/// encoder returns every frame before it takes the next.
pub(crate) fn has_delay(context: &codec::Context) -> bool {
    // SAFETY: reads plain fields of a live context.
    let (frames, delay) = unsafe { ((*context.as_ptr()).has_b_frames, (*context.as_ptr()).delay) };
    frames != 0 || delay != 0
}
