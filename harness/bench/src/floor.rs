//! The floor of a frame's delay: its conversion, encoding and decoding alone, in this process.
//!
//! The frames, the encoder's settings and the pace are a session's; the game, the compositor, the
//! threads and the network in between are left out. So this is what no streamer that sends these
//! pictures by this codec on this machine can go below.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use stratus_encode::{
    Coding, Converter, Decoder, Encoder as _, EncoderConfig, PipelineConfig, X264,
};
use stratus_frame::{Damage, PixelFormat, PixelView, Rect, Size};
use stratus_harness::scene::{Motion, Scene};

/// Buffers that the frames are drawn into in turn, as the scripted client has.
const BUFFERS: usize = 3;

/// Which frames, and how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// In pixels.
    pub(crate) size: (u32, u32),
    /// What changes from frame to frame.
    pub(crate) motion: Motion,
    /// Frames a second: what the bitrate is meant for, and the pace.
    pub(crate) fps: u32,
    /// Whether each frame waits for its moment, as in a session, where caches and clocks cool down
    /// in between; or follows the one before at once.
    pub(crate) paced: bool,
    /// Frames that are measured; half a second of others goes before.
    pub(crate) frames: u32,
}

/// What one frame took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// When it was, in seconds since the measuring began.
    pub(crate) at: f64,
    pub(crate) convert: f64,
    pub(crate) encode: f64,
    pub(crate) decode: f64,
}

impl Sample {
    /// All three.
    pub(crate) fn total(&self) -> f64 {
        self.convert + self.encode + self.decode
    }
}

/// Converts, encodes and decodes frames of the harness' scene.
///
/// # Errors
/// If there is no encoder or decoder, or one of them fails.
pub(crate) fn measure(options: &Options) -> anyhow::Result<Vec<Sample>> {
    let mut rig = Rig::new(options)?;
    let warm = options.fps.div_ceil(2);
    let pause = Duration::from_secs(1) / options.fps.max(1);
    let begun = Instant::now();
    let mut samples = Vec::new();
    for number in 0..warm + options.frames {
        if options.paced {
            std::thread::sleep((pause * number).saturating_sub(begun.elapsed()));
        }
        let mut sample = rig.frame(number)?;
        if number >= warm {
            sample.at = begun.elapsed().as_secs_f64();
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// What a frame goes through.
struct Rig {
    scene: Scene,
    damage: Damage,
    buffers: Vec<Vec<u8>>,
    converter: Converter,
    encoder: X264,
    decoder: Decoder,
}

impl Rig {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let (width, height) = options.size;
        let size = Size::new(width, height);
        let scene = Scene::new(options.size, options.motion);
        let mut damage = Damage::none(size);
        for (x, y, width, height) in scene.damage() {
            damage.add(Rect { x, y, width, height });
        }
        // What the pipeline of a session opens its encoder with where nothing else is said.
        let PipelineConfig { bitrate, threads, .. } = PipelineConfig::default();
        let config = EncoderConfig { size, fps: options.fps, bitrate, threads };
        Ok(Self {
            scene,
            damage,
            buffers: vec![vec![0; width as usize * height as usize * 4]; BUFFERS],
            converter: Converter::new(),
            encoder: X264::open(config).context("opening the encoder")?,
            decoder: Decoder::new(size).context("opening the decoder")?,
        })
    }

    /// Draws a frame and takes the time of what comes after.
    fn frame(&mut self, number: u32) -> anyhow::Result<Sample> {
        let (width, height) = self.scene.size();
        let (size, stride) = (Size::new(width, height), width as usize * 4);
        let data = &mut self.buffers[number as usize % BUFFERS];
        self.scene.draw(data, stride, number);
        let view = PixelView { data, stride, size, format: PixelFormat::Xrgb8888 };
        let start = Instant::now();
        self.converter.convert(view, &self.damage).context("converting a frame")?;
        let converted = Instant::now();
        let picture = self.converter.picture_mut().context("a picture was converted")?;
        let unit = self.encoder.encode(picture, Coding::Delta).context("encoding a frame")?;
        let encoded = Instant::now();
        self.decoder.decode(&unit.data).context("decoding a frame")?;
        let decoded = Instant::now();
        let ms = |from: Instant, to: Instant| (to - from).as_secs_f64() * 1e3;
        Ok(Sample {
            at: 0.0,
            convert: ms(start, converted),
            encode: ms(converted, encoded),
            decode: ms(encoded, decoded),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SMALL: Options =
        Options { size: (320, 240), motion: Motion::All, fps: 100, paced: false, frames: 20 };

    #[test]
    fn each_frame_is_measured_part_by_part_but_for_the_first() {
        for motion in [Motion::All, Motion::MarkerOnly] {
            let samples = measure(&Options { motion, ..SMALL }).unwrap();
            assert_eq!(samples.len(), 20);
            for sample in samples {
                assert!(sample.convert > 0.0 && sample.encode > 0.0 && sample.decode > 0.0);
                assert!(sample.total() > sample.encode);
            }
        }
    }

    #[test]
    fn a_pace_is_kept() {
        let begun = Instant::now();
        measure(&Options { paced: true, ..SMALL }).unwrap();
        // The first of 70 frames comes at once.
        assert!(begun.elapsed() >= Duration::from_millis(690));
    }
}
