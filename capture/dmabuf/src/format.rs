//! Formats and modifiers by their DRM numbers (`drm_fourcc.h`).

use stratus_frame::PixelFormat;

/// `DRM_FORMAT_MOD_LINEAR`: rows one after the other.
pub const LINEAR: u64 = 0;
/// `DRM_FORMAT_MOD_INVALID`: the layout is the driver's secret.
pub const INVALID: u64 = 0x00ff_ffff_ffff_ffff;

const fn fourcc(code: [u8; 4]) -> u32 {
    u32::from_le_bytes(code)
}

/// `DRM_FORMAT_ARGB8888`.
const ARGB8888: u32 = fourcc(*b"AR24");
/// `DRM_FORMAT_XRGB8888`.
const XRGB8888: u32 = fourcc(*b"XR24");

/// How pixels of a DRM format lie in memory, if frames can be made of them.
pub(crate) fn pixel_format(format: u32) -> Option<PixelFormat> {
    match format {
        ARGB8888 => Some(PixelFormat::Argb8888),
        XRGB8888 => Some(PixelFormat::Xrgb8888),
        _ => None,
    }
}

/// Whether frames can be made of pictures in this DRM format.
#[must_use]
pub fn is_readable(format: u32) -> bool {
    pixel_format(format).is_some()
}

/// A DRM format as people write it, such as `XR24`.
pub(crate) fn name(format: u32) -> String {
    format.to_le_bytes().escape_ascii().to_string()
}
