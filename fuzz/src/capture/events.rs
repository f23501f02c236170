//! What compositors do, and what is no good message at all.

use stratus_protocols::{
    InterfaceId, wl_display, wl_output, wl_shm, wl_surface, wp_fractional_scale_manager_v1,
    wp_fractional_scale_v1, xdg_toplevel, zxdg_output_manager_v1, zxdg_output_v1,
};
use stratus_proxy_core::{Direction, Side};

use super::client::{Expect, Kind};
use super::moves::{global, make, some};
use super::world::{World, text};
use crate::input::Input;
use crate::model::{message, messages};

/// The compositor releases a buffer: one of the living, or one that the client destroyed.
pub(super) fn release(world: &mut World, client: usize, input: &mut Input<'_>) {
    let is = |k| matches!(k, Kind::Buffer { .. });
    let mut all = world.clients[client].all(is);
    all.extend(world.clients[client].dead.iter().filter(|(_, k)| is(*k)).map(|(id, _)| *id));
    if !all.is_empty() {
        let id = *input.pick(&all);
        world.release(client, id);
    }
}

/// The compositor gives an id back, which the client uses next.
pub(super) fn delete_id(world: &mut World, client: usize, input: &mut Input<'_>) {
    let dead = world.clients[client].dead.len();
    if dead > 0 {
        let id = world.clients[client].free(input.below(dead));
        let from = (1, wl_display::EVT_DELETE_ID_OPCODE);
        world.event(client, from, &[id], Expect::Same);
    }
}

/// What the compositor says of size.
pub(super) fn compositor(world: &mut World, client: usize, input: &mut Input<'_>) {
    let choice = input.byte();
    let numbers = [(); 4].map(|()| input.number());
    let output = global(world, client, InterfaceId::WlOutput);
    let (from, words) = match choice & 15 {
        0..=3 => {
            let Some(id) = some(world, client, input, |k| k == Kind::Toplevel) else { return };
            let states: &[u32] = match choice >> 4 {
                0..=3 => &[0],
                4..=7 => &[8, 2, 4],
                _ => &[4, 1],
            };
            let words = [&numbers[..2], states].concat();
            ((id, xdg_toplevel::EVT_CONFIGURE_OPCODE), words)
        }
        4 => {
            let Some(id) = some(world, client, input, |k| k == Kind::Toplevel) else { return };
            ((id, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE), numbers[..2].to_vec())
        }
        5 => ((output, wl_output::EVT_MODE_OPCODE), numbers.to_vec()),
        6 => {
            let mut words = [&numbers[..], &[0], &text("make"), &text("model")].concat();
            words.push(u32::from(choice >> 4));
            ((output, wl_output::EVT_GEOMETRY_OPCODE), words)
        }
        7 => ((output, wl_output::EVT_DONE_OPCODE), Vec::new()),
        8 => ((output, wl_output::EVT_SCALE_OPCODE), numbers[..1].to_vec()),
        9 => {
            let shm = global(world, client, InterfaceId::WlShm);
            ((shm, wl_shm::EVT_FORMAT_OPCODE), numbers[..1].to_vec())
        }
        10 | 11 => {
            let Some(id) = some(world, client, input, |k| k == Kind::Surface) else { return };
            let opcode = [
                wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE,
                wl_surface::EVT_PREFERRED_BUFFER_TRANSFORM_OPCODE,
            ];
            ((id, opcode[usize::from(choice & 1)]), numbers[..1].to_vec())
        }
        12 => {
            let Some(surface) = some(world, client, input, |k| k == Kind::Surface) else { return };
            let to = (
                InterfaceId::WpFractionalScaleManagerV1,
                wp_fractional_scale_manager_v1::REQ_GET_FRACTIONAL_SCALE_OPCODE,
            );
            let id = make(world, client, to, Kind::Fractional, &[surface]);
            let from = (id, wp_fractional_scale_v1::EVT_PREFERRED_SCALE_OPCODE);
            (from, numbers[..1].to_vec())
        }
        _ => {
            let to = (
                InterfaceId::ZxdgOutputManagerV1,
                zxdg_output_manager_v1::REQ_GET_XDG_OUTPUT_OPCODE,
            );
            let id = make(world, client, to, Kind::Other, &[output]);
            let opcode = [
                zxdg_output_v1::EVT_LOGICAL_POSITION_OPCODE,
                zxdg_output_v1::EVT_LOGICAL_SIZE_OPCODE,
            ];
            ((id, opcode[usize::from(choice & 1)]), numbers[..2].to_vec())
        }
    };
    world.event(client, from, &words, Expect::MayChange);
}

/// A message that the capture reads, cut short or filled with anything.
pub(super) fn torn_message(world: &mut World, client: usize, input: &mut Input<'_>) {
    if input.byte() < 128 {
        return;
    }
    const KINDS: [(Direction, InterfaceId); 5] = [
        (Direction::Request, InterfaceId::WlCompositor),
        (Direction::Request, InterfaceId::WlSubcompositor),
        (Direction::Request, InterfaceId::XdgWmBase),
        (Direction::Event, InterfaceId::WlOutput),
        (Direction::Event, InterfaceId::WlShm),
    ];
    let (direction, interface) = *input.pick(&KINDS);
    let sender = global(world, client, interface);
    let opcode = input.below(messages(interface, direction).len()) as u16;
    let words: Vec<u32> = (0..input.byte() & 7).map(|_| input.number()).collect();
    let from = if direction == Direction::Request { Side::Client } else { Side::Compositor };
    let bytes = message(sender, opcode, &words);
    // Whatever it made has an id that the client does not keep track of.
    world.pass(client, from, bytes, Vec::new(), Expect::MayChange);
    world.disconnect(client);
}
