//! `stratus-counts SCENARIO ROUNDS` plays the same messages again and again through a session in
//! memory, and does nothing else: what callgrind counts for it depends on the code alone.
//! `stratus-bench counts` runs it and compares with `benches/counts.toml`.

mod game;
mod wire;

use std::fs::File;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use stratus_frame::{Arrival, mailbox};
use stratus_protocols::{wl_compositor, wl_display, wl_shm, wl_shm_pool, wl_surface};
use stratus_proxy_core::{PassThrough, Session, Side};

use wire::{bind_all, delete_id, message, pass, session};

const DISPLAY: u32 = 1;
const COMPOSITOR: u32 = 3;
const SHM: u32 = 4;
const SURFACE: u32 = 5;
/// Objects of a round have the ids from here on.
const SCRATCH: u32 = 6;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(scenario), Some(rounds)) = (args.next(), args.next()) else {
        bail!("usage: stratus-counts SCENARIO ROUNDS");
    };
    let rounds: u32 = rounds.parse().context("the number of rounds")?;
    if scenario == "commit" {
        return take_each(rounds);
    }
    let round = Round::of(&scenario)?;
    let mut session = session(&PassThrough);
    set_up(&mut session)?;
    let null = File::open("/dev/null")?;
    let mut fds = Vec::new();
    for _ in 0..rounds {
        for _ in 0..round.fds {
            fds.push(null.try_clone()?.into());
        }
        pass(&mut session, Side::Client, &round.requests, &mut fds, &mut PassThrough)?;
        pass(&mut session, Side::Compositor, &round.events, &mut Vec::new(), &mut PassThrough)?;
    }
    Ok(())
}

/// What both sides say in one round.
struct Round {
    requests: Vec<u8>,
    events: Vec<u8>,
    fds: u32,
}

impl Round {
    fn of(scenario: &str) -> anyhow::Result<Self> {
        let round = match scenario {
            // 32 messages that are no business of the proxy's.
            "forward" => {
                let damage = |n| message(SURFACE, wl_surface::REQ_DAMAGE_OPCODE, &[n, n, 9, 9]);
                Self { requests: (0..32).flat_map(damage).collect(), events: Vec::new(), fds: 0 }
            }
            "sync-1" => Self::of_syncs(1),
            "sync-32" => Self::of_syncs(32),
            // 16 pools, each with its fd, made and destroyed, and a sync.
            "pools" => {
                let ids = SCRATCH..SCRATCH + 16;
                let pool = |id| message(SHM, wl_shm::REQ_CREATE_POOL_OPCODE, &[id, 4096]);
                let destroy = |id| message(id, wl_shm_pool::REQ_DESTROY_OPCODE, &[]);
                let mut requests: Vec<u8> = ids.clone().flat_map(pool).collect();
                requests.extend(ids.clone().flat_map(destroy));
                requests.extend(message(DISPLAY, wl_display::REQ_SYNC_OPCODE, &[ids.end]));
                let mut events: Vec<u8> = ids.clone().flat_map(delete_id).collect();
                events.extend(message(ids.end, 0, &[7]));
                events.extend(delete_id(ids.end));
                Self { requests, events, fds: 16 }
            }
            other => bail!("no scenario {other}: forward, sync-1, sync-32, pools, commit"),
        };
        Ok(round)
    }

    fn of_syncs(batch: u32) -> Self {
        let ids = SCRATCH..SCRATCH + batch;
        let sync = |id| message(DISPLAY, wl_display::REQ_SYNC_OPCODE, &[id]);
        let answer = |id| [message(id, 0, &[7]), delete_id(id)].concat();
        Self {
            requests: ids.clone().flat_map(sync).collect(),
            events: ids.flat_map(answer).collect(),
            fds: 0,
        }
    }
}

fn set_up(session: &mut Session) -> anyhow::Result<()> {
    let globals = [("wl_compositor", 4, COMPOSITOR), ("wl_shm", 1, SHM)];
    bind_all(session, &globals, &mut PassThrough)?;
    let surface = message(COMPOSITOR, wl_compositor::REQ_CREATE_SURFACE_OPCODE, &[SURFACE]);
    pass(session, Side::Client, &surface, &mut Vec::new(), &mut PassThrough)
}

/// Plays so many frames; an encoder beside takes each before the next comes.
fn take_each(rounds: u32) -> anyhow::Result<()> {
    let (post, slot) = mailbox();
    game::play(rounds, post, || {
        let arrival = slot.wait(true, Some(Duration::ZERO));
        ensure!(matches!(arrival, Arrival::Frame(_)), "a commit is a frame");
        Ok(())
    })
}
