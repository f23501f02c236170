//! The game's sound, a datagram a packet: to a client, and at one.

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use web_transport_quinn::SessionError;

use stratus_frame::sound::SoundPacket;
use stratus_stream_core::sound;

use crate::connection::Connection;
use crate::player::PlayerEvent;
use crate::session::Over;

/// Sends what comes until the connection is over. What a client's link is too slow for is lost, the
/// oldest first.
pub(crate) async fn run(connection: Connection, mut packets: Receiver<SoundPacket>) -> Over {
    loop {
        let packet = match packets.recv().await {
            Ok(packet) => packet,
            // The newest are the ones worth sending.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return std::future::pending().await,
        };
        let room = connection.max_datagram_size();
        if room == 0 {
            // It takes no datagrams: a client without sound.
            return std::future::pending().await;
        }
        match sound::encode(&packet, room) {
            Ok(datagram) => match connection.send_datagram(datagram) {
                // Too large for a path that just became narrower: the next may fit.
                Ok(()) | Err(SessionError::SendDatagramError(_)) => {}
                Err(e) => return e.into(),
            },
            Err(error) => tracing::debug!(%error, "a packet of sound was not sent"),
        }
    }
}

/// Hands on the sound that a server sends, until the connection is over. What is not fetched in time
/// is lost, as sound that came late is.
pub(crate) async fn hear(connection: Connection, events: mpsc::Sender<PlayerEvent>) {
    while let Ok(datagram) = connection.read_datagram().await {
        match sound::decode(&datagram) {
            Ok(Some(packet)) => {
                if events.try_send(PlayerEvent::Sound(packet)).is_err() && events.is_closed() {
                    return;
                }
            }
            // Of a kind that is for newer players.
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "a datagram that cannot be read"),
        }
    }
}
