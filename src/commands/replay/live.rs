//! A recording to a real compositor.

use std::process::ExitCode;
use std::time::Duration;

use stratus_proxy::upstream_path;
use stratus_recording::live::{LeftOut, Player, Stuck};

use super::pace::Pace;
use super::{Recording, ReplayArgs};
use crate::failure::{Failure, chain};
use crate::print::print;

/// Replays to the compositor in `$WAYLAND_DISPLAY`.
pub(super) fn run(mut recording: Recording, args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let variable = |name| std::env::var_os(name);
    let (display, directory) = (variable("WAYLAND_DISPLAY"), variable("XDG_RUNTIME_DIR"));
    let path = upstream_path(display.as_deref(), directory.as_deref()).map_err(|e| {
        Failure::new("find the compositor", e)
            .remedy("start a compositor, and set WAYLAND_DISPLAY to its socket")
    })?;
    let patience = Duration::from_secs(args.patience);
    let mut player = Player::new(&path, patience, recording.policy());
    let pace = Pace::new(args);
    let name = recording.name.clone();
    while let Some(record) = recording.next_record()? {
        let wait = pace.until(record.time_ns);
        if !wait.is_zero() {
            player.pass_time(wait).map_err(|e| failure(&name, &e))?;
        }
        player.handle(&record).map_err(|e| failure(&name, &e))?;
    }
    player.finish_all().map_err(|e| failure(&name, &e))?;
    let mut text = format!("{} messages replayed", player.messages());
    if *player.left_out() != LeftOut::default() {
        text.push_str(&format!("; left out: {}", player.left_out()));
    }
    text.push('\n');
    if let Some(ending) = recording.ending() {
        text.push_str(&format!("the recording: {ending}\n"));
    }
    print(text.as_bytes())?;
    if let Some(stay) = args.stay {
        let stay = Duration::from_secs_f64(stay);
        player.pass_time(stay).map_err(|e| failure(&name, &e))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn failure(name: &str, stuck: &Stuck) -> Failure {
    let at = match stuck.time_ns {
        0 => String::new(),
        ns => format!(" at {:.3} s", ns as f64 / 1e9),
    };
    Failure::new(format!("replay {name} any further{at}"), chain(stuck))
}
