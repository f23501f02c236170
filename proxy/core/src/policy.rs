//! Which globals a game gets to see: one table, one reason a row.
//!
//! Forwarded is what games need to draw, to read input and to know their screen. Hidden is what
//! reads the screen, types keys or rules the session, unless [`GlobalPolicy::allow`] opens it.
//! What stands in no row (interfaces without tables) is always hidden: without signatures nobody
//! can tell which message an fd belongs to.

use std::collections::BTreeMap;

use stratus_protocols::InterfaceId;
use stratus_protocols::InterfaceId as I;

/// What a game sees of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It is offered, at most in the version that our tables know.
    Forwarded,
    /// It does not exist.
    Hidden,
}

struct Row {
    interface: InterfaceId,
    visibility: Visibility,
    reason: &'static str,
}

const fn forward(interface: InterfaceId, reason: &'static str) -> Row {
    Row { interface, visibility: Visibility::Forwarded, reason }
}

const fn hide(interface: InterfaceId, reason: &'static str) -> Row {
    Row { interface, visibility: Visibility::Hidden, reason }
}

const TABLE: &[Row] = &[
    // What a game draws with.
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
    forward(I::WpContentTypeManagerV1, "a hint for the compositor"),
    forward(I::WpTearingControlManagerV1, "a hint for the compositor"),
    forward(I::WpFifoManagerV1, "presentation mode of Vulkan"),
    forward(I::WpCommitTimingManagerV1, "presentation mode of Vulkan"),
    forward(I::WpPresentation, "times of presentation"),
    forward(I::WlEglstreamController, "buffers of NVIDIA's older EGL"),
    forward(I::ExtBackgroundEffectManagerV1, "decoration"),
    forward(I::OrgKdeKwinBlurManager, "decoration"),
    forward(I::OrgKdeKwinContrastManager, "decoration"),
    forward(I::OrgKdeKwinShadowManager, "decoration"),
    forward(I::OrgKdeKwinSlideManager, "decoration"),
    forward(I::WlFixes, "ends a registry"),
    // Windows.
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
    forward(I::XxSessionManagerV1, "places that survive a restart"),
    forward(I::XdgSystemBellV1, "a sound"),
    forward(I::XwaylandShellV1, "windows of Xwayland"),
    forward(I::ZwpXwaylandKeyboardGrabManagerV1, "grabs of X11 games"),
    // Outputs, as facts.
    forward(I::WlOutput, "size and refresh"),
    forward(I::ZxdgOutputManagerV1, "SDL takes its fullscreen size from it"),
    hide(I::OrgKdeKwinOutputdevice, "tells the real screen, which contradicts the stream's size"),
    hide(I::KdeOutputDeviceV2, "tells the real screen, which contradicts the stream's size"),
    hide(I::KdeOutputOrderV1, "tells the real screen, which contradicts the stream's size"),
    hide(I::KdePrimaryOutputV1, "tells the real screen, which contradicts the stream's size"),
    // Input.
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
    // Clipboard.
    forward(I::WlDataDeviceManager, "clipboard while focused"),
    forward(I::ZwpPrimarySelectionDeviceManagerV1, "clipboard while focused"),
    forward(I::GtkPrimarySelectionDeviceManager, "clipboard while focused"),
    hide(I::ExtDataControlManagerV1, "reads the clipboard without focus"),
    hide(I::ZwlrDataControlManagerV1, "reads the clipboard without focus"),
    // Buffers that come back another way.
    hide(
        I::WpLinuxDrmSyncobjManagerV1,
        "buffers come back by fences and not by wl_buffer.release; open it only with a hook that holds those",
    ),
    hide(
        I::ZwpLinuxExplicitSynchronizationV1,
        "buffers come back by fences and not by wl_buffer.release; open it only with a hook that holds those",
    ),
    // Reads the screen.
    hide(I::ZwlrScreencopyManagerV1, "reads the screen"),
    hide(I::ZwlrExportDmabufManagerV1, "reads the screen"),
    hide(I::ExtImageCopyCaptureManagerV1, "reads the screen"),
    hide(I::ExtOutputImageCaptureSourceManagerV1, "reads the screen"),
    hide(I::ExtForeignToplevelImageCaptureSourceManagerV1, "reads other windows"),
    hide(I::ZkdeScreencastUnstableV1, "reads the screen"),
    hide(I::OrgKdeKwinRemoteAccessManager, "reads the screen"),
    // Types keys or moves the pointer.
    hide(I::ZwpVirtualKeyboardManagerV1, "types keys"),
    hide(I::ZwlrVirtualPointerManagerV1, "moves the pointer"),
    hide(I::OrgKdeKwinFakeInput, "types keys"),
    hide(I::ZwpInputMethodManagerV2, "reads and types text"),
    hide(I::ZwpInputMethodV1, "reads and types text"),
    hide(I::ZwpInputPanelV1, "part of an input method"),
    hide(I::XxInputMethodManagerV2, "reads and types text"),
    hide(I::XxKeyboardFilterManagerV1, "reads keys meant for others"),
    hide(I::OrgKdeKwinKeystate, "reads keys without focus"),
    // Rules the session.
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
];

/// A name given to [`GlobalPolicy::allow`] or [`GlobalPolicy::hide`] that is no global.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no global of the name {0:?} is known")]
pub struct UnknownGlobalName(pub String);

/// The table with the user's changes.
#[derive(Clone, Debug)]
pub struct GlobalPolicy {
    rows: BTreeMap<InterfaceId, (Visibility, &'static str)>,
}

impl Default for GlobalPolicy {
    fn default() -> Self {
        let rows = TABLE.iter().map(|r| (r.interface, (r.visibility, r.reason))).collect();
        Self { rows }
    }
}

impl GlobalPolicy {
    /// Opens a global by the name of its interface.
    ///
    /// # Errors
    /// [`UnknownGlobalName`]: it could not be forwarded without a table.
    pub fn allow(&mut self, name: &str) -> Result<(), UnknownGlobalName> {
        self.set(name, Visibility::Forwarded, "allowed by name")
    }

    /// Hides a global by the name of its interface.
    ///
    /// # Errors
    /// [`UnknownGlobalName`], to tell of a slip of the pen; what is unknown is hidden anyway.
    pub fn hide(&mut self, name: &str) -> Result<(), UnknownGlobalName> {
        self.set(name, Visibility::Hidden, "hidden by name")
    }

    fn set(
        &mut self,
        name: &str,
        visibility: Visibility,
        reason: &'static str,
    ) -> Result<(), UnknownGlobalName> {
        let row = InterfaceId::find(name).and_then(|id| self.rows.get_mut(&id));
        *row.ok_or_else(|| UnknownGlobalName(name.to_owned()))? = (visibility, reason);
        Ok(())
    }

    /// What becomes of a global of this interface, and why.
    #[must_use]
    pub fn of(&self, interface: InterfaceId) -> (Visibility, &'static str) {
        let none = (Visibility::Hidden, "no global has this interface");
        self.rows.get(&interface).copied().unwrap_or(none)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::*;

    /// Made by no message and still no global.
    const NO_GLOBALS: [InterfaceId; 2] = [I::WlDisplay, I::WpImageDescriptionReferenceV1];

    #[test]
    fn the_table_decides_on_every_interface_that_no_message_makes() {
        let made: BTreeSet<_> = InterfaceId::ALL
            .iter()
            .flat_map(|id| id.interface().requests.iter().chain(id.interface().events))
            .filter_map(|m| m.child_interface.and_then(InterfaceId::of))
            .collect();
        let expected: BTreeSet<_> = InterfaceId::ALL
            .iter()
            .copied()
            .filter(|id| !made.contains(id) && !NO_GLOBALS.contains(id))
            .collect();
        let rows: BTreeSet<_> = TABLE.iter().map(|r| r.interface).collect();
        assert_eq!(rows, expected);
        assert_eq!(rows.len(), TABLE.len(), "an interface has two rows");
        assert!(TABLE.iter().all(|r| !r.reason.is_empty()));
    }

    #[test]
    fn what_reads_the_screen_or_types_is_hidden_until_opened() {
        let mut policy = GlobalPolicy::default();
        for name in ["zwlr_screencopy_manager_v1", "zwp_virtual_keyboard_manager_v1"] {
            let id = InterfaceId::find(name).unwrap();
            assert_eq!(policy.of(id).0, Visibility::Hidden);
            policy.allow(name).unwrap();
            assert_eq!(policy.of(id).0, Visibility::Forwarded);
            policy.hide(name).unwrap();
            assert_eq!(policy.of(id).0, Visibility::Hidden);
        }
        assert_eq!(policy.of(I::WpViewporter).0, Visibility::Forwarded);
        assert_eq!(policy.of(I::WlSurface).0, Visibility::Hidden);
        assert!(policy.allow("wl_surface").is_err());
        assert!(policy.allow("frog_color_management").is_err());
    }
}
