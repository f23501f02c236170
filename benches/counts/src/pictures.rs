//! `stratus-pictures ROUNDS` plays frames through a session in memory with the whole of an encoder's
//! thread behind it, so that what is copied of each can be counted. It is a program of its own,
//! because what is linked beside them changes the instructions of `stratus-counts`.

mod game;
mod wire;

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use stratus_encode::{Pipeline, PipelineConfig, Sink};
use stratus_frame::{EncodedFrame, mailbox};

/// Until a frame is encoded. Valgrind takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).context("usage: stratus-pictures ROUNDS")?;
    let (post, slot) = mailbox();
    let (tell, told) = channel();
    let config = PipelineConfig { threads: 1, refinements: 0, ..PipelineConfig::default() };
    let (handle, pipeline) = Pipeline::spawn(slot, config, Shipped(tell))?;
    game::play(rounds.parse().context("the number of rounds")?, post, || {
        told.recv_timeout(PATIENCE).context("a frame was not encoded")
    })?;
    handle.stop();
    match pipeline.join() {
        Ok(done) => Ok(done?),
        Err(_) => bail!("the encoder's thread panicked"),
    }
}

/// Tells of each access unit.
struct Shipped(Sender<()>);

impl Sink for Shipped {
    fn ready(&self) -> bool {
        true
    }

    fn viewers(&self) -> bool {
        true
    }

    fn deliver(&mut self, _: EncodedFrame) {
        let _ = self.0.send(());
    }
}
