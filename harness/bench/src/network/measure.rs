//! One session behind a link: alone and cut off for a while, or beside another flow.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use stratus_frame::MonoTime;
use stratus_harness::link::{Emulator, Link, Seen};

use super::download::{Download, Server};
use super::figures::{Recovery, Span, Steady};
use crate::session::{Options, Played, Player, Session};

/// Until everything is connected and the first, larger, frames are over.
const SETTLING: Duration = Duration::from_secs(2);
/// After an outage, to see the stream come back.
const AFTERWARDS: Duration = Duration::from_secs(4);
/// How long nothing passes.
pub(super) const OUTAGE: Duration = Duration::from_millis(500);
/// The rate above which nothing is put beside a stream, bit/s: what fills such a link takes the
/// processors from it.
pub(super) const FASTEST_SHARED: u64 = 200_000_000;
/// How long a player may take to end beyond its time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is streamed.
pub(super) struct Scene<'a> {
    pub(super) programs: &'a Path,
    pub(super) size: (u32, u32),
    pub(super) fps: u32,
    /// How long nothing is changed, for figures.
    pub(super) steady: Duration,
}

/// What shares the bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Beside {
    /// A download by the rules of TCP Reno
    Download,
    /// A second session of Stratus
    Session,
    /// Nothing
    Nothing,
}

/// A session that had the link to itself.
pub(super) struct Alone {
    pub(super) steady: Steady,
    pub(super) recovery: Recovery,
    /// Bits a second that arrived down and up in the steady time.
    pub(super) down: f64,
    pub(super) up: f64,
    /// From an input to the first picture that may show it, ms, p50 and p95.
    pub(super) input: Option<(f64, f64)>,
    /// As the player told it at its end, the outage included.
    pub(super) report: Value,
    /// What it said of a stream that was not whole.
    pub(super) fault: Option<String>,
    /// The emulator at the end.
    pub(super) seen: Seen,
}

/// A session that shared the link.
pub(super) struct Shared {
    pub(super) steady: Steady,
    /// Bits a second that arrived down, of the session and of what was beside it.
    pub(super) session: f64,
    pub(super) other: f64,
}

impl Scene<'_> {
    fn start(&self) -> anyhow::Result<Session> {
        let client = self.programs.join("harness-client");
        let (size, fps) = (format!("{}x{}", self.size.0, self.size.1), self.fps.to_string());
        let game = [&*client.to_string_lossy(), "--frames", "0", "--rate", &fps, "--size", &size];
        let Self { programs, size, fps, .. } = *self;
        Session::start(&Options { programs, size, fps, options: &[], game: &game })
    }

    /// Plays through `link`, and cuts it for a while.
    pub(super) fn alone(&self, link: &Link) -> anyhow::Result<Alone> {
        let session = self.start()?;
        let emulator = Emulator::start(link, &[server(&session.link)?]).context("the link")?;
        let script = session.folder().join("input");
        let length = SETTLING + self.steady + OUTAGE + AFTERWARDS;
        std::fs::write(&script, keys(length))?;
        let arguments = ["--input", &script.to_string_lossy()];
        let player = self.play(&session, &emulator, 0, length, &arguments)?;
        let (span, [before, after]) = self.watch(&emulator);
        emulator.cut(OUTAGE);
        let end = MonoTime::now().as_nanos() + OUTAGE.as_nanos() as u64;
        let (played, fault) = player.finish_with_faults(length + PATIENCE)?;
        let steady = Steady::of(&played.frames, span, self.fps);
        let usual = steady.p95().unwrap_or_default();
        let bits = |seen: fn(&Seen) -> u64| rate(seen(&before), seen(&after), span);
        Ok(Alone {
            recovery: Recovery::of(&played.frames, end, usual),
            down: bits(|seen| to_clients(seen, 0)),
            up: bits(|seen| seen.to_servers.iter().map(|t| t.bytes).sum()),
            input: input(&played),
            report: played.report,
            steady,
            fault,
            seen: emulator.seen(),
        })
    }

    /// Plays through `link` beside something else.
    pub(super) fn shared(&self, link: &Link, beside: Beside) -> anyhow::Result<Option<Shared>> {
        if link.down.rate.is_none_or(|rate| rate > FASTEST_SHARED) {
            return Ok(None);
        }
        let session = self.start()?;
        let length = SETTLING + self.steady + Duration::from_millis(500);
        let mut others = Others::default();
        let other = match beside {
            Beside::Nothing => return Ok(None),
            Beside::Session => server(&others.session.insert(self.start()?).link)?,
            Beside::Download => others.server.insert(Server::new()?).address,
        };
        let emulator =
            Emulator::start(link, &[server(&session.link)?, other]).context("the link")?;
        let player = self.play(&session, &emulator, 0, length, &[])?;
        if let Some(second) = &others.session {
            others.player = Some(self.play(second, &emulator, 1, length, &[])?);
        }
        if let Some(server) = others.server.take() {
            let door = emulator.door(1).context("the link has two doors")?;
            others.download = Some(server.start(door)?);
        }
        let (span, [before, after]) = self.watch(&emulator);
        let (played, _) = player.finish_with_faults(length + PATIENCE)?;
        let bits = |flow| rate(to_clients(&before, flow), to_clients(&after, flow), span);
        let steady = Steady::of(&played.frames, span, self.fps);
        Ok(Some(Shared { steady, session: bits(0), other: bits(1) }))
    }

    fn play(
        &self,
        session: &Session,
        emulator: &Emulator,
        flow: usize,
        length: Duration,
        arguments: &[&str],
    ) -> anyhow::Result<Player> {
        let door = emulator.door(flow).context("a door for each server")?;
        let seconds = length.as_secs_f64().to_string();
        let all = [&["--seconds", &*seconds], arguments].concat();
        Player::join(self.programs, &behind(&session.link, door)?, &all)
    }

    /// Waits for the steady time and through it; what had passed at its beginning and its end.
    fn watch(&self, emulator: &Emulator) -> (Span, [Seen; 2]) {
        std::thread::sleep(SETTLING);
        let (from, before) = (MonoTime::now().as_nanos(), emulator.seen());
        std::thread::sleep(self.steady);
        let (until, after) = (MonoTime::now().as_nanos(), emulator.seen());
        (Span { from, until }, [before, after])
    }
}

/// What is beside a session: they end in this order.
#[derive(Default)]
struct Others {
    download: Option<Download>,
    player: Option<Player>,
    session: Option<Session>,
    server: Option<Server>,
}

fn to_clients(seen: &Seen, flow: usize) -> u64 {
    seen.to_clients.get(flow).map_or(0, |traffic| traffic.bytes)
}

/// Bits a second.
fn rate(before: u64, after: u64, span: Span) -> f64 {
    after.saturating_sub(before) as f64 * 8.0 / span.seconds().max(1e-9)
}

/// Taps of a key of no meaning, five a second, until shortly before the end.
fn keys(length: Duration) -> String {
    let taps = (length.as_millis() / 200).saturating_sub(5);
    (1..=taps).map(|n| format!("{}ms key KEY_A tap\n", n * 200)).collect()
}

/// From an input to the first picture that may show it, ms.
fn input(played: &Played) -> Option<(f64, f64)> {
    let answers = &played.report["input_to_picture"];
    Some((answers["p50_us"].as_f64()? / 1e3, answers["p95_us"].as_f64()? / 1e3))
}

/// A link's parts around its host and port: what is before, and what is behind.
fn around(link: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = link.split_once("://")?;
    let end = rest.find(['/', '#'])?;
    Some((scheme, &rest[..end], &rest[end..]))
}

/// Where the server of `link` is.
fn server(link: &str) -> anyhow::Result<SocketAddr> {
    // It is on the address that `--listen` says.
    let (_, authority, _) = around(link).context("the link that stratus run printed")?;
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    Ok((Ipv4Addr::LOCALHOST, port.context("the link's port")?).into())
}

/// The same link, token and certificate included, to another place.
fn behind(link: &str, door: SocketAddr) -> anyhow::Result<String> {
    let (scheme, _, rest) = around(link).context("the link that stratus run printed")?;
    Ok(format!("{scheme}://{door}{rest}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_link_leads_elsewhere_with_the_same_secret() {
        let link = "http://127.0.0.1:4567/#token.hash";
        let door = "127.0.0.1:99".parse().unwrap();
        assert_eq!(server(link).unwrap().to_string(), "127.0.0.1:4567");
        assert_eq!(behind(link, door).unwrap(), "http://127.0.0.1:99/#token.hash");
        assert_eq!(behind("stratus://x:1#a.b", door).unwrap(), "stratus://127.0.0.1:99#a.b");
        assert!(server("http://127.0.0.1/#a.b").is_err() && behind("nothing", door).is_err());
    }

    #[test]
    fn keys_end_before_the_player_does() {
        let script = keys(Duration::from_secs(2));
        assert_eq!(script.lines().count(), 5);
        assert!(script.ends_with("1000ms key KEY_A tap\n"));
    }
}
