//! One video stream in: header, access unit, nothing more.

use bytes::{Bytes, BytesMut};
use web_transport_quinn::{ReadError, RecvStream};

use stratus_frame::MonoTime;
use stratus_stream_core::header::{FrameHeader, VIDEO_FRAME};
use stratus_stream_core::message::{Refusal, RefusalCode};
use stratus_stream_core::wire::{Framer, MAX_HEADER, WireError};

/// Room made for an access unit before its bytes are there; more grows with what arrives.
const FIRST_ROOM: usize = 256 * 1024;

/// A frame that arrived whole.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// What the server says of it. Its stamps are on the server's clock; see
    /// [`crate::Player::clock`].
    pub header: FrameHeader,
    /// The access unit.
    pub data: Bytes,
    /// When its first byte was read, on this machine's clock.
    pub first_byte: MonoTime,
    /// When its last byte was read, on this machine's clock.
    pub last_byte: MonoTime,
}

/// What became of a stream.
#[derive(Debug)]
pub(crate) enum Received {
    Frame(ReceivedFrame),
    /// The server took it back after its header had come.
    Lost(u64),
    /// A kind of stream that this version does not know, or one taken back before its header.
    Nothing,
    /// The server broke a rule.
    Bad(Refusal),
}

impl From<WireError> for Received {
    fn from(error: WireError) -> Self {
        Self::Bad(Refusal::from(&error))
    }
}

/// Reads a stream to its end.
pub(crate) async fn receive(mut stream: RecvStream) -> Received {
    let mut framer = Framer::new(MAX_HEADER);
    let mut first_byte = MonoTime::UNSET;
    let header = loop {
        match framer.poll() {
            Ok(Some((VIDEO_FRAME, payload))) => match FrameHeader::decode(&payload) {
                Ok(header) => break header,
                Err(e) => return e.into(),
            },
            Ok(Some(_)) => {
                // Unknown kinds are for newer players: asking to stop costs the server nothing.
                let _ = stream.stop(0);
                return Received::Nothing;
            }
            Ok(None) => {}
            Err(e) => return e.into(),
        }
        match stream.read_chunk(usize::MAX, true).await {
            Ok(Some(chunk)) => {
                if !first_byte.is_set() {
                    first_byte = MonoTime::now();
                }
                framer.handle_bytes(&chunk.bytes);
            }
            Ok(None) => return malformed("a stream ended inside its header"),
            Err(_) => return Received::Nothing,
        }
    };
    let mut data = framer.into_rest();
    match body(&mut stream, &mut data, header.payload_len as usize).await {
        Ok(last_byte) => {
            let data = data.freeze();
            Received::Frame(ReceivedFrame { header, data, first_byte, last_byte })
        }
        Err(Some(refusal)) => Received::Bad(refusal),
        Err(None) => Received::Lost(header.sequence),
    }
}

fn malformed(text: &str) -> Received {
    Received::Bad(Refusal { code: RefusalCode::Malformed, text: text.to_owned() })
}

/// Gathers `length` bytes; tells when the last came. `Err(None)` if the stream broke off.
async fn body(
    stream: &mut RecvStream,
    data: &mut BytesMut,
    length: usize,
) -> Result<MonoTime, Option<Refusal>> {
    data.reserve(length.min(FIRST_ROOM).saturating_sub(data.len()));
    let mut last_byte = MonoTime::now();
    let mut chunks: [Bytes; 32] = Default::default();
    // The end of the stream comes with the last bytes, so waiting for it costs nothing and shows
    // whether there is more than announced.
    loop {
        if data.len() > length {
            let text = format!("a frame of {length} bytes has {} or more", data.len());
            return Err(Some(Refusal { code: RefusalCode::TooLarge, text }));
        }
        match stream.read_chunks(&mut chunks).await {
            Ok(Some(n)) => {
                last_byte = MonoTime::now();
                for chunk in &chunks[..n] {
                    data.extend_from_slice(chunk);
                }
            }
            Ok(None) if data.len() == length => return Ok(last_byte),
            Ok(None) => {
                let text = format!("a frame of {length} bytes ended after {}", data.len());
                return Err(Some(Refusal { code: RefusalCode::Malformed, text }));
            }
            Err(ReadError::Reset(_) | ReadError::InvalidReset(_) | ReadError::SessionError(_)) => {
                return Err(None);
            }
            Err(e) => {
                let text = e.to_string();
                return Err(Some(Refusal { code: RefusalCode::Internal, text }));
            }
        }
    }
}
