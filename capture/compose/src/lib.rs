//! Composes the surfaces of a window into one picture, where they changed.
//!
//! It knows pixels, rectangles and transforms, and no Wayland: `stratus-capture` says which
//! surfaces lie where, as [`Layer`]s from the bottom up, and what changed; a [`Canvas`] keeps the
//! picture. pixman does the pixels, as it does in wlroots' software renderer, whose results these
//! are: equal where nothing is scaled, and where it is, sampled at the same positions, bilinearly.
//! Blending what is not scaled is done here where the processor has AVX2, with the same numbers.
//!
//! Two things differ from wlroots on purpose. A crop keeps its fraction of a pixel, as
//! `wp_viewport.set_source` has it (wlroots rounds to whole pixels), and beyond its edge a buffer
//! goes on as its last pixel (wlroots before 0.21 fades to what lies below).

mod avx2_unsafe;
mod bands;
mod canvas;
mod draw;
mod error;
mod image_unsafe;
mod layer;
mod over;
mod plan;
mod rows;
mod sampling;
mod target;

pub use canvas::Canvas;
pub use error::{ComposeError, LayerError};
pub use layer::{Content, Layer, Source, Transform};
