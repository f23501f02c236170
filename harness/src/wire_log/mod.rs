//! `WAYLAND_DEBUG` logs, read and compared.
//!
//! The same client, once directly and once through the proxy, must say and hear the same. What
//! may differ between any two runs is taken out first: times, serials, fd numbers, ids of objects
//! (each becomes `interface#n`, the n-th of its interface), and the moments at which requests and
//! events cross, which depend on the scheduler. What is left must be equal in each direction.

mod compare;
mod normal;
mod parse;
mod wire;

pub use compare::{Change, Difference, Order, Rewrite, compare, undeclared};
pub use normal::Line;
pub use wire::unlike;

/// Which way a message went, seen from the client that logged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A request, logged when it is queued.
    Sent,
    /// An event, logged when it is dispatched.
    Received,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which way it went.
    pub way: Way,
    /// Whether it is an event to an object that the client has destroyed.
    pub discarded: bool,
    /// The interface of its object.
    pub interface: String,
    /// The id of its object.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its arguments as printed.
    pub args: Vec<String>,
}

/// A whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// Its messages.
    pub messages: Vec<Message>,
    /// Lines that begin like a message and could not be read: a format that is not known yet.
    pub unread: Vec<String>,
}

impl Log {
    /// Reads a log as libwayland (1.20 to 1.24) or wayland-rs print it. Other lines, which the
    /// client itself wrote, are skipped.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut log = Self::default();
        for line in text.lines() {
            match parse::line(line) {
                parse::Parsed::Message(message) => log.messages.push(message),
                parse::Parsed::Unread => log.unread.push(line.to_owned()),
                parse::Parsed::Other => {}
            }
        }
        log
    }

    /// Its messages with everything taken out that may differ between two runs.
    #[must_use]
    pub fn normalised(&self) -> Vec<Line> {
        normal::lines(&self.messages)
    }
}

#[cfg(test)]
mod tests;
