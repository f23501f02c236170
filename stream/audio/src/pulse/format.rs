//! Streams that are described by a list of formats instead of one sample specification.
//!
//! A client names what it could send, each with properties that are JSON values
//! (`pa_format_info`). Only PCM is taken.

use std::ffi::CString;

use pulseaudio::protocol::{
    ChannelMap, ChannelPosition, FormatEncoding, FormatInfo, Prop, Props, SampleFormat, SampleSpec,
};

/// Names of formats and of places, as PulseAudio writes them.
const FORMATS: [(&str, SampleFormat); 13] = [
    ("u8", SampleFormat::U8),
    ("aLaw", SampleFormat::Alaw),
    ("uLaw", SampleFormat::Ulaw),
    ("s16le", SampleFormat::S16Le),
    ("s16be", SampleFormat::S16Be),
    ("float32le", SampleFormat::Float32Le),
    ("float32be", SampleFormat::Float32Be),
    ("s32le", SampleFormat::S32Le),
    ("s32be", SampleFormat::S32Be),
    ("s24le", SampleFormat::S24Le),
    ("s24be", SampleFormat::S24Be),
    ("s24-32le", SampleFormat::S24In32Le),
    ("s24-32be", SampleFormat::S24In32Be),
];
const PLACES: [(&str, ChannelPosition); 19] = [
    ("mono", ChannelPosition::Mono),
    ("front-left", ChannelPosition::FrontLeft),
    ("front-right", ChannelPosition::FrontRight),
    ("front-center", ChannelPosition::FrontCenter),
    ("rear-center", ChannelPosition::RearCenter),
    ("rear-left", ChannelPosition::RearLeft),
    ("rear-right", ChannelPosition::RearRight),
    ("lfe", ChannelPosition::Lfe),
    ("front-left-of-center", ChannelPosition::FrontLeftOfCenter),
    ("front-right-of-center", ChannelPosition::FrontRightOfCenter),
    ("side-left", ChannelPosition::SideLeft),
    ("side-right", ChannelPosition::SideRight),
    ("top-center", ChannelPosition::TopCenter),
    ("top-front-left", ChannelPosition::TopFrontLeft),
    ("top-front-right", ChannelPosition::TopFrontRight),
    ("top-front-center", ChannelPosition::TopFrontCenter),
    ("top-rear-left", ChannelPosition::TopRearLeft),
    ("top-rear-right", ChannelPosition::TopRearRight),
    ("top-rear-center", ChannelPosition::TopRearCenter),
];

/// The first of `formats` that can be played, as a specification. What a client leaves open is
/// what the sink has.
pub(super) fn choose(formats: &[FormatInfo]) -> Option<(SampleSpec, ChannelMap)> {
    formats.iter().find_map(|format| {
        if !matches!(format.encoding, FormatEncoding::Pcm | FormatEncoding::Any) {
            return None;
        }
        let text = |prop| text(&format.props, prop);
        let sample = match text(Prop::FormatSampleFormat) {
            Some(name) => FORMATS.iter().find(|(n, _)| *n == name)?.1,
            None => SampleFormat::Float32Le,
        };
        // A list or a range leaves the choice to us as well.
        let number = |prop| text(prop).and_then(|t| t.parse::<u32>().ok());
        let sample_rate = number(Prop::FormatRate).unwrap_or(48_000);
        let channels = number(Prop::FormatChannels).unwrap_or(2);
        let channels = u8::try_from(channels).ok().filter(|n| (1..=32).contains(n))?;
        let map = text(Prop::FormatChannelMap).and_then(places).unwrap_or_else(|| usual(channels));
        Some((SampleSpec { format: sample, channels, sample_rate }, map))
    })
}

/// A JSON value without quotes.
fn text(props: &Props, prop: Prop) -> Option<&str> {
    let bytes = props.get(prop)?;
    let text = std::str::from_utf8(bytes.strip_suffix(b"\0").unwrap_or(bytes)).ok()?.trim();
    Some(text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text))
}

fn places(names: &str) -> Option<ChannelMap> {
    let place = |name: &str| PLACES.iter().find(|(n, _)| *n == name).map(|(_, place)| *place);
    let places: Option<Vec<_>> = names.split(',').take(33).map(place).collect();
    places.filter(|places| places.len() <= 32).map(ChannelMap::new)
}

/// Where channels lie if nobody says (the order of WAVE files, which ALSA shares up to six).
fn usual(channels: u8) -> ChannelMap {
    use ChannelPosition as P;
    let places = [
        P::FrontLeft,
        P::FrontRight,
        P::FrontCenter,
        P::Lfe,
        P::RearLeft,
        P::RearRight,
        P::SideLeft,
        P::SideRight,
    ];
    match channels {
        1 => ChannelMap::mono(),
        4 => ChannelMap::new([P::FrontLeft, P::FrontRight, P::RearLeft, P::RearRight]),
        n => {
            ChannelMap::new((0..usize::from(n)).map(|i| places.get(i).copied().unwrap_or(P::Aux0)))
        }
    }
}

/// How a specification is written as a format.
pub(super) fn describe(spec: &SampleSpec, map: &ChannelMap) -> FormatInfo {
    let mut format = FormatInfo::new(FormatEncoding::Pcm);
    let mut set = |prop, text: String| {
        // None of the texts has a zero in it.
        if let Ok(text) = CString::new(text) {
            format.props.set(prop, text);
        }
    };
    if let Some((name, _)) = FORMATS.iter().find(|(_, f)| *f == spec.format) {
        set(Prop::FormatSampleFormat, format!("\"{name}\""));
    }
    set(Prop::FormatRate, spec.sample_rate.to_string());
    set(Prop::FormatChannels, spec.channels.to_string());
    let name = |place| PLACES.iter().find(|(_, p)| *p == place).map(|(n, _)| *n);
    let names: Option<Vec<_>> = map.into_iter().map(name).collect();
    if let Some(names) = names {
        set(Prop::FormatChannelMap, format!("\"{}\"", names.join(",")));
    }
    format
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_first_format_that_can_be_played_is_taken() {
        let mut pcm = FormatInfo::new(FormatEncoding::Pcm);
        pcm.props.set(Prop::FormatSampleFormat, c"\"s16le\"");
        pcm.props.set(Prop::FormatRate, c"44100");
        pcm.props.set(Prop::FormatChannels, c"2");
        pcm.props.set(Prop::FormatChannelMap, c"\"front-right,front-left\"");
        let ac3 = FormatInfo::new(FormatEncoding::Ac3Iec61937);
        let (spec, map) = choose(&[ac3.clone(), pcm]).unwrap();
        assert_eq!((spec.format, spec.sample_rate), (SampleFormat::S16Le, 44_100));
        let map: Vec<_> = map.into_iter().collect();
        assert_eq!(map, [ChannelPosition::FrontRight, ChannelPosition::FrontLeft]);
        assert_eq!(choose(&[ac3]), None);
        let open = choose(&[FormatInfo::new(FormatEncoding::Any)]).unwrap().0;
        assert_eq!((open.sample_rate, open.channels), (48_000, 2));
    }

    #[test]
    fn what_is_described_is_chosen() {
        for channels in [1, 2, 4, 6, 8] {
            let (format, sample_rate) = (SampleFormat::S24In32Be, 96_000);
            let spec = SampleSpec { format, channels, sample_rate };
            let map = usual(channels);
            assert_eq!(choose(&[describe(&spec, &map)]), Some((spec, map)));
        }
    }
}
