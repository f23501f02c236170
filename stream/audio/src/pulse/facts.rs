//! What clients ask about: the server, its one sink, the sink's monitor, and each other.

use std::ffi::{CStr, CString};
use std::time::SystemTime;

use pulseaudio::protocol::{
    CardInfoList, ChannelMap, ChannelVolume, ClientInfo, Command, FormatEncoding, FormatInfo,
    GetSinkInfo, GetSourceInfo, LatencyParams, LookupReply, ModuleInfoList, PlaybackLatency, Prop,
    Props, PulseError, SampleFormat, SampleInfoList, SampleSpec, ServerInfo, SinkFlags, SinkInfo,
    SinkInputInfo, SinkState, SourceFlags, SourceInfo, SourceOutputInfoList, SourceState, StatInfo,
    Volume,
};
use stratus_frame::MonoTime;

use super::client::Client;
use super::format::describe;
use super::stream::Stream;
use super::{Pulse, stream};

/// The sink's number and name, and those of the monitor.
pub(super) const SINK: u32 = 0;
pub(super) const SINK_NAME: &CStr = c"stratus";
const MONITOR: u32 = 0;
const MONITOR_NAME: &CStr = c"stratus.monitor";
const DEFAULT_SINK: &CStr = c"@DEFAULT_SINK@";
const DEFAULT_SOURCE: &CStr = c"@DEFAULT_SOURCE@";
const DEFAULT_MONITOR: &CStr = c"@DEFAULT_MONITOR@";

/// What the sink has, and everything ends as.
const SPEC: SampleSpec =
    SampleSpec { format: SampleFormat::Float32Le, channels: 2, sample_rate: 48_000 };
/// How much sound the sink takes at once, µs.
pub(super) const LATENCY: u64 = crate::TICK_NANOS / 1000;

/// Whether a client means the sink.
pub(super) fn is_sink(index: Option<u32>, name: Option<&CStr>) -> bool {
    match (index, name) {
        (Some(index), _) => index == SINK,
        (None, Some(name)) => name.is_empty() || name == SINK_NAME || name == DEFAULT_SINK,
        (None, None) => true,
    }
}

fn is_source(index: Option<u32>, name: Option<&CStr>) -> bool {
    match (index, name) {
        (Some(index), _) => index == MONITOR,
        (None, Some(name)) => [MONITOR_NAME, DEFAULT_SOURCE, DEFAULT_MONITOR].contains(&name),
        (None, None) => true,
    }
}

/// A text out of a client's properties.
fn named(props: &Props, prop: Prop) -> CString {
    let bytes = props.get(prop).unwrap_or_default();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    CString::new(&bytes[..end]).unwrap_or_default()
}

impl Pulse {
    /// Answers a command that asks about something; says whether it was one.
    pub(super) fn answer(&mut self, id: u32, tag: u32, command: &Command) -> bool {
        match command {
            Command::GetServerInfo => self.reply(id, tag, &server()),
            Command::Stat => self.reply(id, tag, &StatInfo::default()),
            Command::GetSinkInfoList => self.reply(id, tag, &vec![self.sink()]),
            Command::GetSinkInfo(GetSinkInfo { index, name }) => {
                let sink = is_sink(*index, name.as_deref()).then(|| self.sink());
                self.reply_if(id, tag, sink.as_ref());
            }
            Command::LookupSink(name) => {
                let found = is_sink(None, Some(name)).then_some(LookupReply(SINK));
                self.reply_if(id, tag, found.as_ref());
            }
            Command::GetSourceInfoList => self.reply(id, tag, &vec![self.monitor()]),
            Command::GetSourceInfo(GetSourceInfo { index, name }) => {
                let source = is_source(*index, name.as_deref()).then(|| self.monitor());
                self.reply_if(id, tag, source.as_ref());
            }
            Command::LookupSource(name) => {
                let found = is_source(None, Some(name)).then_some(LookupReply(MONITOR));
                self.reply_if(id, tag, found.as_ref());
            }
            Command::GetClientInfo(index) => {
                let info = self.clients.get(index).map(|client| about_client(*index, client));
                self.reply_if(id, tag, info.as_ref());
            }
            Command::GetClientInfoList => {
                let list: Vec<_> = self.clients.iter().map(|(i, c)| about_client(*i, c)).collect();
                self.reply(id, tag, &list);
            }
            Command::GetSinkInputInfo(index) => {
                let info = self.streams.get(index).map(|stream| about_stream(*index, stream));
                self.reply_if(id, tag, info.as_ref());
            }
            Command::GetSinkInputInfoList => {
                let list: Vec<_> = self.streams.iter().map(|(i, s)| about_stream(*i, s)).collect();
                self.reply(id, tag, &list);
            }
            Command::GetModuleInfoList => self.reply(id, tag, &ModuleInfoList::new()),
            Command::GetCardInfoList => self.reply(id, tag, &CardInfoList::new()),
            Command::GetSampleInfoList => self.reply(id, tag, &SampleInfoList::new()),
            Command::GetSourceOutputInfoList => {
                self.reply(id, tag, &SourceOutputInfoList::new());
            }
            Command::GetModuleInfo(_)
            | Command::GetCardInfo(_)
            | Command::GetSampleInfo(_)
            | Command::GetSourceOutputInfo(_) => self.refuse(id, tag, PulseError::NoEntity),
            _ => return false,
        }
        true
    }

    fn reply_if<R: pulseaudio::protocol::CommandReply>(
        &mut self,
        id: u32,
        tag: u32,
        reply: Option<&R>,
    ) {
        match reply {
            Some(reply) => self.reply(id, tag, reply),
            None => self.refuse(id, tag, PulseError::NoEntity),
        }
    }

    fn sink(&self) -> SinkInfo {
        let mut props = Props::new();
        props.set(Prop::DeviceDescription, c"Stratus");
        props.set(Prop::DeviceClass, c"sound");
        let sounds = self.streams.values().any(Stream::is_running);
        SinkInfo {
            index: SINK,
            name: SINK_NAME.into(),
            description: Some(c"Stratus".into()),
            props,
            state: if sounds { SinkState::Running } else { SinkState::Idle },
            sample_spec: SPEC,
            channel_map: ChannelMap::stereo(),
            cvolume: self.volume,
            muted: self.muted,
            monitor_source_index: Some(MONITOR),
            monitor_source_name: Some(MONITOR_NAME.into()),
            flags: SinkFlags::LATENCY | SinkFlags::DECIBEL_VOLUME,
            actual_latency: LATENCY,
            configured_latency: LATENCY,
            driver: Some(c"stratus".into()),
            base_volume: Volume::NORM,
            volume_steps: Some(65_537),
            formats: vec![FormatInfo::new(FormatEncoding::Pcm)],
            ..SinkInfo::default()
        }
    }

    fn monitor(&self) -> SourceInfo {
        let mut props = Props::new();
        props.set(Prop::DeviceDescription, c"Monitor of Stratus");
        props.set(Prop::DeviceClass, c"monitor");
        SourceInfo {
            index: MONITOR,
            name: MONITOR_NAME.into(),
            description: Some(c"Monitor of Stratus".into()),
            props,
            state: SourceState::Suspended,
            sample_spec: SPEC,
            channel_map: ChannelMap::stereo(),
            cvolume: ChannelVolume::norm(2),
            base_volume: Volume::NORM,
            volume_steps: Some(65_537),
            monitor_of_sink_index: Some(SINK),
            monitor_of_sink_name: Some(SINK_NAME.into()),
            flags: SourceFlags::DECIBEL_VOLUME,
            driver: Some(c"stratus".into()),
            formats: vec![FormatInfo::new(FormatEncoding::Pcm)],
            ..SourceInfo::default()
        }
    }

    /// How far a stream's sound is: what players show their pictures by. Zero delay is the moment
    /// that a frame committed now would be stamped with.
    pub(super) fn latency(
        &self,
        stream: &Stream,
        asked: &LatencyParams,
        now: MonoTime,
    ) -> PlaybackLatency {
        let ahead = self.due.filter(|_| stream.is_running()).map_or(0, |due| {
            u64::try_from(due.since(now).as_micros()).unwrap_or(0) + stream.delay_micros()
        });
        let (read_offset, write_offset) = stream.queue.places();
        PlaybackLatency {
            sink_usec: ahead,
            source_usec: 0,
            playing: stream.is_running(),
            local_time: asked.now,
            remote_time: SystemTime::now(),
            write_offset,
            read_offset,
            underrun_for: stream.underrun_for,
            playing_for: stream.playing_for,
        }
    }
}

fn server() -> ServerInfo {
    let version = CString::new(env!("CARGO_PKG_VERSION")).unwrap_or_default();
    ServerInfo {
        server_name: Some(c"PulseAudio (on Stratus)".into()),
        server_version: Some(version),
        user_name: Some(c"stratus".into()),
        host_name: Some(c"stratus".into()),
        sample_spec: SPEC,
        cookie: 0,
        default_sink_name: Some(SINK_NAME.into()),
        default_source_name: Some(MONITOR_NAME.into()),
        channel_map: ChannelMap::stereo(),
    }
}

fn about_client(index: u32, client: &Client) -> ClientInfo {
    ClientInfo {
        index,
        name: named(&client.props, Prop::ApplicationName),
        owner_module_index: None,
        driver: Some(c"stratus".into()),
        props: client.props.clone(),
    }
}

fn about_stream(index: u32, stream: &Stream) -> SinkInputInfo {
    let (cvolume, muted) = stream.volume();
    let resampled = stream::frame_size(&stream.spec, &stream.map).is_some()
        && stream.spec.sample_rate != SPEC.sample_rate;
    SinkInputInfo {
        index,
        name: named(&stream.props, Prop::MediaName),
        owner_module_index: None,
        client_index: Some(stream.owner),
        sink_index: SINK,
        sample_spec: stream.spec,
        channel_map: stream.map,
        cvolume,
        buffer_latency: stream.micros(stream.queue.len()),
        sink_latency: LATENCY,
        resample_method: resampled.then(|| c"sinc".into()),
        driver: Some(c"stratus".into()),
        props: stream.props.clone(),
        muted,
        corked: stream.corked,
        has_volume: true,
        volume_writable: true,
        format: describe(&stream.spec, &stream.map),
    }
}
