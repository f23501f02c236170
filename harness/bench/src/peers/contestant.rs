//! Who takes part, and how each is started.

use std::path::PathBuf;

use anyhow::Context as _;
use stratus_encode::threads_for;
use stratus_frame::Size;
use stratus_harness::sway::{Options, Sway};

use super::copying::Copying;
use super::game::{Game, Scene};
use super::pixelflux::Pixelflux;
use super::recorder::Recorder;
use super::sight::Sight;
use super::stratus::Stratus;
use super::vnc::Vnc;

/// What all encoders are to take, as far as they can be told: what a session has by default.
pub(super) const BITRATE: u64 = 12_000_000;

/// A way to show a game elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Stratus,
    /// Sway's output copied by screencopy, into the converter and encoder of Stratus.
    Screencopy,
    WfRecorder,
    Wayvnc,
    /// With the Python that has it.
    Pixelflux(PathBuf),
}

#[derive(Clone, Debug)]
pub(super) struct Contestant {
    pub(super) kind: Kind,
    /// Ticks a second of its compositor.
    pub(super) hertz: u32,
}

impl Contestant {
    pub(super) fn name(&self) -> String {
        let name = match self.kind {
            Kind::Stratus => "Stratus",
            Kind::Screencopy => "screencopy, same encoder",
            Kind::WfRecorder => "wf-recorder",
            Kind::Wayvnc => "wayvnc, raw pixels",
            Kind::Pixelflux(_) => "pixelflux",
        };
        if self.hertz == 60 { name.to_owned() } else { format!("{name}, {} Hz", self.hertz) }
    }

    /// Starts it with its game, and a viewer who sees what it shows.
    ///
    /// # Errors
    /// If something of it cannot be started.
    pub(super) fn start(&self, scene: &Scene, sight: &Sight) -> anyhow::Result<Box<dyn Running>> {
        Ok(match &self.kind {
            Kind::Stratus => Box::new(Stratus::start(scene, sight)?),
            Kind::Screencopy => Box::new(Copying::start(Stage::set(self.hertz, scene)?, sight)?),
            Kind::WfRecorder => Box::new(Recorder::start(Stage::set(self.hertz, scene)?, sight)?),
            Kind::Wayvnc => Box::new(Vnc::start(Stage::set(self.hertz, scene)?, sight)?),
            Kind::Pixelflux(python) => {
                Box::new(Pixelflux::start(python, self.hertz, scene, sight)?)
            }
        })
    }
}

/// A contestant that runs until it is dropped.
pub(super) trait Running {
    /// Nanoseconds of processor time so far, those of the compositor included and those of the
    /// game and of the viewer's decoder left out.
    fn processor_time(&self) -> u64;
}

/// A Sway that shows the game.
pub(super) struct Stage {
    // Before Sway, or it would see its compositor die.
    _game: Game,
    pub(super) sway: Sway,
    pub(super) size: (u32, u32),
}

impl Stage {
    fn set(hertz: u32, scene: &Scene) -> anyhow::Result<Self> {
        let options = Options { size: scene.size, refresh: hertz, ..Options::default() };
        let sway = Sway::start(&options)?;
        let game = Game::start(scene, sway.socket()).context("the game in Sway")?;
        Ok(Self { _game: game, sway, size: scene.size })
    }
}

/// Threads that the encoders of peers get: as many as Stratus' own.
pub(super) fn threads((width, height): (u32, u32)) -> usize {
    threads_for(Size::new(width, height))
}
