//! One story about the size: every output, window and scale tells the game the stream's.

use stratus_frame::Size;
use stratus_protocols::xdg_toplevel;
use stratus_proxy_core::{ClientId, Context, ObjectId};

use crate::Capture;
use crate::graph::{Role, SurfaceKey, Toplevel, ToplevelKey};

/// `xdg_toplevel.state.fullscreen`.
const FULLSCREEN: u32 = 2;
/// `xdg_toplevel.state.activated`.
const ACTIVATED: u32 = 4;

/// The states of a root window, as the array of `xdg_toplevel.configure`.
pub(crate) fn states() -> [u8; 8] {
    let mut bytes = [0; 8];
    let (first, second) = bytes.split_at_mut(4);
    first.copy_from_slice(&FULLSCREEN.to_ne_bytes());
    second.copy_from_slice(&ACTIVATED.to_ne_bytes());
    bytes
}

/// Why a new main window must ask for fullscreen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raise {
    /// The one above it went: compositors take fullscreen from a window that another covers, and
    /// do not give it back.
    Returned,
    /// It was mapped over another that has fullscreen. Sway 1.10 gives it fullscreen and the focus
    /// and goes on to show the other, whose place in the scene it changes only when a layout without
    /// any fullscreen window was applied in between. So that one is asked for, once Sway is done
    /// with the window's mapping: what is asked for before that is applied with what follows it.
    Mapped,
}

/// How long Sway waits for windows to draw what a new layout told them, and somewhat more.
const APPLIED_NS: u64 = 250_000_000;

/// A new main window that the compositor must be asked to show as such.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raised {
    key: ToplevelKey,
    how: Raise,
    /// In CLOCK_MONOTONIC ns.
    due: u64,
}

impl Raised {
    pub(crate) fn new(key: ToplevelKey, how: Raise, now_ns: u64) -> Self {
        let wait = if how == Raise::Mapped { APPLIED_NS } else { 0 };
        Self { key, how, due: now_ns.saturating_add(wait) }
    }
}

/// Whether the compositor's states are just those of [`states`], in any order.
pub(crate) fn states_agree(array: &[u8]) -> bool {
    let words = || array.chunks(4).map(|w| w.try_into().ok().map(u32::from_ne_bytes));
    words().all(|w| matches!(w, Some(FULLSCREEN | ACTIVATED)))
        && words().any(|w| w == Some(FULLSCREEN))
        && words().any(|w| w == Some(ACTIVATED))
}

/// Width and height as Wayland's `int`s.
pub(crate) fn as_ints(size: Size) -> (i32, i32) {
    let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    (int(size.width), int(size.height))
}

impl Capture {
    /// Asks the compositor for fullscreen in front of a root window's first commit, when its
    /// parent is known: so the compositor tells the same story as the rewritten configure.
    pub(crate) fn ask_for_fullscreen(&mut self, cx: &mut Context<'_>, surface: SurfaceKey) {
        let Some(Role::Toplevel(key)) = self.graph.surfaces.get(surface).map(|s| s.role) else {
            return;
        };
        let Some(toplevel) = self.graph.toplevels.get_mut(key) else { return };
        if toplevel.fullscreen_asked || !toplevel.is_root() {
            return;
        }
        toplevel.fullscreen_asked = true;
        ask(cx, toplevel);
    }

    /// The client of a new main window that the compositor shall show.
    pub(crate) fn client_of_raised(&self) -> Option<ClientId> {
        let raised = self.raised.filter(|r| r.due <= self.now_ns)?;
        Some(self.graph.toplevels.get(raised.key)?.client)
    }

    /// When a new main window is to be shown as such, in CLOCK_MONOTONIC ns.
    pub(crate) fn next_raise(&self) -> Option<u64> {
        self.raised.map(|r| r.due).filter(|due| *due > self.now_ns)
    }

    /// Asks for fullscreen anew. Without it the compositor would show less than the player sees,
    /// and lead keys and pointer elsewhere.
    pub(crate) fn raise(&mut self, cx: &mut Context<'_>) {
        if self.client_of_raised() != Some(cx.client()) {
            return;
        }
        let Some(Raised { key, how, .. }) = self.raised.take() else { return };
        let toplevel = self.graph.toplevels.get(key);
        let Some(toplevel) = toplevel.filter(|t| t.is_root() && t.fullscreen_asked) else { return };
        if how == Raise::Mapped {
            cx.send_request(toplevel.id, xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE, |_| {});
        }
        ask(cx, toplevel);
    }
}

fn ask(cx: &mut Context<'_>, toplevel: &Toplevel) {
    tracing::debug!(client = cx.client().0, window = %toplevel.id, "asking for fullscreen");
    cx.send_request(toplevel.id, xdg_toplevel::REQ_SET_FULLSCREEN_OPCODE, |w| {
        // No output named: the compositor chooses.
        w.object(ObjectId::NULL);
    });
}

/// Undoes for a window that becomes a dialog what was done to it as a root window.
pub(crate) fn leave(cx: &mut Context<'_>, toplevel: &mut Toplevel) {
    if std::mem::take(&mut toplevel.fullscreen_asked) {
        cx.send_request(toplevel.id, xdg_toplevel::REQ_UNSET_FULLSCREEN_OPCODE, |_| {});
    }
    let limits = [
        (xdg_toplevel::REQ_SET_MIN_SIZE_OPCODE, toplevel.min_size.take()),
        (xdg_toplevel::REQ_SET_MAX_SIZE_OPCODE, toplevel.max_size.take()),
    ];
    for (opcode, limit) in limits {
        if let Some((width, height)) = limit {
            cx.send_request(toplevel.id, opcode, |w| {
                w.int(width).int(height);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(states: &[u32]) -> Vec<u8> {
        states.iter().flat_map(|s| s.to_ne_bytes()).collect()
    }

    #[test]
    fn only_fullscreen_and_activated_agree() {
        assert!(states_agree(&states()));
        assert!(states_agree(&array(&[4, 2])));
        for other in [&[][..], &[2], &[4], &[1, 2, 4], &[2, 4, 9], &[5, 4]] {
            assert!(!states_agree(&array(other)), "{other:?}");
        }
        assert!(!states_agree(&[2, 0, 0, 0, 4, 0]), "a torn word is no state");
    }
}
