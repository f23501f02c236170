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

/// Allocates a picture of `format` with unset contents; `None` when memory is short or FFmpeg
/// does not take the size.
pub(crate) fn allocate(format: Pixel, size: Size) -> Option<Video> {
    let mut frame = Video::empty();
    // SAFETY: only the pointer is looked at; it is null if the allocation failed.
    if unsafe { frame.as_ptr() }.is_null() {
        return None;
    }
    frame.set_format(format);
    frame.set_width(size.width);
    frame.set_height(size.height);
    // SAFETY: the frame is alive and owned, has no buffers yet, and its format and size are set,
    // which is all that av_frame_get_buffer asks for; it checks both itself.
    let code = unsafe { ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0) };
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
    // SAFETY: the frame is alive and has buffers.
    let shared = unsafe { ffi::av_frame_is_writable(frame.as_mut_ptr()) } == 0;
    if shared {
        // SAFETY: as above; on failure the frame stays as it was.
        let code = unsafe { ffi::av_frame_make_writable(frame.as_mut_ptr()) };
        if code < 0 {
            return None;
        }
    }
    Some(shared)
}

/// Whether one of the buffers that `frame` refers to holds `len` bytes from `start` on.
fn owned_by(frame: &Video, start: *const u8, len: usize) -> bool {
    // SAFETY: reads a field of a live frame.
    let buffers = unsafe { (*frame.as_ptr()).buf };
    buffers.iter().take_while(|b| !b.is_null()).any(|b| {
        // SAFETY: the frame holds a reference to each of its buffers.
        let (data, size) = unsafe { ((**b).data, (**b).size) };
        let offset = (start as usize).wrapping_sub(data as usize);
        offset.checked_add(len).is_some_and(|end| end <= size)
    })
}

fn layout(frame: &Video) -> Option<(Size, Size, [usize; 3])> {
    // SAFETY: reads a field of a live frame.
    let strides = unsafe { (*frame.as_ptr()).linesize };
    // SAFETY: as above.
    let data = unsafe { (*frame.as_ptr()).data };
    let luma = Size::new(frame.width(), frame.height());
    let chroma = Size::new(luma.width.div_ceil(2), luma.height.div_ceil(2));
    let planar = matches!(frame.format(), Pixel::YUV420P | Pixel::YUVJ420P);
    if !planar || luma.is_empty() || data[..3].iter().any(|p| p.is_null()) {
        return None;
    }
    // A negative stride means rows stored from the bottom up, which nobody here asks for.
    let strides = [strides[0], strides[1], strides[2]].map(|s| usize::try_from(s).unwrap_or(0));
    let wide_enough = strides[0] >= luma.width as usize
        && strides[1] == strides[2]
        && strides[1] >= chroma.width as usize;
    let inside = [luma, chroma, chroma].iter().enumerate().all(|(i, size)| {
        let last_row = strides[i] * (size.height as usize - 1);
        owned_by(frame, data[i], last_row + size.width as usize)
    });
    (wide_enough && inside).then_some((luma, chroma, strides))
}

/// Bytes of a plane: whole rows where `frame` owns them, else up to the last sample, which
/// `layout` checked.
fn extent(frame: &Video, start: *const u8, stride: usize, size: Size) -> usize {
    let whole = stride * size.height as usize;
    if owned_by(frame, start, whole) { whole } else { whole - stride + size.width as usize }
}

/// The planes of an I420 frame, or `None` if it is not one or has no buffers.
pub(crate) fn planes(frame: &Video) -> Option<Planes<'_>> {
    let (luma, chroma, strides) = layout(frame)?;
    let plane = |i: usize, size: Size| {
        // SAFETY: reads a field of a live frame; `layout` saw a pointer here.
        let start = unsafe { (*frame.as_ptr()).data[i] };
        let len = extent(frame, start, strides[i], size);
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
    // SAFETY: the frame is alive and has buffers.
    if unsafe { ffi::av_frame_is_writable(frame.as_mut_ptr()) } == 0 {
        return None;
    }
    let mut plane = |i: usize, size: Size| {
        // SAFETY: as in `planes`.
        let start = unsafe { (*frame.as_mut_ptr()).data[i] };
        let len = extent(frame, start, strides[i], size);
        // SAFETY: as in `planes`; nobody else refers to the buffers, and FFmpeg lays the planes
        // of a frame behind one another, so three exclusive slices may live side by side.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    };
    Some(PlanesMut {
        luma: plane(0, luma),
        luma_stride: strides[0],
        chroma: [plane(1, chroma), plane(2, chroma)],
        chroma_stride: strides[1],
    })
}
