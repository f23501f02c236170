//! `docs/globals.md` is the policy's table, word for word.
//!
//! With `STRATUS_WRITE_DOCS=1` in the environment the test writes the page instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::path::Path;

use stratus_proxy_core::{GlobalPolicy, Visibility};

const HEAD: &str = "\
# Which globals games see

A Wayland compositor offers *globals*: a clipboard, a way to draw, a way to take screenshots. Between
a game and its compositor, Stratus shows those that a game needs and hides those that read the
screen, type keys or rule the session. This page is the whole table; a test keeps it equal to the
one in `proxy/core/src/policy/`.

`stratus globals` asks the compositor in `$WAYLAND_DISPLAY` what it offers, and says for each global
whether games see it, in which version, and why. `--allow-global NAME` shows a global that is hidden
here, `--hide-global NAME` hides one that is shown.

A global is offered at most in the version of the table: what a newer version brings, games do not
hear of. A global that stands nowhere on this page is hidden, because without a table of its messages
nobody can tell which of them a file descriptor belongs to; the log names it once. For the same reason
nothing can open those of the last section. A global that several crates describe (only the server
decorations of KDE) has one table, and a test holds all descriptions against it.
";

fn page() -> String {
    let policy = GlobalPolicy::default();
    let mut text = HEAD.to_owned();
    for (about, globals) in policy.groups() {
        let with_tables = globals.iter().any(|(_, ruling)| ruling.table.is_some());
        write!(text, "\n## {about}\n\n").unwrap();
        text.push_str(if with_tables {
            "| global | version | games | why |\n|---|---|---|---|\n"
        } else {
            "| global | why it is hidden |\n|---|---|\n"
        });
        for (name, ruling) in globals {
            let reason = ruling.reason;
            let games = match ruling.visibility {
                Visibility::Forwarded => "see it",
                Visibility::Hidden => "do not",
            };
            match ruling.table {
                Some(table) => {
                    writeln!(text, "| `{name}` | {} | {games} | {reason} |", table.version())
                }
                None => writeln!(text, "| `{name}` | {reason} |"),
            }
            .unwrap();
        }
    }
    text
}

#[test]
fn the_page_of_globals_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/globals.md");
    if std::env::var_os("STRATUS_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    let (written, page): (Vec<_>, String) = (written.lines().collect(), page());
    let page: Vec<_> = page.lines().collect();
    for (line, (is, should)) in written.iter().zip(&page).enumerate() {
        assert_eq!(is, should, "line {}; STRATUS_WRITE_DOCS=1 writes the page anew", line + 1);
    }
    assert_eq!(written.len(), page.len());
}
