//! Colour conversion, H.264 encoding and decoding over FFmpeg, and the pipeline between the
//! mailbox of frames and the transport.
//!
//! Read in this order: [`Pipeline`] (the encoder's thread and its rules), [`Converter`] (the
//! game's pixels to I420), [`Encoder`] and [`X264`]. The other way goes [`Decoder`], for the
//! native player and tests, and [`Recorder`], which stores a stream without decoding it.
//! [`probe()`] tells which encoders work on this machine; only libx264 streams so far.
//!
//! Between the game's buffer and the encoder a picture is written once, by the conversion, into
//! memory that the encoder takes as it is; an access unit leaves in the encoder's own buffer.
//! FFmpeg's log lines become `tracing` events of the target `stratus_encode::ffmpeg`.

mod annexb;
mod convert;
mod decode;
mod encoder;
mod ffi;
mod picture;
mod pipeline;
mod planes;
mod probe;
mod record;
#[cfg(test)]
mod test_scene;
mod x264;

pub use convert::{ConvertError, Converter};
pub use decode::{ColorSignal, DecodeError, Decoded, Decoder, Kept};
pub use encoder::{
    AccessUnit, BITRATES, Coding, EncodeError, Encoder, EncoderConfig, LARGEST_PICTURE, SizeLimit,
    threads_for,
};
pub use picture::{OutOfMemory, Picture};
pub use pipeline::{Pipeline, PipelineConfig, PipelineError, PipelineHandle, PipelineStats, Sink};
pub use planes::{Plane, Planes};
pub use probe::{Outcome, Probed, probe};
pub use record::{RecordError, Recorded, Recorder, Recording};
pub use x264::{X264, check_x264, check_x264_size};
