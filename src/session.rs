//! The life of a session: start everything, wait for a reason to end, end everything.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;
use stratus_stream::core::message::{EndCode, EndReason};
use tokio::sync::mpsc;

use crate::assemble::{Passage, Report, Screens, Sound, Stream, sound_directory};
use crate::failure::Failure;
use crate::game::Game;
use crate::options::Settings;
use crate::process::{Ended, Family, priority};
use crate::signals::{Said, Signals};
use crate::sway::{Appearing, Output, Sway, Way};

/// How long Sway may take until it takes connections. It needs 0.1 s on two cores.
const SWAY_PATIENCE: Duration = Duration::from_secs(10);

/// When the compositor dies, its clients die with it, and the kernel tells of both in any order:
/// a game's end is taken for its own only if the compositor outlives it by this much.
const SAME_DEATH: Duration = Duration::from_millis(100);

/// Why a session ends.
enum End {
    /// Somebody asked for it, this way.
    Asked(&'static str),
    /// The game ended.
    Game(Ended),
    /// The compositor ended.
    Compositor(Ended),
    /// A part of Stratus failed, or something could not be started.
    Broken(Failure),
}

/// What a session waits for.
struct Ears {
    signals: Signals,
    reports: mpsc::UnboundedReceiver<Report>,
}

/// What stands between Sway and the player's end, as far as it was started.
#[derive(Default)]
struct Parts {
    passage: Option<Passage>,
    sound: Option<Sound>,
    game: Option<Game>,
}

/// Runs one game in a headless Sway of its own and streams it until one of them ends or a signal
/// comes. Needs a current-thread runtime on the main thread, because children are tied to it.
///
/// # Errors
/// A [`Failure`] if something cannot be started, the game fails or the compositor ends.
pub async fn run(settings: &Settings, command: &[OsString]) -> Result<(), Failure> {
    let signals = listen()?;
    let (reporter, reports) = mpsc::unbounded_channel();
    let mut ears = Ears { signals, reports };
    let mut family = Family::begin()?;
    let mut appearing =
        Appearing::watch(family.directory()).map_err(|e| Failure::new("watch for Sway", e))?;
    // Sway comes first, because everyone waits for it; the stream starts while Sway does.
    let sway = Sway::start(family.directory(), family.marker(), settings.size, settings.fps)?;
    family.watch(sway.pid());
    let screens = Screens::new(settings);
    screens.set_output(Output::new(Way::to_own_sway(family.directory(), sway.pid()))?);
    let name = command.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    let mut stream = Stream::start(settings, &name.to_string_lossy(), &screens, &reporter)?;
    stream.announce()?;

    let mut parts = Parts::default();
    let end = match ready(&sway, &mut appearing, &mut family, &mut ears.signals).await {
        Ok(upstream) => {
            let place = (family.directory().to_owned(), upstream);
            let stream = (&mut stream, &screens);
            match parts.start(settings, command, place, &family, stream, &reporter) {
                Ok(()) => until_end(&mut family, &sway, &parts, &mut ears).await,
                Err(failure) => End::Broken(failure),
            }
        }
        Err(end) => end,
    };
    stream.end(reason(&end));
    // The game first: while the compositor lives it can still save and say goodbye.
    family.end_all_but(&[sway.pid()]);
    let shown = parts.passage.take().and_then(Passage::close);
    drop(parts.sound.take());
    stream.finish();
    verdict(end, &sway, parts.game.as_ref(), shown)
}

impl Parts {
    fn start(
        &mut self,
        settings: &Settings,
        command: &[OsString],
        (directory, upstream): (PathBuf, PathBuf),
        family: &Family,
        (stream, screens): (&mut Stream, &Screens),
        reporter: &mpsc::UnboundedSender<Report>,
    ) -> Result<(), Failure> {
        let post = stream.take_post();
        stream.give_hands(settings, &upstream)?;
        let passage = Passage::open(settings, &directory, upstream, post, Some(screens), reporter)?;
        stream.follow_cursor(passage.cursor());
        self.passage = Some(passage);
        // libpulse looks there even if a game forgets its environment.
        let sound = Sound::start(settings, &directory.join("pulse"), stream.publisher());
        let more = sound.environment();
        self.sound = Some(sound);
        priority::prefer();
        let game = Game::start(command, &settings.socket, &directory, family.marker(), more)?;
        let (size, fps) = screens.now();
        tracing::info!("{} plays in Sway, {size} at {fps} frames a second", game.name());
        self.game = Some(game);
        Ok(())
    }
}

/// Serves the games that others start, in front of the compositor at `upstream`, until a signal
/// comes.
///
/// # Errors
/// A [`Failure`] if something cannot be started or breaks.
pub async fn serve(
    settings: &Settings,
    directory: &Path,
    upstream: PathBuf,
) -> Result<(), Failure> {
    let mut signals = listen()?;
    let (reporter, mut reports) = mpsc::unbounded_channel();
    let screens = Screens::new(settings);
    screens.set_output(Output::new(Way::to(&upstream))?);
    let mut stream = Stream::start(settings, "", &screens, &reporter)?;
    let post = stream.take_post();
    stream.give_hands(settings, &upstream)?;
    let passage = Passage::open(settings, directory, upstream, post, Some(&screens), &reporter)?;
    stream.follow_cursor(passage.cursor());
    let place = sound_directory(directory, &settings.socket);
    let sound = Sound::start(settings, &place, stream.publisher());
    stream.announce()?;
    priority::prefer();
    let more: String =
        sound.environment().iter().map(|(name, value)| format!(" {name}={value}")).collect();
    tracing::info!("start games with WAYLAND_DISPLAY={}{more}", settings.socket);
    let end = loop {
        tokio::select! {
            said = signals.next() => if let Said::End(how) = said { break End::Asked(how) },
            Some(Report::Broken(failure)) = reports.recv() => break End::Broken(failure),
        }
    };
    stream.end(reason(&end));
    drop(sound);
    passage.close();
    stream.finish();
    match end {
        End::Broken(failure) => Err(failure),
        End::Asked(how) => {
            tracing::info!("{how}; the session is over");
            Ok(())
        }
        End::Game(_) | End::Compositor(_) => Ok(()),
    }
}

fn listen() -> Result<Signals, Failure> {
    Signals::listen().map_err(|e| Failure::new("listen to signals", e))
}

/// Waits until Sway takes connections, and gives the path of its socket.
async fn ready(
    sway: &Sway,
    appearing: &mut Appearing,
    family: &mut Family,
    signals: &mut Signals,
) -> Result<PathBuf, End> {
    let patience = tokio::time::sleep(SWAY_PATIENCE);
    tokio::pin!(patience);
    loop {
        tokio::select! {
            socket = appearing.socket() => {
                return socket
                    .map_err(|e: io::Error| End::Broken(Failure::new("watch for Sway", e)));
            }
            said = signals.next() => match said {
                Said::End(how) => return Err(End::Asked(how)),
                Said::Child => {
                    if let Some(ended) = find(&family.reap(), sway.pid()) {
                        return Err(End::Broken(sway.failure("start Sway", Some(ended))));
                    }
                }
            },
            () = &mut patience => return Err(End::Broken(sway.failure("start Sway", None))),
        }
    }
}

async fn until_end(family: &mut Family, sway: &Sway, parts: &Parts, ears: &mut Ears) -> End {
    let game = parts.game.as_ref().map(Game::pid);
    if let Some(pid) = game {
        family.watch(pid);
    }
    loop {
        // A child that ended before its signal was awaited is found here.
        if let Some(end) = who_ended(family, sway.pid(), game).await {
            return end;
        }
        tokio::select! {
            said = ears.signals.next() => if let Said::End(how) = said { return End::Asked(how) },
            Some(Report::Broken(failure)) = ears.reports.recv() => return End::Broken(failure),
        }
    }
}

/// Whether the session's end is among the children that ended.
async fn who_ended(family: &mut Family, sway: Pid, game: Option<Pid>) -> Option<End> {
    let ended = family.reap();
    if let Some(how) = find(&ended, sway) {
        return Some(End::Compositor(how));
    }
    let how = find(&ended, game?)?;
    if !how.is_success() {
        tokio::time::sleep(SAME_DEATH).await;
        if let Some(how) = find(&family.reap(), sway) {
            return Some(End::Compositor(how));
        }
    }
    Some(End::Game(how))
}

fn find(ended: &[(Pid, Ended)], pid: Pid) -> Option<Ended> {
    ended.iter().find(|(p, _)| *p == pid).map(|(_, how)| *how)
}

/// What the players are told.
fn reason(end: &End) -> EndReason {
    let (code, text) = match end {
        End::Asked(_) => (EndCode::Stopped, "the host stopped the session".to_owned()),
        End::Game(how) if how.is_success() => (EndCode::GameExited, "the game ended".to_owned()),
        End::Game(how) => (EndCode::GameExited, format!("the game ended with {how}")),
        End::Compositor(how) => {
            (EndCode::CompositorLost, format!("the compositor ended with {how}"))
        }
        End::Broken(_) => (EndCode::Failed, "the host could not go on; its log says why".into()),
    };
    EndReason { code, text }
}

/// What the host is told; `shown` is how many frames were taken.
fn verdict(end: End, sway: &Sway, game: Option<&Game>, shown: Option<u64>) -> Result<(), Failure> {
    match end {
        End::Asked(how) => {
            tracing::info!("{how}; the session is over");
            Ok(())
        }
        End::Game(ended) => {
            if ended.is_success() && shown == Some(0) {
                tracing::warn!("the game ended and never showed a picture");
            }
            tracing::info!("the game ended with {ended}; the session is over");
            game.map_or(Ok(()), |game| game.verdict(ended))
        }
        End::Compositor(ended) => Err(sway.failure("go on with the session", Some(ended))),
        End::Broken(failure) => Err(failure),
    }
}
