//! Any sample rate to 48 kHz, a tick at a time.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};
use stratus_frame::sound::SOUND_RATE;

use crate::{TICK_FRAMES, Tick};

/// The rates that a stream may have, Hz.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;

/// Turns stereo of one rate into ticks of 48 kHz.
pub(crate) struct Rate {
    /// None where the rate is 48 kHz already.
    resampler: Option<Async<f32>>,
}

impl Rate {
    /// From `rate` Hz; one out of [`RATES`] is taken for 48 kHz.
    pub(crate) fn from(rate: u32) -> Self {
        if rate == SOUND_RATE || !RATES.contains(&rate) {
            return Self { resampler: None };
        }
        // The filter reaches 1/3 ms to both sides at 96 kHz; what aliases lies below -90 dB.
        let parameters = SincInterpolationParameters::new(64, WindowFunction::BlackmanHarris2)
            .oversampling_factor(128)
            .interpolation(SincInterpolationType::Quadratic);
        let ratio = f64::from(SOUND_RATE) / f64::from(rate);
        let fixed = FixedAsync::Output;
        // Fails for ratios that are none, and the range excludes those.
        let resampler = Async::new_sinc(ratio, 1.0, &parameters, TICK_FRAMES, 2, fixed).ok();
        Self { resampler }
    }

    /// How many frames the next tick takes.
    pub(crate) fn needs(&self) -> usize {
        self.resampler.as_ref().map_or(TICK_FRAMES, Resampler::input_frames_next)
    }

    /// How much later a sample comes out, in frames of 48 kHz.
    pub(crate) fn delay(&self) -> usize {
        self.resampler.as_ref().map_or(0, Resampler::output_delay)
    }

    /// Fills `out` from `input`: as many frames as [`Rate::needs`] says, interleaved.
    pub(crate) fn convert(&mut self, input: &[f32], out: &mut Tick) {
        let Some(resampler) = &mut self.resampler else {
            let n = input.len().min(out.len());
            out[..n].copy_from_slice(&input[..n]);
            out[n..].fill(0.0);
            return;
        };
        let converted = match (
            InterleavedSlice::new(input, 2, input.len() / 2),
            InterleavedSlice::new_mut(out, 2, TICK_FRAMES),
        ) {
            (Ok(from), Ok(mut to)) => resampler.process_into_buffer(&from, &mut to, None).is_ok(),
            _ => false,
        };
        // It fails only for a length other than it asked for.
        if !converted {
            out.fill(0.0);
        }
    }
}
