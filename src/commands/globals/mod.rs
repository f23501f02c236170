//! `stratus globals`: what a compositor offers, what games see of it, and why.

mod offered;

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;
use stratus_proxy_core::{GlobalPolicy, Ruling, Visibility};

use crate::assemble;
use crate::cli::GlobalsArgs;
use crate::failure::Failure;
use crate::options::{StreamOptions, load};

/// One global.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    name: String,
    /// The version that the compositor offers, if one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<u32>,
    /// The newest version whose messages are known.
    known: Option<u32>,
    /// The version that games see; none if it is hidden.
    forwarded: Option<u32>,
    reason: &'static str,
}

impl Line {
    fn new(name: String, offered: Option<u32>, ruling: Ruling) -> Self {
        let known = ruling.known_version();
        let shown = known.filter(|_| ruling.visibility == Visibility::Forwarded);
        let forwarded = shown.map(|known| offered.map_or(known, |offered| offered.min(known)));
        Self { name, offered, known, forwarded, reason: ruling.reason }
    }

    /// What a game may miss of the version that the compositor offers.
    fn is_clamped(&self) -> bool {
        self.forwarded.is_some() && self.forwarded < self.offered
    }
}

/// Globals of one purpose, or all of one compositor.
#[derive(Debug, Serialize)]
struct Section {
    about: String,
    globals: Vec<Line>,
}

#[derive(Serialize)]
struct Report {
    /// The name of the compositor's socket, if one was asked.
    compositor: Option<String>,
    sections: Vec<Section>,
}

/// Asks the compositor, if there is one, and lists.
///
/// # Errors
/// A [`Failure`] if `$WAYLAND_DISPLAY` names a compositor that does not answer, or a usage failure
/// for a global that cannot be allowed or hidden.
pub(super) fn run(args: GlobalsArgs) -> Result<ExitCode, Failure> {
    let options = StreamOptions {
        allow_global: args.allow_global,
        hide_global: args.hide_global,
        ..StreamOptions::default()
    };
    let settings = options.or(load(args.config.as_deref())?).settle()?;
    let policy = assemble::policy(&settings)?;
    let compositor = std::env::var("WAYLAND_DISPLAY").ok().filter(|name| !name.is_empty());
    let report = match compositor.filter(|_| !args.all) {
        Some(name) => {
            let globals = offered::globals(&name)?;
            Report {
                sections: vec![of_compositor(&name, globals, &policy)],
                compositor: Some(name),
            }
        }
        None => Report { sections: whole_table(&policy), compositor: None },
    };
    let text = if args.json {
        let mut json = serde_json::to_string_pretty(&report)
            .map_err(|e| Failure::new("write the list as JSON", e))?;
        json.push('\n');
        json
    } else {
        readable(&report)
    };
    crate::print::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn of_compositor(name: &str, offered: Vec<(String, u32)>, policy: &GlobalPolicy) -> Section {
    let line = |(name, version): (String, u32)| {
        let ruling = policy.of(&name);
        Line::new(name, Some(version), ruling)
    };
    Section { about: name.to_owned(), globals: offered.into_iter().map(line).collect() }
}

fn whole_table(policy: &GlobalPolicy) -> Vec<Section> {
    let section = |(about, rows): (&str, Vec<(&str, Ruling)>)| {
        let line = |(name, ruling): (&str, Ruling)| Line::new(name.to_owned(), None, ruling);
        Section { about: about.to_owned(), globals: rows.into_iter().map(line).collect() }
    };
    policy.groups().map(section).collect()
}

fn readable(report: &Report) -> String {
    let mut text = String::new();
    let names = report.sections.iter().flat_map(|s| &s.globals).map(|line| line.name.len());
    let width = names.max().unwrap_or(0);
    let number = |version: Option<u32>| version.map_or("-".to_owned(), |v| v.to_string());
    // Writing to a String cannot fail.
    for section in &report.sections {
        let offered = report.compositor.is_some();
        let first = if offered { "offered" } else { "known" };
        let _ = writeln!(text, "{:<width$}  {first:>7}  {:>6}  why", section.about, "games");
        for line in &section.globals {
            let version = number(if offered { line.offered } else { line.known });
            let games = line.forwarded.map_or("hidden".to_owned(), |v| v.to_string());
            let _ =
                write!(text, "{:<width$}  {version:>7}  {games:>6}  {}", line.name, line.reason);
            let _ = match line.is_clamped() {
                true => writeln!(text, " (no newer version is known)"),
                false => writeln!(text),
            };
        }
        text.push('\n');
    }
    text.push_str("--allow-global NAME shows games what is hidden, --hide-global NAME hides.\n");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn versions_are_those_that_a_game_would_see() {
        let mut policy = GlobalPolicy::default();
        policy.allow("zwlr_screencopy_manager_v1").unwrap();
        let offered = [
            ("wl_compositor", 4),
            ("wl_compositor", 4000),
            ("zwlr_screencopy_manager_v1", 3),
            ("zwlr_layer_shell_v1", 4),
            ("weston_debug_v1", 1),
            ("unheard_of", 9),
        ];
        let offered = offered.map(|(name, version)| (name.to_owned(), version)).to_vec();
        let section = of_compositor("wayland-9", offered, &policy);
        let known = policy.of("wl_compositor").known_version().unwrap();
        let seen: Vec<_> = section.globals.iter().map(|l| (l.forwarded, l.is_clamped())).collect();
        assert_eq!(
            seen,
            [
                (Some(4), false),
                (Some(known), true),
                (Some(3), false),
                (None, false),
                (None, false),
                (None, false)
            ]
        );
        let report = Report { sections: vec![section], compositor: Some("wayland-9".into()) };
        let text = readable(&report);
        let line = |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap();
        assert!(line("weston_debug_v1").contains("hidden  rules the session"), "{text}");
        assert!(line("unheard_of").contains("hidden  its messages are not known"), "{text}");
    }
}
