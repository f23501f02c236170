//! One case: how it is made up, and how it is played.

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use proptest::prelude::*;
use stratus_harness::fds;
use stratus_harness::watchdog::wait_for;

use crate::arg::Identities;
use crate::library::Library;
use crate::link::{Habits, Link};
use crate::play::{Act, Heard, Illegal, Player, Verdict, Way};
use crate::stage::Proxied;
use crate::strict::{Manners, Strict, When};

const LIMIT: Duration = Duration::from_secs(15);

/// How long a patient client waits at the end.
const RELEASES: Duration = Duration::from_millis(15);

/// How a conversation ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// All is answered, then the client closes.
    Clean,
    /// The client closes with requests under way, answers unread and so many bytes of the last
    /// request missing.
    Abrupt(u8),
    /// The client closes behind more requests than sockets hold, which nothing answers: all whole
    /// ones must arrive.
    Flood(u8),
    /// The client breaks a rule.
    Breach(Illegal, [u8; 4]),
}

/// One conversation.
#[derive(Clone)]
pub(crate) struct Case {
    pub acts: Vec<(Act, [u8; 4])>,
    pub ending: Ending,
    habits: Habits,
    manners: Manners,
    /// By how much versions are below those offered.
    versions: u8,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acts, ending, habits, manners, versions } = self;
        for (act, with) in acts {
            writeln!(f, "  {act:?} {with:?}")?;
        }
        write!(f, "  {ending:?}\n  {habits:?}\n  {manners:?}\n  versions {versions}")
    }
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![Just(When::AtOnce), Just(When::NextCommit), Just(When::Tick)]
}

fn ending() -> impl Strategy<Value = Ending> {
    let breach = (prop::sample::select(Illegal::ALL), any::<[u8; 4]>());
    prop_oneof![
        5 => Just(Ending::Clean),
        2 => (0..12u8).prop_map(Ending::Abrupt),
        1 => (0..12u8).prop_map(Ending::Flood),
        4 => breach.prop_map(|(illegal, with)| Ending::Breach(illegal, with)),
    ]
}

fn habits() -> impl Strategy<Value = Habits> {
    let cut = prop_oneof![2 => Just(0), 2 => 1..9u16, 2 => 9..200u16, 1 => 200..5000u16];
    let read = prop_oneof![3 => Just(0), 1 => 1..9u16, 1 => 9..5000u16];
    let early = prop_oneof![2 => Just(0), 1 => 1..100u16, 1 => Just(u16::MAX)];
    let (cuts, reads) = (prop::collection::vec(cut, 1..6), prop::collection::vec(read, 1..6));
    (cuts, early, reads).prop_map(|(cuts, early, reads)| Habits { cuts, early, reads })
}

/// Any conversation.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    let act = (prop::sample::select(Act::CHOICE), any::<[u8; 4]>());
    let manners =
        (when(), when()).prop_map(|(releases, callbacks)| Manners { releases, callbacks });
    (prop::collection::vec(act, 1..120), ending(), habits(), manners, any::<u8>()).prop_map(
        |(acts, ending, habits, manners, versions)| Case {
            acts,
            ending,
            habits,
            manners,
            versions,
        },
    )
}

/// What came of a case.
pub(crate) struct Outcome {
    /// Requests as the client wrote them, and as the compositor received them.
    pub sent: Vec<String>,
    pub received: Vec<String>,
    pub heard: Vec<Heard>,
    /// What must have come of the breach, if there was one.
    pub verdict: Option<Verdict>,
    /// How many requests were sent before the last barrier that was answered.
    pub answered: usize,
}

/// What a run of the tests must have come to at least once: each takes several steps.
pub(crate) const AIMS: &[&str] = &[
    "xdg_popup.grab",
    "xdg_popup.reposition",
    "xdg_popup.repositioned",
    "xdg_popup.destroy",
    "xdg_surface.ack_configure",
    "xdg_wm_base.pong",
    "wl_subsurface.place_above",
    "wl_subsurface.place_below",
    "wl_subsurface.destroy",
    "wl_shm_pool.resize",
    "wl_buffer.release",
    "wl_callback.done",
    "wl_keyboard.keymap",
    "wl_keyboard.leave",
    "wl_pointer.leave",
    "wl_touch.frame",
    "wl_pointer.set_cursor",
    "wl_surface.enter",
    "wl_registry.global_remove",
    "wl_data_device.data_offer",
    "wl_data_offer.receive",
    "wl_data_source.send",
    "wl_data_source.cancelled",
    "wp_presentation_feedback.presented",
    "wp_presentation_feedback.discarded",
    "wp_viewport.set_source",
    "zxdg_output_v1.logical_size",
    "an id used anew",
    "an error of the object's own",
    "the end after broken bytes",
    "an abrupt end",
    "an end behind a flood",
];

impl Outcome {
    /// The messages that passed, and how it ended.
    pub(crate) fn reached(&self, case: &Case) -> Vec<String> {
        let name = |line: &String| {
            let (interface, rest) = line.split_once('#')?;
            let (_, rest) = rest.split_once('.')?;
            Some(format!("{interface}.{}", rest.split('(').next()?))
        };
        let mut reached: Vec<String> = self.sent.iter().filter_map(name).collect();
        reached.extend(self.heard.iter().map(|h| format!("{}.{}", h.interface, h.name)));
        let mut made = Vec::new();
        for line in &self.sent {
            let id = line.split("new #").nth(1).and_then(|rest| rest.split([',', ')']).next());
            if id.is_some_and(|id| made.contains(&id.to_owned())) {
                reached.push("an id used anew".to_owned());
            }
            made.extend(id.map(str::to_owned));
        }
        let ending = match (self.verdict, case.ending) {
            (Some(Verdict::Error(..)), _) => "an error of the object's own",
            (Some(Verdict::End), _) => "the end after broken bytes",
            (None, Ending::Abrupt(_)) => "an abrupt end",
            (None, Ending::Flood(_)) => "an end behind a flood",
            (None, _) => "a clean end",
        };
        reached.push(ending.to_owned());
        reached
    }
}

/// Who writes and reads the client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The test itself, with the case's habits.
    Bytes,
    /// The same, and at a clean end it waits for releases that come late.
    Patient,
    /// `wayland-backend`'s client, with its own.
    Library,
}

/// Plays a case in a folder of its own; `place` says where the client connects, and what lives as
/// long as that is so.
pub(crate) fn play_case<T>(
    case: &Case,
    by: By,
    place: impl FnOnce(&Path, &Path) -> (PathBuf, T),
) -> anyhow::Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("stratus-test-").tempdir_in("/tmp")?;
    let identities = Identities::default();
    let upstream = folder.path().join("compositor");
    let compositor = Strict::start(&upstream, case.manners, identities.clone());
    let (socket, standing) = place(folder.path(), &upstream);
    let before = fds::own_fds()?;
    let way = match by {
        By::Bytes | By::Patient => Way::Bytes(Link::connect(&socket, case.habits.clone())?),
        By::Library => Way::Library(Library::connect(&socket)?),
    };
    let mut player = Player::start(way, identities, case.versions)?;
    let played = play(&mut player, case, by);
    let told = |e| anyhow::anyhow!("{e:#}; sent:\n  {}", player.sent.join("\n  "));
    let (verdict, answered) = played.map_err(told)?;
    let (sent, heard) = player.leave();
    compositor.wait_for_the_end(LIMIT)?;
    // Everything that a client brought goes with it, while proxy and compositor go on.
    let mut left = Vec::new();
    let settled = wait_for("the end of all fds of the client", LIMIT, || {
        left = fds::difference(&before, &fds::own_fds().ok()?);
        left.is_empty().then_some(())
    });
    settled.with_context(|| left.join("\n"))?;
    drop(standing);
    let received = compositor.log();
    Ok(Outcome { sent, received, heard, verdict, answered })
}

fn play(player: &mut Player, case: &Case, by: By) -> anyhow::Result<(Option<Verdict>, usize)> {
    let mut answered = 0;
    for (act, with) in &case.acts {
        player.act(*act, *with)?;
        if *act == Act::Barrier {
            answered = player.sent.len();
        }
    }
    match case.ending {
        Ending::Abrupt(missing) => {
            player.send(usize::from(missing))?;
            return Ok((None, answered));
        }
        Ending::Flood(missing) => {
            player.act(Act::Barrier, [0; 4])?;
            player.flood();
            player.send(usize::from(missing))?;
            // A library sends whole messages only.
            let cut = missing > 0 && by != By::Library;
            return Ok((None, player.sent.len() - usize::from(cut)));
        }
        Ending::Breach(illegal, with) => {
            // What the client knows must be what the compositor knows.
            player.act(Act::Barrier, [0; 4])?;
            answered = player.sent.len();
            if let Some(verdict) = player.break_rule(illegal, with) {
                let legal = player.sent.len();
                player.send(0)?;
                player.read_to_the_end()?;
                let answered = if verdict == Verdict::End { answered } else { legal };
                return Ok((Some(verdict), answered));
            }
        }
        Ending::Clean => {}
    }
    player.act(Act::Barrier, [0; 4])?;
    if by == By::Patient {
        std::thread::sleep(RELEASES);
    }
    player.act(Act::Barrier, [0; 4])?;
    anyhow::ensure!(player.fds_left() == 0, "fds came that belong to no event");
    Ok((None, player.sent.len()))
}

/// A proxy with capture, and the thread that reads its frames.
pub(crate) struct Capturing(Option<(Proxied, JoinHandle<()>)>);

impl Capturing {
    /// The thread ends with the capture.
    pub(crate) fn new(proxied: Proxied, reader: JoinHandle<()>) -> Self {
        Self(Some((proxied, reader)))
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        if let Some((proxied, reader)) = self.0.take() {
            // The frames end with the capture.
            drop(proxied);
            let _ = reader.join();
        }
    }
}
