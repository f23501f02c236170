//! FFmpeg's picture buffers as Rust slices.
#![allow(unsafe_code, reason = "a frame's planes are raw pointers; three are lent at once")]

use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use stratus_frame::Size;

use crate::planes::{Plane, Planes};

/// The three planes of an I420 picture, each with its stride in bytes.
pub(crate) struct PlanesMut<'a> {
    pub(crate) luma: &'a mut [u8],
    pub(crate) luma_stride: usize,
    pub(crate) chroma: [&'a mut [u8]; 2],
    pub(crate) chroma_stride: usize,
}

/// The fields of a frame; `None` if its allocation failed.
fn fields(frame: &Video) -> Option<&ffi::AVFrame> {
    // SAFETY: only returns a pointer, which lives as long as `frame`.
    let pointer = unsafe { frame.as_ptr() };
    // SAFETY: null or a live AVFrame, which nobody changes while `frame` is borrowed.
    unsafe { pointer.as_ref() }
}

/// The frame for FFmpeg's functions.
fn pointer(frame: &mut Video) -> *mut ffi::AVFrame {
    // SAFETY: only returns a pointer, which lives as long as `frame`.
    unsafe { frame.as_mut_ptr() }
}

/// Whether nobody else refers to the buffers of a `frame` that has some.
fn is_writable(frame: &mut Video) -> bool {
    let frame = pointer(frame);
    // SAFETY: the frame is alive; the call only counts references.
    !frame.is_null() && unsafe { ffi::av_frame_is_writable(frame) } != 0
}

/// Allocates a picture of `format` with unset contents; `None` when memory is short or FFmpeg
/// does not take the size.
pub(crate) fn allocate(format: Pixel, size: Size) -> Option<Video> {
    let mut frame = Video::empty();
    fields(&frame)?;
    frame.set_format(format);
    frame.set_width(size.width);
    frame.set_height(size.height);
    let target = pointer(&mut frame);
    // SAFETY: the frame is alive and owned, has no buffers yet, and its format and size are set,
    // which is all that av_frame_get_buffer asks for; it checks both itself.
    let code = unsafe { ffi::av_frame_get_buffer(target, 0) };
    (code >= 0).then_some(frame)
}

/// Fills the planes of a `frame` from [`allocate`] with one value each.
pub(crate) fn fill(frame: &mut Video, values: &[u8]) {
    for (plane, value) in values.iter().enumerate().take(frame.planes()) {
        frame.data_mut(plane).fill(*value);
    }
}

/// Makes sure that nobody else refers to the buffers, copying them if someone does. Returns
/// whether it had to, or `None` if memory is short.
pub(crate) fn unshare(frame: &mut Video) -> Option<bool> {
    let shared = !is_writable(frame);
    if shared {
        let frame = pointer(frame);
        // SAFETY: the frame is alive; on failure it stays as it was.
        let code = unsafe { ffi::av_frame_make_writable(frame) };
        if code < 0 {
            return None;
        }
    }
    Some(shared)
}

/// Whether one of the buffers that `frame` refers to holds `len` bytes from `start` on.
fn owned_by(frame: &ffi::AVFrame, start: *const u8, len: usize) -> bool {
    frame.buf.iter().any(|reference| {
        // SAFETY: null, or a reference that the frame holds.
        let Some(buffer) = (unsafe { reference.as_ref() }) else { return false };
        let offset = (start as usize).wrapping_sub(buffer.data as usize);
        offset.checked_add(len).is_some_and(|end| end <= buffer.size)
    })
}

/// Sizes and strides of the planes of an I420 frame with buffers.
fn layout(frame: &Video) -> Option<(Size, Size, [usize; 3])> {
    let ffi::AVFrame { linesize, data, .. } = fields(frame)?;
    let luma = Size::new(frame.width(), frame.height());
    let chroma = Size::new(luma.width.div_ceil(2), luma.height.div_ceil(2));
    let planar = matches!(frame.format(), Pixel::YUV420P | Pixel::YUVJ420P);
    if !planar || luma.is_empty() || data[..3].iter().any(|p| p.is_null()) {
        return None;
    }
    // A negative stride means rows stored from the bottom up, which nobody here asks for.
    let strides = [linesize[0], linesize[1], linesize[2]].map(|s| usize::try_from(s).unwrap_or(0));
    let wide_enough = strides[0] >= luma.width as usize
        && strides[1] == strides[2]
        && strides[1] >= chroma.width as usize;
    let fields = fields(frame)?;
    let inside = [luma, chroma, chroma].iter().enumerate().all(|(i, size)| {
        let last_row = strides[i] * (size.height as usize - 1);
        owned_by(fields, data[i], last_row + size.width as usize)
    });
    (wide_enough && inside).then_some((luma, chroma, strides))
}

/// Bytes of a plane: whole rows where `frame` owns them, else up to the last sample, which
/// `layout` checked.
fn extent(frame: &ffi::AVFrame, start: *const u8, stride: usize, size: Size) -> usize {
    let whole = stride * size.height as usize;
    if owned_by(frame, start, whole) { whole } else { whole - stride + size.width as usize }
}

/// The planes of an I420 frame, or `None` if it is not one or has no buffers.
pub(crate) fn planes(frame: &Video) -> Option<Planes<'_>> {
    let (luma, chroma, strides) = layout(frame)?;
    let fields = fields(frame)?;
    let plane = |i: usize, size: Size| {
        let start = fields.data[i];
        let len = extent(fields, start, strides[i], size);
        // SAFETY: one of the frame's buffers holds that many bytes from `start` on. The frame
        // stays borrowed for as long as the slice lives; whoever shares the buffers only reads.
        let data = unsafe { std::slice::from_raw_parts(start, len) };
        Plane { data, stride: strides[i], size }
    };
    Some(Planes { luma: plane(0, luma), chroma: [plane(1, chroma), plane(2, chroma)] })
}

/// The planes of an I420 frame for writing, or `None` if it is not one, has no buffers, or shares
/// them with someone (see [`unshare`]).
pub(crate) fn planes_mut(frame: &mut Video) -> Option<PlanesMut<'_>> {
    let (luma, chroma, strides) = layout(frame)?;
    if !is_writable(frame) {
        return None;
    }
    let fields = fields(frame)?;
    let plane = |i: usize, size: Size| {
        let start = fields.data[i];
        let len = extent(fields, start, strides[i], size);
        // SAFETY: as in `planes`; nobody else refers to the buffers, `frame` is borrowed
        // exclusively, and FFmpeg lays the planes of a frame behind one another, so three
        // exclusive slices may live side by side.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    };
    Some(PlanesMut {
        luma: plane(0, luma),
        luma_stride: strides[0],
        chroma: [plane(1, chroma), plane(2, chroma)],
        chroma_stride: strides[1],
    })
}
