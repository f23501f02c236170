//! The lines of a log, in the formats of several libraries.
//!
//! ```text
//! libwayland 1.20 to 1.22   [1746377.717]  -> wl_display@1.get_registry(new id wl_registry@2)
//! libwayland 1.23 and later [1746377.717] {Default Queue}  -> wl_display#1.sync(new id wl_callback#3)
//! wayland-rs                [1747406.781][rs] <- wl_registry@2.global, (1, Some("wl_shm"), 1)
//! ```

use super::{Message, Way};

/// What a line turned out to be.
pub(super) enum Parsed {
    Message(Message),
    Unread,
    Other,
}

pub(super) fn line(line: &str) -> Parsed {
    let line = without_colours(line);
    let Some(rest) = after_time(&line) else { return Parsed::Other };
    let parsed = match rest.strip_prefix("[rs]") {
        Some(rest) => rust(rest.trim_start()),
        None => c(rest.trim_start()),
    };
    parsed.map_or(Parsed::Unread, Parsed::Message)
}

/// Takes out terminal escape sequences, which newer libraries write when the log is a terminal.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// What follows `[  123456.789]`, if the line begins so.
fn after_time(line: &str) -> Option<&str> {
    let (time, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (whole, part) = time.trim_start().split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(part)).then_some(rest)
}

fn c(mut rest: &str) -> Option<Message> {
    let mut way = Way::Received;
    let mut discarded = false;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('{') {
            rest = after.split_once('}')?.1;
        } else if let Some(after) = rest.strip_prefix("TID#") {
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        } else if let Some(after) = rest.strip_prefix("discarded ") {
            (rest, discarded) = (after, true);
        } else if let Some(after) = rest.strip_prefix("-> ") {
            (rest, way) = (after, Way::Sent);
        } else {
            break;
        }
    }
    let (head, args) = rest.split_once('(')?;
    let args = args.trim_end().strip_suffix(')')?;
    message(way, discarded, head, split(args))
}

fn rust(rest: &str) -> Option<Message> {
    let (way, rest) = match rest.strip_prefix("-> ") {
        Some(rest) => (Way::Sent, rest),
        None => (Way::Received, rest.strip_prefix("<- ")?),
    };
    let (head, args) = rest.split_once('(')?;
    let head = head.trim_end().trim_end_matches(',');
    let args = args.trim_end().strip_suffix(')')?;
    message(way, false, head, split(args).into_iter().map(plain).collect())
}

/// An argument of wayland-rs as libwayland prints it.
fn plain(argument: String) -> String {
    if argument == "None" {
        return "nil".to_owned();
    }
    match argument.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => inner.to_owned(),
        None => argument,
    }
}

/// `interface@id.name` or `interface#id.name`.
fn message(way: Way, discarded: bool, head: &str, args: Vec<String>) -> Option<Message> {
    let (object, name) = head.rsplit_once('.')?;
    let (interface, id) = object_of(object)?;
    let interface = interface.to_owned();
    Some(Message { way, discarded, interface, id, name: name.to_owned(), args })
}

/// Interface and id of `interface@id` or `interface#id`.
pub(super) fn object_of(text: &str) -> Option<(&str, u32)> {
    let (interface, id) = text.rsplit_once(['@', '#'])?;
    let named = |c: char| c.is_ascii_alphanumeric() || "_[]<>".contains(c);
    if interface.is_empty() || !interface.chars().all(named) {
        return None;
    }
    Some((interface, id.parse().ok()?))
}

/// Splits arguments at the commas that lie in no string, bracket or parenthesis.
fn split(args: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let (mut quoted, mut escaped, mut depth) = (false, false, 0u32);
    for c in args.chars() {
        match c {
            _ if escaped => {}
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            _ => {}
        }
        // libwayland prints strings as they are: only wayland-rs escapes.
        escaped = quoted && c == '\\' && !escaped;
        part.push(c);
    }
    let last = part.trim();
    if !last.is_empty() {
        parts.push(last.to_owned());
    }
    parts
}
