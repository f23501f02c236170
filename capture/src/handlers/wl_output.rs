//! `wl_output`: tells the game of one mode, the stream's, on an upright screen of scale 1.

use stratus_protocols::wl_output::{
    EVT_DONE_OPCODE, EVT_GEOMETRY_OPCODE, EVT_MODE_OPCODE, EVT_SCALE_OPCODE,
};
use stratus_proxy_core::{Context, Malformed, Message, Verdict};

use super::{Answer, patch_int};
use crate::Capture;
use crate::control::Screen;
use crate::fullscreen::as_ints;

pub(super) const EVENTS: &[u16] =
    &[EVT_GEOMETRY_OPCODE, EVT_MODE_OPCODE, EVT_DONE_OPCODE, EVT_SCALE_OPCODE];

/// `wl_output.mode.current`.
const CURRENT: u32 = 1;
/// `wl_output.mode.current` and `preferred`.
pub(crate) const CURRENT_AND_PREFERRED: u32 = 3;
/// Stored with an output once its mode was told.
const MODE_TOLD: u64 = 1;

pub(super) fn event(
    capture: &mut Capture,
    cx: &mut Context<'_>,
    message: &mut Message<'_>,
) -> Answer {
    let screen = capture.output_seen(cx.client(), message.sender);
    match message.opcode {
        EVT_GEOMETRY_OPCODE => geometry(message)?,
        EVT_SCALE_OPCODE => {
            let is = message.args().int()?;
            patch_int(message, 0, is, 1)?;
        }
        EVT_MODE_OPCODE => return mode(screen, cx, message),
        EVT_DONE_OPCODE if message.data != MODE_TOLD => {
            // A compositor without modes, or with none in use: the game needs one all the same.
            let ((width, height), refresh) = (as_ints(screen.size), refresh(screen));
            cx.send_event(message.sender, EVT_MODE_OPCODE, |w| {
                w.uint(CURRENT_AND_PREFERRED).int(width).int(height).int(refresh);
            });
            cx.set_data(message.sender, MODE_TOLD);
        }
        _ => {}
    }
    Ok(Verdict::Forward)
}

fn refresh(screen: Screen) -> i32 {
    i32::try_from(screen.refresh_mhz).unwrap_or(i32::MAX)
}

fn mode(screen: Screen, cx: &mut Context<'_>, message: &mut Message<'_>) -> Answer {
    let mut args = message.args();
    let (flags, is_width, is_height, is_refresh) =
        (args.uint()?, args.int()?, args.int()?, args.int()?);
    if flags & CURRENT == 0 {
        return Ok(Verdict::Drop);
    }
    let (width, height) = as_ints(screen.size);
    if flags != CURRENT_AND_PREFERRED {
        message.patch(0, CURRENT_AND_PREFERRED)?;
    }
    patch_int(message, 1, is_width, width)?;
    patch_int(message, 2, is_height, height)?;
    patch_int(message, 3, is_refresh, refresh(screen))?;
    cx.set_data(message.sender, MODE_TOLD);
    Ok(Verdict::Forward)
}

/// Position 0,0, as `zxdg_output_v1.logical_position` says too, and transform normal.
fn geometry(message: &mut Message<'_>) -> Result<(), Malformed> {
    let mut args = message.args();
    let (x, y) = (args.int()?, args.int()?);
    let (_width_mm, _height_mm, _subpixel) = (args.int()?, args.int()?, args.int()?);
    let mut transform_at = 5;
    for _make_and_model in 0..2 {
        // A string takes a word for its length and its bytes with the NUL, padded to words.
        let bytes = args.string()?.map_or(0, |text| text.len() + 1);
        transform_at += 1 + bytes.div_ceil(4);
    }
    let transform = args.int()?;
    patch_int(message, 0, x, 0)?;
    patch_int(message, 1, y, 0)?;
    patch_int(message, transform_at, transform, 0)
}
