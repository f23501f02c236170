//! One file for each interface, named after it.
//!
//! A handler lists the requests and events that it wants and gets those only. Its object data is
//! the key of what the object stands for (see `graph::to_data`).

mod wl_buffer;
mod wl_callback;
mod wl_compositor;
mod wl_data_device;
mod wl_display;
mod wl_drm;
mod wl_output;
mod wl_pointer;
mod wl_registry;
mod wl_shm;
mod wl_shm_pool;
mod wl_subcompositor;
mod wl_subsurface;
mod wl_surface;
mod wp_alpha_modifier_surface_v1;
mod wp_alpha_modifier_v1;
mod wp_cursor_shape_device_v1;
mod wp_cursor_shape_manager_v1;
mod wp_fractional_scale_v1;
mod wp_single_pixel_buffer_manager_v1;
mod wp_viewport;
mod wp_viewporter;
mod xdg_popup;
mod xdg_surface;
mod xdg_toplevel;
mod xdg_wm_base;
mod zwp_confined_pointer_v1;
mod zwp_linux_buffer_params_v1;
mod zwp_linux_dmabuf_feedback_v1;
mod zwp_linux_dmabuf_v1;
mod zwp_locked_pointer_v1;
mod zwp_pointer_constraints_v1;
mod zwp_tablet_tool_v2;
mod zxdg_output_v1;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{Context, Direction, Interest, Malformed, Message, ObjectId, Verdict};

use crate::Capture;
use crate::graph::{SurfaceKey, from_data, to_data};

pub(crate) use wl_output::CURRENT_AND_PREFERRED;

type Answer = Result<Verdict, Malformed>;

macro_rules! handlers {
    (requests { $($request:ident $request_mod:ident,)* } events { $($event:ident $event_mod:ident,)* }) => {
        /// All messages that any handler wants.
        pub(crate) fn interests() -> Vec<Interest> {
            let mut all = Vec::new();
            $(all.extend($request_mod::REQUESTS.iter().map(|&opcode| Interest {
                interface: InterfaceId::$request,
                direction: Direction::Request,
                opcode,
            }));)*
            $(all.extend($event_mod::EVENTS.iter().map(|&opcode| Interest {
                interface: InterfaceId::$event,
                direction: Direction::Event,
                opcode,
            }));)*
            all
        }

        /// Leads a request to its handler.
        pub(crate) fn request(
            capture: &mut Capture,
            cx: &mut Context<'_>,
            message: &mut Message<'_>,
        ) -> Answer {
            match message.interface {
                $(InterfaceId::$request => $request_mod::request(capture, cx, message),)*
                _ => Ok(Verdict::Forward),
            }
        }

        /// Leads an event to its handler.
        pub(crate) fn event(
            capture: &mut Capture,
            cx: &mut Context<'_>,
            message: &mut Message<'_>,
        ) -> Answer {
            match message.interface {
                $(InterfaceId::$event => $event_mod::event(capture, cx, message),)*
                _ => Ok(Verdict::Forward),
            }
        }
    };
}

handlers! {
    requests {
        WlSurface wl_surface,
        WlBuffer wl_buffer,
        WlCompositor wl_compositor,
        WlDataDevice wl_data_device,
        WlDrm wl_drm,
        WlPointer wl_pointer,
        WlRegistry wl_registry,
        WlShm wl_shm,
        WlShmPool wl_shm_pool,
        WlSubcompositor wl_subcompositor,
        WlSubsurface wl_subsurface,
        WpAlphaModifierSurfaceV1 wp_alpha_modifier_surface_v1,
        WpAlphaModifierV1 wp_alpha_modifier_v1,
        WpSinglePixelBufferManagerV1 wp_single_pixel_buffer_manager_v1,
        WpCursorShapeDeviceV1 wp_cursor_shape_device_v1,
        WpCursorShapeManagerV1 wp_cursor_shape_manager_v1,
        WpViewport wp_viewport,
        WpViewporter wp_viewporter,
        XdgPopup xdg_popup,
        XdgSurface xdg_surface,
        XdgToplevel xdg_toplevel,
        XdgWmBase xdg_wm_base,
        ZwpLinuxBufferParamsV1 zwp_linux_buffer_params_v1,
        ZwpLinuxDmabufFeedbackV1 zwp_linux_dmabuf_feedback_v1,
        ZwpConfinedPointerV1 zwp_confined_pointer_v1,
        ZwpLockedPointerV1 zwp_locked_pointer_v1,
        ZwpPointerConstraintsV1 zwp_pointer_constraints_v1,
        ZwpTabletToolV2 zwp_tablet_tool_v2,
    }
    events {
        WlBuffer wl_buffer,
        WlDrm wl_drm,
        WlCallback wl_callback,
        WlDisplay wl_display,
        WlOutput wl_output,
        WlPointer wl_pointer,
        WlShm wl_shm,
        WlSurface wl_surface,
        WpFractionalScaleV1 wp_fractional_scale_v1,
        XdgPopup xdg_popup,
        XdgSurface xdg_surface,
        XdgToplevel xdg_toplevel,
        ZwpLinuxBufferParamsV1 zwp_linux_buffer_params_v1,
        ZwpLinuxDmabufFeedbackV1 zwp_linux_dmabuf_feedback_v1,
        ZwpLinuxDmabufV1 zwp_linux_dmabuf_v1,
        ZwpConfinedPointerV1 zwp_confined_pointer_v1,
        ZwpLockedPointerV1 zwp_locked_pointer_v1,
        ZxdgOutputV1 zxdg_output_v1,
    }
}

/// Overwrites argument word `word` if it says something else, so that what agrees stays as the
/// compositor wrote it.
fn patch_int(message: &mut Message<'_>, word: usize, is: i32, shall: i32) -> Result<(), Malformed> {
    if is == shall { Ok(()) } else { message.patch(word, shall.cast_unsigned()) }
}

/// The surface that object `id` stands for; a key that names nothing if it is none.
fn surface_of(cx: &Context<'_>, id: ObjectId) -> SurfaceKey {
    let surface = cx.object(id).filter(|o| o.interface == InterfaceId::WlSurface);
    from_data(surface.map_or(0, |o| o.data))
}

/// A request with a new id and a surface: the new object stands for the surface from now on.
fn tie_to_surface(cx: &mut Context<'_>, message: &Message<'_>) -> Answer {
    let mut args = message.args();
    let (id, surface) = (args.object()?, args.object()?);
    let key = surface_of(cx, surface);
    cx.set_data(id, to_data(key));
    Ok(Verdict::Forward)
}
