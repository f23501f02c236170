//! Which arguments are enums, and of which kind.
//!
//! The names and numbers are those of the enums that the wayland-rs crates generate; here stands
//! only where they are used, which the interface tables leave out. The tests compare all of it
//! with the protocol descriptions inside those crates.

use super::{Namer, name_of};

/// An argument with an enum's type: interface, message, index of the argument.
pub(super) type Row = (&'static str, &'static str, usize, Namer);

macro_rules! arguments {
    ($($interface:ident { $($message:ident [$index:literal] $owner:ident :: $kind:ident,)* })*) => {
        &[$($((
            stringify!($interface),
            // `r#type` is how Rust spells a message named `type`.
            stringify!($message),
            $index,
            name_of::<stratus_protocols::$owner::$kind>,
        ),)*)*]
    };
}

macro_rules! errors {
    ($($interface:ident)*) => {
        &[$((stringify!($interface), name_of::<stratus_protocols::$interface::Error>),)*]
    };
}

/// Every argument with an enum's type.
pub(super) const ARGUMENTS: &[Row] = arguments! {
    wl_shm_pool {
        create_buffer[5] wl_shm::Format,
    }
    wl_shm {
        format[0] wl_shm::Format,
    }
    wl_data_offer {
        set_actions[0] wl_data_device_manager::DndAction,
        set_actions[1] wl_data_device_manager::DndAction,
        source_actions[0] wl_data_device_manager::DndAction,
        action[0] wl_data_device_manager::DndAction,
    }
    wl_data_source {
        set_actions[0] wl_data_device_manager::DndAction,
        action[0] wl_data_device_manager::DndAction,
    }
    wl_shell_surface {
        resize[2] wl_shell_surface::Resize,
        set_transient[3] wl_shell_surface::Transient,
        set_fullscreen[0] wl_shell_surface::FullscreenMethod,
        set_popup[5] wl_shell_surface::Transient,
        configure[0] wl_shell_surface::Resize,
    }
    wl_surface {
        set_buffer_transform[0] wl_output::Transform,
        preferred_buffer_transform[0] wl_output::Transform,
    }
    wl_seat {
        capabilities[0] wl_seat::Capability,
    }
    wl_pointer {
        button[3] wl_pointer::ButtonState,
        axis[1] wl_pointer::Axis,
        axis_source[0] wl_pointer::AxisSource,
        axis_stop[1] wl_pointer::Axis,
        axis_discrete[0] wl_pointer::Axis,
        axis_value120[0] wl_pointer::Axis,
        axis_relative_direction[0] wl_pointer::Axis,
        axis_relative_direction[1] wl_pointer::AxisRelativeDirection,
    }
    wl_keyboard {
        keymap[0] wl_keyboard::KeymapFormat,
        key[3] wl_keyboard::KeyState,
    }
    wl_output {
        geometry[4] wl_output::Subpixel,
        geometry[7] wl_output::Transform,
        mode[0] wl_output::Mode,
    }
    zwp_linux_buffer_params_v1 {
        create[3] zwp_linux_buffer_params_v1::Flags,
        create_immed[4] zwp_linux_buffer_params_v1::Flags,
    }
    zwp_linux_dmabuf_feedback_v1 {
        tranche_flags[0] zwp_linux_dmabuf_feedback_v1::TrancheFlags,
    }
    wp_presentation_feedback {
        presented[6] wp_presentation_feedback::Kind,
    }
    zwp_tablet_tool_v2 {
        r#type[0] zwp_tablet_tool_v2::Type,
        capability[0] zwp_tablet_tool_v2::Capability,
        button[2] zwp_tablet_tool_v2::ButtonState,
    }
    zwp_tablet_v2 {
        bustype[0] zwp_tablet_v2::Bustype,
    }
    zwp_tablet_pad_ring_v2 {
        source[0] zwp_tablet_pad_ring_v2::Source,
    }
    zwp_tablet_pad_strip_v2 {
        source[0] zwp_tablet_pad_strip_v2::Source,
    }
    zwp_tablet_pad_v2 {
        button[2] zwp_tablet_pad_v2::ButtonState,
    }
    xdg_positioner {
        set_anchor[0] xdg_positioner::Anchor,
        set_gravity[0] xdg_positioner::Gravity,
        set_constraint_adjustment[0] xdg_positioner::ConstraintAdjustment,
    }
    xdg_toplevel {
        resize[2] xdg_toplevel::ResizeEdge,
    }
    wp_color_manager_v1 {
        supported_intent[0] wp_color_manager_v1::RenderIntent,
        supported_feature[0] wp_color_manager_v1::Feature,
        supported_tf_named[0] wp_color_manager_v1::TransferFunction,
        supported_primaries_named[0] wp_color_manager_v1::Primaries,
    }
    wp_color_management_surface_v1 {
        set_image_description[1] wp_color_manager_v1::RenderIntent,
    }
    wp_image_description_creator_params_v1 {
        set_tf_named[0] wp_color_manager_v1::TransferFunction,
        set_primaries_named[0] wp_color_manager_v1::Primaries,
    }
    wp_image_description_v1 {
        failed[0] wp_image_description_v1::Cause,
    }
    wp_image_description_info_v1 {
        primaries_named[0] wp_color_manager_v1::Primaries,
        tf_named[0] wp_color_manager_v1::TransferFunction,
    }
    wp_color_representation_manager_v1 {
        supported_alpha_mode[0] wp_color_representation_surface_v1::AlphaMode,
        supported_coefficients_and_ranges[0] wp_color_representation_surface_v1::Coefficients,
        supported_coefficients_and_ranges[1] wp_color_representation_surface_v1::Range,
    }
    wp_color_representation_surface_v1 {
        set_alpha_mode[0] wp_color_representation_surface_v1::AlphaMode,
        set_coefficients_and_range[0] wp_color_representation_surface_v1::Coefficients,
        set_coefficients_and_range[1] wp_color_representation_surface_v1::Range,
        set_chroma_location[0] wp_color_representation_surface_v1::ChromaLocation,
    }
    wp_content_type_v1 {
        set_content_type[0] wp_content_type_v1::Type,
    }
    wp_cursor_shape_device_v1 {
        set_shape[1] wp_cursor_shape_device_v1::Shape,
    }
    ext_background_effect_manager_v1 {
        capabilities[0] ext_background_effect_manager_v1::Capability,
    }
    ext_image_copy_capture_manager_v1 {
        create_session[2] ext_image_copy_capture_manager_v1::Options,
    }
    ext_image_copy_capture_session_v1 {
        shm_format[0] wl_shm::Format,
    }
    ext_image_copy_capture_frame_v1 {
        transform[0] wl_output::Transform,
        failed[0] ext_image_copy_capture_frame_v1::FailureReason,
    }
    ext_workspace_group_handle_v1 {
        capabilities[0] ext_workspace_group_handle_v1::GroupCapabilities,
    }
    ext_workspace_handle_v1 {
        state[0] ext_workspace_handle_v1::State,
        capabilities[0] ext_workspace_handle_v1::WorkspaceCapabilities,
    }
    wp_tearing_control_v1 {
        set_presentation_hint[0] wp_tearing_control_v1::PresentationHint,
    }
    zwp_fullscreen_shell_v1 {
        present_surface[1] zwp_fullscreen_shell_v1::PresentMethod,
        capability[0] zwp_fullscreen_shell_v1::Capability,
    }
    zwp_pointer_constraints_v1 {
        lock_pointer[4] zwp_pointer_constraints_v1::Lifetime,
        confine_pointer[4] zwp_pointer_constraints_v1::Lifetime,
    }
    zwp_tablet_tool_v1 {
        r#type[0] zwp_tablet_tool_v1::Type,
        capability[0] zwp_tablet_tool_v1::Capability,
        button[2] zwp_tablet_tool_v1::ButtonState,
    }
    zwp_text_input_v1 {
        set_content_type[0] zwp_text_input_v1::ContentHint,
        set_content_type[1] zwp_text_input_v1::ContentPurpose,
        preedit_styling[2] zwp_text_input_v1::PreeditStyle,
        text_direction[1] zwp_text_input_v1::TextDirection,
    }
    zwp_text_input_v3 {
        set_text_change_cause[0] zwp_text_input_v3::ChangeCause,
        set_content_type[0] zwp_text_input_v3::ContentHint,
        set_content_type[1] zwp_text_input_v3::ContentPurpose,
        action[0] zwp_text_input_v3::Action,
        preedit_hint[2] zwp_text_input_v3::PreeditHint,
    }
    zxdg_toplevel_decoration_v1 {
        set_mode[0] zxdg_toplevel_decoration_v1::Mode,
        configure[0] zxdg_toplevel_decoration_v1::Mode,
    }
    xx_input_method_v1 {
        perform_action[0] xx_text_input_v3::Action,
        text_change_cause[0] xx_text_input_v3::ChangeCause,
        content_type[0] xx_text_input_v3::ContentHint,
        content_type[1] xx_text_input_v3::ContentPurpose,
        announce_supported_features[0] xx_text_input_v3::SupportedFeatures,
    }
    xx_input_popup_positioner_v1 {
        set_anchor[0] xx_input_popup_positioner_v1::Anchor,
        set_gravity[0] xx_input_popup_positioner_v1::Gravity,
        set_constraint_adjustment[0] xx_input_popup_positioner_v1::ConstraintAdjustment,
    }
    xx_keyboard_filter_v1 {
        filter[1] xx_keyboard_filter_v1::FilterAction,
    }
    xx_session_manager_v1 {
        get_session[1] xx_session_manager_v1::Reason,
    }
    xx_text_input_v3 {
        set_text_change_cause[0] xx_text_input_v3::ChangeCause,
        set_content_type[0] xx_text_input_v3::ContentHint,
        set_content_type[1] xx_text_input_v3::ContentPurpose,
        announce_supported_features[0] xx_text_input_v3::SupportedFeatures,
        perform_action[0] xx_text_input_v3::Action,
    }
    zwp_input_method_v2 {
        text_change_cause[0] zwp_text_input_v3::ChangeCause,
        content_type[0] zwp_text_input_v3::ContentHint,
        content_type[1] zwp_text_input_v3::ContentPurpose,
    }
    zwp_input_method_keyboard_grab_v2 {
        keymap[0] wl_keyboard::KeymapFormat,
        key[3] wl_keyboard::KeyState,
    }
    org_kde_kwin_server_decoration_manager {
        default_mode[0] org_kde_kwin_server_decoration_manager::Mode,
    }
    org_kde_kwin_server_decoration {
        request_mode[0] org_kde_kwin_server_decoration::Mode,
        mode[0] org_kde_kwin_server_decoration::Mode,
    }
    kde_output_device_v2 {
        capabilities[0] kde_output_device_v2::Capability,
        vrr_policy[0] kde_output_device_v2::VrrPolicy,
        rgb_range[0] kde_output_device_v2::RgbRange,
        auto_rotate_policy[0] kde_output_device_v2::AutoRotatePolicy,
        color_profile_source[0] kde_output_device_v2::ColorProfileSource,
        color_power_tradeoff[0] kde_output_device_v2::ColorPowerTradeoff,
    }
    kde_output_configuration_v2 {
        set_vrr_policy[1] kde_output_configuration_v2::VrrPolicy,
        set_rgb_range[1] kde_output_configuration_v2::RgbRange,
        set_auto_rotate_policy[1] kde_output_configuration_v2::AutoRotatePolicy,
        set_color_profile_source[1] kde_output_configuration_v2::ColorProfileSource,
        set_color_power_tradeoff[1] kde_output_configuration_v2::ColorPowerTradeoff,
    }
    kde_screen_edge_manager_v1 {
        get_auto_hide_screen_edge[1] kde_screen_edge_manager_v1::Border,
    }
    org_kde_kwin_outputconfiguration {
        set_vrr_policy[1] org_kde_kwin_outputconfiguration::VrrPolicy,
    }
    org_kde_kwin_outputdevice {
        capabilities[0] org_kde_kwin_outputdevice::Capability,
        vrr_policy[0] org_kde_kwin_outputdevice::VrrPolicy,
    }
    zwp_text_input_v2 {
        set_content_type[0] zwp_text_input_v2::ContentHint,
        set_content_type[1] zwp_text_input_v2::ContentPurpose,
        update_state[1] zwp_text_input_v2::UpdateState,
        input_panel_state[0] zwp_text_input_v2::InputPanelVisibility,
        preedit_styling[2] zwp_text_input_v2::PreeditStyle,
        text_direction[0] zwp_text_input_v2::TextDirection,
    }
    zwlr_export_dmabuf_frame_v1 {
        frame[5] zwlr_export_dmabuf_frame_v1::Flags,
        cancel[0] zwlr_export_dmabuf_frame_v1::CancelReason,
    }
    zwlr_layer_shell_v1 {
        get_layer_surface[3] zwlr_layer_shell_v1::Layer,
    }
    zwlr_layer_surface_v1 {
        set_anchor[0] zwlr_layer_surface_v1::Anchor,
        set_keyboard_interactivity[0] zwlr_layer_surface_v1::KeyboardInteractivity,
        set_layer[0] zwlr_layer_shell_v1::Layer,
        set_exclusive_edge[0] zwlr_layer_surface_v1::Anchor,
    }
    zwlr_output_head_v1 {
        transform[0] wl_output::Transform,
        adaptive_sync[0] zwlr_output_head_v1::AdaptiveSyncState,
    }
    zwlr_output_configuration_head_v1 {
        set_transform[0] wl_output::Transform,
        set_adaptive_sync[0] zwlr_output_head_v1::AdaptiveSyncState,
    }
    zwlr_output_power_v1 {
        set_mode[0] zwlr_output_power_v1::Mode,
        mode[0] zwlr_output_power_v1::Mode,
    }
    zwlr_screencopy_frame_v1 {
        buffer[0] wl_shm::Format,
        flags[0] zwlr_screencopy_frame_v1::Flags,
    }
    zwlr_virtual_pointer_v1 {
        button[2] wl_pointer::ButtonState,
        axis[1] wl_pointer::Axis,
        axis_source[0] wl_pointer::AxisSource,
        axis_stop[1] wl_pointer::Axis,
        axis_discrete[1] wl_pointer::Axis,
    }
};

/// The errors of each interface, for the code in `wl_display.error`.
pub(super) const ERRORS: &[(&str, Namer)] = errors! {
    wl_display wl_shm_pool wl_shm wl_data_offer wl_data_source wl_data_device wl_shell
    wl_surface wl_seat wl_pointer wl_subcompositor wl_subsurface wl_fixes
    zwp_linux_buffer_params_v1 wp_presentation zwp_tablet_tool_v2 wp_viewporter wp_viewport
    xdg_wm_base xdg_positioner xdg_surface xdg_toplevel xdg_popup wp_alpha_modifier_v1
    wp_alpha_modifier_surface_v1 wp_color_manager_v1 wp_color_management_surface_v1
    wp_color_management_surface_feedback_v1 wp_image_description_creator_icc_v1
    wp_image_description_creator_params_v1 wp_image_description_v1
    wp_color_representation_manager_v1 wp_color_representation_surface_v1
    wp_commit_timing_manager_v1 wp_commit_timer_v1 wp_content_type_manager_v1
    wp_cursor_shape_device_v1 wp_drm_lease_request_v1 ext_background_effect_manager_v1
    ext_background_effect_surface_v1 ext_data_control_device_v1 ext_data_control_source_v1
    ext_image_copy_capture_manager_v1 ext_image_copy_capture_session_v1
    ext_image_copy_capture_frame_v1 ext_image_copy_capture_cursor_session_v1
    ext_session_lock_v1 ext_session_lock_surface_v1 wp_fifo_manager_v1 wp_fifo_v1
    wp_fractional_scale_manager_v1 wp_linux_drm_syncobj_manager_v1
    wp_linux_drm_syncobj_surface_v1 wp_security_context_manager_v1 wp_security_context_v1
    wp_tearing_control_manager_v1 xdg_activation_token_v1 xdg_wm_dialog_v1
    xdg_toplevel_drag_manager_v1 xdg_toplevel_drag_v1 xdg_toplevel_icon_v1 xwayland_shell_v1
    xwayland_surface_v1 zwp_fullscreen_shell_v1 zwp_keyboard_shortcuts_inhibit_manager_v1
    zwp_linux_explicit_synchronization_v1 zwp_linux_surface_synchronization_v1
    zwp_pointer_constraints_v1 zwp_tablet_tool_v1 zwp_text_input_v3 zxdg_toplevel_decoration_v1
    zxdg_exporter_v2 zxdg_imported_v2 xx_input_method_v1 xx_input_popup_surface_v2
    xx_input_popup_positioner_v1 xx_keyboard_filter_v1 xx_keyboard_filter_manager_v1
    xx_session_manager_v1 xx_session_v1 zwp_virtual_keyboard_v1 zwp_virtual_keyboard_manager_v1
    _wl_fullscreen_shell kde_lockscreen_overlay_v1 kde_output_configuration_v2
    kde_screen_edge_manager_v1 org_kde_plasma_surface zwlr_data_control_device_v1
    zwlr_data_control_source_v1 zwlr_foreign_toplevel_handle_v1 zwlr_gamma_control_v1
    zwlr_input_inhibit_manager_v1 zwlr_layer_shell_v1 zwlr_layer_surface_v1
    zwlr_output_configuration_v1 zwlr_output_configuration_head_v1 zwlr_output_power_v1
    zwlr_screencopy_frame_v1 zwlr_virtual_pointer_v1
};

/// Arrays whose 32-bit words are of an enum, which the descriptions say in words only.
pub(super) const ARRAYS: &[Row] = arguments! {
    xdg_toplevel {
        configure[2] xdg_toplevel::State,
        wm_capabilities[0] xdg_toplevel::WmCapabilities,
    }
    zwlr_foreign_toplevel_handle_v1 {
        state[0] zwlr_foreign_toplevel_handle_v1::State,
    }
};
