//! Framing, control messages and frame headers.

use bytes::{Bytes, BytesMut};
use stratus_frame::{Codec, EncodedFrame, FrameId, MonoTime, Size, Stamps};
use stratus_stream_core::cursor::{CursorStore, KEPT_IMAGES, SentLook};
use stratus_stream_core::header::{FrameHeader, VIDEO_FRAME};
use stratus_stream_core::message::{Message, Messages, Refusal, RefusalCode};
use stratus_stream_core::wire::{Framer, MAX_HEADER, WireError};

use super::parts::{clipboard, cursor, part, some_cursor, some_part};
use crate::input::Input;

/// One part of a payload.
enum Field {
    /// So many bytes that mean anything.
    Bytes(usize),
    /// Pixels: 1 to 16384.
    Side,
    /// 1.
    Codec,
    /// A length of so many bytes, then as many bytes of UTF-8, up to a limit.
    Text(usize, usize),
    /// A message of an older peer may end here.
    End,
    /// 0 or 1.
    Flag,
}

/// The fields of each control message.
fn fields(kind: u16) -> Option<&'static [Field]> {
    use Field::{Bytes, Side, Text};
    Some(match kind {
        1 => &[Bytes(2 + 32 + 16), Text(1, 64), Field::End, Bytes(16)],
        2 => &[
            Bytes(2 + 8 + 16),
            Side,
            Side,
            Bytes(4),
            Field::Codec,
            Bytes(8),
            Field::End,
            Field::Flag,
            Text(1, 64),
        ],
        3 | 8 => &[Bytes(2), Text(2, 1024)],
        4 | 6 => &[Bytes(8)],
        5 => &[Bytes(5 * 8 + 2 * 4)],
        7 => &[Bytes(3 * 8)],
        9 => &[Side, Side, Bytes(4)],
        _ => return None,
    })
}

/// What is wrong with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    TooLong,
    Malformed,
}

impl Wrong {
    pub(super) fn of(error: &WireError) -> Self {
        let refusal = Refusal::from(error);
        assert!(!refusal.text.is_empty());
        match refusal.code {
            RefusalCode::TooLarge => Self::TooLong,
            RefusalCode::Malformed => Self::Malformed,
            other => panic!("{error} became {other:?}"),
        }
    }
}

pub(super) fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b))
}

pub(super) fn word(bytes: &[u8], at: usize) -> usize {
    number(&bytes[at..at + 4])
}

/// How many bytes the known fields of a payload take.
fn known(kind: u16, payload: &[u8]) -> Option<Result<usize, Wrong>> {
    match kind {
        0x1a if payload.len() < 7 || payload[0] > 3 => return Some(Err(Wrong::Malformed)),
        0x1a => return Some(Ok(7)),
        0x1b => return Some(clipboard(payload)),
        0x20 => return Some(part(payload)),
        0x21 => return Some(cursor(payload)),
        _ => {}
    }
    let mut at = 0;
    for field in fields(kind)? {
        let (len, text) = match field {
            Field::Bytes(n) => (*n, None),
            Field::Side => (4, None),
            Field::Codec | Field::Flag => (1, None),
            Field::End if at == payload.len() => break,
            Field::End => continue,
            Field::Text(n, limit) => (*n, Some(*limit)),
        };
        let Some(bytes) = payload.get(at..at + len) else { return Some(Err(Wrong::Malformed)) };
        at += len;
        let good = match field {
            Field::Side => (1..=16_384).contains(&number(bytes)),
            Field::Codec => bytes == [1],
            Field::Flag => bytes[0] < 2,
            _ => true,
        };
        if !good {
            return Some(Err(Wrong::Malformed));
        }
        let Some(limit) = text else { continue };
        let len = number(bytes);
        if len > limit {
            return Some(Err(Wrong::TooLong));
        }
        match payload.get(at..at + len).map(std::str::from_utf8) {
            Some(Ok(_)) => at += len,
            _ => return Some(Err(Wrong::Malformed)),
        }
    }
    Some(Ok(at))
}

/// What stands for the last fields of an older peer's hello and welcome, of `n` bytes.
fn missing(kind: u16, n: usize, payload: &[u8]) -> &'static [u8] {
    match kind {
        1 if n == 51 + usize::from(payload[50]) => &[0; 16],
        2 if n == 47 => &[1, 0],
        _ => &[],
    }
}

/// All known messages of a control stream, framed and without what stands behind their fields;
/// what is wrong with it; and whether it may end here.
pub(super) fn read(mut stream: &[u8]) -> (Vec<Vec<u8>>, Option<Wrong>, bool) {
    let mut all = Vec::new();
    while stream.len() >= 6 {
        let (kind, len) = (number(&stream[..2]) as u16, number(&stream[2..6]));
        if len > 64 << 10 {
            return (all, Some(Wrong::TooLong), false);
        }
        let Some(payload) = stream.get(6..6 + len) else { break };
        match known(kind, payload) {
            None => {}
            Some(Ok(n)) => {
                all.push(framed(kind, &[&payload[..n], missing(kind, n, payload)].concat()));
            }
            Some(Err(wrong)) => return (all, Some(wrong), false),
        }
        stream = &stream[6 + len..];
    }
    (all, None, stream.is_empty())
}

pub(super) fn framed(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(payload.len() as u32).to_be_bytes(), payload].concat()
}

/// What stands in a message of an unknown kind; those of cursors are filled elsewhere.
const OTHER: [Field; 1] = [Field::Bytes(3)];

/// A message of some kind with its fields filled by `input`; most of them good.
pub(super) fn some(input: &mut Input<'_>) -> Vec<u8> {
    let kind = match input.byte() % 15 {
        11 => 0x20,
        12 => 0x21,
        13 => 0x1a,
        14 => 0x1b,
        kind => u16::from(kind),
    };
    let mut payload = match kind {
        0x20 => some_part(input),
        0x21 => some_cursor(input),
        0x1a => [&[input.byte() % 5][..], input.bytes(6)].concat(),
        0x1b => {
            let len = input.byte() & 15;
            [&[input.byte() % 3, 0, len][..], input.bytes(len.into())].concat()
        }
        _ => Vec::new(),
    };
    for field in fields(kind).unwrap_or(&OTHER[usize::from(kind >= 0x1a)..]) {
        match field {
            Field::Bytes(n) => {
                let given = input.bytes((*n).min(8));
                payload.extend_from_slice(given);
                payload.resize(payload.len() + n - given.len(), 0);
            }
            Field::Side => payload.extend(input.number().to_be_bytes()),
            Field::Codec => payload.push(u8::from(input.byte() < 250)),
            Field::Flag => payload.push(input.byte() % 3),
            Field::End if input.byte() & 3 == 0 => break,
            Field::End => {}
            Field::Text(len_bytes, _) => {
                let choice = input.byte();
                let text = match choice {
                    250.. => vec![b'x'; usize::from(choice) * 5],
                    _ => input.bytes(usize::from(choice & 31)).to_vec(),
                };
                let len = (text.len() as u64).to_be_bytes();
                payload.extend(&len[8 - len_bytes..]);
                payload.extend(text);
            }
        }
    }
    match input.byte() {
        250 => payload.truncate(payload.len() / 2),
        251 => payload.extend([7; 5]),
        _ => {}
    }
    let mut bytes = framed(kind, &payload);
    if input.byte() == 255 {
        let at = input.below(bytes.len());
        bytes[at] ^= input.byte();
    }
    bytes
}

/// A control stream in pieces.
pub(super) fn run(input: &mut Input<'_>) {
    let cuts = input.bytes(4).to_vec();
    let mut stream = Vec::new();
    while !input.is_empty() && stream.len() < 8 << 10 {
        stream.extend(some(input));
    }
    let (expected, wrong, may_end) = read(&stream);
    let mut messages = Messages::default();
    let (mut got, mut error) = (Vec::new(), None);
    let mut cursors = Cursors::default();
    let mut rest = &stream[..];
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() && error.is_none() {
        let len = 1 + usize::from(*cuts.next().unwrap_or(&255));
        let (head, tail) = rest.split_at(len.min(rest.len()));
        messages.handle_bytes(head);
        rest = tail;
        loop {
            match messages.poll() {
                Ok(Some(message)) => {
                    got.push(again(&message));
                    cursors.hear(&message);
                }
                Ok(None) => break,
                Err(e) => {
                    error = Some(Wrong::of(&e));
                    break;
                }
            }
        }
    }
    assert!(got == expected, "the messages of a stream");
    assert_eq!(error, wrong);
    assert!(error.is_some() || messages.is_between_messages() == may_end);
}

/// What a viewer keeps of cursors: the images that were whole last, and the one that is not yet.
#[derive(Default)]
struct Cursors {
    store: CursorStore,
    whole: Vec<u64>,
    partial: Option<(u64, [u32; 2], usize)>,
}

impl Cursors {
    /// The store says the same of a message as this model.
    fn hear(&mut self, message: &Message) {
        match message {
            Message::CursorImage(part) => {
                let sides = [part.size.width, part.size.height];
                let begun = self.partial.take().unwrap_or((part.id.0, sides, 0));
                let next = begun == (part.id.0, sides, part.offset as usize);
                let good = next && !self.whole.contains(&part.id.0);
                assert_eq!(self.store.handle_part(part).is_ok(), good, "{part:?}");
                if !good {
                    // The connection ends here.
                    *self = Self::default();
                    return;
                }
                let len = begun.2 + part.bgra.len();
                if len == (sides[0] * sides[1] * 4) as usize {
                    self.whole.push(part.id.0);
                    let old = self.whole.len().saturating_sub(KEPT_IMAGES);
                    self.whole.drain(..old);
                } else {
                    self.partial = Some((part.id.0, sides, len));
                }
            }
            Message::Cursor(sent) => {
                let good = match sent.look {
                    SentLook::Image { id, .. } => self.whole.contains(&id.0),
                    _ => true,
                };
                assert_eq!(self.store.handle_cursor(sent).is_ok(), good, "{sent:?}");
            }
            _ => {}
        }
    }
}

/// A message, written by us.
fn again(message: &Message) -> Vec<u8> {
    assert!(!message.name().is_empty() && !format!("{message:?}").is_empty());
    let mut out = BytesMut::new();
    message.encode(&mut out);
    out.to_vec()
}

/// Whether a header's payload is good, and what the bytes of its fields are.
fn read_header(payload: &[u8]) -> Result<Vec<u8>, Wrong> {
    let fields = payload.get(..94).ok_or(Wrong::Malformed)?;
    let (id, depends_on) = (number(&fields[8..16]), number(&fields[16..24]));
    let side = |at: usize| (1..=16_384).contains(&number(&fields[at..at + 4]));
    let keyframe = fields[89] & 1 == 1;
    let good = id > 0
        && depends_on < id
        && side(80)
        && side(84)
        && fields[88] == 1
        && keyframe == (depends_on == 0);
    if !good {
        return Err(Wrong::Malformed);
    }
    if number(&fields[90..94]) > 16 << 20 {
        return Err(Wrong::TooLong);
    }
    let mut bytes = fields.to_vec();
    bytes[89] &= 3;
    Ok(bytes)
}

/// A video stream's header, and what stands behind it.
pub(super) fn run_header(input: &mut Input<'_>) {
    let small = |n: u32| u64::from(n & 0xff);
    let frame = EncodedFrame {
        id: FrameId(small(input.word()) + 1),
        depends_on: Some(FrameId(small(input.word()))).filter(|d| d.0 > 0),
        stamps: Stamps { read: MonoTime::from_nanos(input.word().into()), ..Stamps::default() },
        newest_input: input.word().into(),
        size: Size::new(input.number(), input.number()),
        codec: Codec::H264,
        torn: input.byte() & 1 == 1,
        data: Bytes::from_static(b"an access unit"),
    };
    let sent = MonoTime::from_nanos(input.word().into());
    let header = FrameHeader::of(&frame, small(input.word()), sent).expect("a short unit");
    assert_eq!(header.is_keyframe(), frame.is_keyframe());
    let mut bytes = BytesMut::new();
    header.encode(&mut bytes);
    let mut payload = bytes[6..].to_vec();
    for _ in 0..input.byte() & 3 {
        let at = input.below(payload.len());
        payload[at] = input.byte();
    }
    let behind = input.bytes(20);
    if input.byte() == 255 {
        let at = input.below(payload.len() + 1);
        payload.truncate(at);
    }
    let mut framer = Framer::new(MAX_HEADER);
    framer.handle_bytes(&framed(VIDEO_FRAME, &payload));
    framer.handle_bytes(behind);
    let (kind, got) = framer.poll().expect("a short header").expect("a whole one");
    assert_eq!((kind, &got[..]), (VIDEO_FRAME, &payload[..]));
    assert_eq!(framer.into_rest(), behind);
    let read = FrameHeader::decode(&payload).map(|header| {
        let mut out = BytesMut::new();
        header.encode(&mut out);
        out[6..].to_vec()
    });
    assert_eq!(read.map_err(|e| Wrong::of(&e)), read_header(&payload));
}
