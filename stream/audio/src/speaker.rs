//! A sound card of this machine, which plays what is received.

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, FromSample, SampleFormat, SizedSample, StreamConfig};

use crate::SoundError;
use crate::receive::{Playout, Receiver, receiver};

/// Frames that the card is asked to take at once: 10 ms of 48 kHz, where it can.
const PERIOD: u32 = 480;
/// The most that is filled at once, frames; what a card wants more comes in parts.
const PART: usize = 1024;

/// Plays until it is dropped.
pub struct Speaker {
    _stream: cpal::Stream,
    name: String,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaker").field("name", &self.name).finish()
    }
}

impl Speaker {
    /// Opens the usual sound card; packets go into the receiver that comes with it.
    ///
    /// # Errors
    /// [`SoundError::Device`] if there is no card, or it cannot be used now.
    pub fn open() -> Result<(Self, Receiver), SoundError> {
        let device = cpal::default_host().default_output_device().ok_or(SoundError::NoDevice)?;
        let usual = device.default_output_config()?;
        let (receiver, playout) = receiver(usual.sample_rate())?;
        let small =
            StreamConfig { buffer_size: BufferSize::Fixed(PERIOD), ..StreamConfig::from(usual) };
        let as_it_is = StreamConfig::from(usual);
        let format = usual.sample_format();
        // Not every card can be asked for a size.
        let fits = matches!(
            usual.buffer_size(),
            cpal::SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&PERIOD)
        );
        let config = if fits { small } else { as_it_is };
        let stream = match format {
            SampleFormat::I16 => play::<i16>(&device, config, playout),
            SampleFormat::I32 => play::<i32>(&device, config, playout),
            SampleFormat::U8 => play::<u8>(&device, config, playout),
            SampleFormat::U16 => play::<u16>(&device, config, playout),
            _ => play::<f32>(&device, config, playout),
        }?;
        stream.play()?;
        let name = device.id().map_or_else(|_| "sound card".to_owned(), |id| id.to_string());
        Ok((Self { _stream: stream, name }, receiver))
    }

    /// What the card is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn play<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut playout: Playout,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels).max(1);
    let mut stereo = vec![0.0f32; PART * 2];
    let fill = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        playout.set_device_delay(times.playback.duration_since(times.callback));
        for part in out.chunks_mut(PART * channels) {
            let frames = part.len() / channels;
            playout.fill(&mut stereo[..frames * 2]);
            for (to, from) in part.chunks_mut(channels).zip(stereo.chunks_exact(2)) {
                if let [one] = to {
                    *one = T::from_sample((from[0] + from[1]) / 2.0);
                } else {
                    to.fill(T::EQUILIBRIUM);
                    to[0] = T::from_sample(from[0]);
                    to[1] = T::from_sample(from[1]);
                }
            }
        }
    };
    let failed = |e: cpal::Error| tracing::warn!("the sound card: {e}");
    device.build_output_stream(config, fill, failed, None)
}
