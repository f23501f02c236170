//! Pictures in a graphics device's memory, as far as probing an encoder needs them.
#![allow(unsafe_code, reason = "hardware contexts are reference-counted raw pointers")]

use std::ptr;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, codec, ffi};
use stratus_frame::Size;

/// The kind of device an encoder takes its pictures from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// VA-API.
    Vaapi,
    /// Vulkan video.
    Vulkan,
}

/// One reference to a buffer, given back on drop.
struct Reference(*mut ffi::AVBufferRef);

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: the pointer is null or a reference that is owned here; av_buffer_unref takes both.
        unsafe { ffi::av_buffer_unref(&raw mut self.0) };
    }
}

/// A pool of pictures on a device.
pub(crate) struct Pool(Reference);

fn checked(code: i32) -> Result<(), Error> {
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}

fn out_of_memory() -> Error {
    Error::Other { errno: ffmpeg_next::util::error::ENOMEM }
}

impl Pool {
    /// Opens the default device of its kind and a pool of NV12 pictures of `size` on it.
    pub(crate) fn open(device: Device, size: Size) -> Result<Self, Error> {
        let (kind, pixels) = match device {
            Device::Vaapi => (ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VAAPI, Pixel::VAAPI),
            Device::Vulkan => (ffi::AVHWDeviceType::AV_HWDEVICE_TYPE_VULKAN, Pixel::VULKAN),
        };
        let mut opened = Reference(ptr::null_mut());
        // SAFETY: the first argument is a place for a reference; null means the default device
        // and no options.
        checked(unsafe {
            ffi::av_hwdevice_ctx_create(&raw mut opened.0, kind, ptr::null(), ptr::null_mut(), 0)
        })?;
        // SAFETY: `opened` refers to a device; the pool takes a reference of its own.
        let pool = Reference(unsafe { ffi::av_hwframe_ctx_alloc(opened.0) });
        if pool.0.is_null() {
            return Err(out_of_memory());
        }
        // SAFETY: the reference is alive and not null.
        let frames = unsafe { (*pool.0).data }.cast::<ffi::AVHWFramesContext>();
        // SAFETY: the data of such a reference is an AVHWFramesContext, not yet shared.
        let frames = unsafe { &mut *frames };
        frames.format = pixels.into();
        frames.sw_format = Pixel::NV12.into();
        frames.width = i32::try_from(size.width).unwrap_or(0);
        frames.height = i32::try_from(size.height).unwrap_or(0);
        frames.initial_pool_size = 4;
        // SAFETY: the fields that av_hwframe_ctx_init asks for are set; it checks them.
        checked(unsafe { ffi::av_hwframe_ctx_init(pool.0) })?;
        Ok(Self(pool))
    }

    /// Tells an encoder that is not open yet that its pictures come from this pool.
    pub(crate) fn give_to(&self, context: &mut codec::Context) -> Result<(), Error> {
        // SAFETY: the pool holds a live reference; the new one belongs to the context.
        let reference = unsafe { ffi::av_buffer_ref(self.0.0) };
        if reference.is_null() {
            return Err(out_of_memory());
        }
        // SAFETY: only returns a pointer, which lives as long as `context`.
        let context = unsafe { context.as_mut_ptr() };
        // SAFETY: the context is alive, borrowed exclusively, and frees the reference itself.
        unsafe { (*context).hw_frames_ctx = reference };
        Ok(())
    }

    /// A picture of the pool with the contents of `picture` (NV12, same size).
    pub(crate) fn upload(&self, picture: &Video) -> Result<Video, Error> {
        let mut uploaded = Video::empty();
        // SAFETY: only returns a pointer, which lives as long as `uploaded`; null if the allocation
        // failed.
        let target = unsafe { uploaded.as_mut_ptr() };
        if target.is_null() {
            return Err(out_of_memory());
        }
        // SAFETY: only returns a pointer, which lives as long as `picture`.
        let source = unsafe { picture.as_ptr() };
        // SAFETY: the pool is initialised and the frame is alive and without buffers.
        checked(unsafe { ffi::av_hwframe_get_buffer(self.0.0, target, 0) })?;
        // SAFETY: both frames are alive and have buffers; FFmpeg checks formats and sizes.
        checked(unsafe { ffi::av_hwframe_transfer_data(target, source, 0) })?;
        Ok(uploaded)
    }
}
