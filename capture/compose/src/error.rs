//! Why a picture could not be composed.

use stratus_frame::{ReadError, Size};

/// Why [`crate::Canvas::compose`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The picture has no pixel, or more than any screen; whoever chose its size is to blame.
    #[error("a picture of {0} is empty or larger than 16384x16384 or 256 MiB")]
    Size(Size),
    /// There is no memory for the picture, or for what pixman keeps of it.
    #[error("no memory to compose a picture of {0}")]
    Memory(Size),
    /// A layer could not be drawn; all others were.
    #[error("layer {index} from the bottom could not be drawn")]
    Layer {
        /// Its place in the layers, from 0; the lowest if there are several.
        index: usize,
        /// Why.
        source: LayerError,
    },
}

/// Why a layer could not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
    /// The client cut its memory off.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was laid open is not what the layer says, or ends before its last pixel: a bug of
    /// whoever made the layer.
    #[error(
        "{view} pixels with a stride of {stride} bytes in {len} bytes are not a buffer of {layer}"
    )]
    View {
        /// Width and height of the buffer by the layer.
        layer: Size,
        /// Width and height that were laid open.
        view: Size,
        /// Bytes from row to row.
        stride: usize,
        /// Bytes that were laid open.
        len: usize,
    },
    /// So much of the buffer is scaled at once that its numbers exceed what pixman computes with.
    #[error("{0} pixels of a buffer cannot be scaled: pixman takes less than 32767 a side")]
    Scaled(Size),
    /// The rows must be copied before they are drawn, and are more than any screen has.
    #[error("{0} pixels of a buffer are too many to be copied")]
    Copied(Size),
    /// pixman made no image of the pixels, which it does for want of memory alone.
    #[error("no memory for pixman's image of the layer")]
    Memory,
}
