//! The picture into the window: scaled as planes, then converted where it is to be seen.
//!
//! A picture that is shown pixel for pixel is read once and written once, into the memory that
//! the compositor reads. One that is scaled is written twice: planes have 1.5 bytes a pixel where
//! the window has four, so scaling them is cheaper than scaling what they become.

use stratus_frame::Size;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix, yuv420_to_bgra};

use crate::canvas::Canvas;
use crate::kernel::Filter;
use crate::letterbox::Letterbox;
use crate::picture::I420;
use crate::resample::Resampler;

/// Paints pictures; keeps what it needs for one size after another.
#[derive(Debug)]
pub(crate) struct Painter {
    filter: Filter,
    scaler: Option<Scaler>,
}

#[derive(Debug)]
struct Scaler {
    from: Size,
    to: Size,
    luma: Resampler,
    chroma: Resampler,
    planes: [Vec<u8>; 3],
}

impl Painter {
    pub(crate) fn new(filter: Filter) -> Self {
        Self { filter, scaler: None }
    }

    /// Fills the whole canvas: the picture where `place` says, black around it. A picture whose
    /// planes are too short, or are not `place`'s picture, is not painted.
    ///
    /// # Errors
    /// What the conversion said, which would be a bug of ours.
    pub(crate) fn paint(
        &mut self,
        canvas: &mut Canvas<'_>,
        picture: &I420<'_>,
        place: &Letterbox,
    ) -> Result<(), String> {
        let fits = place.left + place.shown.width <= canvas.size().width
            && place.top + place.shown.height <= canvas.size().height;
        if !fits || picture.visible != place.picture || !picture.is_whole() {
            return Err(format!("a picture of {} at {place:?}", picture.visible));
        }
        bars(canvas, place);
        if place.shown == picture.visible {
            let [y, u, v] = picture.planes.map(|p| (p.data, p.stride));
            return convert([y, u, v], place, canvas);
        }
        let scaler = Scaler::at(&mut self.scaler, picture.visible, place.shown, self.filter);
        let scaled = scaler.scale(picture);
        convert(scaled, place, canvas)
    }
}

impl Scaler {
    fn at(kept: &mut Option<Self>, from: Size, to: Size, filter: Filter) -> &mut Self {
        if kept.as_ref().is_some_and(|s| s.from != from || s.to != to) {
            *kept = None;
        }
        kept.get_or_insert_with(|| {
            let half = |s: Size| Size::new(s.width.div_ceil(2), s.height.div_ceil(2));
            let luma = Resampler::new(from, to, filter);
            let chroma = Resampler::new(half(from), half(to), filter);
            let planes = [luma.len(), chroma.len(), chroma.len()].map(|n| vec![0; n]);
            Self { from, to, luma, chroma, planes }
        })
    }

    fn scale(&mut self, picture: &I420<'_>) -> [(&[u8], usize); 3] {
        let [y, u, v] = &mut self.planes;
        let [luma, cb, cr] = picture.planes;
        self.luma.resample(luma.data, luma.stride, y);
        self.chroma.resample(cb.data, cb.stride, u);
        self.chroma.resample(cr.data, cr.stride, v);
        let (width, half) = (self.to.width as usize, self.to.width.div_ceil(2) as usize);
        [(&self.planes[0], width), (&self.planes[1], half), (&self.planes[2], half)]
    }
}

fn bars(canvas: &mut Canvas<'_>, place: &Letterbox) {
    let Size { width, height } = canvas.size();
    let (right, bottom) = (place.left + place.shown.width, place.top + place.shown.height);
    canvas.fill((0, 0), Size::new(width, place.top), 0);
    canvas.fill((0, bottom), Size::new(width, height - bottom), 0);
    canvas.fill((0, place.top), Size::new(place.left, place.shown.height), 0);
    canvas.fill((right, place.top), Size::new(width - right, place.shown.height), 0);
}

/// Writes the pixels of planes of `place.shown` where it says.
fn convert(
    [y, u, v]: [(&[u8], usize); 3],
    place: &Letterbox,
    canvas: &mut Canvas<'_>,
) -> Result<(), String> {
    let Size { width, height } = place.shown;
    let stride = |s: usize| u32::try_from(s).unwrap_or(u32::MAX);
    let chroma_rows = height.div_ceil(2) as usize;
    // The planes may go on below what is to be seen, which the conversion takes for a mistake.
    let cut =
        |(data, stride): (&[u8], usize), rows: usize| -> usize { data.len().min(stride * rows) };
    let planes = YuvPlanarImage {
        y_plane: &y.0[..cut(y, height as usize)],
        y_stride: stride(y.1),
        u_plane: &u.0[..cut(u, chroma_rows)],
        u_stride: stride(u.1),
        v_plane: &v.0[..cut(v, chroma_rows)],
        v_stride: stride(v.1),
        width,
        height,
    };
    let row = canvas.size().width;
    let pixels = canvas.rows_from(place.top).get_mut(place.left as usize..).unwrap_or_default();
    // Bytes B, G, R, A in memory are a pixel 0xAARRGGBB of a little-endian machine.
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(pixels);
    yuv420_to_bgra(&planes, bytes, row * 4, YuvRange::Limited, YuvStandardMatrix::Bt709)
        .map_err(|e| e.to_string())
}

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
