//! `stratus doctor`: what this machine can do, and what to install.

mod checks;
mod encoders;

use std::fmt::Write;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::failure::{FAILED, Failure};

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is there and works.
    Good,
    /// It is not there; streaming works without it.
    Absent,
    /// It is not there, and without it nothing can be streamed.
    Missing,
}

/// What was looked at and what was found.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

impl Finding {
    fn new(what: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self { what, state, detail: detail.into(), remedy: None }
    }

    fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self::new(what, State::Good, detail)
    }

    fn absent(what: &'static str, detail: impl Into<String>) -> Self {
        Self::new(what, State::Absent, detail)
    }

    fn missing(what: &'static str, detail: impl Into<String>) -> Self {
        Self::new(what, State::Missing, detail)
    }

    fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// What this version cannot do or was never run on, whatever the machine has.
const LIMITS: [&str; 5] = [
    "Encoders of GPUs are opened here to see whether they are there, and not used: this version \
     streams H.264 by libx264. None of them was ever run on real hardware.",
    "Beside a GPU, Sway is made to offer shared memory only, so games draw in software. Frames in \
     GPU memory are taken behind `stratus proxy`, and were never read from real hardware.",
    "Gamepads were never made on a machine with /dev/uinput: where this was written there is none.",
    "Sound was never played by a real sound card: what one is given is tested without.",
    "The window of `stratus play` draws in software, and was never run beside a real screen or \
     gamepad.",
];

#[derive(Serialize)]
struct Report {
    version: &'static str,
    can_stream: bool,
    findings: Vec<Finding>,
    limits: &'static [&'static str],
}

/// Looks at the machine.
///
/// # Errors
/// A [`Failure`] if the report cannot be written.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let mut findings = checks::all();
    findings.extend(encoders::all());
    let can_stream = findings.iter().all(|f| f.state != State::Missing);
    let report =
        Report { version: env!("CARGO_PKG_VERSION"), can_stream, findings, limits: &LIMITS };
    let text = if args.json {
        let mut json = serde_json::to_string_pretty(&report)
            .map_err(|e| Failure::new("write the report as JSON", e))?;
        json.push('\n');
        json
    } else {
        readable(&report)
    };
    crate::print::print(text.as_bytes())?;
    Ok(if can_stream { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn readable(report: &Report) -> String {
    let mut text = format!("stratus {}\n\n", report.version);
    // Writing to a String cannot fail.
    for finding in &report.findings {
        let mark = match finding.state {
            State::Good => "ok     ",
            State::Absent => "absent ",
            State::Missing => "MISSING",
        };
        let _ = writeln!(text, "{mark}  {:<18} {}", finding.what, finding.detail);
        if let Some(remedy) = finding.remedy {
            let _ = writeln!(text, "{:28} -> {remedy}", "");
        }
    }
    text.push_str("\nLimits of this version:\n");
    for limit in report.limits {
        let _ = writeln!(text, "- {limit}");
    }
    text.push_str(if report.can_stream {
        "\nThis machine can stream.\n"
    } else {
        "\nThis machine cannot stream before what is MISSING is mended.\n"
    });
    text
}
