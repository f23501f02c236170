//! What games do, a function each.

use stratus_protocols::{
    InterfaceId, wl_compositor, wl_data_device, wl_data_device_manager, wl_pointer, wl_seat,
    wl_shm, wl_shm_pool, wl_subcompositor, wl_subsurface, wl_surface,
    wp_single_pixel_buffer_manager_v1, wp_viewport, wp_viewporter, xdg_surface, xdg_toplevel,
    xdg_wm_base,
};
use stratus_proxy_core::Side;

use super::client::{Expect, Kind};
use super::files;
use super::model::Buffer;
use super::world::World;
use crate::input::Input;
use crate::model::message;

/// One of a client's living objects of some kind.
pub(super) fn some(
    world: &World,
    client: usize,
    input: &mut Input<'_>,
    is: impl Fn(Kind) -> bool,
) -> Option<u32> {
    let all = world.clients[client].all(is);
    (!all.is_empty()).then(|| *input.pick(&all))
}

pub(super) fn global(world: &World, client: usize, interface: InterfaceId) -> u32 {
    world.clients[client].globals[&interface]
}

/// A request to a global that makes an object, with `words` behind the new id.
pub(super) fn make(
    world: &mut World,
    client: usize,
    to: (InterfaceId, u16),
    kind: Kind,
    words: &[u32],
) -> u32 {
    let sender = global(world, client, to.0);
    let id = world.clients[client].make(kind);
    world.request(client, (sender, to.1), &[&[id][..], words].concat(), Expect::Same);
    id
}

pub(super) fn surface(world: &mut World, client: usize) -> u32 {
    let to = (InterfaceId::WlCompositor, wl_compositor::REQ_CREATE_SURFACE_OPCODE);
    make(world, client, to, Kind::Surface, &[])
}

/// Makes a surface a window.
pub(super) fn window(world: &mut World, client: usize, surface: u32) -> u32 {
    let to = (InterfaceId::XdgWmBase, xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE);
    let xdg = make(world, client, to, Kind::Xdg, &[surface]);
    let toplevel = world.clients[client].make(Kind::Toplevel);
    world.clients[client].toplevels.insert(xdg, toplevel);
    world.clients[client].paced.window(surface);
    world.request(client, (xdg, super::GET_TOPLEVEL), &[toplevel], Expect::Same);
    toplevel
}

/// A pool in one of the files, of a size that may be a lie.
pub(super) fn pool(world: &mut World, client: usize, file: usize, size: i32) -> u32 {
    let shm = global(world, client, InterfaceId::WlShm);
    let id = world.clients[client].make(Kind::Pool { file });
    let bytes = message(shm, wl_shm::REQ_CREATE_POOL_OPCODE, &[id, size.cast_unsigned()]);
    let fds = vec![files::descriptor(file)];
    world.pass(client, Side::Client, bytes, fds, Expect::Same);
    id
}

/// A buffer with this offset, width, height and stride; its serial is its first pixel.
pub(super) fn buffer(world: &mut World, client: usize, pool: u32, n: [i32; 4], format: u32) {
    let Some(Kind::Pool { file }) = world.clients[client].objects.get(&pool).copied() else {
        return;
    };
    let serial = world.model.next_serial();
    let len = i64::from(n[3]) * i64::from(n[2]);
    let fits = n[0] >= 0 && len > 0 && i64::from(n[0]) + len <= files::LEN as i64;
    let place = (file, n[0]);
    let painted = fits && files::is_whole(file);
    if painted {
        files::paint(file, n[0].unsigned_abs().into(), serial);
    }
    world.model.add(serial, Buffer::new(client, (n[1], n[2]), Some(place), painted));
    let id = world.clients[client].make(Kind::Buffer { serial });
    let [offset, width, height, stride] = n.map(i32::cast_unsigned);
    let words = [id, offset, width, height, stride, format];
    world.request(client, (pool, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE), &words, Expect::Same);
}

/// Draws, attaches, damages and commits.
pub(super) fn show(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(surface) = some(world, client, input, |k| k == Kind::Surface) else { return };
    let choice = input.byte();
    let buffer = match choice & 15 {
        0 => None,
        _ => some(world, client, input, |k| matches!(k, Kind::Buffer { .. })),
    };
    attach(world, client, surface, buffer);
    match choice >> 4 {
        0 => {}
        1..=11 => {
            let to = (surface, wl_surface::REQ_DAMAGE_BUFFER_OPCODE);
            let all = [0, 0, i32::MAX.cast_unsigned(), i32::MAX.cast_unsigned()];
            world.request(client, to, &all, Expect::Same);
        }
        _ => {
            let opcode = [wl_surface::REQ_DAMAGE_OPCODE, wl_surface::REQ_DAMAGE_BUFFER_OPCODE];
            for _ in 0..1 + input.below(12) {
                let rect = [(); 4].map(|()| input.number());
                let to = (surface, opcode[usize::from(choice >> 4 & 1)]);
                world.request(client, to, &rect, Expect::Same);
            }
        }
    }
    if choice != 0xff {
        world.commit(client, surface);
    }
}

fn attach(world: &mut World, client: usize, surface: u32, buffer: Option<u32>) {
    let kind = buffer.and_then(|b| world.clients[client].objects.get(&b).copied());
    let serial = match kind {
        Some(Kind::Buffer { serial }) => Some(serial),
        _ => None,
    };
    world.clients[client].pending.insert(surface, serial);
    let words = [buffer.unwrap_or(0), 0, 0];
    world.request(client, (surface, wl_surface::REQ_ATTACH_OPCODE), &words, Expect::Same);
}

/// Pools and buffers, honest ones and others.
pub(super) fn buffers(world: &mut World, client: usize, input: &mut Input<'_>, pools: &mut usize) {
    let choice = input.byte();
    match choice & 7 {
        0 if *pools < 24 => {
            let size = match input.byte() {
                0..=199 => files::LEN as i32,
                200..=219 => 4096,
                _ => input.number().cast_signed(),
            };
            let file = input.below(files::FILES);
            pool(world, client, file, size.min(1 << 20));
            *pools += 1;
        }
        1 => {
            let to = (
                InterfaceId::WpSinglePixelBufferManagerV1,
                wp_single_pixel_buffer_manager_v1::REQ_CREATE_U32_RGBA_BUFFER_OPCODE,
            );
            let serial = world.model.next_serial();
            world.model.add(serial, Buffer::new(client, (1, 1), None, false));
            make(world, client, to, Kind::Buffer { serial }, &[1, 2, 3, 4]);
        }
        2 => {
            let Some(pool) = some(world, client, input, |k| matches!(k, Kind::Pool { .. })) else {
                return;
            };
            let to = (pool, wl_shm_pool::REQ_RESIZE_OPCODE);
            let size = input.number().min(1 << 20);
            world.request(client, to, &[size], Expect::Same);
        }
        kind => {
            let Some(pool) = some(world, client, input, |k| matches!(k, Kind::Pool { .. })) else {
                return;
            };
            let offset = i32::from(input.byte()) * 256;
            let (numbers, format) = match kind {
                3..=5 => ([offset, 32, 16, 128], u32::from(choice >> 7)),
                6 => ([offset, 8, 8, 40], 1),
                _ => ([(); 4].map(|()| input.number().cast_signed()), u32::from(choice >> 6)),
            };
            buffer(world, client, pool, numbers, format);
        }
    }
}

/// The client destroys an object.
pub(super) fn destroy(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(id) = some(world, client, input, |k| !matches!(k, Kind::Other | Kind::Callback))
    else {
        return;
    };
    let kind = world.clients[client].objects[&id];
    let opcode = match kind {
        Kind::Pool { .. } => wl_shm_pool::REQ_DESTROY_OPCODE,
        // The destructor of all others is their first request.
        _ => 0,
    };
    if let Kind::Buffer { serial } = kind
        && let Some(buffer) = world.model.buffers.get_mut(&serial)
    {
        buffer.alive = false;
    }
    if matches!(kind, Kind::Surface | Kind::Xdg | Kind::Toplevel) {
        world.clients[client].paced.forget_heard();
    }
    world.clients[client].bury(id);
    world.request(client, (id, opcode), &[], Expect::Same);
}

/// Surfaces, windows and their parents.
pub(super) fn windows(world: &mut World, client: usize, input: &mut Input<'_>) {
    match input.byte() & 7 {
        0 | 1 => {
            surface(world, client);
        }
        2..=4 => {
            if let Some(surface) = some(world, client, input, |k| k == Kind::Surface) {
                window(world, client, surface);
            }
        }
        5 => {
            let Some(xdg) = some(world, client, input, |k| k == Kind::Xdg) else { return };
            let popup = world.clients[client].make(Kind::Other);
            let to = (xdg, xdg_surface::REQ_GET_POPUP_OPCODE);
            world.request(client, to, &[popup, 0, 0], Expect::Same);
        }
        _ => {
            let Some(child) = some(world, client, input, |k| k == Kind::Toplevel) else { return };
            let parent = match input.byte() & 3 {
                0 => 0,
                _ => some(world, client, input, |k| k == Kind::Toplevel).unwrap_or(0),
            };
            let to = (child, xdg_toplevel::REQ_SET_PARENT_OPCODE);
            world.request(client, to, &[parent], Expect::Same);
        }
    }
}

/// Scale, transform and viewport.
pub(super) fn surface_state(world: &mut World, client: usize, input: &mut Input<'_>) {
    let choice = input.byte();
    if choice & 7 < 3 {
        let Some(surface) = some(world, client, input, |k| k == Kind::Surface) else { return };
        let number = input.number();
        match choice & 7 {
            0 => {
                let to = (surface, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE);
                world.request(client, to, &[number], Expect::Same);
            }
            1 => {
                let to = (surface, wl_surface::REQ_SET_BUFFER_TRANSFORM_OPCODE);
                world.request(client, to, &[number], Expect::Same);
            }
            _ => {
                let to = (InterfaceId::WpViewporter, wp_viewporter::REQ_GET_VIEWPORT_OPCODE);
                make(world, client, to, Kind::Viewport, &[surface]);
            }
        }
        return;
    }
    let Some(viewport) = some(world, client, input, |k| k == Kind::Viewport) else { return };
    if choice & 8 == 0 {
        let crop = if choice & 16 == 0 {
            [(-256i32).cast_unsigned(); 4]
        } else {
            [(); 4].map(|()| input.number())
        };
        let to = (viewport, wp_viewport::REQ_SET_SOURCE_OPCODE);
        world.request(client, to, &crop, Expect::Same);
    } else {
        let size = [input.number(), input.number()];
        let to = (viewport, wp_viewport::REQ_SET_DESTINATION_OPCODE);
        world.request(client, to, &size, Expect::Same);
    }
}

/// Surfaces inside surfaces.
pub(super) fn subsurfaces(world: &mut World, client: usize, input: &mut Input<'_>) {
    let choice = input.byte();
    if choice & 3 == 0 {
        let Some(child) = some(world, client, input, |k| k == Kind::Surface) else { return };
        let Some(parent) = some(world, client, input, |k| k == Kind::Surface) else { return };
        let to = (InterfaceId::WlSubcompositor, wl_subcompositor::REQ_GET_SUBSURFACE_OPCODE);
        make(world, client, to, Kind::Subsurface, &[child, parent]);
        return;
    }
    let Some(subsurface) = some(world, client, input, |k| k == Kind::Subsurface) else { return };
    let opcode = if choice & 4 == 0 {
        wl_subsurface::REQ_SET_DESYNC_OPCODE
    } else {
        wl_subsurface::REQ_SET_SYNC_OPCODE
    };
    world.request(client, (subsurface, opcode), &[], Expect::Same);
}

/// The game cuts its memory off, or makes it whole.
pub(super) fn memory(input: &mut Input<'_>) {
    if input.byte() & 1 == 0 {
        files::restore();
    } else {
        let file = input.below(files::FILES);
        files::cut(file, u64::from(input.byte()) << 8);
    }
}

/// What windows ask for.
pub(super) fn toplevel_request(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(id) = some(world, client, input, |k| k == Kind::Toplevel) else { return };
    let (opcode, words): (u16, &[u32]) = match input.byte() & 7 {
        0 => (xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE, &[640, 480]),
        1 => (xdg_toplevel::REQ_SET_MIN_SIZE_OPCODE, &[64, 48]),
        2 => (xdg_toplevel::REQ_SET_MAXIMIZED_OPCODE, &[]),
        3 => (xdg_toplevel::REQ_UNSET_MAXIMIZED_OPCODE, &[]),
        4 => (xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE, &[0]),
        5 => (xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE, &[]),
        6 => (xdg_toplevel::REQ_SET_MINIMIZED_OPCODE, &[]),
        _ => (xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE, &[1]),
    };
    world.request(client, (id, opcode), words, Expect::MayDrop);
}

/// Surfaces that become the cursor, or what is dragged.
pub(super) fn roles(world: &mut World, client: usize, input: &mut Input<'_>) {
    let Some(surface) = some(world, client, input, |k| k == Kind::Surface) else { return };
    if input.byte() & 1 == 0 {
        let to = (InterfaceId::WlSeat, wl_seat::REQ_GET_POINTER_OPCODE);
        let pointer = make(world, client, to, Kind::Other, &[]);
        let to = (pointer, wl_pointer::REQ_SET_CURSOR_OPCODE);
        world.request(client, to, &[1, surface, 0, 0], Expect::Same);
    } else {
        let seat = global(world, client, InterfaceId::WlSeat);
        let to =
            (InterfaceId::WlDataDeviceManager, wl_data_device_manager::REQ_GET_DATA_DEVICE_OPCODE);
        let device = make(world, client, to, Kind::Other, &[seat]);
        let to = (device, wl_data_device::REQ_START_DRAG_OPCODE);
        world.request(client, to, &[0, surface, surface, 1], Expect::Same);
    }
}
