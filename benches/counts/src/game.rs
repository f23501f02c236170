//! A game that shows a picture each round, with its frames taken: attach, damage, frame callback
//! and commit, answered by the release of the buffer before and the callback.

use std::fs::File;
use std::task::Waker;

use stratus_capture::{Capture, CaptureConfig};
use stratus_frame::{Post, Size};
use stratus_protocols::{
    wl_buffer, wl_callback, wl_compositor, wl_shm, wl_shm_pool, wl_surface, xdg_surface,
    xdg_wm_base,
};
use stratus_proxy_core::{Hook, Session, Side};

use crate::wire::{bind_all, delete_id, message, pass, session};

const COMPOSITOR: u32 = 3;
const SHM: u32 = 4;
const WM_BASE: u32 = 5;
const SURFACE: u32 = 6;
const XDG_SURFACE: u32 = 7;
const TOPLEVEL: u32 = 8;
const POOL: u32 = 9;
const BUFFERS: [u32; 3] = [10, 11, 12];
const CALLBACK: u32 = 13;

const SIZE: Size = Size::new(1280, 720);
const BUFFER_BYTES: u32 = 1280 * 720 * 4;

/// Plays so many frames, each of which `taken` takes before the next comes.
pub(crate) fn play(
    rounds: u32,
    post: Post,
    mut taken: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut capture = Capture::new(&CaptureConfig::new(SIZE), post, Waker::noop().clone());
    let mut session = session(&capture);
    open_window(&mut session, &mut capture)?;
    let frames: Vec<(Vec<u8>, Vec<u8>)> = (0..BUFFERS.len()).map(frame).collect();
    for (request, answer) in frames.iter().cycle().take(rounds as usize) {
        say(&mut session, Side::Client, request, &mut capture)?;
        taken()?;
        say(&mut session, Side::Compositor, answer, &mut capture)?;
    }
    Ok(())
}

fn say(
    session: &mut Session,
    from: Side,
    bytes: &[u8],
    capture: &mut Capture,
) -> anyhow::Result<()> {
    pass(session, from, bytes, &mut Vec::new(), capture)?;
    while capture.poll_ready().is_some() {
        session.inject(1, capture);
    }
    Ok(())
}

/// What the game says with buffer `index`, and what the compositor answers.
fn frame(index: usize) -> (Vec<u8>, Vec<u8>) {
    let whole = i32::MAX.cast_unsigned();
    let request = [
        message(SURFACE, wl_surface::REQ_ATTACH_OPCODE, &[BUFFERS[index], 0, 0]),
        message(SURFACE, wl_surface::REQ_DAMAGE_BUFFER_OPCODE, &[0, 0, whole, whole]),
        message(SURFACE, wl_surface::REQ_FRAME_OPCODE, &[CALLBACK]),
        message(SURFACE, wl_surface::REQ_COMMIT_OPCODE, &[]),
    ];
    let before = BUFFERS[(index + BUFFERS.len() - 1) % BUFFERS.len()];
    let answer = [
        message(before, wl_buffer::EVT_RELEASE_OPCODE, &[]),
        message(CALLBACK, wl_callback::EVT_DONE_OPCODE, &[1]),
        delete_id(CALLBACK),
    ];
    (request.concat(), answer.concat())
}

fn open_window(session: &mut Session, capture: &mut Capture) -> anyhow::Result<()> {
    let globals =
        [("wl_compositor", 4, COMPOSITOR), ("wl_shm", 1, SHM), ("xdg_wm_base", 2, WM_BASE)];
    bind_all(session, &globals, capture)?;
    let mut requests = vec![
        message(COMPOSITOR, wl_compositor::REQ_CREATE_SURFACE_OPCODE, &[SURFACE]),
        message(WM_BASE, xdg_wm_base::REQ_GET_XDG_SURFACE_OPCODE, &[XDG_SURFACE, SURFACE]),
        message(XDG_SURFACE, xdg_surface::REQ_GET_TOPLEVEL_OPCODE, &[TOPLEVEL]),
        message(SURFACE, wl_surface::REQ_COMMIT_OPCODE, &[]),
        message(SHM, wl_shm::REQ_CREATE_POOL_OPCODE, &[POOL, BUFFER_BYTES * 3]),
    ];
    for (index, id) in (0..).zip(BUFFERS) {
        let words = [id, index * BUFFER_BYTES, 1280, 720, 1280 * 4, 1];
        requests.push(message(POOL, wl_shm_pool::REQ_CREATE_BUFFER_OPCODE, &words));
    }
    let path = std::env::temp_dir().join(format!("stratus-counts-{}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    file.set_len(u64::from(BUFFER_BYTES) * 3)?;
    pass(session, Side::Client, &requests.concat(), &mut vec![file.into()], capture)
}
