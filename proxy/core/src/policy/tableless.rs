//! Globals that are known by name alone: why each stays hidden, and why nothing can open it.
//!
//! No crate has a table of their messages, and no game is the worse for it. Those that a game
//! would miss are described in `stratus-protocols` instead.

/// Globals of one kind, without tables.
pub(super) struct Names {
    pub(super) reason: &'static str,
    pub(super) names: &'static [&'static str],
}

/// Sorted by reason for people; names are unique.
pub(super) const TABLELESS: &[Names] = &[
    Names {
        reason: "an older form of xdg_wm_base, which every program prefers",
        names: &["xdg_shell", "zxdg_shell_v6"],
    },
    Names {
        reason: "an older form of a global that programs prefer today",
        names: &[
            "presentation",
            "wl_scaler",
            "xx_color_manager_v2",
            "xx_color_manager_v3",
            "xx_color_manager_v4",
            "zxdg_exporter",
            "zxdg_importer",
        ],
    },
    Names {
        reason: "an experiment; programs go without it",
        names: &[
            "xx_cutouts_manager_v1",
            "xx_fractional_scale_manager_v2",
            "xx_pip_shell_v1",
            "xx_zone_manager_v1",
        ],
    },
    Names {
        reason: "buffers of NVIDIA's EGL before 495, which no capture can read",
        names: &["wl_eglstream_display"],
    },
    Names {
        reason: "only compositors made with Qt offer it, and Qt goes without it",
        names: &[
            "qt_hardware_integration",
            "qt_key_extension",
            "qt_text_input_method_manager_v1",
            "qt_touch_extension",
            "qt_windowmanager",
        ],
    },
    Names {
        reason: "only ChromeOS offers it, and Chromium goes without it",
        names: &[
            "overlay_prioritizer",
            "surface_augmenter",
            "zaura_output_manager",
            "zaura_output_manager_v2",
            "zaura_shell",
            "zcr_alpha_compositing_v1",
            "zcr_color_manager_v1",
            "zcr_cursor_shapes_v1",
            "zcr_extended_drag_v1",
            "zcr_extended_text_input_v1",
            "zcr_gaming_input_v2",
            "zcr_keyboard_configuration_v1",
            "zcr_keyboard_extension_v1",
            "zcr_notification_shell_v1",
            "zcr_remote_shell_v1",
            "zcr_remote_shell_v2",
            "zcr_secure_output_v1",
            "zcr_stylus_tools_v1",
            "zcr_stylus_v2",
            "zcr_text_input_extension_v1",
            "zcr_touchpad_haptics_v1",
            "zcr_vsync_feedback_v1",
        ],
    },
    Names { reason: "hints for Hyprland's effects", names: &["hyprland_surface_manager_v1"] },
    Names {
        reason: "rounds the corners of COSMIC's windows",
        names: &["cosmic_corner_radius_manager_v1"],
    },
    Names {
        reason: "gamescope's Vulkan layer speaks it with gamescope itself, on another socket",
        names: &["gamescope_swapchain_factory_v2"],
    },
    Names {
        reason: "reads the screen",
        names: &[
            "gamescope_pipewire",
            "hyprland_toplevel_export_manager_v1",
            "weston_capture_v1",
            "weston_screenshooter",
            "zcosmic_workspace_image_capture_source_manager_v1",
        ],
    },
    Names {
        reason: "reads or types keys",
        names: &[
            "cosmic_a11y_manager_v1",
            "cosmic_atspi_manager_v1",
            "gamescope_action_binding_manager",
            "gamescope_input_method_manager",
            "hyprland_focus_grab_manager_v1",
            "hyprland_global_shortcuts_manager_v1",
            "hyprland_input_capture_manager_v1",
            "vicinae_hotkey_manager_v1",
            "weston_test",
        ],
    },
    Names {
        reason: "tells of other windows, or rules them",
        names: &[
            "hyprland_toplevel_mapping_manager_v1",
            "mutter_x11_interop",
            "zcosmic_overlap_notify_v1",
            "zcosmic_toplevel_info_v1",
            "zcosmic_toplevel_manager_v1",
        ],
    },
    Names {
        reason: "tells the real screen, which contradicts the stream's size",
        names: &["kde_output_device_registry_v2"],
    },
    Names {
        reason: "rules the session",
        names: &[
            "gamescope_control",
            "gamescope_private",
            "gamescope_reshade",
            "gamescope_xwayland",
            "hyprland_ctm_control_manager_v1",
            "hyprland_lock_notifier_v1",
            "ivi_application",
            "ivi_wm",
            "river_layout_manager_v3",
            "weston_content_protection",
            "weston_debug_v1",
            "weston_desktop_shell",
            "weston_direct_display_v1",
            "weston_touch_calibration",
            "zcosmic_output_manager_v1",
            "zcosmic_workspace_manager_v1",
            "zcosmic_workspace_manager_v2",
            "zdwl_ipc_manager_v2",
            "zriver_control_v1",
            "zriver_status_manager_v1",
        ],
    },
];
