//! Where serials stand: the argument's name, which would tell, is not in the tables.

use stratus_protocols::InterfaceId::{
    self, WlDataDevice, WlDataOffer, WlKeyboard, WlPointer, WlShellSurface, WlTouch,
    WpCursorShapeDeviceV1, XdgActivationTokenV1, XdgPopup, XdgToplevel,
    ZwpPrimarySelectionDeviceV1, ZwpTabletToolV2,
};
use stratus_protocols::{
    wl_data_device, wl_data_offer, wl_keyboard, wl_pointer, wl_shell_surface, wl_touch,
    wp_cursor_shape_device_v1, xdg_activation_token_v1, xdg_popup, xdg_surface, xdg_toplevel,
    xdg_wm_base, zwlr_layer_surface_v1, zwp_primary_selection_device_v1, zwp_tablet_tool_v2,
};

use super::heard::Heard;

/// Events that bring a serial of input, in their first argument.
const EVENTS: &[(InterfaceId, u16)] = &[
    (WlPointer, wl_pointer::EVT_ENTER_OPCODE),
    (WlPointer, wl_pointer::EVT_LEAVE_OPCODE),
    (WlPointer, wl_pointer::EVT_BUTTON_OPCODE),
    (WlKeyboard, wl_keyboard::EVT_ENTER_OPCODE),
    (WlKeyboard, wl_keyboard::EVT_LEAVE_OPCODE),
    (WlKeyboard, wl_keyboard::EVT_KEY_OPCODE),
    (WlKeyboard, wl_keyboard::EVT_MODIFIERS_OPCODE),
    (WlTouch, wl_touch::EVT_DOWN_OPCODE),
    (WlTouch, wl_touch::EVT_UP_OPCODE),
    (WlDataDevice, wl_data_device::EVT_ENTER_OPCODE),
    (ZwpTabletToolV2, zwp_tablet_tool_v2::EVT_PROXIMITY_IN_OPCODE),
    (ZwpTabletToolV2, zwp_tablet_tool_v2::EVT_DOWN_OPCODE),
    (ZwpTabletToolV2, zwp_tablet_tool_v2::EVT_BUTTON_OPCODE),
];

/// Requests that give one back, and in which word.
const REQUESTS: &[(InterfaceId, u16, usize)] = &[
    (WlPointer, wl_pointer::REQ_SET_CURSOR_OPCODE, 0),
    (WlDataDevice, wl_data_device::REQ_START_DRAG_OPCODE, 3),
    (WlDataDevice, wl_data_device::REQ_SET_SELECTION_OPCODE, 1),
    (WlDataOffer, wl_data_offer::REQ_ACCEPT_OPCODE, 0),
    (WlShellSurface, wl_shell_surface::REQ_MOVE_OPCODE, 1),
    (WlShellSurface, wl_shell_surface::REQ_RESIZE_OPCODE, 1),
    (WlShellSurface, wl_shell_surface::REQ_SET_POPUP_OPCODE, 1),
    (WpCursorShapeDeviceV1, wp_cursor_shape_device_v1::REQ_SET_SHAPE_OPCODE, 0),
    (XdgActivationTokenV1, xdg_activation_token_v1::REQ_SET_SERIAL_OPCODE, 0),
    (XdgPopup, xdg_popup::REQ_GRAB_OPCODE, 1),
    (XdgToplevel, xdg_toplevel::REQ_SHOW_WINDOW_MENU_OPCODE, 1),
    (XdgToplevel, xdg_toplevel::REQ_MOVE_OPCODE, 1),
    (XdgToplevel, xdg_toplevel::REQ_RESIZE_OPCODE, 1),
    (ZwpPrimarySelectionDeviceV1, zwp_primary_selection_device_v1::REQ_SET_SELECTION_OPCODE, 1),
    (ZwpTabletToolV2, zwp_tablet_tool_v2::REQ_SET_CURSOR_OPCODE, 0),
];

/// Whether the event brings a serial in its first argument.
pub(super) fn brings(interface: InterfaceId, opcode: u16) -> bool {
    EVENTS.contains(&(interface, opcode))
}

/// In which word the request gives a serial back.
pub(super) fn gives_back(interface: InterfaceId, opcode: u16) -> Option<usize> {
    REQUESTS.iter().find(|(i, o, _)| (*i, *o) == (interface, opcode)).map(|(_, _, word)| *word)
}

/// Whether it brings the serial of a surface's new state.
pub(super) fn is_configure(event: &Heard) -> bool {
    event.is(InterfaceId::XdgSurface, xdg_surface::EVT_CONFIGURE_OPCODE)
        || event.is(InterfaceId::ZwlrLayerSurfaceV1, zwlr_layer_surface_v1::EVT_CONFIGURE_OPCODE)
}

/// Whether it gives such a serial back.
pub(super) fn is_ack(request: &Heard) -> bool {
    request.is(InterfaceId::XdgSurface, xdg_surface::REQ_ACK_CONFIGURE_OPCODE)
        || request
            .is(InterfaceId::ZwlrLayerSurfaceV1, zwlr_layer_surface_v1::REQ_ACK_CONFIGURE_OPCODE)
}

/// Whether it answers a ping.
pub(super) fn is_pong(request: &Heard) -> bool {
    request.is(InterfaceId::XdgWmBase, xdg_wm_base::REQ_PONG_OPCODE)
        || request.is(InterfaceId::WlShellSurface, wl_shell_surface::REQ_PONG_OPCODE)
}
