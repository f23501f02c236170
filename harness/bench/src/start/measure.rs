//! One start of a session with a player, and when what of it was done.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use stratus_frame::MonoTime;

use super::games::Game;
use super::log::Log;
use crate::session::{Options, Player, Session};

const SIZE: (u32, u32) = (1280, 720);
const FPS: u32 = 60;
/// How long a game may take until its first frame is decoded.
const LIMIT: Duration = Duration::from_secs(60);
/// The log tells all moments of `stratus run` with these words.
const LOG: [(&str, &str); 2] = [
    ("STRATUS_LOG_FORMAT", "json"),
    ("RUST_LOG", "info,stratus_proxy=debug,stratus_capture=debug,quinn=error,rustls=error"),
];

/// What happens at a start, in the order in which it usually does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The link was read from standard output; the player starts at this moment.
    Link,
    /// The compositor takes connections and the game's process has been started.
    Game,
    /// The player was let in.
    Joined,
    /// The game has connected to the proxy.
    Connected,
    /// The first frame was handed to the encoder.
    Frame,
    /// The encoder made the frame that was sent first.
    Encoded,
    /// It was given to the transport.
    Sent,
    /// The player has decoded it.
    Decoded,
}

impl Moment {
    pub(super) const ALL: [Self; 8] = [
        Self::Link,
        Self::Game,
        Self::Joined,
        Self::Connected,
        Self::Frame,
        Self::Encoded,
        Self::Sent,
        Self::Decoded,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Link => "link printed, player started",
            Self::Game => "game started",
            Self::Joined => "player joined",
            Self::Connected => "game connected",
            Self::Frame => "first frame taken",
            Self::Encoded => "first frame encoded",
            Self::Sent => "first frame sent",
            Self::Decoded => "first frame decoded",
        }
    }
}

/// When each moment was, ms since the command.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments([Option<f64>; Moment::ALL.len()]);

impl Moments {
    pub(super) fn at(&self, moment: Moment) -> Option<f64> {
        let place = Moment::ALL.iter().position(|m| *m == moment)?;
        self.0[place]
    }

    /// From one to another, ms.
    pub(super) fn between(&self, from: Moment, to: Moment) -> Option<f64> {
        Some(self.at(to)? - self.at(from)?)
    }

    /// From the moment when both a player and a frame were there to when the first was encoded, ms.
    pub(super) fn waited(&self) -> Option<f64> {
        let both = self.at(Moment::Joined)?.max(self.at(Moment::Frame)?);
        Some(self.at(Moment::Encoded)? - both)
    }
}

/// Starts `game`, and a player as soon as there is a link.
pub(super) fn start(programs: &Path, game: &Game) -> anyhow::Result<Moments> {
    let command: Vec<&str> = game.command.iter().map(String::as_str).collect();
    let options = Options { programs, size: SIZE, fps: FPS, options: &[], game: &command };
    let session = Session::start_with(&options, &LOG)?;
    let link = MonoTime::now();
    let player = Player::join(programs, &session.link, &["--frames", "1"])?;
    let started = MonoTime::now().as_nanos() - session.started.elapsed().as_nanos() as u64;
    let played = player.finish(LIMIT);
    let played = played.with_context(|| format!("{}; {}", game.name, session.log()))?;
    let frame = played.frames.first().context("a player that ends well has a frame")?;
    let log = Log::read(&session.log());
    let offset = unix_now()?.saturating_sub(MonoTime::now().as_nanos());
    let logged = |target, words| log.first(target, words).map(|at| at.saturating_sub(offset));
    let at = Moment::ALL.map(|moment| match moment {
        Moment::Link => Some(link.as_nanos()),
        Moment::Game => logged("stratus::session", " plays in Sway"),
        Moment::Joined => logged("stratus::assemble", "joined"),
        Moment::Connected => logged("stratus_proxy", ": connected"),
        Moment::Frame => logged("stratus_capture", "the first frame"),
        Moment::Encoded => frame.encoded,
        Moment::Sent => frame.sent,
        Moment::Decoded => frame.decoded,
    });
    // What a log tells is rounded to microseconds, so a difference may be below nothing.
    Ok(Moments(at.map(|at| Some((at? as f64 - started as f64) / 1e6))))
}

fn unix_now() -> anyhow::Result<u64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock")?;
    Ok(now.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_waits_for_the_player_or_the_player_for_a_frame() {
        let mut moments = Moments([1.0, 2.0, 5.0, 3.0, 9.0, 13.0, 14.0, 16.0].map(Some));
        assert_eq!(moments.waited(), Some(4.0));
        assert_eq!(moments.between(Moment::Sent, Moment::Decoded), Some(2.0));
        moments.0[2] = Some(12.0);
        assert_eq!(moments.waited(), Some(1.0));
        moments.0[4] = None;
        assert_eq!((moments.waited(), moments.at(Moment::Frame)), (None, None));
    }
}
