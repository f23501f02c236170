//! The capture hook between hostile games, a hostile compositor and an encoder, over memory.
//!
//! Games make and destroy surfaces, windows and buffers in any order, cut their memory off and
//! lie about it; the compositor releases what it likes; the encoder takes and drops frames at any
//! time. Checked is what ARCHITECTURE.md promises of releases, holds and frames, and that all
//! other messages pass unchanged.

mod client;
mod events;
mod files;
mod model;
mod moves;
mod paced;
mod watch;
mod world;

use std::time::Duration;

use stratus_protocols::{wl_surface, xdg_surface, xdg_toplevel};

use crate::fds::assert_free;
use crate::input::Input;
use client::{Expect, Kind};
use world::World;

/// Things that happen in one execution.
const MAX_STEPS: usize = 300;
/// Connections of one game.
const MAX_CLIENTS: usize = 3;

/// Plays one session.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    files::reset();
    assert_free(0);
    let mut input = Input::new(data);
    let mut world = World::new();
    let client = world.connect();
    let pools = set_up(&mut world, client, input.byte());
    let mut made = pools;
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut world, &mut input, &mut made);
    }
    world.finish();
    // Each pool has one fd for the compositor and one for the capture.
    assert_free(2 * made + 2);
}

/// A window with two buffers, as most games have, unless `choice` says otherwise. Answers how
/// many pools there are.
fn set_up(world: &mut World, client: usize, choice: u8) -> usize {
    if choice & 1 == 1 {
        return 0;
    }
    let surface = moves::surface(world, client);
    let toplevel = moves::window(world, client, surface);
    world.commit(client, surface);
    let configure = [0, 0, 0];
    let from = (toplevel, xdg_toplevel::EVT_CONFIGURE_OPCODE);
    world.event(client, from, &configure, Expect::MayChange);
    let pool = moves::pool(world, client, 0, files::LEN as i32);
    for n in 0..2 {
        moves::buffer(world, client, pool, [n * 2048, 32, 16, 128], 1);
    }
    1
}

fn step(world: &mut World, input: &mut Input<'_>, pools: &mut usize) {
    let op = input.byte();
    let client = usize::from(op >> 6) % world.clients.len();
    match op & 63 {
        0..=9 => moves::show(world, client, input),
        10..=11 => paced::step(world, client, input),
        12..=19 => events::release(world, client, input),
        20..=25 => world.take(),
        26..=31 => {
            if !world.model.reading.is_empty() {
                let n = input.below(world.model.reading.len());
                world.drop_frame(n);
            }
        }
        32..=34 => {
            let ms = [1, 60, 101, 250][usize::from(input.byte() & 3)];
            world.wait(Duration::from_millis(ms));
        }
        35..=38 => moves::buffers(world, client, input, pools),
        39..=42 => moves::destroy(world, client, input),
        43..=45 => events::delete_id(world, client, input),
        46..=48 => moves::windows(world, client, input),
        49..=51 => moves::surface_state(world, client, input),
        52..=53 => moves::subsurfaces(world, client, input),
        54..=55 => events::compositor(world, client, input),
        56 => moves::memory(input),
        57 => events::torn_message(world, client, input),
        58 if world.clients.len() < MAX_CLIENTS => {
            world.connect();
        }
        59 if input.byte() > 200 => world.disconnect(client),
        60 if input.byte() > 220 => drop(world.slot.take()),
        61 if input.byte() > 230 => world.watch(input.byte()),
        61 => commit(world, client, input),
        62 => moves::toplevel_request(world, client, input),
        _ => moves::roles(world, client, input),
    }
}

/// A commit of some surface as it is.
fn commit(world: &mut World, client: usize, input: &mut Input<'_>) {
    let surfaces = world.clients[client].all(|k| k == Kind::Surface);
    if surfaces.is_empty() {
        return;
    }
    let surface = *input.pick(&surfaces);
    if input.byte() & 1 == 0 {
        let damage = [0, 0, 5, 5];
        let to = (surface, wl_surface::REQ_DAMAGE_BUFFER_OPCODE);
        world.request(client, to, &damage, Expect::Same);
    }
    world.commit(client, surface);
}

/// The request of `xdg_surface` that makes a window, for those who look for it.
const GET_TOPLEVEL: u16 = xdg_surface::REQ_GET_TOPLEVEL_OPCODE;
