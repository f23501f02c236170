//! The parameters of a stream to be stored.
#![allow(unsafe_code, reason = "AVCodecParameters holds extradata behind a raw pointer")]

use ffmpeg_next::codec::{self, Parameters};
use ffmpeg_next::{ffi, media};
use stratus_frame::Size;

/// Parameters of an H.264 stream of `size` with `headers` (SPS and PPS in Annex B form), BT.709,
/// limited range. `None` if memory is short or a number is out of FFmpeg's range.
pub(crate) fn h264_parameters(size: Size, headers: &[u8]) -> Option<Parameters> {
    let width = i32::try_from(size.width).ok()?;
    let height = i32::try_from(size.height).ok()?;
    let len = i32::try_from(headers.len()).ok()?;
    let mut parameters = Parameters::new();
    // SAFETY: only returns a pointer, which lives as long as `parameters`; null if the allocation
    // failed.
    let pointer = unsafe { parameters.as_mut_ptr() };
    if pointer.is_null() {
        return None;
    }
    parameters.set_medium(media::Type::Video);
    parameters.set_id(codec::Id::H264);
    // SAFETY: allocates; extradata must come from av_malloc and be followed by zeroed padding.
    let extradata = unsafe {
        ffi::av_mallocz(headers.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize).cast::<u8>()
    };
    if extradata.is_null() {
        return None;
    }
    // SAFETY: `extradata` was just allocated with room for `headers` and overlaps nothing.
    unsafe { std::ptr::copy_nonoverlapping(headers.as_ptr(), extradata, headers.len()) };
    // SAFETY: the parameters are alive and owned here alone.
    let p = unsafe { &mut *pointer };
    // From here on the parameters own the allocation and free it.
    p.extradata = extradata;
    p.extradata_size = len;
    p.width = width;
    p.height = height;
    p.format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
    p.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    p.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
    p.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    p.color_space = ffi::AVColorSpace::AVCOL_SPC_BT709;
    Some(parameters)
}
