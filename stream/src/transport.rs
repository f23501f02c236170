//! How QUIC is set up, with reasons.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use quinn::congestion::CubicConfig;
use quinn::{AckFrequencyConfig, IdleTimeout, TransportConfig, VarInt};

use stratus_stream_core::wire::MAX_ACCESS_UNIT;

/// A keyframe leaves in one burst: at 4 MiB even an intra picture of 1080p noise waits in the
/// kernel and is not lost. The kernel cuts this to its `net.core.[rw]mem_max`.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// Silence after which a peer counts as gone.
const IDLE_MS: u32 = 10_000;
/// A third of that, so that two keep-alives may be lost.
const KEEP_ALIVE: Duration = Duration::from_secs(3);

/// The window before anything is known: a first keyframe of 720p passes in one round trip. RFC
/// 9002 section 7.2 recommends ten packets, for servers with thousands of strangers; here one
/// player asked for a stream of megabits a second.
const INITIAL_WINDOW: u64 = 128 * 1024;

fn base() -> TransportConfig {
    let mut config = TransportConfig::default();
    // Handshake packets that get lost are sent again after three of these; the default is 333 ms,
    // which makes a lost one cost a second.
    config.initial_rtt(Duration::from_millis(50));
    config.max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))));
    config.keep_alive_interval(Some(KEEP_ALIVE));
    // Streams of one priority in the order in which they were written: no interleaving, which
    // would finish all of them late.
    config.send_fairness(false);
    config
}

/// The server's side: it sends frames and sound, and receives a control and an input stream.
pub(crate) fn server() -> TransportConfig {
    let mut config = base();
    // The control stream, a browser's CONNECT request, and one more, so that who opens it hears why
    // it must not.
    config.max_concurrent_bidi_streams(VarInt::from_u32(3));
    // The input stream; HTTP/3 asks for three at least beside it (RFC 9114 section 6.2), and
    // browsers open one more of a reserved type.
    config.max_concurrent_uni_streams(VarInt::from_u32(8));
    // WebTransport needs them both ways, but clients have nothing to say in one: what comes is
    // dropped by the buffer.
    config.datagram_receive_buffer_size(Some(4 * 1024));
    // Of sound that cannot leave the newest is worth the most; the buffer drops the oldest.
    config.datagram_send_buffer_size(16 * 1024);
    // A client sends messages of at most 64 KiB, and they are read at once.
    config.stream_receive_window(VarInt::from_u32(128 * 1024));
    config.receive_window(VarInt::from_u32(128 * 1024));
    // Any access unit fits whole beside those on the way, so that writing does not wait.
    config.send_window(4 * MAX_ACCESS_UNIT as u64);
    // Without this the last packet of a frame is acknowledged after up to 25 ms, and a frame that
    // arrived would count as on the way for longer than the next one takes to be drawn.
    let mut acks = AckFrequencyConfig::default();
    acks.max_ack_delay(Some(Duration::from_millis(2)));
    acks.ack_eliciting_threshold(VarInt::from_u32(8));
    config.ack_frequency_config(Some(acks));
    // On loopback and a LAN loss is rare, and Cubic leaves the link to others. quinn's BBR is
    // marked experimental and overdrives; what a lossy link needs is an encoder that follows.
    let mut cubic = CubicConfig::default();
    cubic.initial_window(INITIAL_WINDOW);
    config.congestion_controller_factory(Arc::new(cubic));
    config
}

/// The player's side: it receives frames, `streams` at once.
pub(crate) fn player(streams: u32) -> TransportConfig {
    let mut config = base();
    config.max_concurrent_bidi_streams(VarInt::from_u32(0));
    config.max_concurrent_uni_streams(VarInt::from_u32(streams));
    // Header and access unit of the largest frame, and as much again behind it.
    config.stream_receive_window(VarInt::from_u32(MAX_ACCESS_UNIT as u32 + 4096));
    config.receive_window(VarInt::from_u32(2 * MAX_ACCESS_UNIT as u32));
    // A second of sound: who is slower than that must drop some anyway.
    config.datagram_receive_buffer_size(Some(64 * 1024));
    config
}

/// A UDP socket with buffers for bursts.
pub(crate) fn socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    // Smaller buffers are a loss of comfort, no error: quinn sends again what the kernel dropped.
    for result in [
        setsockopt(&socket, sockopt::SndBuf, &SOCKET_BUFFER),
        setsockopt(&socket, sockopt::RcvBuf, &SOCKET_BUFFER),
    ] {
        if let Err(error) = result {
            tracing::debug!(%error, "the kernel keeps its own socket buffer size");
        }
    }
    Ok(socket)
}
