//! Lines for programs: one JSON object a line.
//!
//! Every line has `"event"`. The keys and their meaning stay; later versions may add some.
//!
//! `"message"`: `time` (seconds as a number, or text with `--time wall`), `client` (number),
//! `direction` (`"request"`, `"event"`), `step` (`"came"`, `"changed"`, `"dropped"`, `"own"`),
//! `object` (id), `interface`, `version` (of the object), `message` (name), `opcode`, `args` (a
//! list), and where it applies `malformed` (true: the arguments contradict the signature; those
//! before that are listed) and `surplus` (bytes behind the arguments).
//!
//! An argument is an object with one of these keys: `int`, `uint` (numbers, with `name` where an
//! enum has one for it), `fixed` (number), `string` (text or null; bytes that are no UTF-8 became
//! U+FFFD), `object` (id or null, with `interface` where known), `new_id` (with `interface`),
//! `array` (hexadecimal digits, with `words` for one of enums), `fd` (always null).
//!
//! `"client_added"`: `time`, `client`, `process` (or null), `name` (of the process, or null).
//! `"client_gone"`: `time`, `client`. `"lost"`: `count` of messages that are missing here.

use std::fmt::Write;

use serde::{Serialize, Serializer};
use stratus_protocols::InterfaceId;
use stratus_proxy_core::{ClientId, Direction, Step};

use crate::arguments::{Value, Values};
use crate::clock::Time;
use crate::step::Shown;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Message {
        time: Time,
        client: u64,
        direction: &'static str,
        step: &'static str,
        object: u32,
        interface: &'static str,
        version: u32,
        message: &'a str,
        opcode: u16,
        args: Vec<Argument<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        malformed: bool,
        #[serde(skip_serializing_if = "is_zero")]
        surplus: usize,
    },
    ClientAdded {
        time: Time,
        client: u64,
        process: Option<u32>,
        name: Option<&'a str>,
    },
    ClientGone {
        time: Time,
        client: u64,
    },
    Lost {
        count: u64,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Argument<'a> {
    Int {
        int: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
    },
    Uint {
        uint: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
    },
    Fixed {
        fixed: f64,
    },
    Text {
        string: Option<String>,
    },
    Object {
        object: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        interface: Option<&'static str>,
    },
    NewId {
        new_id: u32,
        interface: Option<String>,
    },
    Array {
        array: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<&'a [String]>,
    },
    Fd {
        fd: (),
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // Exact up to 2^53 microseconds, which are 285 years.
            Self::Micros(us) => serializer.serialize_f64(*us as f64 / 1e6),
            Self::Wall(_) => {
                let mut text = String::new();
                self.write(&mut text);
                serializer.serialize_str(&text)
            }
        }
    }
}

pub(crate) fn message(out: &mut String, time: Time, shown: &Shown<'_>, args: &Values<'_>) {
    write(
        out,
        &Line::Message {
            time,
            client: shown.client.0,
            direction: match shown.direction {
                Direction::Request => "request",
                Direction::Event => "event",
            },
            step: step_name(shown.step),
            object: shown.sender.0,
            interface: shown.interface.name(),
            version: shown.version,
            message: shown.description().map_or("?", |d| d.name),
            opcode: shown.opcode,
            args: args.values.iter().map(argument).collect(),
            malformed: args.malformed,
            surplus: args.surplus,
        },
    );
}

pub(crate) fn step_name(step: Step) -> &'static str {
    match step {
        Step::Came => "came",
        Step::Changed => "changed",
        Step::Dropped => "dropped",
        Step::Own => "own",
    }
}

pub(crate) fn added(
    out: &mut String,
    time: Time,
    client: ClientId,
    process: Option<u32>,
    name: Option<&str>,
) {
    write(out, &Line::ClientAdded { time, client: client.0, process, name });
}

pub(crate) fn gone(out: &mut String, time: Time, client: ClientId) {
    write(out, &Line::ClientGone { time, client: client.0 });
}

pub(crate) fn lost(out: &mut String, count: u64) {
    write(out, &Line::Lost { count });
}

fn write(out: &mut String, line: &Line<'_>) {
    // Nothing in a line can fail to be written: no maps with odd keys, no numbers but finite ones.
    if let Ok(text) = serde_json::to_string(line) {
        out.push_str(&text);
        out.push('\n');
    }
}

fn argument<'v>(value: &'v Value<'_>) -> Argument<'v> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match value {
        Value::Int(int, name) => Argument::Int { int: *int, name: name.as_deref() },
        Value::Uint(uint, name) => Argument::Uint { uint: *uint, name: name.as_deref() },
        Value::Fixed(bits) => Argument::Fixed { fixed: f64::from(*bits) / 256.0 },
        Value::Text(text) => Argument::Text { string: text.map(lossy) },
        Value::Object(None) => Argument::Object { object: None, interface: None },
        Value::Object(Some((id, interface))) => {
            Argument::Object { object: Some(id.0), interface: interface.map(InterfaceId::name) }
        }
        Value::NewId(id, interface) => {
            Argument::NewId { new_id: id.0, interface: interface.map(lossy) }
        }
        Value::Array(bytes, words) => {
            let mut array = String::with_capacity(bytes.len() * 2);
            for byte in *bytes {
                let _ = write!(array, "{byte:02x}");
            }
            Argument::Array { array, words: words.as_deref() }
        }
        Value::Fd => Argument::Fd { fd: () },
    }
}
