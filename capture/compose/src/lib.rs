//! Composes the surfaces of a window into one picture, where they changed.
//!
//! It knows pixels, rectangles and transforms, and no Wayland: `stratus-capture` says which
//! surfaces lie where.
