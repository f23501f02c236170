//! PulseAudio's native protocol, the server's side, without a socket, a clock or a thread.
//!
//! [`Pulse`] is given what clients send and asked what to send them. There is one sink, stereo at
//! 48 kHz, and its monitor, which nobody can record from. Memory is not shared: clients send their
//! samples through the socket.
//!
//! - `wire` cuts bytes into packets, `client` is one connection, `commands` does what clients ask
//!   for, and `facts` answers what they ask about;
//! - `queue` is what a stream has yet to play, and `stream` makes its part of the mix.
//!
//! The types of commands and replies are those of the crate `pulseaudio`; what it believes of a
//! peer's numbers is checked in `wire` before.

mod client;
mod commands;
mod facts;
mod format;
mod queue;
mod stream;
mod wire;

use std::collections::BTreeMap;

use pulseaudio::protocol::{
    ChannelVolume, Command, Request, SubscriptionEvent, SubscriptionEventFacility,
    SubscriptionEventType, SubscriptionMask, Underflow,
};
use stratus_frame::MonoTime;

use crate::Tick;
use crate::mix::soft_clip;
use crate::remix::Remix;
pub(crate) use client::Client;
use stream::{Event, Scratch, Stream};
pub(crate) use wire::Malformed;
use wire::Packet;

/// Clients at once.
pub(crate) const MAX_CLIENTS: usize = 32;
/// Streams at once, of all clients and of one.
const MAX_STREAMS: usize = 64;
const MAX_STREAMS_OF_ONE: usize = 32;

/// The session's sound device, as its clients see it.
pub(crate) struct Pulse {
    clients: BTreeMap<u32, Client>,
    streams: BTreeMap<u32, Stream>,
    next_client: u32,
    next_stream: u32,
    volume: ChannelVolume,
    muted: bool,
    /// Left and right at the sink's volume.
    gains: Remix,
    scratch: Scratch,
    clipped: Vec<f32>,
    /// When the next tick is due, if one is.
    due: Option<MonoTime>,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        let volume = ChannelVolume::norm(2);
        Self {
            clients: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_client: 0,
            next_stream: 0,
            volume,
            muted: false,
            gains: Remix::new(&pulseaudio::protocol::ChannelMap::stereo(), 2).at(&volume),
            scratch: Scratch::default(),
            clipped: Vec::new(),
            due: None,
        }
    }

    /// A client came; its number, or nothing if there are too many.
    pub(crate) fn connect(&mut self) -> Option<u32> {
        if self.clients.len() >= MAX_CLIENTS {
            return None;
        }
        let id = self.next_client;
        self.next_client = id.wrapping_add(1);
        self.clients.insert(id, Client::default());
        Some(id)
    }

    /// A client went, and its streams with it.
    pub(crate) fn disconnect(&mut self, id: u32) {
        self.streams.retain(|_, stream| stream.owner != id);
        if self.clients.remove(&id).is_some_and(|client| client.version.is_some()) {
            self.notify(SubscriptionEventFacility::Client, SubscriptionEventType::Removed, id);
        }
    }

    /// What `client` is to be sent.
    pub(crate) fn client(&mut self, id: u32) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    /// Takes what `client` sent, at `now`.
    ///
    /// # Errors
    /// [`Malformed`]: the client cannot be understood any more and is to be let go.
    pub(crate) fn handle_bytes(
        &mut self,
        id: u32,
        mut bytes: &[u8],
        now: MonoTime,
    ) -> Result<(), Malformed> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let mut splitter = std::mem::take(&mut client.splitter);
        let done = loop {
            match splitter.next(&mut bytes) {
                Ok(Some(Packet::Command(payload))) => self.command(id, payload, now),
                Ok(Some(Packet::Samples { channel, seek, bytes })) => {
                    self.samples(id, channel, seek, bytes);
                }
                Ok(None) => break Ok(()),
                Err(e) => break Err(e),
            }
        };
        if let Some(client) = self.clients.get_mut(&id) {
            client.splitter = splitter;
        }
        done
    }

    /// Samples for a stream that is gone were on their way when it went.
    fn samples(&mut self, id: u32, channel: u32, seek: wire::Seek, bytes: &[u8]) {
        let Some(stream) = self.streams.get_mut(&channel).filter(|s| s.owner == id) else { return };
        let fitted = stream.write(seek, bytes);
        if let Some(client) = self.clients.get_mut(&id).filter(|_| !fitted) {
            client.tell(&Command::Overflow(channel));
        }
        self.request(channel);
    }

    /// Asks for what a stream lacks.
    fn request(&mut self, channel: u32) {
        let Some(stream) = self.streams.get_mut(&channel) else { return };
        let length = stream.queue.take_missing();
        if let Some(client) = self.clients.get_mut(&stream.owner).filter(|_| length > 0) {
            client.tell(&Command::Request(Request { channel, length }));
        }
    }

    /// Whether a stream has something for the next tick.
    pub(crate) fn is_active(&mut self) -> bool {
        self.streams.values_mut().any(Stream::is_active)
    }

    /// When the next tick will be; what clients are told of delays follows from it.
    pub(crate) fn set_due(&mut self, due: Option<MonoTime>) {
        self.due = due;
    }

    /// Mixes one tick, and tells the clients what became of their streams.
    pub(crate) fn tick(&mut self, out: &mut Tick) {
        out.fill(0.0);
        let mut channels = [0; MAX_STREAMS];
        let mut count = 0;
        for (channel, stream) in &mut self.streams {
            for event in stream.mix(&mut self.scratch, out).into_iter().flatten() {
                let Some(client) = self.clients.get_mut(&stream.owner) else { continue };
                let (_, offset) = stream.queue.places();
                match event {
                    Event::Started => client.tell(&Command::Started(*channel)),
                    Event::Underflow => {
                        client.tell(&Command::Underflow(Underflow { channel: *channel, offset }));
                    }
                    Event::Drained(tag) => client.ack(tag),
                }
            }
            channels[count] = *channel;
            count += 1;
        }
        for channel in &channels[..count] {
            self.request(*channel);
        }
        if self.muted {
            out.fill(0.0);
            return;
        }
        self.clipped.clear();
        self.gains.mix(out, &mut self.clipped);
        out.copy_from_slice(&self.clipped);
        soft_clip(out);
    }

    /// Tells those who want to know that something came, changed or went.
    fn notify(
        &mut self,
        facility: SubscriptionEventFacility,
        kind: SubscriptionEventType,
        index: u32,
    ) {
        let wanted = SubscriptionMask::from_bits_truncate(1 << facility as u32);
        let event =
            SubscriptionEvent { event_facility: facility, event_type: kind, index: Some(index) };
        for client in self.clients.values_mut().filter(|c| c.subscribed.contains(wanted)) {
            client.tell(&Command::SubscribeEvent(event));
        }
    }
}
