//! The log of a client, and a trace of the same connection made on its way.
//!
//! Here nothing of two runs has to be taken out, because there is only one: requests must be the
//! same in the same order, and so must the events of each object (a client logs an event when it
//! dispatches it, and may have several queues). What differs is the spelling of the libraries, and
//! the end: a client may leave with requests unsent and events unheard.

use std::collections::BTreeMap;

use super::parse::object_of;
use super::{Log, Message, Way};

impl Log {
    /// Reads the lines of `stratus trace` and keeps what the client says and hears: an event that
    /// was dropped is none, one that was changed counts as it went on.
    #[must_use]
    pub fn parse_trace(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (plain, mark) = without_mark(line);
            let parsed = Self::parse(&plain);
            let Some(message) = parsed.messages.into_iter().next() else {
                log.unread.push(line.to_owned());
                continue;
            };
            let is_event = message.way == Way::Received;
            let came = |m: &Message| m.way == Way::Received && m.id == message.id;
            match mark {
                "" => log.messages.push(message),
                "own" if is_event => log.messages.push(message),
                "changed" | "dropped" if is_event => {
                    let Some(at) = log.messages.iter().rposition(came) else {
                        log.unread.push(line.to_owned());
                        continue;
                    };
                    if mark == "changed" {
                        log.messages[at] = message;
                    } else {
                        log.messages.remove(at);
                    }
                }
                // What becomes of requests is not the client's to see.
                _ => {}
            }
        }
        log
    }
}

/// The line as libwayland would write it, and what `stratus trace` marked it with.
fn without_mark(line: &str) -> (String, &str) {
    for (arrow, plain) in [("} -> ", "}  -> "), ("} <- ", "} ")] {
        if let Some((head, rest)) = line.split_once(arrow) {
            let (mark, message) = match rest.split_once(' ') {
                Some((mark, message)) if ["changed", "dropped", "own"].contains(&mark) => {
                    (mark, message)
                }
                _ => ("", rest),
            };
            return (format!("{head}{plain}{message}"), mark);
        }
    }
    (line.to_owned(), "")
}

/// Where the client's log and the trace tell different stories.
#[must_use]
pub fn unlike(client: &Log, wire: &Log) -> Vec<String> {
    let (said, heard) = streams(client);
    let (passed, arrived) = streams(wire);
    let mut found = differ("requests", &said[..said.len() - unsent(&said, &passed)], &passed);
    // Where on the wire the client ceased to listen.
    let mut deaf_from = usize::MAX;
    let mut last_heard = 0;
    for (id, events) in &arrived {
        // libwayland logs nothing of an object for which the client has no listener.
        let Some(known) = heard.get(id) else { continue };
        let (listened, unheard) = events.split_at(known.len().min(events.len()));
        found.extend(differ(&format!("events of object {id}"), known, listened));
        let place = |m: &Message| wire.messages.iter().position(|other| std::ptr::eq(other, m));
        deaf_from =
            unheard.first().and_then(|m| place(m)).map_or(deaf_from, |at| deaf_from.min(at));
        // libwayland hears wl_display while it reads, before all others.
        if *id != 1 {
            last_heard = last_heard.max(listened.last().and_then(|m| place(m)).unwrap_or(0));
        }
    }
    let unknown = heard.keys().filter(|id| !arrived.contains_key(id));
    found.extend(unknown.map(|id| format!("the client heard object {id}, the wire did not")));
    if last_heard > deaf_from {
        found.push(format!("the client never heard {:?}", wire.messages[deaf_from]));
    }
    found
}

/// How many of the last things that a client said it never sent: it logs a request when it queues
/// it, and many leave without flushing what they destroy at the end.
fn unsent(said: &[&Message], passed: &[&Message]) -> usize {
    let destructor = |m: &&&Message| ["destroy", "release"].contains(&&*m.name);
    let surplus = said.len().saturating_sub(passed.len());
    said.iter().rev().take(surplus).take_while(destructor).count()
}

/// The requests, and the events by the id of their object.
fn streams(log: &Log) -> (Vec<&Message>, BTreeMap<u32, Vec<&Message>>) {
    let mut events: BTreeMap<u32, Vec<&Message>> = BTreeMap::new();
    let mut requests = Vec::new();
    for message in &log.messages {
        match message.way {
            Way::Sent => requests.push(message),
            Way::Received => events.entry(message.id).or_default().push(message),
        }
    }
    (requests, events)
}

fn differ(what: &str, client: &[&Message], wire: &[&Message]) -> Vec<String> {
    let pairs = client.iter().zip(wire);
    let mut found: Vec<String> = pairs
        .filter(|(a, b)| !alike(a, b))
        .map(|(a, b)| format!("{what}: the client has {a:?}, the wire {b:?}"))
        .collect();
    if client.len() != wire.len() {
        let longer = if client.len() > wire.len() { client } else { wire };
        let first = longer[client.len().min(wire.len())];
        found.push(format!("{what}: {} and {}, first {first:?}", client.len(), wire.len()));
    }
    found
}

fn alike(client: &Message, wire: &Message) -> bool {
    // libwayland knows nothing but the id of an event that it discards.
    client.id == wire.id
        && (client.discarded
            || client.interface == wire.interface
                && client.name == wire.name
                && client.args.len() == wire.args.len()
                && client.args.iter().zip(&wire.args).all(|(a, b)| argument_alike(a, b)))
}

/// Whether one argument is meant: libraries write fds with or without their number, arrays by
/// length or content, new ids with or without their interface.
fn argument_alike(client: &str, wire: &str) -> bool {
    let bare = |text: &str| text.trim_start_matches("new id ").to_owned();
    let (client, wire) = (bare(client), bare(wire));
    // wayland-rs spells no object so.
    if client == wire || client == "<anonymous>@0" && wire == "nil" {
        return true;
    }
    if let (Some((a, x)), Some((b, y))) = (object_of(&client), object_of(&wire)) {
        return x == y && (a == b || a.starts_with('['));
    }
    if let (Ok(a), Ok(b)) = (client.parse::<f64>(), wire.parse::<f64>()) {
        return (a - b).abs() < 1e-6;
    }
    match wire.as_str() {
        "fd" => client.starts_with("fd ") || client.parse::<u32>().is_ok(),
        _ if wire.starts_with("array[") => client.starts_with("array") || client.starts_with('['),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "\
[1746377.717]  -> wl_display@1.get_registry(new id wl_registry@2)
[1746377.717]  -> wl_display@1.sync(new id wl_callback@3)
[1746377.720] wl_display@1.delete_id(3)
[1746377.720] wl_registry@2.global(1, \"wl_output\", 4)
[1746377.720] wl_callback@3.done(7)
[1746377.721]  -> wl_registry@2.bind(1, \"wl_output\", 4, new id [unknown]@3)
[1746377.722] wl_shm@9.format(1)
[1746377.722] discarded [unknown]@9.[event 4](0 fd, 8 byte)
";

    const TRACE: &str = "\
# client 1 is connected
[     0.000001] {1} -> wl_display@1.get_registry(new id wl_registry@2)
[     0.000001] {1} -> wl_display@1.sync(new id wl_callback@3)
[     0.000002] {1} <- wl_registry@2.global(1, \"wl_output\", 9)
[     0.000002] {1} <- changed wl_registry@2.global(1, \"wl_output\", 4)
[     0.000002] {1} <- wl_registry@2.global(8, \"hidden\", 1)
[     0.000002] {1} <- dropped wl_registry@2.global(8, \"hidden\", 1)
[     0.000002] {1} <- wl_callback@3.done(7)
[     0.000002] {1} <- wl_display@1.delete_id(3)
[     0.000003] {1} -> wl_registry@2.bind(1, \"wl_output\", 4, new id wl_output@3)
[     0.000003] {1} -> own wl_surface@8.offset(1, 2)
[     0.000003] {1} <- own wl_shm@9.format(1)
[     0.000004] {1} <- wl_shm@9.format(2)
";

    #[test]
    fn one_conversation_in_two_spellings_is_the_same() {
        let (client, wire) = (Log::parse(CLIENT), Log::parse_trace(TRACE));
        assert!(client.unread.is_empty() && wire.unread.is_empty(), "{wire:#?}");
        assert_eq!(unlike(&client, &wire), Vec::<String>::new());
        // It leaves without flushing, and without having heard the last.
        let hasty = Log::parse(&format!("{CLIENT}[1746377.7]  -> wl_shm@9.release()\n"));
        let unheard = "[     0.000005] {1} <- wl_callback@3.done(8)\n";
        let wire = Log::parse_trace(&format!("{TRACE}{unheard}"));
        assert_eq!(unlike(&hasty, &wire), Vec::<String>::new());
        let earlier = Log::parse_trace(
            &TRACE.replace("[     0.000004]", &format!("{unheard}[     0.000006]")),
        );
        assert_eq!(unlike(&client, &earlier).len(), 1);
    }

    #[test]
    fn each_difference_is_found() {
        for (from, to) in [
            ("wl_callback@3.done(7)", "wl_callback@3.done(8)"),
            ("{1} -> wl_display@1.sync(new id wl_callback@3)", "{1} <- wl_display@1.error(1)"),
            ("{1} <- changed", "{1} <- own"),
            ("wl_output@3", "wl_output@4"),
            ("{1} <- dropped", "{1} -> dropped"),
            ("{1} <- wl_shm@9.format(2)", "# nothing"),
        ] {
            assert!(TRACE.contains(from));
            let wire = Log::parse_trace(&TRACE.replace(from, to));
            assert!(!unlike(&Log::parse(CLIENT), &wire).is_empty(), "{from} for {to}");
        }
    }
}
