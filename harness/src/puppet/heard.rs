//! What a puppet heard: it notes events, acknowledges configures and answers pings.

use std::collections::{HashMap, HashSet};

use wayland_client::backend::ObjectId;
use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{
    wl_buffer::{self, WlBuffer},
    wl_callback::{self, WlCallback},
    wl_compositor::WlCompositor,
    wl_output::WlOutput,
    wl_pointer::{self, WlPointer},
    wl_registry::{self, WlRegistry},
    wl_seat::{self, WlSeat},
    wl_shm::WlShm,
    wl_shm_pool::WlShmPool,
    wl_subcompositor::WlSubcompositor,
    wl_subsurface::WlSubsurface,
    wl_surface::WlSurface,
};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::wp::cursor_shape::v1::client::{
    wp_cursor_shape_device_v1::WpCursorShapeDeviceV1,
    wp_cursor_shape_manager_v1::WpCursorShapeManagerV1,
};
use wayland_protocols::wp::pointer_constraints::zv1::client::{
    zwp_confined_pointer_v1::{self, ZwpConfinedPointerV1},
    zwp_locked_pointer_v1::{self, ZwpLockedPointerV1},
    zwp_pointer_constraints_v1::ZwpPointerConstraintsV1,
};
use wayland_protocols::wp::relative_pointer::zv1::client::{
    zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1,
    zwp_relative_pointer_v1::{self, ZwpRelativePointerV1},
};
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::client::{
    wp_viewport::WpViewport, wp_viewporter::WpViewporter,
};
use wayland_protocols::xdg::shell::client::{
    xdg_popup::{self, XdgPopup},
    xdg_positioner::XdgPositioner,
    xdg_surface::{self, XdgSurface},
    xdg_toplevel::{self, XdgToplevel},
    xdg_wm_base::{self, XdgWmBase},
};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

/// What a pointer said last of where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointed {
    /// The surface, while the pointer is over one of ours.
    pub over: Option<WlSurface>,
    /// The serial of the last `wl_pointer.enter`.
    pub serial: u32,
    /// The last position in surface coordinates.
    pub at: (f64, f64),
}

/// Everything that events told.
#[derive(Debug, Default)]
pub struct Heard {
    configures: HashMap<ObjectId, u64>,
    sizes: HashMap<ObjectId, (i32, i32)>,
    done: HashSet<ObjectId>,
    released: HashMap<ObjectId, u64>,
    dismissed: HashSet<ObjectId>,
    closed: HashSet<ObjectId>,
    active: HashMap<ObjectId, bool>,
    /// `wl_seat.capabilities` of the seat bound last.
    pub capabilities: u32,
    /// What the pointer said, once it has entered a surface.
    pub pointed: Option<Pointed>,
    /// Buttons that were pressed, each with the place that the pointer had.
    pub pressed: Vec<(u32, (f64, f64))>,
    /// How far a `zwp_relative_pointer_v1` said in all that the pointer moved.
    pub moved: (f64, f64),
}

impl Heard {
    pub(super) fn forget_configures(&mut self, of: &XdgSurface) {
        self.configures.remove(&of.id());
    }

    /// How often an `xdg_surface` was configured, since it was unmapped last.
    #[must_use]
    pub fn configures(&self, of: &XdgSurface) -> u64 {
        self.configures.get(&of.id()).copied().unwrap_or(0)
    }

    /// The size that the last configure stated for a window or popup; 0 leaves it to the client.
    #[must_use]
    pub fn size(&self, of: &XdgSurface) -> Option<(i32, i32)> {
        self.sizes.get(&of.id()).copied()
    }

    /// Whether a callback was answered.
    #[must_use]
    pub fn is_done(&self, callback: &WlCallback) -> bool {
        self.done.contains(&callback.id())
    }

    /// How often a buffer was released.
    #[must_use]
    pub fn releases(&self, of: &WlBuffer) -> u64 {
        self.released.get(&of.id()).copied().unwrap_or(0)
    }

    /// Whether the compositor dismissed a popup.
    #[must_use]
    pub fn is_dismissed(&self, popup: &XdgPopup) -> bool {
        self.dismissed.contains(&popup.id())
    }

    /// Whether a window was asked to close.
    #[must_use]
    pub fn is_closed(&self, toplevel: &XdgToplevel) -> bool {
        self.closed.contains(&toplevel.id())
    }

    /// Whether a pointer constraint, a `zwp_locked_pointer_v1` or a `zwp_confined_pointer_v1`, is
    /// active.
    #[must_use]
    pub fn is_active(&self, constraint: &ObjectId) -> bool {
        self.active.get(constraint).copied().unwrap_or(false)
    }
}

macro_rules! hear {
    ($interface:ty, $data:ty, |$heard:ident, $object:ident, $event:ident, $given:ident| $body:block) => {
        impl Dispatch<$interface, $data> for Heard {
            fn event(
                $heard: &mut Self,
                $object: &$interface,
                $event: <$interface as wayland_client::Proxy>::Event,
                $given: &$data,
                _: &Connection,
                _: &QueueHandle<Self>,
            ) $body
        }
    };
}

hear!(WlRegistry, GlobalListContents, |_heard, _registry, event, _given| {
    // The list of globals keeps itself up to date.
    let _: wl_registry::Event = event;
});

hear!(WlCallback, (), |heard, callback, event, _given| {
    if let wl_callback::Event::Done { .. } = event {
        heard.done.insert(callback.id());
    }
});

hear!(WlBuffer, (), |heard, buffer, event, _given| {
    if let wl_buffer::Event::Release = event {
        *heard.released.entry(buffer.id()).or_default() += 1;
    }
});

hear!(WlSeat, (), |heard, _seat, event, _given| {
    if let wl_seat::Event::Capabilities { capabilities } = event {
        heard.capabilities = capabilities.into();
    }
});

hear!(WlPointer, (), |heard, _pointer, event, _given| {
    match event {
        wl_pointer::Event::Enter { serial, surface, surface_x, surface_y } => {
            let at = (surface_x, surface_y);
            heard.pointed = Some(Pointed { over: Some(surface), serial, at });
        }
        wl_pointer::Event::Leave { .. } => {
            if let Some(pointed) = &mut heard.pointed {
                pointed.over = None;
            }
        }
        wl_pointer::Event::Motion { surface_x, surface_y, .. } => {
            if let Some(pointed) = &mut heard.pointed {
                pointed.at = (surface_x, surface_y);
            }
        }
        wl_pointer::Event::Button { button, state, .. } => {
            if let Some(pointed) = &heard.pointed
                && state == WEnum::Value(wl_pointer::ButtonState::Pressed)
            {
                heard.pressed.push((button, pointed.at));
            }
        }
        _ => {}
    }
});

hear!(ZwpRelativePointerV1, (), |heard, _relative, event, _given| {
    if let zwp_relative_pointer_v1::Event::RelativeMotion { dx_unaccel, dy_unaccel, .. } = event {
        heard.moved.0 += dx_unaccel;
        heard.moved.1 += dy_unaccel;
    }
});

hear!(XdgWmBase, (), |_heard, base, event, _given| {
    if let xdg_wm_base::Event::Ping { serial } = event {
        base.pong(serial);
    }
});

hear!(XdgSurface, (), |heard, xdg, event, _given| {
    if let xdg_surface::Event::Configure { serial } = event {
        xdg.ack_configure(serial);
        *heard.configures.entry(xdg.id()).or_default() += 1;
    }
});

hear!(XdgToplevel, ObjectId, |heard, toplevel, event, xdg| {
    match event {
        xdg_toplevel::Event::Configure { width, height, .. } => {
            heard.sizes.insert(xdg.clone(), (width, height));
        }
        xdg_toplevel::Event::Close => {
            heard.closed.insert(toplevel.id());
        }
        _ => {}
    }
});

hear!(XdgPopup, ObjectId, |heard, popup, event, xdg| {
    match event {
        xdg_popup::Event::Configure { width, height, .. } => {
            heard.sizes.insert(xdg.clone(), (width, height));
        }
        xdg_popup::Event::PopupDone => {
            heard.dismissed.insert(popup.id());
        }
        _ => {}
    }
});

hear!(ZwpLockedPointerV1, (), |heard, lock, event, _given| {
    let active = matches!(event, zwp_locked_pointer_v1::Event::Locked);
    heard.active.insert(lock.id(), active);
});

hear!(ZwpConfinedPointerV1, (), |heard, confinement, event, _given| {
    let active = matches!(event, zwp_confined_pointer_v1::Event::Confined);
    heard.active.insert(confinement.id(), active);
});

delegate_noop!(Heard: ignore WlCompositor);
delegate_noop!(Heard: ignore WlOutput);
delegate_noop!(Heard: ignore WlShm);
delegate_noop!(Heard: ignore WlShmPool);
delegate_noop!(Heard: ignore WlSubcompositor);
delegate_noop!(Heard: ignore WlSubsurface);
delegate_noop!(Heard: ignore WlSurface);
delegate_noop!(Heard: ignore WpCursorShapeDeviceV1);
delegate_noop!(Heard: ignore WpCursorShapeManagerV1);
delegate_noop!(Heard: ignore WpSinglePixelBufferManagerV1);
delegate_noop!(Heard: ignore WpViewport);
delegate_noop!(Heard: ignore WpViewporter);
delegate_noop!(Heard: ignore XdgPositioner);
delegate_noop!(Heard: ignore ZwlrVirtualPointerManagerV1);
delegate_noop!(Heard: ignore ZwlrVirtualPointerV1);
delegate_noop!(Heard: ignore ZwpPointerConstraintsV1);
delegate_noop!(Heard: ignore ZwpRelativePointerManagerV1);
delegate_noop!(Heard: ignore ZwpVirtualKeyboardManagerV1);
delegate_noop!(Heard: ignore ZwpVirtualKeyboardV1);
