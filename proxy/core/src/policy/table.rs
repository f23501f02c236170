//! The rows of the policy: each global that has a table, with what games see of it and why.

use stratus_protocols::InterfaceId;
use stratus_protocols::InterfaceId as I;

use super::Visibility;

/// One global.
pub(super) struct Row {
    pub(super) interface: InterfaceId,
    pub(super) visibility: Visibility,
    pub(super) reason: &'static str,
}

/// Globals of one purpose.
pub(super) struct Group {
    pub(super) about: &'static str,
    pub(super) rows: &'static [Row],
}

const fn forward(interface: InterfaceId, reason: &'static str) -> Row {
    Row { interface, visibility: Visibility::Forwarded, reason }
}

const fn hide(interface: InterfaceId, reason: &'static str) -> Row {
    Row { interface, visibility: Visibility::Hidden, reason }
}

const FENCES: &str = "buffers come back by fences and not by wl_buffer.release; open it only with a hook that holds those";

pub(super) const TABLE: &[Group] = &[
    Group {
        about: "What a game draws with",
        rows: &[
            forward(I::WlCompositor, "surfaces"),
            forward(I::WlSubcompositor, "surfaces inside surfaces"),
            forward(I::WlShm, "buffers in shared memory"),
            forward(I::WlDrm, "buffers of Mesa's older EGL"),
            forward(I::ZwpLinuxDmabufV1, "buffers on a GPU"),
            forward(I::WpSinglePixelBufferManagerV1, "buffers of one colour"),
            forward(I::WpViewporter, "SDL and winewayland do not start without it"),
            forward(I::WpFractionalScaleManagerV1, "scales between whole numbers"),
            forward(I::WpAlphaModifierV1, "opacity of a surface"),
            forward(I::WpColorManagerV1, "colour spaces of surfaces"),
            forward(I::WpColorRepresentationManagerV1, "YUV buffers"),
            forward(
                I::FrogColorManagementFactoryV1,
                "colour spaces, where the compositor has no newer way",
            ),
            forward(I::WpContentTypeManagerV1, "a hint for the compositor"),
            forward(I::WpTearingControlManagerV1, "a hint for the compositor"),
            forward(I::WpFifoManagerV1, "presentation mode of Vulkan"),
            forward(I::FrogFifoManagerV1, "presentation mode of Vulkan, of older drivers"),
            forward(I::WpCommitTimingManagerV1, "presentation mode of Vulkan"),
            forward(I::WpPresentation, "times of presentation"),
            forward(I::WlEglstreamController, "buffers of NVIDIA's older EGL"),
            forward(I::ExtBackgroundEffectManagerV1, "decoration"),
            forward(I::OrgKdeKwinBlurManager, "decoration"),
            forward(I::OrgKdeKwinContrastManager, "decoration"),
            forward(I::OrgKdeKwinShadowManager, "decoration"),
            forward(I::OrgKdeKwinSlideManager, "decoration"),
            forward(I::WlFixes, "ends a registry"),
        ],
    },
    Group {
        about: "Windows",
        rows: &[
            forward(I::XdgWmBase, "windows"),
            forward(I::WlShell, "windows of old programs"),
            forward(I::QtSurfaceExtension, "windows of old Qt programs"),
            forward(I::ZxdgDecorationManagerV1, "who draws the frame"),
            forward(I::OrgKdeKwinServerDecorationManager, "who draws the frame"),
            forward(I::OrgKdeKwinServerDecorationPaletteManager, "colours of the frame"),
            forward(I::OrgKdeKwinAppmenuManager, "menus of a window"),
            forward(I::XdgActivationV1, "focus handed from launcher to game"),
            forward(I::ZxdgExporterV1, "dialogs of portals"),
            forward(I::ZxdgImporterV1, "dialogs of portals"),
            forward(I::ZxdgExporterV2, "dialogs of portals"),
            forward(I::ZxdgImporterV2, "dialogs of portals"),
            forward(I::XdgToplevelDragManagerV1, "tabs torn off"),
            forward(I::XdgWmDialogV1, "modal dialogs"),
            forward(I::XdgToplevelIconManagerV1, "icons"),
            forward(I::XdgToplevelTagManagerV1, "names that survive a restart"),
            forward(I::XdgSessionManagerV1, "places that survive a restart"),
            forward(I::XxSessionManagerV1, "places that survive a restart"),
            forward(I::GtkShell1, "what GTK tells GNOME of its windows"),
            forward(I::XdgSystemBellV1, "a sound"),
            forward(I::XwaylandShellV1, "windows of Xwayland"),
            forward(I::ZwpXwaylandKeyboardGrabManagerV1, "grabs of X11 games"),
        ],
    },
    Group {
        about: "Outputs, as facts",
        rows: &[
            forward(I::WlOutput, "size and refresh"),
            forward(I::ZxdgOutputManagerV1, "SDL takes its fullscreen size from it"),
            hide(
                I::OrgKdeKwinOutputdevice,
                "tells the real screen, which contradicts the stream's size",
            ),
            hide(
                I::KdeOutputDeviceV2,
                "tells the real screen, which contradicts the stream's size",
            ),
            hide(I::KdeOutputOrderV1, "tells the real screen, which contradicts the stream's size"),
            hide(
                I::KdePrimaryOutputV1,
                "tells the real screen, which contradicts the stream's size",
            ),
        ],
    },
    Group {
        about: "Input",
        rows: &[
            forward(I::WlSeat, "pointer, keyboard, touch"),
            forward(I::ZwpRelativePointerManagerV1, "mouse look"),
            forward(I::ZwpPointerConstraintsV1, "mouse look"),
            forward(I::WpPointerWarpV1, "menus that move the pointer"),
            forward(I::WpCursorShapeManagerV1, "cursors by name"),
            forward(I::ZwpPointerGesturesV1, "touchpads"),
            forward(I::ZwpInputTimestampsManagerV1, "finer times of input"),
            forward(I::ZwpTabletManagerV1, "pens"),
            forward(I::ZwpTabletManagerV2, "pens"),
            forward(I::ZwpTextInputManagerV1, "text from an input method"),
            forward(I::ZwpTextInputManagerV2, "text from an input method"),
            forward(I::ZwpTextInputManagerV3, "text from an input method"),
            forward(I::WlTextInputManager, "text from an input method"),
            forward(I::XxTextInputManagerV3, "text from an input method"),
            forward(I::ZwpKeyboardShortcutsInhibitManagerV1, "all keys to the game"),
            forward(I::ZwpIdleInhibitManagerV1, "no screen saver while playing"),
            forward(I::ExtIdleNotifierV1, "tells of idleness"),
            forward(I::OrgKdeKwinIdle, "tells of idleness"),
        ],
    },
    Group {
        about: "Clipboard",
        rows: &[
            forward(I::WlDataDeviceManager, "clipboard while focused"),
            forward(I::ZwpPrimarySelectionDeviceManagerV1, "clipboard while focused"),
            forward(I::GtkPrimarySelectionDeviceManager, "clipboard while focused"),
            hide(I::ExtDataControlManagerV1, "reads the clipboard without focus"),
            hide(I::ZwlrDataControlManagerV1, "reads the clipboard without focus"),
        ],
    },
    Group {
        about: "Buffers that come back another way",
        rows: &[
            hide(I::WpLinuxDrmSyncobjManagerV1, FENCES),
            hide(I::ZwpLinuxExplicitSynchronizationV1, FENCES),
        ],
    },
    Group {
        about: "Reads the screen",
        rows: &[
            hide(I::ZwlrScreencopyManagerV1, "reads the screen"),
            hide(I::ZwlrExportDmabufManagerV1, "reads the screen"),
            hide(I::ExtImageCopyCaptureManagerV1, "reads the screen"),
            hide(I::ExtOutputImageCaptureSourceManagerV1, "reads the screen"),
            hide(I::ExtForeignToplevelImageCaptureSourceManagerV1, "reads other windows"),
            hide(I::ZkdeScreencastUnstableV1, "reads the screen"),
            hide(I::OrgKdeKwinRemoteAccessManager, "reads the screen"),
        ],
    },
    Group {
        about: "Types keys or moves the pointer",
        rows: &[
            hide(I::ZwpVirtualKeyboardManagerV1, "types keys"),
            hide(I::ZwlrVirtualPointerManagerV1, "moves the pointer"),
            hide(I::OrgKdeKwinFakeInput, "types keys"),
            hide(I::ZwpInputMethodManagerV2, "reads and types text"),
            hide(I::ZwpInputMethodV1, "reads and types text"),
            hide(I::ZwpInputPanelV1, "part of an input method"),
            hide(I::XxInputMethodManagerV2, "reads and types text"),
            hide(I::XxKeyboardFilterManagerV1, "reads keys meant for others"),
            hide(I::OrgKdeKwinKeystate, "reads keys without focus"),
        ],
    },
    Group {
        about: "Rules the session",
        rows: &[
            hide(I::ZwlrLayerShellV1, "draws over everything"),
            hide(I::ZwlrForeignToplevelManagerV1, "closes other windows"),
            hide(I::ExtForeignToplevelListV1, "lists other windows"),
            hide(I::OrgKdePlasmaWindowManagement, "closes other windows"),
            hide(I::OrgKdePlasmaActivationFeedback, "follows other programs"),
            hide(I::OrgKdePlasmaShell, "draws over everything"),
            hide(I::OrgKdePlasmaVirtualDesktopManagement, "switches desktops"),
            hide(I::ExtWorkspaceManagerV1, "switches desktops"),
            hide(I::ZwlrOutputManagerV1, "sets modes"),
            hide(I::OrgKdeKwinOutputmanagement, "sets modes"),
            hide(I::KdeOutputManagementV2, "sets modes"),
            hide(I::ZwlrOutputPowerManagerV1, "switches screens off"),
            hide(I::OrgKdeKwinDpmsManager, "switches screens off"),
            hide(I::KdeExternalBrightnessV1, "dims screens"),
            hide(I::ZwlrGammaControlManagerV1, "sets gamma"),
            hide(I::ExtSessionLockManagerV1, "locks the session"),
            hide(I::KdeLockscreenOverlayV1, "draws over the lock screen"),
            hide(I::KdeScreenEdgeManagerV1, "takes screen edges"),
            hide(I::ZwlrInputInhibitManagerV1, "takes all input"),
            hide(I::WpDrmLeaseDeviceV1, "takes a screen from the compositor"),
            hide(I::ExtTransientSeatManagerV1, "makes seats"),
            hide(I::WpSecurityContextManagerV1, "makes connections past the proxy"),
            hide(I::ZwpFullscreenShellV1, "takes whole screens"),
            hide(I::WlFullscreenShell, "takes whole screens"),
        ],
    },
];
