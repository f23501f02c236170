//! `xdg_toplevel`: a window without a parent fills the screen, whatever it or the compositor says.

use stratus_protocols::InterfaceId;
use stratus_protocols::xdg_toplevel::{
    EVT_CONFIGURE_BOUNDS_OPCODE, EVT_CONFIGURE_OPCODE, REQ_DESTROY_OPCODE,
    REQ_SET_FULLSCREEN_OPCODE, REQ_SET_MAX_SIZE_OPCODE, REQ_SET_MAXIMIZED_OPCODE,
    REQ_SET_MIN_SIZE_OPCODE, REQ_SET_MINIMIZED_OPCODE, REQ_SET_PARENT_OPCODE,
    REQ_UNSET_FULLSCREEN_OPCODE, REQ_UNSET_MAXIMIZED_OPCODE,
};
use stratus_proxy_core::{Context, Message, ObjectId, Verdict};

use super::{Answer, patch_int};
use crate::Capture;
use crate::fullscreen::{as_ints, leave, states, states_agree};
use crate::graph::{ToplevelKey, from_data};

pub(super) const REQUESTS: &[u16] = &[
    REQ_DESTROY_OPCODE,
    REQ_SET_PARENT_OPCODE,
    REQ_SET_MAX_SIZE_OPCODE,
    REQ_SET_MIN_SIZE_OPCODE,
    REQ_SET_MAXIMIZED_OPCODE,
    REQ_UNSET_MAXIMIZED_OPCODE,
    REQ_SET_FULLSCREEN_OPCODE,
    REQ_UNSET_FULLSCREEN_OPCODE,
    REQ_SET_MINIMIZED_OPCODE,
];
pub(super) const EVENTS: &[u16] = &[EVT_CONFIGURE_OPCODE, EVT_CONFIGURE_BOUNDS_OPCODE];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: ToplevelKey = from_data(message.data);
    let mut args = message.args();
    match message.opcode {
        REQ_DESTROY_OPCODE => {
            let window = capture.graph.root_window(key);
            capture.graph.remove_toplevel(key);
            capture.elect(None);
            capture.tree_changed(window, cx.now_ns());
            return Ok(Verdict::Forward);
        }
        REQ_SET_PARENT_OPCODE => {
            let parent = args.object()?;
            set_parent(capture, cx, key, parent);
            return Ok(Verdict::Forward);
        }
        _ => {}
    }
    let Some(toplevel) = capture.graph.toplevels.get_mut(key).filter(|t| t.is_root()) else {
        return Ok(Verdict::Forward);
    };
    match message.opcode {
        // The protocol promises a configure in answer to these.
        REQ_SET_MAXIMIZED_OPCODE
        | REQ_UNSET_MAXIMIZED_OPCODE
        | REQ_SET_FULLSCREEN_OPCODE
        | REQ_UNSET_FULLSCREEN_OPCODE => capture.owe_configure(cx.client(), key),
        REQ_SET_MIN_SIZE_OPCODE => toplevel.min_size = Some((args.int()?, args.int()?)),
        REQ_SET_MAX_SIZE_OPCODE => toplevel.max_size = Some((args.int()?, args.int()?)),
        _ => {}
    }
    // None of these carries a new id, so the two sides' ids stay the same.
    Ok(Verdict::Drop)
}

fn set_parent(capture: &mut Capture, cx: &mut Context<'_>, key: ToplevelKey, parent: ObjectId) {
    let parent = cx
        .object(parent)
        .filter(|o| o.interface == InterfaceId::XdgToplevel)
        .map(|o| from_data::<ToplevelKey>(o.data))
        .filter(|&p| p != key && capture.graph.toplevels.contains_key(p));
    let Some(toplevel) = capture.graph.toplevels.get_mut(key) else { return };
    if toplevel.is_root() && parent.is_some() {
        leave(cx, toplevel);
    }
    let former = capture.graph.root_window(key);
    capture.graph.set_parent(key, parent);
    capture.elect(None);
    for window in [former, capture.graph.root_window(key)] {
        capture.tree_changed(window, cx.now_ns());
    }
}

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let key: ToplevelKey = from_data(message.data);
    let mut args = message.args();
    let (is_width, is_height) = (args.int()?, args.int()?);
    let (width, height) = as_ints(capture.told(cx.client()).screen.size);
    if message.opcode == EVT_CONFIGURE_OPCODE {
        let agree = states_agree(args.array()?);
        let Some(toplevel) = capture.graph.toplevels.get_mut(key) else {
            return Ok(Verdict::Forward);
        };
        let first = !std::mem::replace(&mut toplevel.configured, true);
        let is_root = toplevel.is_root();
        let surface = toplevel.surface;
        capture.configure_begins(surface, first);
        // mpv takes a first size for a hint and later ignores the same size, so "choose yourself"
        // stays what it is.
        if !is_root || (first && (is_width, is_height) == (0, 0)) {
            return Ok(Verdict::Forward);
        }
        if !agree {
            cx.send_event(message.sender, EVT_CONFIGURE_OPCODE, |w| {
                w.int(width).int(height).array(&states());
            });
            return Ok(Verdict::Drop);
        }
    }
    patch_int(message, 0, is_width, width)?;
    patch_int(message, 1, is_height, height)?;
    Ok(Verdict::Forward)
}
