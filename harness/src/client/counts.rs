//! What a scripted client saw.

use std::fmt::Write as _;
use std::time::Duration;

/// How a client's session ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It committed what it was told to, or was asked to stop.
    #[default]
    Finished,
    /// `xdg_toplevel.close`.
    Closed,
    /// A trick ended it.
    Trick,
    /// `wl_display.error`: interface, code and message.
    ProtocolError(String, u32, String),
    /// The peer closed the connection, or the socket failed.
    Disconnected(String),
}

/// Everything that a client counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Frames committed.
    pub commits: u64,
    /// The number in the last committed marker.
    pub last_number: u32,
    /// `wl_buffer.release`s received.
    pub releases: u64,
    /// Releases of a buffer that was not with the compositor: released twice, or never committed.
    pub stray_releases: u64,
    /// Buffers still with the compositor at the end.
    pub unreleased: u64,
    /// How often it was time to draw and no buffer was free.
    pub stalls: u64,
    /// The longest time without a free buffer when it was time to draw.
    pub longest_stall: Duration,
    /// All of those times together.
    pub stalled: Duration,
    /// Moments of [`super::Pace::Rate`] that passed undrawn.
    pub skipped: u64,
    /// `wl_callback.done`s of frame callbacks.
    pub frame_callbacks: u64,
    /// Sizes in `xdg_toplevel.configure`, as they came.
    pub configures: Vec<(i32, i32)>,
    /// States in the last of them (`xdg_toplevel.state`).
    pub states: Vec<u32>,
    /// `wl_output.mode`s: width, height, refresh in mHz.
    pub modes: Vec<(i32, i32, i32)>,
    /// `zxdg_output_v1.logical_size`s.
    pub logical_sizes: Vec<(i32, i32)>,
    /// `wl_shm.format` codes.
    pub formats: Vec<u32>,
    /// Globals: interface and version.
    pub globals: Vec<(String, u32)>,
    /// The size that it drew last.
    pub size: (u32, u32),
    /// How it ended.
    pub end: End,
}

impl Counts {
    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut line = String::from("{");
        let numbers = [
            ("commits", self.commits),
            ("last_number", u64::from(self.last_number)),
            ("releases", self.releases),
            ("stray_releases", self.stray_releases),
            ("unreleased", self.unreleased),
            ("stalls", self.stalls),
            ("longest_stall_us", self.longest_stall.as_micros() as u64),
            ("stalled_us", self.stalled.as_micros() as u64),
            ("skipped", self.skipped),
            ("frame_callbacks", self.frame_callbacks),
        ];
        // Writing to a String cannot fail.
        for (name, value) in numbers {
            let _ = write!(line, "\"{name}\":{value},");
        }
        let pairs = |list: &[(i32, i32)]| {
            list.iter().map(|(w, h)| format!("[{w},{h}]")).collect::<Vec<_>>().join(",")
        };
        let modes: Vec<_> = self.modes.iter().map(|(w, h, r)| format!("[{w},{h},{r}]")).collect();
        let _ = write!(line, "\"configures\":[{}],", pairs(&self.configures));
        let _ = write!(line, "\"logical_sizes\":[{}],", pairs(&self.logical_sizes));
        let _ = write!(line, "\"modes\":[{}],", modes.join(","));
        let _ = write!(line, "\"size\":[{},{}],", self.size.0, self.size.1);
        let _ = write!(line, "\"end\":{}}}", json_string(&format!("{:?}", self.end)));
        line
    }
}

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn json_is_one_line_with_escapes() {
        let counts = Counts {
            commits: 3,
            configures: vec![(0, 0), (1280, 720)],
            end: End::ProtocolError("wl_shm".to_owned(), 1, "a \"b\"\n\\".to_owned()),
            ..Counts::default()
        };
        let json = counts.to_json();
        assert!(json.contains("\"commits\":3,") && json.contains("[[0,0],[1280,720]]"), "{json}");
        assert_eq!(json_string("a\"\\\n"), "\"a\\\"\\\\\\u000a\"");
        assert!(!json.contains('\n'));
    }
}
