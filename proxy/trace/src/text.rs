//! Lines for people, in the form of `WAYLAND_DEBUG`.
//!
//! ```text
//! [    0.001234] {1} -> wl_registry@2.bind(7, "wl_shm", 1, new id wl_shm@5)
//! [    0.001310] {1} <- wl_shm@5.format(xrgb8888)
//! [    0.001402] {1} <- changed wl_registry@2.global(9, "wl_output", 4)
//! # client 1 is gone
//! ```
//!
//! In braces stands the client. `changed`, `dropped` and `own` are the steps behind
//! [`Step::Came`]; `changed` shows the arguments that go on. Lines that are no message begin
//! with `#`.

use std::fmt::Write;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{ClientId, Direction, ObjectId, Step};

use crate::arguments::{Value, Values};
use crate::clock::Time;
use crate::step::Shown;

/// Writes a message's line, with its end.
pub(crate) fn message(out: &mut String, time: Time, shown: &Shown<'_>, args: &Values<'_>) {
    stamp(out, time);
    let arrow = match shown.direction {
        Direction::Request => "->",
        Direction::Event => "<-",
    };
    let _ = write!(out, " {{{}}} {arrow} {}", shown.client.0, mark(shown.step));
    let name = shown.description().map_or("?", |d| d.name);
    let _ = write!(out, "{}@{}.{name}(", shown.interface, shown.sender);
    for (index, value) in args.values.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        argument(out, value);
    }
    if args.malformed {
        out.push_str(if args.values.is_empty() { "…malformed" } else { ", …malformed" });
    }
    if args.surplus > 0 {
        let _ = write!(out, " +{} bytes", args.surplus);
    }
    out.push_str(")\n");
}

pub(crate) fn added(out: &mut String, client: ClientId, process: Option<u32>, name: Option<&str>) {
    let _ = write!(out, "# client {} is connected", client.0);
    if let Some(process) = process {
        let _ = write!(out, ": process {process}");
        if let Some(name) = name {
            out.push_str(" (");
            escape(out, name.as_bytes());
            out.push(')');
        }
    }
    out.push('\n');
}

pub(crate) fn gone(out: &mut String, client: ClientId) {
    let _ = writeln!(out, "# client {} is gone", client.0);
}

pub(crate) fn lost(out: &mut String, lost: u64) {
    let _ =
        writeln!(out, "# {lost} messages are missing here: they came faster than they were read");
}

fn stamp(out: &mut String, time: Time) {
    out.push('[');
    let start = out.len();
    time.write(out);
    // Up to a hundred hours stay in a column.
    let missing = 13usize.saturating_sub(out.len() - start);
    out.insert_str(start, &"             "[..missing]);
    out.push(']');
}

fn mark(step: Step) -> &'static str {
    match step {
        Step::Came => "",
        Step::Changed => "changed ",
        Step::Dropped => "dropped ",
        Step::Own => "own ",
    }
}

fn argument(out: &mut String, value: &Value<'_>) {
    let _ = match value {
        Value::Int(_, Some(name)) | Value::Uint(_, Some(name)) => write!(out, "{name}"),
        Value::Int(value, None) => write!(out, "{value}"),
        Value::Uint(value, None) => write!(out, "{value}"),
        // A 24.8 number is exact in decimals, and an f64 holds each exactly.
        Value::Fixed(bits) => write!(out, "{}", f64::from(*bits) / 256.0),
        Value::Text(None) | Value::Object(None) => write!(out, "nil"),
        Value::Text(Some(text)) => {
            out.push('"');
            escape(out, text);
            write!(out, "\"")
        }
        Value::Object(Some((id, interface))) => object(out, *id, *interface),
        Value::NewId(id, interface) => {
            out.push_str("new id ");
            match interface {
                Some(name) => escape(out, name),
                None => out.push_str("[unknown]"),
            }
            write!(out, "@{id}")
        }
        Value::Array(bytes, None) => write!(out, "array[{}]", bytes.len()),
        Value::Array(bytes, Some(words)) => {
            write!(out, "array[{}]({})", bytes.len(), words.join(" "))
        }
        Value::Fd => write!(out, "fd"),
    };
}

fn object(out: &mut String, id: ObjectId, interface: Option<InterfaceId>) -> std::fmt::Result {
    match interface {
        Some(interface) => write!(out, "{interface}@{id}"),
        None => write!(out, "[unknown]@{id}"),
    }
}

/// Text of a peer, in one line that cannot move a terminal's cursor: bytes that are no UTF-8 and
/// all control characters are escaped as in Rust, and so are quotes and backslashes.
fn escape(out: &mut String, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' => out.push(c),
                // Marks that turn the direction of writing would let a line read as another.
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    out.extend(c.escape_unicode());
                }
                c => out.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}
