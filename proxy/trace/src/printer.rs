//! From records to lines.

use serde::{Deserialize, Serialize};

use crate::arguments::{self, Value};
use crate::clock::{Clock, Times};
use crate::filter::{BadPattern, Filter};
use crate::step::{Record, Shown};
use crate::{json, text};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people, in the form of `WAYLAND_DEBUG`.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What a trace shows and how. As JSON it is the argument of the control socket's `trace`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// How lines look.
    pub format: Format,
    /// The times in front of them.
    pub times: Times,
    /// Whether enums stay numbers, as `WAYLAND_DEBUG` has them.
    pub numbers: bool,
    /// Patterns of which a message must match one, unless there is none.
    pub only: Vec<String>,
    /// Patterns of which a message may match none.
    pub except: Vec<String>,
    /// Clients to show, all if empty.
    pub clients: Vec<u64>,
    /// Whether requests, or events, are left out.
    pub no_requests: bool,
    /// Whether events are left out.
    pub no_events: bool,
    /// Whether messages that went on as they came are left out.
    pub only_changes: bool,
}

/// Makes the lines of one trace.
pub struct Printer {
    format: Format,
    numbers: bool,
    filter: Filter,
    clock: Clock,
}

impl Printer {
    /// A printer for a trace that begins now.
    ///
    /// # Errors
    /// [`BadPattern`] for a pattern that can match nothing.
    pub fn new(options: &Options) -> Result<Self, BadPattern> {
        Ok(Self {
            format: options.format,
            numbers: options.numbers,
            filter: Filter::new(options)?,
            clock: Clock::start(options.times),
        })
    }

    /// A printer for a session that was recorded, whose times count from its start.
    ///
    /// # Errors
    /// As [`Printer::new`].
    pub fn of_recording(options: &Options) -> Result<Self, BadPattern> {
        Ok(Self { clock: Clock::of_recording(options.times), ..Self::new(options)? })
    }

    /// Appends the line of `record`, if it is to be shown. `name_of` gives the name of a process.
    pub fn print(
        &mut self,
        out: &mut String,
        record: &Record<'_>,
        name_of: impl FnOnce(u32) -> Option<String>,
    ) {
        match record {
            Record::Message(shown) => self.message(out, shown),
            Record::Added { client, now_ns, process } if self.filter.shows_client(*client) => {
                let name = process.and_then(name_of);
                match self.format {
                    Format::Text => text::added(out, *client, *process, name.as_deref()),
                    Format::Json => {
                        let time = self.clock.time(*now_ns);
                        json::added(out, time, *client, *process, name.as_deref());
                    }
                }
            }
            Record::Gone { client, now_ns } if self.filter.shows_client(*client) => {
                match self.format {
                    Format::Text => text::gone(out, *client),
                    Format::Json => json::gone(out, self.clock.time(*now_ns), *client),
                }
            }
            Record::Added { .. } | Record::Gone { .. } => {}
        }
    }

    fn message(&mut self, out: &mut String, shown: &Shown<'_>) {
        if !self.filter.shows(shown) {
            return;
        }
        let mut args = arguments::read(shown);
        if self.numbers {
            args.values.iter_mut().for_each(forget_names);
        }
        let time = self.clock.time(shown.now_ns);
        match self.format {
            Format::Text => text::message(out, time, shown, &args),
            Format::Json => json::message(out, time, shown, &args),
        }
    }

    /// Appends the line that says how many messages are missing.
    pub fn print_lost(&self, out: &mut String, lost: u64) {
        match self.format {
            Format::Text => text::lost(out, lost),
            Format::Json => json::lost(out, lost),
        }
    }
}

fn forget_names(value: &mut Value<'_>) {
    match value {
        Value::Int(_, name) | Value::Uint(_, name) => *name = None,
        Value::Array(_, words) => *words = None,
        _ => {}
    }
}
