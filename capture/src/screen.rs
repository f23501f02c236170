//! Another size while the game plays.
//!
//! A client that is told of another screen hears of it in all ways at once: the mode of its
//! outputs, leave and enter (SDL and others read the mode anew then), a configure of each window,
//! and an end of the frame callbacks that it waits for, because some clients draw only after one.
//! While a window has not answered with a commit, only the newest screen is kept for its client;
//! but no longer than [`PATIENCE`].

use std::collections::{BTreeMap, BTreeSet};

use stratus_protocols::{
    InterfaceId, wl_output, wl_surface, xdg_surface, xdg_toplevel, zxdg_output_v1,
};
use stratus_proxy_core::{ClientId, Context, ObjectId};

use crate::Capture;
use crate::configure::{Acknowledged, Configures};
use crate::control::Screen;
use crate::fullscreen::{as_ints, states};
use crate::graph::{Role, SurfaceKey, ToplevelKey, from_data};

/// How long a client has to draw what it was told before it is told something newer: a slow game
/// draws its first picture of a size in less, and one that never answers must not stay behind.
pub(crate) const PATIENCE_NS: u64 = 250_000_000;

/// `wl_output.done` and `xdg_output`'s agreement with it came with this version.
const OUTPUT_DONE_SINCE: u32 = 2;
/// From here on `zxdg_output_v1.done` is deprecated: `wl_output.done` stands for it.
const XDG_OUTPUT_WITHOUT_DONE: u32 = 3;
/// `xdg_toplevel.configure_bounds` came with this version.
const BOUNDS_SINCE: u32 = 4;

/// What one client knows of the screen, and by which objects.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) screen: Screen,
    outputs: BTreeSet<ObjectId>,
    xdg_outputs: BTreeSet<ObjectId>,
    /// Which surface (also by its object) is on which output.
    entered: BTreeMap<(ObjectId, ObjectId), SurfaceKey>,
}

/// A window that was told of another screen and has not answered.
#[derive(Debug)]
struct Awaited {
    client: ClientId,
    surface: SurfaceKey,
    acknowledged: bool,
    until: u64,
}

/// Who is to be told what.
#[derive(Debug, Default)]
pub(crate) struct Resizes {
    /// Clients that were told another screen than the newest.
    behind: Vec<ClientId>,
    awaited: Vec<Awaited>,
    /// Windows that are to get a configure of ours.
    owing: Vec<(ClientId, SurfaceKey)>,
}

fn lives(cx: &Context<'_>, id: ObjectId, interface: InterfaceId) -> Option<u32> {
    let object = cx.object(id).filter(|o| o.interface == interface && !o.destroyed);
    object.map(|o| o.version)
}

impl Capture {
    /// What a client is told of its screen.
    pub(crate) fn told(&mut self, client: ClientId) -> &mut Told {
        let screen = self.screen();
        self.told.entry(client).or_insert_with(|| Told {
            screen,
            outputs: BTreeSet::new(),
            xdg_outputs: BTreeSet::new(),
            entered: BTreeMap::new(),
        })
    }

    /// The newest screen that was asked for.
    fn screen(&self) -> Screen {
        let refresh_mhz = u32::try_from(self.refresh).unwrap_or(0);
        Screen { size: self.screen, refresh_mhz }
    }

    /// All clients are to have another screen.
    pub(crate) fn set_screen(&mut self, screen: Screen) {
        self.screen = screen.size;
        self.refresh = i32::try_from(screen.refresh_mhz).unwrap_or(i32::MAX);
        self.stats.resizes.add(1);
        let behind = self.told.iter().filter(|(_, told)| told.screen != screen);
        self.resizes.behind = behind.map(|(client, _)| *client).collect();
    }

    /// An event of a client's output passes: it is to hear of another mode.
    pub(crate) fn output_seen(&mut self, client: ClientId, id: ObjectId) -> Screen {
        let told = self.told(client);
        told.outputs.insert(id);
        told.screen
    }

    /// An event of a client's xdg output passes.
    pub(crate) fn xdg_output_seen(&mut self, client: ClientId, id: ObjectId) -> Screen {
        let told = self.told(client);
        told.xdg_outputs.insert(id);
        told.screen
    }

    /// A surface enters an output, or leaves it.
    pub(crate) fn surface_crosses(
        &mut self,
        client: ClientId,
        (surface, key): (ObjectId, SurfaceKey),
        output: ObjectId,
        enters: bool,
    ) {
        let entered = &mut self.told(client).entered;
        if enters {
            entered.insert((surface, output), key);
        } else {
            entered.remove(&(surface, output));
        }
    }

    /// A window is made of a surface.
    pub(crate) fn window_made(&mut self, key: SurfaceKey, toplevel: ToplevelKey, xdg: ObjectId) {
        match self.configures.get_mut(key) {
            Some(known) => known.renew(toplevel, xdg),
            None => {
                self.configures.insert(key, Configures::new(toplevel, xdg));
            }
        }
    }

    /// The compositor's `xdg_toplevel.configure` passes; what it says counts with the
    /// `xdg_surface.configure` that follows.
    pub(crate) fn configure_begins(&mut self, surface: SurfaceKey, first: bool) {
        let Some(configures) = self.configures.get_mut(surface) else { return };
        configures.midst = true;
        if first {
            configures.restart();
        }
    }

    /// The compositor's `xdg_surface.configure` passes. Answers the serial that is told.
    pub(crate) fn configure_ends(&mut self, surface: SurfaceKey, serial: u32) -> u32 {
        let Some(configures) = self.configures.get_mut(surface) else { return serial };
        configures.midst = false;
        configures.add_theirs(serial)
    }

    /// A client acknowledges a configure of a window or popup.
    pub(crate) fn acknowledge(&mut self, surface: SurfaceKey, serial: u32) -> Acknowledged {
        let Some(configures) = self.configures.get_mut(surface) else {
            return Acknowledged::Forward(serial);
        };
        let toplevel = self.graph.toplevels.get(configures.toplevel);
        let heard = configures.acknowledge(serial, toplevel.is_some_and(|t| t.configured));
        if configures.ours_are_acknowledged() {
            for awaited in self.resizes.awaited.iter_mut().filter(|a| a.surface == surface) {
                awaited.acknowledged = true;
            }
        }
        heard
    }

    /// A surface was committed: a window that had acknowledged its size has answered.
    pub(crate) fn window_answers(&mut self, surface: SurfaceKey) {
        if !self.resizes.awaited.is_empty() {
            self.resizes.awaited.retain(|a| a.surface != surface || !a.acknowledged);
        }
    }

    /// A window's request was kept from the compositor, which would have answered it with a
    /// configure (`xdg_toplevel.set_fullscreen` and its like).
    pub(crate) fn owe_configure(&mut self, client: ClientId, toplevel: ToplevelKey) {
        let Some(window) = self.graph.toplevels.get(toplevel).filter(|t| t.configured) else {
            // The first configure is still to come, and is the answer.
            return;
        };
        let surface = window.surface;
        let Some(configures) = self.configures.get_mut(surface) else { return };
        // Where the compositor is about to configure, that is the answer as well.
        if !configures.midst && !configures.owed {
            configures.owed = true;
            self.resizes.owing.push((client, surface));
        }
    }

    /// A client that is to hear of its screen, or has a configure of ours to get.
    pub(crate) fn client_to_tell(&mut self) -> Option<ClientId> {
        let Resizes { behind, awaited, owing } = &mut self.resizes;
        if behind.is_empty() && owing.is_empty() {
            return None;
        }
        if !behind.is_empty() {
            let toplevels = &self.graph.toplevels;
            let configures = &self.configures;
            awaited.retain(|a| {
                let window = configures.get(a.surface).and_then(|c| toplevels.get(c.toplevel));
                window.is_some_and(|w| w.configured)
            });
        }
        let due = behind.iter().find(|c| awaited.iter().all(|a| a.client != **c)).copied();
        due.or_else(|| {
            let ready = |key| self.configures.get(key).is_none_or(|c| !c.midst);
            owing.iter().find(|(_, key)| ready(*key)).map(|(client, _)| *client)
        })
    }

    /// When a client that did not answer is told something newer, in CLOCK_MONOTONIC ns.
    pub(crate) fn next_resize_deadline(&self) -> Option<u64> {
        let Resizes { behind, awaited, .. } = &self.resizes;
        awaited.iter().filter(|a| behind.contains(&a.client)).map(|a| a.until).min()
    }

    /// Waits no longer for windows that had their time.
    pub(crate) fn end_late_answers(&mut self, now_ns: u64) {
        self.resizes.awaited.retain(|a| a.until > now_ns);
    }

    /// Tells the client of `cx` what it is to hear.
    pub(crate) fn tell_client(&mut self, cx: &mut Context<'_>) {
        let client = cx.client();
        let waits = self.resizes.awaited.iter().any(|a| a.client == client);
        if !waits && self.resizes.behind.contains(&client) {
            self.resizes.behind.retain(|c| *c != client);
            self.tell_screen(cx);
        }
        self.send_owed(cx);
    }

    fn tell_screen(&mut self, cx: &mut Context<'_>) {
        let client = cx.client();
        let screen = self.screen();
        let told = self.told(client);
        let old = std::mem::replace(&mut told.screen, screen);
        if old == screen {
            return;
        }
        tracing::debug!(client = client.0, size = %screen.size, mhz = screen.refresh_mhz, "resize");
        told.outputs.retain(|id| lives(cx, *id, InterfaceId::WlOutput).is_some());
        told.xdg_outputs.retain(|id| lives(cx, *id, InterfaceId::ZxdgOutputV1).is_some());
        tell_outputs(cx, told, screen);
        if old.size == screen.size {
            return;
        }
        cross_outputs(cx, told);
        self.configure_windows(cx);
        self.discharge(cx, true);
    }

    /// Each window without a parent is to get a configure, and is waited for.
    fn configure_windows(&mut self, cx: &Context<'_>) {
        let client = cx.client();
        let until = cx.now_ns().saturating_add(PATIENCE_NS);
        let toplevels = self.graph.toplevels.values();
        for window in toplevels.filter(|t| t.client == client && t.is_root() && t.configured) {
            let surface = window.surface;
            let Some(configures) = self.configures.get_mut(surface) else { continue };
            let awaited = Awaited { client, surface, acknowledged: false, until };
            self.resizes.awaited.push(awaited);
            if !std::mem::replace(&mut configures.owed, true) {
                self.resizes.owing.push((client, surface));
            }
        }
    }

    /// Sends the client of `cx` the configures that it is owed, where the compositor is not in the
    /// midst of one.
    fn send_owed(&mut self, cx: &mut Context<'_>) {
        let size = self.told(cx.client()).screen.size;
        let (graph, configures) = (&self.graph, &mut self.configures);
        self.resizes.owing.retain(|&(client, surface)| {
            let Some(configures) = configures.get_mut(surface) else { return false };
            if client != cx.client() || configures.midst {
                return true;
            }
            configures.owed = false;
            let Some(window) = graph.toplevels.get(configures.toplevel) else { return false };
            let is_window = graph
                .surfaces
                .get(surface)
                .is_some_and(|s| s.role == Role::Toplevel(configures.toplevel));
            let version = lives(cx, window.id, InterfaceId::XdgToplevel);
            let xdg = lives(cx, configures.xdg_surface, InterfaceId::XdgSurface);
            let (Some(version), Some(_)) = (version, xdg) else { return false };
            if is_window
                && window.is_root()
                && window.configured
                && let Some(serial) = configures.add_ours()
            {
                let ids = (window.id, configures.xdg_surface);
                send_configure(cx, ids, version, as_ints(size), serial);
            }
            false
        });
    }

    /// Forgets a client.
    pub(crate) fn forget_told(&mut self, client: ClientId) {
        self.told.remove(&client);
        self.resizes.behind.retain(|c| *c != client);
        self.resizes.awaited.retain(|a| a.client != client);
        self.resizes.owing.retain(|(c, _)| *c != client);
    }
}

/// Mode and logical size, each group closed by the `done` that its version asks for.
fn tell_outputs(cx: &mut Context<'_>, told: &Told, screen: Screen) {
    let (width, height) = as_ints(screen.size);
    let refresh = i32::try_from(screen.refresh_mhz).unwrap_or(i32::MAX);
    for &id in &told.outputs {
        cx.send_event(id, wl_output::EVT_MODE_OPCODE, |w| {
            w.uint(crate::handlers::CURRENT_AND_PREFERRED).int(width).int(height).int(refresh);
        });
    }
    for &id in &told.xdg_outputs {
        let version = lives(cx, id, InterfaceId::ZxdgOutputV1).unwrap_or(1);
        cx.send_event(id, zxdg_output_v1::EVT_LOGICAL_SIZE_OPCODE, |w| {
            w.int(width).int(height);
        });
        if version < XDG_OUTPUT_WITHOUT_DONE {
            cx.send_event(id, zxdg_output_v1::EVT_DONE_OPCODE, |_| {});
        }
    }
    for &id in &told.outputs {
        if lives(cx, id, InterfaceId::WlOutput).is_some_and(|v| v >= OUTPUT_DONE_SINCE) {
            cx.send_event(id, wl_output::EVT_DONE_OPCODE, |_| {});
        }
    }
}

/// Lets each surface leave its outputs and enter them again.
fn cross_outputs(cx: &mut Context<'_>, told: &mut Told) {
    told.entered.retain(|(surface, output), key| {
        let same = cx.object(*surface).is_some_and(|o| from_data::<SurfaceKey>(o.data) == *key);
        same && lives(cx, *surface, InterfaceId::WlSurface).is_some()
            && lives(cx, *output, InterfaceId::WlOutput).is_some()
    });
    for opcode in [wl_surface::EVT_LEAVE_OPCODE, wl_surface::EVT_ENTER_OPCODE] {
        for &(surface, output) in told.entered.keys() {
            cx.send_event(surface, opcode, |w| {
                w.object(output);
            });
        }
    }
}

fn send_configure(
    cx: &mut Context<'_>,
    (toplevel, xdg_surface): (ObjectId, ObjectId),
    version: u32,
    (width, height): (i32, i32),
    serial: u32,
) {
    if version >= BOUNDS_SINCE {
        cx.send_event(toplevel, xdg_toplevel::EVT_CONFIGURE_BOUNDS_OPCODE, |w| {
            w.int(width).int(height);
        });
    }
    cx.send_event(toplevel, xdg_toplevel::EVT_CONFIGURE_OPCODE, |w| {
        w.int(width).int(height).array(&states());
    });
    cx.send_event(xdg_surface, xdg_surface::EVT_CONFIGURE_OPCODE, |w| {
        w.uint(serial);
    });
}
