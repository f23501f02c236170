//! The list of all interfaces, in groups of one protocol each.
//!
//! A row holds the variant, the module and the name of the table. The tests compare the list with
//! the protocol descriptions inside the crates, so a crate's update cannot go by unnoticed.

macro_rules! interfaces {
    ($($source:ident { $($variant:ident $module:ident $table:ident,)* })*) => {
        /// An interface that Stratus knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum InterfaceId {
            $($(
                #[doc = concat!("`", stringify!($module), "`")]
                $variant,
            )*)*
        }

        impl InterfaceId {
            /// Every interface, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            pub(crate) const TABLES: &'static [&'static wayland_backend::protocol::Interface] =
                &[$($(&crate::sources::$source::__interfaces::$table,)*)*];
        }

        /// The modules with the opcodes.
        pub(crate) mod modules {
            $($(
                pub use crate::sources::$source::$module;
            )*)*
        }
    };
}

// `org_kde_kwin_server_decoration` stands in two crates with equal signatures; the one of -misc is
// taken because its arguments are typed as enums. `_wl_fullscreen_shell` really has that name.
interfaces! {
    wayland {
        WlDisplay wl_display WL_DISPLAY_INTERFACE,
        WlRegistry wl_registry WL_REGISTRY_INTERFACE,
        WlCallback wl_callback WL_CALLBACK_INTERFACE,
        WlCompositor wl_compositor WL_COMPOSITOR_INTERFACE,
        WlShmPool wl_shm_pool WL_SHM_POOL_INTERFACE,
        WlShm wl_shm WL_SHM_INTERFACE,
        WlBuffer wl_buffer WL_BUFFER_INTERFACE,
        WlDataOffer wl_data_offer WL_DATA_OFFER_INTERFACE,
        WlDataSource wl_data_source WL_DATA_SOURCE_INTERFACE,
        WlDataDevice wl_data_device WL_DATA_DEVICE_INTERFACE,
        WlDataDeviceManager wl_data_device_manager WL_DATA_DEVICE_MANAGER_INTERFACE,
        WlShell wl_shell WL_SHELL_INTERFACE,
        WlShellSurface wl_shell_surface WL_SHELL_SURFACE_INTERFACE,
        WlSurface wl_surface WL_SURFACE_INTERFACE,
        WlSeat wl_seat WL_SEAT_INTERFACE,
        WlPointer wl_pointer WL_POINTER_INTERFACE,
        WlKeyboard wl_keyboard WL_KEYBOARD_INTERFACE,
        WlTouch wl_touch WL_TOUCH_INTERFACE,
        WlOutput wl_output WL_OUTPUT_INTERFACE,
        WlRegion wl_region WL_REGION_INTERFACE,
        WlSubcompositor wl_subcompositor WL_SUBCOMPOSITOR_INTERFACE,
        WlSubsurface wl_subsurface WL_SUBSURFACE_INTERFACE,
        WlFixes wl_fixes WL_FIXES_INTERFACE,
    }
    ext_idle_notify_v1 {
        ExtIdleNotifierV1 ext_idle_notifier_v1 EXT_IDLE_NOTIFIER_V1_INTERFACE,
        ExtIdleNotificationV1 ext_idle_notification_v1 EXT_IDLE_NOTIFICATION_V1_INTERFACE,
    }
    ext_session_lock_v1 {
        ExtSessionLockManagerV1 ext_session_lock_manager_v1 EXT_SESSION_LOCK_MANAGER_V1_INTERFACE,
        ExtSessionLockV1 ext_session_lock_v1 EXT_SESSION_LOCK_V1_INTERFACE,
        ExtSessionLockSurfaceV1 ext_session_lock_surface_v1 EXT_SESSION_LOCK_SURFACE_V1_INTERFACE,
    }
    ext_foreign_toplevel_list_v1 {
        ExtForeignToplevelListV1 ext_foreign_toplevel_list_v1 EXT_FOREIGN_TOPLEVEL_LIST_V1_INTERFACE,
        ExtForeignToplevelHandleV1 ext_foreign_toplevel_handle_v1 EXT_FOREIGN_TOPLEVEL_HANDLE_V1_INTERFACE,
    }
    ext_transient_seat_v1 {
        ExtTransientSeatManagerV1 ext_transient_seat_manager_v1 EXT_TRANSIENT_SEAT_MANAGER_V1_INTERFACE,
        ExtTransientSeatV1 ext_transient_seat_v1 EXT_TRANSIENT_SEAT_V1_INTERFACE,
    }
    ext_image_capture_source_v1 {
        ExtImageCaptureSourceV1 ext_image_capture_source_v1 EXT_IMAGE_CAPTURE_SOURCE_V1_INTERFACE,
        ExtOutputImageCaptureSourceManagerV1 ext_output_image_capture_source_manager_v1 EXT_OUTPUT_IMAGE_CAPTURE_SOURCE_MANAGER_V1_INTERFACE,
        ExtForeignToplevelImageCaptureSourceManagerV1 ext_foreign_toplevel_image_capture_source_manager_v1 EXT_FOREIGN_TOPLEVEL_IMAGE_CAPTURE_SOURCE_MANAGER_V1_INTERFACE,
    }
    ext_image_copy_capture_v1 {
        ExtImageCopyCaptureManagerV1 ext_image_copy_capture_manager_v1 EXT_IMAGE_COPY_CAPTURE_MANAGER_V1_INTERFACE,
        ExtImageCopyCaptureSessionV1 ext_image_copy_capture_session_v1 EXT_IMAGE_COPY_CAPTURE_SESSION_V1_INTERFACE,
        ExtImageCopyCaptureFrameV1 ext_image_copy_capture_frame_v1 EXT_IMAGE_COPY_CAPTURE_FRAME_V1_INTERFACE,
        ExtImageCopyCaptureCursorSessionV1 ext_image_copy_capture_cursor_session_v1 EXT_IMAGE_COPY_CAPTURE_CURSOR_SESSION_V1_INTERFACE,
    }
    ext_data_control_v1 {
        ExtDataControlManagerV1 ext_data_control_manager_v1 EXT_DATA_CONTROL_MANAGER_V1_INTERFACE,
        ExtDataControlDeviceV1 ext_data_control_device_v1 EXT_DATA_CONTROL_DEVICE_V1_INTERFACE,
        ExtDataControlSourceV1 ext_data_control_source_v1 EXT_DATA_CONTROL_SOURCE_V1_INTERFACE,
        ExtDataControlOfferV1 ext_data_control_offer_v1 EXT_DATA_CONTROL_OFFER_V1_INTERFACE,
    }
    ext_workspace_v1 {
        ExtWorkspaceManagerV1 ext_workspace_manager_v1 EXT_WORKSPACE_MANAGER_V1_INTERFACE,
        ExtWorkspaceGroupHandleV1 ext_workspace_group_handle_v1 EXT_WORKSPACE_GROUP_HANDLE_V1_INTERFACE,
        ExtWorkspaceHandleV1 ext_workspace_handle_v1 EXT_WORKSPACE_HANDLE_V1_INTERFACE,
    }
    ext_background_effect_v1 {
        ExtBackgroundEffectManagerV1 ext_background_effect_manager_v1 EXT_BACKGROUND_EFFECT_MANAGER_V1_INTERFACE,
        ExtBackgroundEffectSurfaceV1 ext_background_effect_surface_v1 EXT_BACKGROUND_EFFECT_SURFACE_V1_INTERFACE,
    }
    wp_content_type_v1 {
        WpContentTypeManagerV1 wp_content_type_manager_v1 WP_CONTENT_TYPE_MANAGER_V1_INTERFACE,
        WpContentTypeV1 wp_content_type_v1 WP_CONTENT_TYPE_V1_INTERFACE,
    }
    wp_color_management_v1 {
        WpColorManagerV1 wp_color_manager_v1 WP_COLOR_MANAGER_V1_INTERFACE,
        WpColorManagementOutputV1 wp_color_management_output_v1 WP_COLOR_MANAGEMENT_OUTPUT_V1_INTERFACE,
        WpColorManagementSurfaceV1 wp_color_management_surface_v1 WP_COLOR_MANAGEMENT_SURFACE_V1_INTERFACE,
        WpColorManagementSurfaceFeedbackV1 wp_color_management_surface_feedback_v1 WP_COLOR_MANAGEMENT_SURFACE_FEEDBACK_V1_INTERFACE,
        WpImageDescriptionCreatorIccV1 wp_image_description_creator_icc_v1 WP_IMAGE_DESCRIPTION_CREATOR_ICC_V1_INTERFACE,
        WpImageDescriptionCreatorParamsV1 wp_image_description_creator_params_v1 WP_IMAGE_DESCRIPTION_CREATOR_PARAMS_V1_INTERFACE,
        WpImageDescriptionV1 wp_image_description_v1 WP_IMAGE_DESCRIPTION_V1_INTERFACE,
        WpImageDescriptionInfoV1 wp_image_description_info_v1 WP_IMAGE_DESCRIPTION_INFO_V1_INTERFACE,
        WpImageDescriptionReferenceV1 wp_image_description_reference_v1 WP_IMAGE_DESCRIPTION_REFERENCE_V1_INTERFACE,
    }
    wp_color_representation_v1 {
        WpColorRepresentationManagerV1 wp_color_representation_manager_v1 WP_COLOR_REPRESENTATION_MANAGER_V1_INTERFACE,
        WpColorRepresentationSurfaceV1 wp_color_representation_surface_v1 WP_COLOR_REPRESENTATION_SURFACE_V1_INTERFACE,
    }
    wp_drm_lease_v1 {
        WpDrmLeaseDeviceV1 wp_drm_lease_device_v1 WP_DRM_LEASE_DEVICE_V1_INTERFACE,
        WpDrmLeaseConnectorV1 wp_drm_lease_connector_v1 WP_DRM_LEASE_CONNECTOR_V1_INTERFACE,
        WpDrmLeaseRequestV1 wp_drm_lease_request_v1 WP_DRM_LEASE_REQUEST_V1_INTERFACE,
        WpDrmLeaseV1 wp_drm_lease_v1 WP_DRM_LEASE_V1_INTERFACE,
    }
    wp_tearing_control_v1 {
        WpTearingControlManagerV1 wp_tearing_control_manager_v1 WP_TEARING_CONTROL_MANAGER_V1_INTERFACE,
        WpTearingControlV1 wp_tearing_control_v1 WP_TEARING_CONTROL_V1_INTERFACE,
    }
    wp_fractional_scale_v1 {
        WpFractionalScaleManagerV1 wp_fractional_scale_manager_v1 WP_FRACTIONAL_SCALE_MANAGER_V1_INTERFACE,
        WpFractionalScaleV1 wp_fractional_scale_v1 WP_FRACTIONAL_SCALE_V1_INTERFACE,
    }
    wp_fullscreen_shell_zv1 {
        ZwpFullscreenShellV1 zwp_fullscreen_shell_v1 ZWP_FULLSCREEN_SHELL_V1_INTERFACE,
        ZwpFullscreenShellModeFeedbackV1 zwp_fullscreen_shell_mode_feedback_v1 ZWP_FULLSCREEN_SHELL_MODE_FEEDBACK_V1_INTERFACE,
    }
    wp_idle_inhibit_zv1 {
        ZwpIdleInhibitManagerV1 zwp_idle_inhibit_manager_v1 ZWP_IDLE_INHIBIT_MANAGER_V1_INTERFACE,
        ZwpIdleInhibitorV1 zwp_idle_inhibitor_v1 ZWP_IDLE_INHIBITOR_V1_INTERFACE,
    }
    wp_input_method_zv1 {
        ZwpInputMethodContextV1 zwp_input_method_context_v1 ZWP_INPUT_METHOD_CONTEXT_V1_INTERFACE,
        ZwpInputMethodV1 zwp_input_method_v1 ZWP_INPUT_METHOD_V1_INTERFACE,
        ZwpInputPanelV1 zwp_input_panel_v1 ZWP_INPUT_PANEL_V1_INTERFACE,
        ZwpInputPanelSurfaceV1 zwp_input_panel_surface_v1 ZWP_INPUT_PANEL_SURFACE_V1_INTERFACE,
    }
    wp_input_timestamps_zv1 {
        ZwpInputTimestampsManagerV1 zwp_input_timestamps_manager_v1 ZWP_INPUT_TIMESTAMPS_MANAGER_V1_INTERFACE,
        ZwpInputTimestampsV1 zwp_input_timestamps_v1 ZWP_INPUT_TIMESTAMPS_V1_INTERFACE,
    }
    wp_keyboard_shortcuts_inhibit_zv1 {
        ZwpKeyboardShortcutsInhibitManagerV1 zwp_keyboard_shortcuts_inhibit_manager_v1 ZWP_KEYBOARD_SHORTCUTS_INHIBIT_MANAGER_V1_INTERFACE,
        ZwpKeyboardShortcutsInhibitorV1 zwp_keyboard_shortcuts_inhibitor_v1 ZWP_KEYBOARD_SHORTCUTS_INHIBITOR_V1_INTERFACE,
    }
    wp_linux_dmabuf_zv1 {
        ZwpLinuxDmabufV1 zwp_linux_dmabuf_v1 ZWP_LINUX_DMABUF_V1_INTERFACE,
        ZwpLinuxBufferParamsV1 zwp_linux_buffer_params_v1 ZWP_LINUX_BUFFER_PARAMS_V1_INTERFACE,
        ZwpLinuxDmabufFeedbackV1 zwp_linux_dmabuf_feedback_v1 ZWP_LINUX_DMABUF_FEEDBACK_V1_INTERFACE,
    }
    wp_linux_explicit_synchronization_zv1 {
        ZwpLinuxExplicitSynchronizationV1 zwp_linux_explicit_synchronization_v1 ZWP_LINUX_EXPLICIT_SYNCHRONIZATION_V1_INTERFACE,
        ZwpLinuxSurfaceSynchronizationV1 zwp_linux_surface_synchronization_v1 ZWP_LINUX_SURFACE_SYNCHRONIZATION_V1_INTERFACE,
        ZwpLinuxBufferReleaseV1 zwp_linux_buffer_release_v1 ZWP_LINUX_BUFFER_RELEASE_V1_INTERFACE,
    }
    wp_linux_drm_syncobj_v1 {
        WpLinuxDrmSyncobjManagerV1 wp_linux_drm_syncobj_manager_v1 WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_INTERFACE,
        WpLinuxDrmSyncobjTimelineV1 wp_linux_drm_syncobj_timeline_v1 WP_LINUX_DRM_SYNCOBJ_TIMELINE_V1_INTERFACE,
        WpLinuxDrmSyncobjSurfaceV1 wp_linux_drm_syncobj_surface_v1 WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_INTERFACE,
    }
    wp_pointer_constraints_zv1 {
        ZwpPointerConstraintsV1 zwp_pointer_constraints_v1 ZWP_POINTER_CONSTRAINTS_V1_INTERFACE,
        ZwpLockedPointerV1 zwp_locked_pointer_v1 ZWP_LOCKED_POINTER_V1_INTERFACE,
        ZwpConfinedPointerV1 zwp_confined_pointer_v1 ZWP_CONFINED_POINTER_V1_INTERFACE,
    }
    wp_pointer_gestures_zv1 {
        ZwpPointerGesturesV1 zwp_pointer_gestures_v1 ZWP_POINTER_GESTURES_V1_INTERFACE,
        ZwpPointerGestureSwipeV1 zwp_pointer_gesture_swipe_v1 ZWP_POINTER_GESTURE_SWIPE_V1_INTERFACE,
        ZwpPointerGesturePinchV1 zwp_pointer_gesture_pinch_v1 ZWP_POINTER_GESTURE_PINCH_V1_INTERFACE,
        ZwpPointerGestureHoldV1 zwp_pointer_gesture_hold_v1 ZWP_POINTER_GESTURE_HOLD_V1_INTERFACE,
    }
    wp_presentation_time {
        WpPresentation wp_presentation WP_PRESENTATION_INTERFACE,
        WpPresentationFeedback wp_presentation_feedback WP_PRESENTATION_FEEDBACK_INTERFACE,
    }
    wp_primary_selection_zv1 {
        ZwpPrimarySelectionDeviceManagerV1 zwp_primary_selection_device_manager_v1 ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1_INTERFACE,
        ZwpPrimarySelectionDeviceV1 zwp_primary_selection_device_v1 ZWP_PRIMARY_SELECTION_DEVICE_V1_INTERFACE,
        ZwpPrimarySelectionOfferV1 zwp_primary_selection_offer_v1 ZWP_PRIMARY_SELECTION_OFFER_V1_INTERFACE,
        ZwpPrimarySelectionSourceV1 zwp_primary_selection_source_v1 ZWP_PRIMARY_SELECTION_SOURCE_V1_INTERFACE,
    }
    wp_relative_pointer_zv1 {
        ZwpRelativePointerManagerV1 zwp_relative_pointer_manager_v1 ZWP_RELATIVE_POINTER_MANAGER_V1_INTERFACE,
        ZwpRelativePointerV1 zwp_relative_pointer_v1 ZWP_RELATIVE_POINTER_V1_INTERFACE,
    }
    wp_single_pixel_buffer_v1 {
        WpSinglePixelBufferManagerV1 wp_single_pixel_buffer_manager_v1 WP_SINGLE_PIXEL_BUFFER_MANAGER_V1_INTERFACE,
    }
    wp_cursor_shape_v1 {
        WpCursorShapeManagerV1 wp_cursor_shape_manager_v1 WP_CURSOR_SHAPE_MANAGER_V1_INTERFACE,
        WpCursorShapeDeviceV1 wp_cursor_shape_device_v1 WP_CURSOR_SHAPE_DEVICE_V1_INTERFACE,
    }
    wp_tablet_zv1 {
        ZwpTabletManagerV1 zwp_tablet_manager_v1 ZWP_TABLET_MANAGER_V1_INTERFACE,
        ZwpTabletSeatV1 zwp_tablet_seat_v1 ZWP_TABLET_SEAT_V1_INTERFACE,
        ZwpTabletToolV1 zwp_tablet_tool_v1 ZWP_TABLET_TOOL_V1_INTERFACE,
        ZwpTabletV1 zwp_tablet_v1 ZWP_TABLET_V1_INTERFACE,
    }
    wp_tablet_zv2 {
        ZwpTabletManagerV2 zwp_tablet_manager_v2 ZWP_TABLET_MANAGER_V2_INTERFACE,
        ZwpTabletSeatV2 zwp_tablet_seat_v2 ZWP_TABLET_SEAT_V2_INTERFACE,
        ZwpTabletToolV2 zwp_tablet_tool_v2 ZWP_TABLET_TOOL_V2_INTERFACE,
        ZwpTabletV2 zwp_tablet_v2 ZWP_TABLET_V2_INTERFACE,
        ZwpTabletPadRingV2 zwp_tablet_pad_ring_v2 ZWP_TABLET_PAD_RING_V2_INTERFACE,
        ZwpTabletPadStripV2 zwp_tablet_pad_strip_v2 ZWP_TABLET_PAD_STRIP_V2_INTERFACE,
        ZwpTabletPadGroupV2 zwp_tablet_pad_group_v2 ZWP_TABLET_PAD_GROUP_V2_INTERFACE,
        ZwpTabletPadV2 zwp_tablet_pad_v2 ZWP_TABLET_PAD_V2_INTERFACE,
        ZwpTabletPadDialV2 zwp_tablet_pad_dial_v2 ZWP_TABLET_PAD_DIAL_V2_INTERFACE,
    }
    wp_text_input_zv1 {
        ZwpTextInputV1 zwp_text_input_v1 ZWP_TEXT_INPUT_V1_INTERFACE,
        ZwpTextInputManagerV1 zwp_text_input_manager_v1 ZWP_TEXT_INPUT_MANAGER_V1_INTERFACE,
    }
    wp_text_input_zv3 {
        ZwpTextInputV3 zwp_text_input_v3 ZWP_TEXT_INPUT_V3_INTERFACE,
        ZwpTextInputManagerV3 zwp_text_input_manager_v3 ZWP_TEXT_INPUT_MANAGER_V3_INTERFACE,
    }
    wp_viewporter {
        WpViewporter wp_viewporter WP_VIEWPORTER_INTERFACE,
        WpViewport wp_viewport WP_VIEWPORT_INTERFACE,
    }
    wp_security_context_v1 {
        WpSecurityContextManagerV1 wp_security_context_manager_v1 WP_SECURITY_CONTEXT_MANAGER_V1_INTERFACE,
        WpSecurityContextV1 wp_security_context_v1 WP_SECURITY_CONTEXT_V1_INTERFACE,
    }
    wp_alpha_modifier_v1 {
        WpAlphaModifierV1 wp_alpha_modifier_v1 WP_ALPHA_MODIFIER_V1_INTERFACE,
        WpAlphaModifierSurfaceV1 wp_alpha_modifier_surface_v1 WP_ALPHA_MODIFIER_SURFACE_V1_INTERFACE,
    }
    wp_fifo_v1 {
        WpFifoManagerV1 wp_fifo_manager_v1 WP_FIFO_MANAGER_V1_INTERFACE,
        WpFifoV1 wp_fifo_v1 WP_FIFO_V1_INTERFACE,
    }
    wp_commit_timing_v1 {
        WpCommitTimingManagerV1 wp_commit_timing_manager_v1 WP_COMMIT_TIMING_MANAGER_V1_INTERFACE,
        WpCommitTimerV1 wp_commit_timer_v1 WP_COMMIT_TIMER_V1_INTERFACE,
    }
    wp_pointer_warp_v1 {
        WpPointerWarpV1 wp_pointer_warp_v1 WP_POINTER_WARP_V1_INTERFACE,
    }
    xdg_activation_v1 {
        XdgActivationV1 xdg_activation_v1 XDG_ACTIVATION_V1_INTERFACE,
        XdgActivationTokenV1 xdg_activation_token_v1 XDG_ACTIVATION_TOKEN_V1_INTERFACE,
    }
    xdg_decoration_zv1 {
        ZxdgDecorationManagerV1 zxdg_decoration_manager_v1 ZXDG_DECORATION_MANAGER_V1_INTERFACE,
        ZxdgToplevelDecorationV1 zxdg_toplevel_decoration_v1 ZXDG_TOPLEVEL_DECORATION_V1_INTERFACE,
    }
    xdg_foreign_zv1 {
        ZxdgExporterV1 zxdg_exporter_v1 ZXDG_EXPORTER_V1_INTERFACE,
        ZxdgImporterV1 zxdg_importer_v1 ZXDG_IMPORTER_V1_INTERFACE,
        ZxdgExportedV1 zxdg_exported_v1 ZXDG_EXPORTED_V1_INTERFACE,
        ZxdgImportedV1 zxdg_imported_v1 ZXDG_IMPORTED_V1_INTERFACE,
    }
    xdg_foreign_zv2 {
        ZxdgExporterV2 zxdg_exporter_v2 ZXDG_EXPORTER_V2_INTERFACE,
        ZxdgImporterV2 zxdg_importer_v2 ZXDG_IMPORTER_V2_INTERFACE,
        ZxdgExportedV2 zxdg_exported_v2 ZXDG_EXPORTED_V2_INTERFACE,
        ZxdgImportedV2 zxdg_imported_v2 ZXDG_IMPORTED_V2_INTERFACE,
    }
    xdg_xdg_output_zv1 {
        ZxdgOutputManagerV1 zxdg_output_manager_v1 ZXDG_OUTPUT_MANAGER_V1_INTERFACE,
        ZxdgOutputV1 zxdg_output_v1 ZXDG_OUTPUT_V1_INTERFACE,
    }
    xdg_shell {
        XdgWmBase xdg_wm_base XDG_WM_BASE_INTERFACE,
        XdgPositioner xdg_positioner XDG_POSITIONER_INTERFACE,
        XdgSurface xdg_surface XDG_SURFACE_INTERFACE,
        XdgToplevel xdg_toplevel XDG_TOPLEVEL_INTERFACE,
        XdgPopup xdg_popup XDG_POPUP_INTERFACE,
    }
    xdg_toplevel_drag_v1 {
        XdgToplevelDragManagerV1 xdg_toplevel_drag_manager_v1 XDG_TOPLEVEL_DRAG_MANAGER_V1_INTERFACE,
        XdgToplevelDragV1 xdg_toplevel_drag_v1 XDG_TOPLEVEL_DRAG_V1_INTERFACE,
    }
    xdg_dialog_v1 {
        XdgWmDialogV1 xdg_wm_dialog_v1 XDG_WM_DIALOG_V1_INTERFACE,
        XdgDialogV1 xdg_dialog_v1 XDG_DIALOG_V1_INTERFACE,
    }
    xdg_toplevel_icon_v1 {
        XdgToplevelIconManagerV1 xdg_toplevel_icon_manager_v1 XDG_TOPLEVEL_ICON_MANAGER_V1_INTERFACE,
        XdgToplevelIconV1 xdg_toplevel_icon_v1 XDG_TOPLEVEL_ICON_V1_INTERFACE,
    }
    xdg_toplevel_tag_v1 {
        XdgToplevelTagManagerV1 xdg_toplevel_tag_manager_v1 XDG_TOPLEVEL_TAG_MANAGER_V1_INTERFACE,
    }
    xdg_system_bell_v1 {
        XdgSystemBellV1 xdg_system_bell_v1 XDG_SYSTEM_BELL_V1_INTERFACE,
    }
    xwayland_shell_v1 {
        XwaylandShellV1 xwayland_shell_v1 XWAYLAND_SHELL_V1_INTERFACE,
        XwaylandSurfaceV1 xwayland_surface_v1 XWAYLAND_SURFACE_V1_INTERFACE,
    }
    xwayland_keyboard_grab_zv1 {
        ZwpXwaylandKeyboardGrabManagerV1 zwp_xwayland_keyboard_grab_manager_v1 ZWP_XWAYLAND_KEYBOARD_GRAB_MANAGER_V1_INTERFACE,
        ZwpXwaylandKeyboardGrabV1 zwp_xwayland_keyboard_grab_v1 ZWP_XWAYLAND_KEYBOARD_GRAB_V1_INTERFACE,
    }
    wlr_data_control_v1 {
        ZwlrDataControlManagerV1 zwlr_data_control_manager_v1 ZWLR_DATA_CONTROL_MANAGER_V1_INTERFACE,
        ZwlrDataControlDeviceV1 zwlr_data_control_device_v1 ZWLR_DATA_CONTROL_DEVICE_V1_INTERFACE,
        ZwlrDataControlSourceV1 zwlr_data_control_source_v1 ZWLR_DATA_CONTROL_SOURCE_V1_INTERFACE,
        ZwlrDataControlOfferV1 zwlr_data_control_offer_v1 ZWLR_DATA_CONTROL_OFFER_V1_INTERFACE,
    }
    wlr_export_dmabuf_v1 {
        ZwlrExportDmabufManagerV1 zwlr_export_dmabuf_manager_v1 ZWLR_EXPORT_DMABUF_MANAGER_V1_INTERFACE,
        ZwlrExportDmabufFrameV1 zwlr_export_dmabuf_frame_v1 ZWLR_EXPORT_DMABUF_FRAME_V1_INTERFACE,
    }
    wlr_foreign_toplevel_v1 {
        ZwlrForeignToplevelManagerV1 zwlr_foreign_toplevel_manager_v1 ZWLR_FOREIGN_TOPLEVEL_MANAGER_V1_INTERFACE,
        ZwlrForeignToplevelHandleV1 zwlr_foreign_toplevel_handle_v1 ZWLR_FOREIGN_TOPLEVEL_HANDLE_V1_INTERFACE,
    }
    wlr_gamma_control_v1 {
        ZwlrGammaControlManagerV1 zwlr_gamma_control_manager_v1 ZWLR_GAMMA_CONTROL_MANAGER_V1_INTERFACE,
        ZwlrGammaControlV1 zwlr_gamma_control_v1 ZWLR_GAMMA_CONTROL_V1_INTERFACE,
    }
    wlr_input_inhibitor_v1 {
        ZwlrInputInhibitManagerV1 zwlr_input_inhibit_manager_v1 ZWLR_INPUT_INHIBIT_MANAGER_V1_INTERFACE,
        ZwlrInputInhibitorV1 zwlr_input_inhibitor_v1 ZWLR_INPUT_INHIBITOR_V1_INTERFACE,
    }
    wlr_layer_shell_v1 {
        ZwlrLayerShellV1 zwlr_layer_shell_v1 ZWLR_LAYER_SHELL_V1_INTERFACE,
        ZwlrLayerSurfaceV1 zwlr_layer_surface_v1 ZWLR_LAYER_SURFACE_V1_INTERFACE,
    }
    wlr_output_management_v1 {
        ZwlrOutputManagerV1 zwlr_output_manager_v1 ZWLR_OUTPUT_MANAGER_V1_INTERFACE,
        ZwlrOutputHeadV1 zwlr_output_head_v1 ZWLR_OUTPUT_HEAD_V1_INTERFACE,
        ZwlrOutputModeV1 zwlr_output_mode_v1 ZWLR_OUTPUT_MODE_V1_INTERFACE,
        ZwlrOutputConfigurationV1 zwlr_output_configuration_v1 ZWLR_OUTPUT_CONFIGURATION_V1_INTERFACE,
        ZwlrOutputConfigurationHeadV1 zwlr_output_configuration_head_v1 ZWLR_OUTPUT_CONFIGURATION_HEAD_V1_INTERFACE,
    }
    wlr_output_power_management_v1 {
        ZwlrOutputPowerManagerV1 zwlr_output_power_manager_v1 ZWLR_OUTPUT_POWER_MANAGER_V1_INTERFACE,
        ZwlrOutputPowerV1 zwlr_output_power_v1 ZWLR_OUTPUT_POWER_V1_INTERFACE,
    }
    wlr_screencopy_v1 {
        ZwlrScreencopyManagerV1 zwlr_screencopy_manager_v1 ZWLR_SCREENCOPY_MANAGER_V1_INTERFACE,
        ZwlrScreencopyFrameV1 zwlr_screencopy_frame_v1 ZWLR_SCREENCOPY_FRAME_V1_INTERFACE,
    }
    wlr_virtual_pointer_v1 {
        ZwlrVirtualPointerV1 zwlr_virtual_pointer_v1 ZWLR_VIRTUAL_POINTER_V1_INTERFACE,
        ZwlrVirtualPointerManagerV1 zwlr_virtual_pointer_manager_v1 ZWLR_VIRTUAL_POINTER_MANAGER_V1_INTERFACE,
    }
    misc_gtk_primary_selection {
        GtkPrimarySelectionDeviceManager gtk_primary_selection_device_manager GTK_PRIMARY_SELECTION_DEVICE_MANAGER_INTERFACE,
        GtkPrimarySelectionDevice gtk_primary_selection_device GTK_PRIMARY_SELECTION_DEVICE_INTERFACE,
        GtkPrimarySelectionOffer gtk_primary_selection_offer GTK_PRIMARY_SELECTION_OFFER_INTERFACE,
        GtkPrimarySelectionSource gtk_primary_selection_source GTK_PRIMARY_SELECTION_SOURCE_INTERFACE,
    }
    misc_zwp_input_method_v2 {
        ZwpInputMethodV2 zwp_input_method_v2 ZWP_INPUT_METHOD_V2_INTERFACE,
        ZwpInputPopupSurfaceV2 zwp_input_popup_surface_v2 ZWP_INPUT_POPUP_SURFACE_V2_INTERFACE,
        ZwpInputMethodKeyboardGrabV2 zwp_input_method_keyboard_grab_v2 ZWP_INPUT_METHOD_KEYBOARD_GRAB_V2_INTERFACE,
        ZwpInputMethodManagerV2 zwp_input_method_manager_v2 ZWP_INPUT_METHOD_MANAGER_V2_INTERFACE,
    }
    misc_zwp_virtual_keyboard_v1 {
        ZwpVirtualKeyboardV1 zwp_virtual_keyboard_v1 ZWP_VIRTUAL_KEYBOARD_V1_INTERFACE,
        ZwpVirtualKeyboardManagerV1 zwp_virtual_keyboard_manager_v1 ZWP_VIRTUAL_KEYBOARD_MANAGER_V1_INTERFACE,
    }
    misc_server_decoration {
        OrgKdeKwinServerDecorationManager org_kde_kwin_server_decoration_manager ORG_KDE_KWIN_SERVER_DECORATION_MANAGER_INTERFACE,
        OrgKdeKwinServerDecoration org_kde_kwin_server_decoration ORG_KDE_KWIN_SERVER_DECORATION_INTERFACE,
    }
    plasma_appmenu {
        OrgKdeKwinAppmenuManager org_kde_kwin_appmenu_manager ORG_KDE_KWIN_APPMENU_MANAGER_INTERFACE,
        OrgKdeKwinAppmenu org_kde_kwin_appmenu ORG_KDE_KWIN_APPMENU_INTERFACE,
    }
    plasma_blur {
        OrgKdeKwinBlurManager org_kde_kwin_blur_manager ORG_KDE_KWIN_BLUR_MANAGER_INTERFACE,
        OrgKdeKwinBlur org_kde_kwin_blur ORG_KDE_KWIN_BLUR_INTERFACE,
    }
    plasma_contrast {
        OrgKdeKwinContrastManager org_kde_kwin_contrast_manager ORG_KDE_KWIN_CONTRAST_MANAGER_INTERFACE,
        OrgKdeKwinContrast org_kde_kwin_contrast ORG_KDE_KWIN_CONTRAST_INTERFACE,
    }
    plasma_dpms {
        OrgKdeKwinDpmsManager org_kde_kwin_dpms_manager ORG_KDE_KWIN_DPMS_MANAGER_INTERFACE,
        OrgKdeKwinDpms org_kde_kwin_dpms ORG_KDE_KWIN_DPMS_INTERFACE,
    }
    plasma_external_brightness_v1 {
        KdeExternalBrightnessV1 kde_external_brightness_v1 KDE_EXTERNAL_BRIGHTNESS_V1_INTERFACE,
        KdeExternalBrightnessDeviceV1 kde_external_brightness_device_v1 KDE_EXTERNAL_BRIGHTNESS_DEVICE_V1_INTERFACE,
    }
    plasma_fake_input {
        OrgKdeKwinFakeInput org_kde_kwin_fake_input ORG_KDE_KWIN_FAKE_INPUT_INTERFACE,
    }
    plasma_fullscreen_shell {
        WlFullscreenShell _wl_fullscreen_shell _WL_FULLSCREEN_SHELL_INTERFACE,
        WlFullscreenShellModeFeedback _wl_fullscreen_shell_mode_feedback _WL_FULLSCREEN_SHELL_MODE_FEEDBACK_INTERFACE,
    }
    plasma_idle {
        OrgKdeKwinIdle org_kde_kwin_idle ORG_KDE_KWIN_IDLE_INTERFACE,
        OrgKdeKwinIdleTimeout org_kde_kwin_idle_timeout ORG_KDE_KWIN_IDLE_TIMEOUT_INTERFACE,
    }
    plasma_keystate {
        OrgKdeKwinKeystate org_kde_kwin_keystate ORG_KDE_KWIN_KEYSTATE_INTERFACE,
    }
    plasma_lockscreen_overlay_v1 {
        KdeLockscreenOverlayV1 kde_lockscreen_overlay_v1 KDE_LOCKSCREEN_OVERLAY_V1_INTERFACE,
    }
    plasma_output_device_v1 {
        OrgKdeKwinOutputdevice org_kde_kwin_outputdevice ORG_KDE_KWIN_OUTPUTDEVICE_INTERFACE,
    }
    plasma_output_device_v2 {
        KdeOutputDeviceV2 kde_output_device_v2 KDE_OUTPUT_DEVICE_V2_INTERFACE,
        KdeOutputDeviceModeV2 kde_output_device_mode_v2 KDE_OUTPUT_DEVICE_MODE_V2_INTERFACE,
    }
    plasma_output_management_v1 {
        OrgKdeKwinOutputmanagement org_kde_kwin_outputmanagement ORG_KDE_KWIN_OUTPUTMANAGEMENT_INTERFACE,
        OrgKdeKwinOutputconfiguration org_kde_kwin_outputconfiguration ORG_KDE_KWIN_OUTPUTCONFIGURATION_INTERFACE,
    }
    plasma_output_management_v2 {
        KdeOutputManagementV2 kde_output_management_v2 KDE_OUTPUT_MANAGEMENT_V2_INTERFACE,
        KdeOutputConfigurationV2 kde_output_configuration_v2 KDE_OUTPUT_CONFIGURATION_V2_INTERFACE,
    }
    plasma_output_order_v1 {
        KdeOutputOrderV1 kde_output_order_v1 KDE_OUTPUT_ORDER_V1_INTERFACE,
    }
    plasma_plasma_shell {
        OrgKdePlasmaShell org_kde_plasma_shell ORG_KDE_PLASMA_SHELL_INTERFACE,
        OrgKdePlasmaSurface org_kde_plasma_surface ORG_KDE_PLASMA_SURFACE_INTERFACE,
    }
    plasma_plasma_virtual_desktop {
        OrgKdePlasmaVirtualDesktopManagement org_kde_plasma_virtual_desktop_management ORG_KDE_PLASMA_VIRTUAL_DESKTOP_MANAGEMENT_INTERFACE,
        OrgKdePlasmaVirtualDesktop org_kde_plasma_virtual_desktop ORG_KDE_PLASMA_VIRTUAL_DESKTOP_INTERFACE,
    }
    plasma_plasma_window_management {
        OrgKdePlasmaWindowManagement org_kde_plasma_window_management ORG_KDE_PLASMA_WINDOW_MANAGEMENT_INTERFACE,
        OrgKdePlasmaWindow org_kde_plasma_window ORG_KDE_PLASMA_WINDOW_INTERFACE,
        OrgKdePlasmaActivationFeedback org_kde_plasma_activation_feedback ORG_KDE_PLASMA_ACTIVATION_FEEDBACK_INTERFACE,
        OrgKdePlasmaActivation org_kde_plasma_activation ORG_KDE_PLASMA_ACTIVATION_INTERFACE,
        OrgKdePlasmaStackingOrder org_kde_plasma_stacking_order ORG_KDE_PLASMA_STACKING_ORDER_INTERFACE,
    }
    plasma_primary_output_v1 {
        KdePrimaryOutputV1 kde_primary_output_v1 KDE_PRIMARY_OUTPUT_V1_INTERFACE,
    }
    plasma_remote_access {
        OrgKdeKwinRemoteAccessManager org_kde_kwin_remote_access_manager ORG_KDE_KWIN_REMOTE_ACCESS_MANAGER_INTERFACE,
        OrgKdeKwinRemoteBuffer org_kde_kwin_remote_buffer ORG_KDE_KWIN_REMOTE_BUFFER_INTERFACE,
    }
    plasma_screencast_v1 {
        ZkdeScreencastUnstableV1 zkde_screencast_unstable_v1 ZKDE_SCREENCAST_UNSTABLE_V1_INTERFACE,
        ZkdeScreencastStreamUnstableV1 zkde_screencast_stream_unstable_v1 ZKDE_SCREENCAST_STREAM_UNSTABLE_V1_INTERFACE,
    }
    plasma_screen_edge_v1 {
        KdeScreenEdgeManagerV1 kde_screen_edge_manager_v1 KDE_SCREEN_EDGE_MANAGER_V1_INTERFACE,
        KdeAutoHideScreenEdgeV1 kde_auto_hide_screen_edge_v1 KDE_AUTO_HIDE_SCREEN_EDGE_V1_INTERFACE,
    }
    plasma_server_decoration_palette {
        OrgKdeKwinServerDecorationPaletteManager org_kde_kwin_server_decoration_palette_manager ORG_KDE_KWIN_SERVER_DECORATION_PALETTE_MANAGER_INTERFACE,
        OrgKdeKwinServerDecorationPalette org_kde_kwin_server_decoration_palette ORG_KDE_KWIN_SERVER_DECORATION_PALETTE_INTERFACE,
    }
    plasma_shadow {
        OrgKdeKwinShadowManager org_kde_kwin_shadow_manager ORG_KDE_KWIN_SHADOW_MANAGER_INTERFACE,
        OrgKdeKwinShadow org_kde_kwin_shadow ORG_KDE_KWIN_SHADOW_INTERFACE,
    }
    plasma_slide {
        OrgKdeKwinSlideManager org_kde_kwin_slide_manager ORG_KDE_KWIN_SLIDE_MANAGER_INTERFACE,
        OrgKdeKwinSlide org_kde_kwin_slide ORG_KDE_KWIN_SLIDE_INTERFACE,
    }
    plasma_surface_extension {
        QtSurfaceExtension qt_surface_extension QT_SURFACE_EXTENSION_INTERFACE,
        QtExtendedSurface qt_extended_surface QT_EXTENDED_SURFACE_INTERFACE,
    }
    plasma_text_input_v1 {
        WlTextInput wl_text_input WL_TEXT_INPUT_INTERFACE,
        WlTextInputManager wl_text_input_manager WL_TEXT_INPUT_MANAGER_INTERFACE,
    }
    plasma_text_input_v2 {
        ZwpTextInputV2 zwp_text_input_v2 ZWP_TEXT_INPUT_V2_INTERFACE,
        ZwpTextInputManagerV2 zwp_text_input_manager_v2 ZWP_TEXT_INPUT_MANAGER_V2_INTERFACE,
    }
    plasma_wayland_eglstream_controller {
        WlEglstreamController wl_eglstream_controller WL_EGLSTREAM_CONTROLLER_INTERFACE,
    }
    experimental_session_management_v1 {
        XxSessionManagerV1 xx_session_manager_v1 XX_SESSION_MANAGER_V1_INTERFACE,
        XxSessionV1 xx_session_v1 XX_SESSION_V1_INTERFACE,
        XxToplevelSessionV1 xx_toplevel_session_v1 XX_TOPLEVEL_SESSION_V1_INTERFACE,
    }
    experimental_input_method_v1 {
        XxInputMethodV1 xx_input_method_v1 XX_INPUT_METHOD_V1_INTERFACE,
        XxInputPopupSurfaceV2 xx_input_popup_surface_v2 XX_INPUT_POPUP_SURFACE_V2_INTERFACE,
        XxInputPopupPositionerV1 xx_input_popup_positioner_v1 XX_INPUT_POPUP_POSITIONER_V1_INTERFACE,
        XxInputMethodManagerV2 xx_input_method_manager_v2 XX_INPUT_METHOD_MANAGER_V2_INTERFACE,
    }
    experimental_keyboard_filter_v3 {
        XxKeyboardFilterV1 xx_keyboard_filter_v1 XX_KEYBOARD_FILTER_V1_INTERFACE,
        XxKeyboardFilterManagerV1 xx_keyboard_filter_manager_v1 XX_KEYBOARD_FILTER_MANAGER_V1_INTERFACE,
    }
    experimental_text_input_v3 {
        XxTextInputV3 xx_text_input_v3 XX_TEXT_INPUT_V3_INTERFACE,
        XxTextInputManagerV3 xx_text_input_manager_v3 XX_TEXT_INPUT_MANAGER_V3_INTERFACE,
    }
    own_drm {
        WlDrm wl_drm WL_DRM_INTERFACE,
    }
    own_frog_color_management {
        FrogColorManagementFactoryV1 frog_color_management_factory_v1 FROG_COLOR_MANAGEMENT_FACTORY_V1_INTERFACE,
        FrogColorManagedSurface frog_color_managed_surface FROG_COLOR_MANAGED_SURFACE_INTERFACE,
    }
    own_frog_fifo {
        FrogFifoManagerV1 frog_fifo_manager_v1 FROG_FIFO_MANAGER_V1_INTERFACE,
        FrogFifoSurfaceV1 frog_fifo_surface_v1 FROG_FIFO_SURFACE_V1_INTERFACE,
    }
    own_gtk_shell {
        GtkShell1 gtk_shell1 GTK_SHELL1_INTERFACE,
        GtkSurface1 gtk_surface1 GTK_SURFACE1_INTERFACE,
    }
    own_xdg_session_management {
        XdgSessionManagerV1 xdg_session_manager_v1 XDG_SESSION_MANAGER_V1_INTERFACE,
        XdgSessionV1 xdg_session_v1 XDG_SESSION_V1_INTERFACE,
        XdgToplevelSessionV1 xdg_toplevel_session_v1 XDG_TOPLEVEL_SESSION_V1_INTERFACE,
    }
}
