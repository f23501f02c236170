//! Which channel is heard where: any channel map, down or up to stereo.

use pulseaudio::protocol::{ChannelMap, ChannelPosition, ChannelVolume};

/// How loud each channel is, left and right.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remix(Vec<[f32; 2]>);

/// The gain of a channel that is not quite in its place (ITU-R BS.775): 3 dB less.
const ASIDE: f32 = std::f32::consts::FRAC_1_SQRT_2;

impl Remix {
    /// The gains of `channels` channels that lie as `map` says, without a volume.
    pub(crate) fn new(map: &ChannelMap, channels: u8) -> Self {
        if channels == 1 {
            return Self(vec![[1.0, 1.0]]);
        }
        Self(map.into_iter().enumerate().map(|(i, position)| gains(position, i)).collect())
    }

    /// The same with volumes, one a channel or one for all.
    pub(crate) fn at(&self, volume: &ChannelVolume) -> Self {
        let volumes = volume.channels();
        let of = |i: usize| {
            volumes.get(i).or(volumes.last()).map_or(1.0, |v| v.to_linear().min(MAX_GAIN))
        };
        Self(self.0.iter().enumerate().map(|(i, [l, r])| [l * of(i), r * of(i)]).collect())
    }

    /// Appends the stereo frames of `samples`, which are interleaved.
    pub(crate) fn mix(&self, samples: &[f32], out: &mut Vec<f32>) {
        for frame in samples.chunks_exact(self.0.len().max(1)) {
            let mut sum = [0.0; 2];
            for (x, gain) in frame.iter().zip(&self.0) {
                sum[0] += x * gain[0];
                sum[1] += x * gain[1];
            }
            out.extend(sum);
        }
    }
}

/// The loudest that a volume may make a channel: 24 dB.
const MAX_GAIN: f32 = 16.0;

fn gains(position: ChannelPosition, index: usize) -> [f32; 2] {
    use ChannelPosition as P;
    match position {
        P::Mono => [1.0, 1.0],
        P::FrontLeft | P::FrontLeftOfCenter => [1.0, 0.0],
        P::FrontRight | P::FrontRightOfCenter => [0.0, 1.0],
        P::FrontCenter | P::TopFrontCenter => [ASIDE, ASIDE],
        P::RearLeft | P::SideLeft | P::TopFrontLeft | P::TopRearLeft => [ASIDE, 0.0],
        P::RearRight | P::SideRight | P::TopFrontRight | P::TopRearRight => [0.0, ASIDE],
        P::RearCenter | P::TopCenter | P::TopRearCenter => [0.5, 0.5],
        // What is in it, stereo loudspeakers cannot play; the other channels have the rest.
        P::Lfe => [0.0, 0.0],
        // Channels without a place, by turns.
        _ if index.is_multiple_of(2) => [1.0, 0.0],
        _ => [0.0, 1.0],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use ChannelPosition as P;
    use pulseaudio::protocol::Volume;

    use super::*;

    fn mixed(map: &[P], frame: &[f32]) -> Vec<f32> {
        let map = ChannelMap::new(map.iter().copied());
        let mut out = Vec::new();
        Remix::new(&map, map.num_channels()).mix(frame, &mut out);
        out
    }

    #[test]
    fn channels_are_heard_where_they_belong() {
        assert_eq!(mixed(&[P::Mono], &[0.5]), [0.5, 0.5]);
        assert_eq!(mixed(&[P::FrontRight, P::FrontLeft], &[0.1, 0.2]), [0.2, 0.1]);
        let map = [P::FrontLeft, P::FrontRight, P::RearLeft, P::RearRight, P::FrontCenter, P::Lfe];
        assert_eq!(mixed(&map, &[0.25, 0.0, 0.0, 0.0, 0.0, 1.0]), [0.25, 0.0]);
        assert_eq!(mixed(&map, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), [0.0, ASIDE]);
        assert_eq!(mixed(&map, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0]), [ASIDE, ASIDE]);
        assert_eq!(mixed(&[P::Aux0, P::Aux1], &[0.1, 0.2]), [0.1, 0.2]);
    }

    #[test]
    fn volumes_are_cubic_and_by_channel() {
        let stereo = Remix::new(&ChannelMap::stereo(), 2);
        let mut volume = ChannelVolume::empty();
        volume.push(Volume::from_u32_clamped(0x8000));
        volume.push(Volume::MUTED);
        let mut out = Vec::new();
        stereo.at(&volume).mix(&[1.0, 1.0], &mut out);
        assert_eq!(out, [0.125, 0.0], "half of the scale is an eighth of the level");
        out.clear();
        stereo.at(&ChannelVolume::norm(1)).mix(&[1.0, 0.5], &mut out);
        assert_eq!(out, [1.0, 0.5], "one volume is that of all channels");
    }
}
