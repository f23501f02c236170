//! An event is a line, whatever is said in it.
//!
//! Peers have a say in what is logged: the text of a close, the name of a game, what a compositor
//! says of an error, what a game prints. A line break in it would make lines that look like ours,
//! and an escape sequence would be obeyed by the terminal. So control characters are escaped here,
//! in one place for all. JSON escapes them anyway.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// `text` with its control characters escaped as in Rust; tabs stay.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    // A string takes everything.
    let _ = Escaping(&mut line).write_str(text);
    line
}

/// Escapes what passes.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
            let (plain, after) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut chars = after.chars();
            if let Some(c) = chars.next() {
                write!(self.0, "{}", c.escape_default())?;
            }
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Formats the fields of an event as usual, but for what would not stay in its line.
#[derive(Debug, Default)]
pub(super) struct OneLine;

impl<'w> FormatFields<'w> for OneLine {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, name: &str, value: &dyn Debug) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        if name != "message" {
            let name = name.trim_start_matches("r#");
            if self.writer.has_ansi_escapes() {
                // Italic and dimmed (ECMA-48, SGR).
                write!(self.writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?;
            } else {
                write!(self.writer, "{name}=")?;
            }
        }
        write!(Escaping(&mut self.writer), "{value:?}")
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Where a line of the crate `log` came from is in its place already.
        if self.result.is_ok() && !field.name().starts_with("log.") {
            self.result = self.write(field.name(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::logging::human;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(ansi: bool, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::registry().with(human(move || writer.clone(), ansi));
        tracing::subscriber::with_default(lines, log);
        let bytes = std::mem::take(&mut *kept.0.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_peers_say_stays_in_its_line() {
        let why = "bye\r\n2026-01-01T00:00:00Z  INFO stratus: all is well\x1b[2J\u{9b}2J\u{85}";
        let text = logged(false, || {
            tracing::info!("client 1 left: {why}");
            tracing::warn!(error = %why, "an error");
            tracing::warn!(text = why, r#type = 3, "plain");
        });
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let escaped = "bye\\r\\n2026-01-01T00:00:00Z  INFO stratus: all is well\\u{1b}[2J";
        assert!(lines[0].contains(&format!("client 1 left: {escaped}")), "{}", lines[0]);
        assert!(lines[1].contains(&format!("an error error={escaped}")), "{}", lines[1]);
        assert!(lines[2].contains("plain text=\"bye\\r\\n2026"), "{}", lines[2]);
        assert!(lines[2].ends_with("type=3"), "{}", lines[2]);
    }

    #[test]
    fn colours_of_our_own_stay() {
        let text = logged(true, || tracing::info!(a = 1, "a\tmessage\x1b[0m"));
        assert!(text.contains("a\tmessage\\u{1b}[0m \x1b[3ma\x1b[0m\x1b[2m=\x1b[0m1"), "{text:?}");
    }

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(one_line("ä \\ \"\t\u{202f}\0"), "ä \\ \"\t\u{202f}\\u{0}");
    }
}
