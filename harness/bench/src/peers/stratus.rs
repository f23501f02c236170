//! `stratus run`, and a player in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use stratus_stream::core::link::Link;
use stratus_stream::{Player, PlayerConfig, PlayerEvent};

use super::contestant::Running;
use super::cpu;
use super::game::Scene;
use super::sight::{Sight, Unit, decoding};
use crate::session::{Options, Session};

/// How soon the player's thread sees that it is to end.
const SLICE: Duration = Duration::from_millis(50);

/// A session with its player.
pub(super) struct Stratus {
    session: Session,
    over: Arc<AtomicBool>,
}

impl Stratus {
    pub(super) fn start(scene: &Scene, sight: &Sight) -> anyhow::Result<Self> {
        let game = scene.command();
        let session = Session::start(&Options {
            programs: &scene.programs,
            size: scene.size,
            fps: 60,
            options: &[],
            game: &game.iter().map(String::as_str).collect::<Vec<_>>(),
        })?;
        let link: Link = session.link.parse().map_err(|e| anyhow!("the link: {e}"))?;
        let units = decoding(sight.clone())?;
        let over = Arc::new(AtomicBool::new(false));
        let (ends, faults) = (Arc::clone(&over), sight.clone());
        std::thread::Builder::new()
            .name("bench-player".to_owned())
            .spawn(move || {
                if let Err(why) = play(&link, &units, &ends) {
                    faults.fault(&why);
                }
            })
            .context("starting the player's thread")?;
        Ok(Self { session, over })
    }
}

impl Running for Stratus {
    fn processor_time(&self) -> u64 {
        cpu::of_processes(&[self.session.group()])
    }
}

impl Drop for Stratus {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn play(link: &Link, units: &Sender<Unit>, over: &AtomicBool) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = PlayerConfig { name: "stratus-bench".to_owned(), ..PlayerConfig::default() };
        let mut player = Player::connect(link, config).await?;
        while !over.load(Ordering::Relaxed) {
            match tokio::time::timeout(SLICE, player.next()).await {
                Ok(PlayerEvent::Frame(frame)) => units.send(Box::new(frame.data))?,
                Ok(PlayerEvent::End(_) | PlayerEvent::Lost(_)) => break,
                Ok(_) | Err(_) => {}
            }
        }
        player.close().await;
        Ok(())
    })
}
