//! What two runs of a case must have in common.

use anyhow::{bail, ensure};
use stratus_harness::wire_log::{Change, Log, Message, Order, Rewrite, Way, compare, undeclared};

use crate::case::{Case, Ending, Outcome};
use crate::play::{Heard, Verdict};

/// Where two lists part, with what came before.
fn part<T: PartialEq + std::fmt::Display>(name: &str, a: &[T], b: &[T]) -> anyhow::Result<()> {
    let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if at == a.len() && at == b.len() {
        return Ok(());
    }
    let text = |list: &[T]| list.first().map_or("nothing".to_owned(), T::to_string);
    let before: Vec<String> = a[at.saturating_sub(5)..at].iter().map(T::to_string).collect();
    bail!(
        "{name} part at {at} of {} and {}:\n  {}\n  one:   {}\n  other: {}",
        a.len(),
        b.len(),
        before.join("\n  "),
        text(&a[at..]),
        text(&b[at..])
    )
}

/// What the compositor received is what the client wrote; of what was under way at the end, the
/// beginning of it.
fn received_is_sent(case: &Case, name: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let Outcome { sent, received, answered, .. } = outcome;
    let whole = matches!(case.ending, Ending::Clean)
        || matches!(case.ending, Ending::Breach(..)) && outcome.verdict != Some(Verdict::End);
    let sent = if whole { sent } else { &sent[..received.len().min(sent.len())] };
    part(&format!("{name}: written and received requests"), sent, received)?;
    ensure!(received.len() >= *answered, "{name}: a request that was answered never arrived");
    Ok(())
}

/// What the protocol says about the case's breach came of it.
fn judged(name: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let Some(Verdict::Error(object, code)) = outcome.verdict else { return Ok(()) };
    let found = outcome.heard.last().and_then(Heard::error);
    ensure!(
        found == Some((object, code)),
        "{name}: the breach must give error {code} of object {object}, and gave {found:?}"
    );
    Ok(())
}

/// Without a hook: the same bytes.
pub(crate) fn exactly(case: &Case, direct: &Outcome, proxied: &Outcome) -> anyhow::Result<()> {
    for (name, outcome) in [("direct", direct), ("proxied", proxied)] {
        judged(name, outcome)?;
        received_is_sent(case, name, outcome)?;
    }
    if unspecified(case, direct) {
        return Ok(());
    }
    part("sent", &direct.sent, &proxied.sent)?;
    ensure!(direct.verdict == proxied.verdict, "the two breaches differ");
    // All arguments, the labels of fds among them. Only what pads strings and arrays to whole words
    // is left out: wayland-rs sends there what happened to lie in its buffer.
    let lines = |heard: &[Heard]| heard.iter().map(Heard::to_string).collect::<Vec<_>>();
    part("events", &lines(&direct.heard), &lines(&proxied.heard))
}

/// Whether what the client hears at last is left open: after an abrupt end it reads no more, and
/// after bytes that are no message each implementation has its own last words.
fn unspecified(case: &Case, outcome: &Outcome) -> bool {
    matches!(case.ending, Ending::Abrupt(_) | Ending::Flood(_))
        || outcome.verdict == Some(Verdict::End)
}

/// What the capture changes: of events, and of requests.
const EVENTS: [Rewrite; 13] = [
    Rewrite::new("wl_output", "mode", Change::Changed),
    Rewrite::new("wl_output", "mode", Change::Added),
    Rewrite::new("zxdg_output_v1", "logical_size", Change::Changed),
    Rewrite::new("zxdg_output_v1", "logical_position", Change::Changed),
    Rewrite::new("xdg_toplevel", "configure", Change::Changed),
    Rewrite::new("xdg_toplevel", "configure_bounds", Change::Changed),
    // The answer to a request that the compositor does not see.
    Rewrite::new("xdg_toplevel", "configure", Change::Added),
    Rewrite::new("xdg_toplevel", "configure_bounds", Change::Added),
    Rewrite::new("xdg_surface", "configure", Change::Added),
    Rewrite::new("wl_surface", "preferred_buffer_scale", Change::Changed),
    Rewrite::new("wl_surface", "preferred_buffer_transform", Change::Changed),
    Rewrite::new("wl_output", "scale", Change::Changed),
    // Only formats that the encoder takes.
    Rewrite::new("wl_shm", "format", Change::Removed),
];
const REQUESTS: [&str; 7] = [
    "set_fullscreen",
    "unset_fullscreen",
    "set_maximized",
    "unset_maximized",
    "set_minimized",
    "set_min_size",
    "set_max_size",
];

/// With the capture: the same but for what it declares to rewrite, and releases come later.
pub(crate) fn but_for_rewrites(
    case: &Case,
    direct: &Outcome,
    proxied: &Outcome,
) -> anyhow::Result<()> {
    judged("direct", direct)?;
    judged("captured", proxied)?;
    received_is_sent(case, "direct", direct)?;
    let without = |lines: &[String]| -> Vec<String> {
        let rewritten = |line: &String| {
            line.starts_with("xdg_toplevel#")
                && REQUESTS.iter().any(|name| line.contains(&format!(".{name}(")))
        };
        lines.iter().filter(|line| !rewritten(line)).cloned().collect()
    };
    let kept = Outcome {
        sent: without(&proxied.sent),
        received: without(&proxied.received),
        heard: Vec::new(),
        verdict: proxied.verdict,
        answered: without(&proxied.sent[..proxied.answered]).len(),
    };
    received_is_sent(case, "captured", &kept)?;
    if unspecified(case, direct) {
        return Ok(());
    }
    part("sent", &direct.sent, &proxied.sent)?;
    ensure!(direct.verdict == proxied.verdict, "the two breaches differ");
    let differences = compare(&log(&direct.heard), &log(&proxied.heard), Order::Whole);
    let surprises = undeclared(&differences, &EVENTS);
    let surprises: Vec<String> =
        surprises.into_iter().filter(|line| !line.starts_with("declared but not seen")).collect();
    ensure!(surprises.is_empty(), "{}", surprises.join("\n"));
    releases(direct, proxied)
}

/// No buffer is released more often than by the compositor.
fn releases(direct: &Outcome, proxied: &Outcome) -> anyhow::Result<()> {
    let count = |outcome: &Outcome, buffer: u32| {
        let released = |h: &&Heard| h.name == "release" && h.raw.sender == buffer;
        outcome.heard.iter().filter(released).count()
    };
    for heard in proxied.heard.iter().filter(|h| h.name == "release") {
        let buffer = heard.raw.sender;
        let (sent, got) = (count(direct, buffer), count(proxied, buffer));
        ensure!(got <= sent, "buffer {buffer} was released {sent} times and {got} times heard");
    }
    Ok(())
}

/// Events as a log, releases apart: the capture gives them when the encoder is done.
fn log(heard: &[Heard]) -> Log {
    let messages = heard.iter().filter(|h| h.name != "release").map(|h| Message {
        way: Way::Received,
        discarded: false,
        interface: h.interface.to_owned(),
        id: h.raw.sender,
        name: h.name.to_owned(),
        args: h.args.iter().map(ToString::to_string).collect(),
    });
    Log { messages: messages.collect(), unread: Vec::new() }
}
