//! Formats and modifiers by their DRM numbers (`drm_fourcc.h`).

use stratus_frame::PixelFormat;

/// `DRM_FORMAT_MOD_LINEAR`: rows one after the other.
pub const LINEAR: u64 = 0;
/// `DRM_FORMAT_MOD_INVALID`: the layout is the driver's secret.
pub const INVALID: u64 = 0x00ff_ffff_ffff_ffff;

/// The formats of one plane that have a pixel in 32 bits. Their names count from the highest bit
/// of a little-endian word, as those of [`PixelFormat`] do.
const FORMATS: &[([u8; 4], PixelFormat)] = &[
    (*b"AR24", PixelFormat::Argb8888),
    (*b"XR24", PixelFormat::Xrgb8888),
    (*b"AB24", PixelFormat::Abgr8888),
    (*b"XB24", PixelFormat::Xbgr8888),
    (*b"AR30", PixelFormat::Argb2101010),
    (*b"XR30", PixelFormat::Xrgb2101010),
    (*b"AB30", PixelFormat::Abgr2101010),
    (*b"XB30", PixelFormat::Xbgr2101010),
];

/// How pixels of a DRM format lie in memory, if frames can be made of them.
#[must_use]
pub fn pixel_format(format: u32) -> Option<PixelFormat> {
    let code = format.to_le_bytes();
    FORMATS.iter().find(|(known, _)| *known == code).map(|(_, pixels)| *pixels)
}

/// A DRM format as people write it, such as `XR24`.
pub(crate) fn name(format: u32) -> String {
    format.to_le_bytes().escape_ascii().to_string()
}
