//! `wp_cursor_shape_device_v1`: a cursor by name.

use stratus_protocols::wp_cursor_shape_device_v1::REQ_SET_SHAPE_OPCODE;
use stratus_proxy_core::{Context, Message, Verdict};

use super::Answer;
use crate::Capture;

pub(super) const REQUESTS: &[u16] = &[REQ_SET_SHAPE_OPCODE];

/// Stored with a pointer's device; a tablet tool's has nothing.
pub(super) const OF_A_POINTER: u64 = 1;

/// `wp_cursor_shape_device_v1.shape` from 1 on, with hyphens as in CSS. All up to 34 are CSS's own.
const SHAPES: [&str; 36] = [
    "default",
    "context-menu",
    "help",
    "pointer",
    "progress",
    "wait",
    "cell",
    "crosshair",
    "text",
    "vertical-text",
    "alias",
    "copy",
    "move",
    "no-drop",
    "not-allowed",
    "grab",
    "grabbing",
    "e-resize",
    "n-resize",
    "ne-resize",
    "nw-resize",
    "s-resize",
    "se-resize",
    "sw-resize",
    "w-resize",
    "ew-resize",
    "ns-resize",
    "nesw-resize",
    "nwse-resize",
    "col-resize",
    "row-resize",
    "all-scroll",
    "zoom-in",
    "zoom-out",
    "dnd-ask",
    "all-resize",
];

pub(super) fn request(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let mut args = message.args();
    let (_serial, shape) = (args.uint()?, args.uint()?);
    let name = (shape as usize).checked_sub(1).and_then(|at| SHAPES.get(at));
    // The compositor ends clients that ask for another.
    if let Some(name) = name.filter(|_| message.data == OF_A_POINTER) {
        capture.cursor.set_shape(cx.client(), name);
    }
    Ok(Verdict::Forward)
}
