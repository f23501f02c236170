//! What clients ask to be done.

use pulseaudio::protocol::stream::BufferAttr;
use pulseaudio::protocol::{
    AuthReply, ChannelVolume, Command, CommandReply, CreatePlaybackStreamReply, MAX_VERSION,
    MIN_VERSION, PlaybackStreamParams, Prop, Props, PulseError, SetClientNameReply,
    SetPlaybackStreamBufferAttrReply, SubscriptionEventFacility, SubscriptionEventType,
    props::PropsUpdateMode,
};
use stratus_frame::MonoTime;

use super::client::bounded;
use super::facts::{LATENCY, SINK, SINK_NAME, is_sink};
use super::format;
use super::stream::{Event, Stream, frame_size, granted, sizes};
use super::{MAX_STREAMS, MAX_STREAMS_OF_ONE, Pulse};
use crate::rate::RATES;
use crate::remix::Remix;

/// An answer that is nothing but whether it was done.
type Done = Result<(), PulseError>;

impl Pulse {
    /// Does what a command asks for, and answers it.
    pub(super) fn command(&mut self, id: u32, payload: &[u8], now: MonoTime) {
        let Some(version) = self.clients.get(&id).map(|c| c.version.unwrap_or(MAX_VERSION)) else {
            return;
        };
        let mut rest = payload;
        let (tag, command) = match Command::read_tag_prefixed(&mut rest, version) {
            Ok(read) => read,
            Err(e) => {
                tracing::debug!("client {id} of the sound: {e}");
                // The tag, if there is one, is the second number.
                let tag = payload.get(6..10).and_then(<[u8]>::first_chunk);
                if let Some(tag) = tag {
                    self.refuse(id, u32::from_be_bytes(*tag), PulseError::NotSupported);
                }
                return;
            }
        };
        let known = self.clients.get(&id).is_some_and(|c| c.version.is_some());
        if !known && !matches!(command, Command::Auth(_)) {
            return self.refuse(id, tag, PulseError::AccessDenied);
        }
        if self.answer(id, tag, &command) || self.converse(id, tag, &command, now) {
            return;
        }
        match self.perform(id, command) {
            Ok(()) => self.tell(id, |client| client.ack(tag)),
            Err(error) => self.refuse(id, tag, error),
        }
    }

    pub(super) fn reply<R: CommandReply>(&mut self, id: u32, tag: u32, reply: &R) {
        self.tell(id, |client| client.reply(tag, reply));
    }

    pub(super) fn refuse(&mut self, id: u32, tag: u32, error: PulseError) {
        self.tell(id, |client| client.refuse(tag, error));
    }

    fn tell(&mut self, id: u32, say: impl FnOnce(&mut super::Client)) {
        if let Some(client) = self.clients.get_mut(&id) {
            say(client);
        }
    }

    /// Commands that have an answer of their own; says whether it was one.
    fn converse(&mut self, id: u32, tag: u32, command: &Command, now: MonoTime) -> bool {
        match command {
            Command::Auth(auth) => self.greet(id, tag, auth.version),
            Command::SetClientName(props) => {
                let first = self.clients.get(&id).is_some_and(|c| c.props == Props::new());
                self.tell(id, |client| client.props = bounded(props.clone()));
                self.reply(id, tag, &SetClientNameReply { client_id: id });
                let kind =
                    if first { SubscriptionEventType::New } else { SubscriptionEventType::Changed };
                self.notify(SubscriptionEventFacility::Client, kind, id);
            }
            Command::CreatePlaybackStream(params) => {
                if let Err(error) = self.create(id, tag, params) {
                    self.refuse(id, tag, error);
                }
            }
            Command::GetPlaybackLatency(asked) => {
                let stream = self.streams.get(&asked.channel).filter(|s| s.owner == id);
                match stream.map(|stream| self.latency(stream, asked, now)) {
                    Some(latency) => self.reply(id, tag, &latency),
                    None => self.refuse(id, tag, PulseError::NoEntity),
                }
            }
            Command::DrainPlaybackStream(channel) => match self.own(id, *channel) {
                // The answer comes when all is played.
                Ok(stream) => {
                    if let Some(Event::Drained(tag)) = stream.drain(tag) {
                        self.tell(id, |client| client.ack(tag));
                    }
                }
                Err(error) => self.refuse(id, tag, error),
            },
            Command::SetPlaybackStreamBufferAttr(params) => {
                match self.resize(id, params.index, &params.buffer_attr) {
                    Ok(reply) => self.reply(id, tag, &reply),
                    Err(error) => self.refuse(id, tag, error),
                }
                self.request(params.index);
            }
            _ => return false,
        }
        true
    }

    fn greet(&mut self, id: u32, tag: u32, version: u16) {
        if version < MIN_VERSION {
            return self.refuse(id, tag, PulseError::Version);
        }
        // No memory is shared: neither flag is set.
        let reply = AuthReply { version: MAX_VERSION, use_memfd: false, use_shm: false };
        self.tell(id, |client| {
            client.version = Some(version.min(MAX_VERSION));
            client.reply(tag, &reply);
        });
    }

    fn own(&mut self, id: u32, channel: u32) -> Result<&mut Stream, PulseError> {
        let stream = self.streams.get_mut(&channel).filter(|s| s.owner == id);
        stream.ok_or(PulseError::NoEntity)
    }

    fn create(&mut self, id: u32, tag: u32, params: &PlaybackStreamParams) -> Done {
        if params.sink_name.is_some() || params.sink_index.is_some() {
            let known = is_sink(params.sink_index, params.sink_name.as_deref());
            known.then_some(()).ok_or(PulseError::NoEntity)?;
        }
        let of_one = self.streams.values().filter(|s| s.owner == id).count();
        if of_one >= MAX_STREAMS_OF_ONE || self.streams.len() >= MAX_STREAMS {
            return Err(PulseError::TooLarge);
        }
        let (spec, map) = match format::choose(&params.formats) {
            Some(chosen) => chosen,
            None if params.formats.is_empty() => (params.sample_spec, params.channel_map),
            None => return Err(PulseError::NotSupported),
        };
        let frame = frame_size(&spec, &map).ok_or(PulseError::Invalid)?;
        let sizes = sizes(&params.buffer_attr, &spec, frame);
        let mut stream = Stream::new(id, (spec, map), sizes, bounded(params.props.clone()));
        if let Some(volume) = params.cvolume {
            stream.set_volume(volume);
        }
        stream.set_muted(params.flags.start_muted.unwrap_or(false));
        stream.cork(params.flags.start_corked);
        let channel = self.next_stream;
        self.next_stream = channel.wrapping_add(1);
        let reply = CreatePlaybackStreamReply {
            channel,
            stream_index: channel,
            requested_bytes: stream.queue.take_missing(),
            buffer_attr: granted(sizes),
            sample_spec: spec,
            channel_map: map,
            stream_latency: LATENCY,
            sink_index: SINK,
            sink_name: Some(SINK_NAME.into()),
            suspended: false,
            format: format::describe(&spec, &map),
        };
        tracing::debug!("client {id} of the sound plays {spec:?} with {sizes:?}");
        self.streams.insert(channel, stream);
        self.reply(id, tag, &reply);
        self.changed(channel, SubscriptionEventType::New);
        Ok(())
    }

    fn resize(
        &mut self,
        id: u32,
        channel: u32,
        wishes: &BufferAttr,
    ) -> Result<SetPlaybackStreamBufferAttrReply, PulseError> {
        let stream = self.own(id, channel)?;
        let frame = frame_size(&stream.spec, &stream.map).ok_or(PulseError::Invalid)?;
        let sizes = sizes(wishes, &stream.spec, frame);
        stream.queue.resize(sizes);
        Ok(SetPlaybackStreamBufferAttrReply {
            buffer_attr: granted(sizes),
            configured_sink_latency: LATENCY,
        })
    }

    fn changed(&mut self, channel: u32, kind: SubscriptionEventType) {
        self.notify(SubscriptionEventFacility::SinkInput, kind, channel);
    }

    /// Commands whose answer is only that they were done: first those for a stream of the client's
    /// own.
    fn perform(&mut self, id: u32, command: Command) -> Done {
        match command {
            Command::DeletePlaybackStream(channel) => {
                self.own(id, channel)?;
                self.streams.remove(&channel);
                self.changed(channel, SubscriptionEventType::Removed);
            }
            Command::CorkPlaybackStream(params) => {
                self.own(id, params.channel)?.cork(params.cork);
                self.request(params.channel);
                self.changed(params.channel, SubscriptionEventType::Changed);
            }
            Command::FlushPlaybackStream(channel) => {
                self.own(id, channel)?.flush();
                self.request(channel);
            }
            Command::TriggerPlaybackStream(channel) => {
                self.own(id, channel)?.queue.end_prebuffering();
            }
            Command::PrebufPlaybackStream(channel) => {
                self.own(id, channel)?.queue.force_prebuffering();
            }
            Command::SetPlaybackStreamName(params) => {
                self.own(id, params.index)?.props.set(Prop::MediaName, params.name);
                self.changed(params.index, SubscriptionEventType::Changed);
            }
            Command::UpdatePlaybackStreamSampleRate(params) => {
                let stream = self.own(id, params.index)?;
                if !RATES.contains(&params.sample_rate) {
                    return Err(PulseError::Invalid);
                }
                stream.set_rate(params.sample_rate);
            }
            Command::UpdatePlaybackStreamProplist(params) => {
                let stream = self.own(id, params.index)?;
                update(&mut stream.props, params.mode, &params.props);
            }
            other => return self.adjust(id, other),
        }
        Ok(())
    }

    /// The others of them: for the client itself, for the volumes of any stream, and for the sink.
    fn adjust(&mut self, id: u32, command: Command) -> Done {
        match command {
            Command::UpdateClientProplist(params) => {
                self.tell(id, |client| update(&mut client.props, params.mode, &params.props));
            }
            Command::Subscribe(mask) => self.tell(id, |client| client.subscribed = mask),
            Command::SetSinkInputVolume(params) => {
                self.any(params.index)?.set_volume(params.volume);
                self.changed(params.index, SubscriptionEventType::Changed);
            }
            Command::SetSinkInputMute(params) => {
                self.any(params.index)?.set_muted(params.mute);
                self.changed(params.index, SubscriptionEventType::Changed);
            }
            Command::SetSinkVolume(params) => {
                self.sink_only(params.device_index, params.device_name.as_deref())?;
                self.set_sink_volume(params.volume);
            }
            Command::SetSinkMute(params) => {
                self.sink_only(params.device_index, params.device_name.as_deref())?;
                self.muted = params.mute;
                self.notify(SubscriptionEventFacility::Sink, SubscriptionEventType::Changed, SINK);
            }
            Command::MoveSinkInput(params) => {
                self.any(params.index.ok_or(PulseError::Invalid)?)?;
                self.sink_only(params.device_index, params.device_name.as_deref())?;
            }
            Command::SetDefaultSink(name) => self.sink_only(None, Some(&name))?,
            // Properties that stay hurt nobody.
            Command::RemovePlaybackStreamProplist(_)
            | Command::RemoveClientProplist
            | Command::SetDefaultSource(_)
            | Command::SuspendSink(_)
            | Command::SuspendSource(_) => {}
            Command::Extension(_) => return Err(PulseError::NoExtension),
            // There is nothing to record; samples, modules, cards and ports are not kept.
            _ => return Err(PulseError::NotSupported),
        }
        Ok(())
    }

    fn any(&mut self, index: u32) -> Result<&mut Stream, PulseError> {
        self.streams.get_mut(&index).ok_or(PulseError::NoEntity)
    }

    fn sink_only(&self, index: Option<u32>, name: Option<&std::ffi::CStr>) -> Done {
        is_sink(index, name).then_some(()).ok_or(PulseError::NoEntity)
    }

    fn set_sink_volume(&mut self, volume: ChannelVolume) {
        let volumes = volume.channels();
        let mut stereo = ChannelVolume::empty();
        for i in 0..2 {
            stereo.push(volumes.get(i).or(volumes.last()).copied().unwrap_or_default());
        }
        self.volume = stereo;
        self.gains = Remix::new(&pulseaudio::protocol::ChannelMap::stereo(), 2).at(&stereo);
        self.notify(SubscriptionEventFacility::Sink, SubscriptionEventType::Changed, SINK);
    }
}

fn update(props: &mut Props, mode: PropsUpdateMode, with: &Props) {
    let mut next = match mode {
        PropsUpdateMode::Set => Props::new(),
        PropsUpdateMode::Merge | PropsUpdateMode::Replace => std::mem::take(props),
    };
    for (key, value) in with.iter() {
        if mode != PropsUpdateMode::Merge || next.get_bytes(key).is_none() {
            next.set_bytes(key, value);
        }
    }
    *props = bounded(next);
}
