//! What programs and toolkits bind, and what compositors offer, held against the policy.
//!
//! Each entry was read in the source that it names, or in the program's own log of its requests
//! where it says so. A global that a program binds must be forwarded, in a version that is not below
//! what the program asks for, or be hidden by a row that says why. Unknown is neither.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use stratus_proxy_core::{GlobalPolicy, Visibility};

/// Who binds, where that was read, and "interface version" pairs. Version 0 is whatever is offered.
struct Program {
    name: &'static str,
    source: &'static str,
    binds: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "SDL 3, August 2026",
        source: "src/video/wayland/SDL_waylandvideo.c",
        binds: "wl_compositor 6, wl_subcompositor 1, wl_output 4, wl_seat 11, xdg_wm_base 7, \
                wl_shm 2, zwp_relative_pointer_manager_v1 1, zwp_pointer_constraints_v1 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, zwp_idle_inhibit_manager_v1 1, \
                xdg_activation_v1 1, zwp_text_input_manager_v3 1, wl_data_device_manager 3, \
                zwp_primary_selection_device_manager_v1 1, zxdg_decoration_manager_v1 2, \
                zwp_tablet_manager_v2 1, zxdg_output_manager_v1 3, wp_viewporter 1, \
                wp_fractional_scale_manager_v1 1, zwp_input_timestamps_manager_v1 1, \
                wp_cursor_shape_manager_v1 2, zxdg_exporter_v2 1, xdg_wm_dialog_v1 1, \
                wp_alpha_modifier_v1 1, xdg_toplevel_icon_manager_v1 1, \
                frog_color_management_factory_v1 1, wp_color_manager_v1 2, wp_pointer_warp_v1 1, \
                zwp_pointer_gestures_v1 3, wp_single_pixel_buffer_manager_v1 1, \
                xdg_session_manager_v1 1, xdg_toplevel_tag_manager_v1 1, wl_fixes 2",
    },
    Program {
        name: "SDL 2.32",
        source: "log of testgles2 and testsprite2 on KWin 6.3",
        binds: "wl_compositor 4, wl_shm 1, wl_seat 8, wl_output 2, xdg_wm_base 5, \
                wl_data_device_manager 3, zwp_idle_inhibit_manager_v1 1, \
                zxdg_decoration_manager_v1 1, zwp_tablet_manager_v2 1, zxdg_output_manager_v1 3, \
                wp_cursor_shape_manager_v1 1, zwp_pointer_constraints_v1 1, xdg_activation_v1 1, \
                zwp_primary_selection_device_manager_v1 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, wp_viewporter 1, \
                zwp_text_input_manager_v3 1, wp_fractional_scale_manager_v1 1, \
                zwp_relative_pointer_manager_v1 1",
    },
    Program {
        name: "SDL 2.0.12, 2020",
        source: "src/video/wayland/SDL_waylandvideo.c",
        binds: "wl_compositor 3, wl_output 2, xdg_wm_base 1, zxdg_shell_v6 1, wl_shell 1, wl_shm 1, \
                zwp_relative_pointer_manager_v1 1, zwp_pointer_constraints_v1 1, \
                wl_data_device_manager 3, zxdg_decoration_manager_v1 1, \
                org_kde_kwin_server_decoration_manager 1, qt_touch_extension 1, \
                qt_surface_extension 1, qt_windowmanager 1",
    },
    Program {
        name: "GLFW 3.5, August 2026",
        source: "src/wl_init.c",
        binds: "wl_compositor 3, wl_subcompositor 1, wl_shm 1, wl_output 4, wl_seat 5, \
                wl_data_device_manager 1, xdg_wm_base 1, zxdg_decoration_manager_v1 1, \
                wp_viewporter 1, zwp_relative_pointer_manager_v1 1, zwp_pointer_constraints_v1 1, \
                zwp_idle_inhibit_manager_v1 1, xdg_activation_v1 1, \
                wp_fractional_scale_manager_v1 1",
    },
    Program {
        name: "Mesa's Vulkan, 2026",
        source: "src/vulkan/wsi/wsi_common_wayland.c",
        binds: "wl_shm 1, zwp_linux_dmabuf_v1 4, wp_linux_drm_syncobj_manager_v1 1, wl_fixes 1, \
                wp_presentation 2, wp_tearing_control_manager_v1 1, wp_fifo_manager_v1 1, \
                wp_commit_timing_manager_v1 1, wp_color_manager_v1 1",
    },
    Program {
        name: "Mesa's EGL",
        source: "src/egl/drivers/dri2/platform_wayland.c",
        binds: "wl_drm 2, zwp_linux_dmabuf_v1 4, wl_shm 1",
    },
    Program {
        name: "winewayland of wine-cachyos, 2026, which has all of wine 10's and more",
        source: "dlls/winewayland.drv/wayland.c",
        binds: "wl_output 4, zxdg_output_manager_v1 3, wl_compositor 4, xdg_wm_base 5, wl_shm 1, \
                wl_seat 5, wp_viewporter 1, wl_subcompositor 1, zwp_pointer_constraints_v1 1, \
                zwp_relative_pointer_manager_v1 1, zwp_text_input_manager_v3 1, \
                zwlr_data_control_manager_v1 1, ext_data_control_manager_v1 1, \
                wl_data_device_manager 2, xdg_toplevel_icon_manager_v1 1, \
                wp_cursor_shape_manager_v1 2, wp_fractional_scale_manager_v1 1, \
                xdg_toplevel_tag_manager_v1 1, wp_content_type_manager_v1 1, \
                zxdg_decoration_manager_v1 2, wp_color_manager_v1 3, xdg_activation_v1 1, \
                wp_pointer_warp_v1 1, zwp_keyboard_shortcuts_inhibit_manager_v1 1",
    },
    Program {
        name: "GTK 4.20",
        source: "gdk/wayland/gdkdisplay-wayland.c",
        binds: "wl_compositor 6, wl_shm 1, zwp_linux_dmabuf_v1 5, xdg_wm_base 7, zxdg_shell_v6 1, \
                xdg_wm_dialog_v1 1, xx_session_manager_v1 0, gtk_shell1 6, wl_output 4, wl_seat 10, \
                wl_data_device_manager 3, wl_subcompositor 1, zwp_pointer_gestures_v1 3, \
                zwp_primary_selection_device_manager_v1 1, zwp_tablet_manager_v2 2, \
                zxdg_exporter_v1 1, zxdg_exporter_v2 1, zxdg_importer_v1 1, zxdg_importer_v2 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, \
                org_kde_kwin_server_decoration_manager 1, zxdg_output_manager_v1 3, \
                zwp_idle_inhibit_manager_v1 1, xdg_activation_v1 1, \
                wp_fractional_scale_manager_v1 1, wp_viewporter 1, wp_presentation 1, \
                wp_color_manager_v1 0, wp_color_representation_manager_v1 0, \
                wp_single_pixel_buffer_manager_v1 1, xdg_system_bell_v1 1, \
                wp_cursor_shape_manager_v1 1, xdg_toplevel_icon_manager_v1 1, \
                zwp_text_input_manager_v3 1",
    },
    Program {
        name: "GTK 3.24",
        source: "gdk/wayland/gdkdisplay-wayland.c",
        binds: "wl_compositor 3, wl_shm 1, xdg_wm_base 6, zxdg_shell_v6 1, gtk_shell1 5, \
                wl_output 2, wl_seat 5, wl_data_device_manager 3, wl_subcompositor 1, \
                zwp_pointer_gestures_v1 1, gtk_primary_selection_device_manager 1, \
                zwp_primary_selection_device_manager_v1 1, zwp_tablet_manager_v2 1, \
                zxdg_exporter_v1 1, zxdg_importer_v1 1, zxdg_exporter_v2 1, zxdg_importer_v2 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, \
                org_kde_kwin_server_decoration_manager 1, zxdg_output_manager_v1 3, \
                xdg_activation_v1 1, wp_cursor_shape_manager_v1 1, zwp_text_input_manager_v3 1",
    },
    Program {
        name: "Qt 6.9",
        source: "qtwayland: src/client/qwaylanddisplay.cpp, src/plugins/shellintegration",
        binds: "wl_output 3, wl_compositor 6, wl_shm 2, wl_seat 9, wl_data_device_manager 3, \
                wl_subcompositor 1, qt_touch_extension 1, qt_key_extension 1, \
                zwp_tablet_manager_v2 1, zwp_pointer_gestures_v1 1, \
                zwp_primary_selection_device_manager_v1 1, qt_text_input_method_manager_v1 1, \
                zwp_text_input_manager_v1 1, zwp_text_input_manager_v2 1, \
                zwp_text_input_manager_v3 1, qt_hardware_integration 1, zxdg_output_manager_v1 3, \
                wp_fractional_scale_manager_v1 1, wp_viewporter 1, wp_cursor_shape_manager_v1 1, \
                xdg_toplevel_drag_manager_v1 1, qt_windowmanager 0, xdg_system_bell_v1 1, \
                xdg_wm_base 6, zxdg_decoration_manager_v1 1, xdg_activation_v1 1, \
                zxdg_exporter_v2 1, xdg_wm_dialog_v1 1, wl_shell 1, ivi_application 1",
    },
    Program {
        name: "Chromium 156, and with it Electron",
        source: "log of chromium --ozone-platform=wayland on Sway 1.10 and KWin 6.3",
        binds: "wl_compositor 4, wl_subcompositor 1, wl_shm 1, wl_seat 9, wl_output 4, \
                wl_data_device_manager 3, xdg_wm_base 6, zwp_idle_inhibit_manager_v1 1, \
                zxdg_decoration_manager_v1 1, zwp_pointer_gestures_v1 3, zwp_tablet_manager_v2 1, \
                xdg_toplevel_drag_manager_v1 1, zxdg_output_manager_v1 3, zxdg_exporter_v1 1, \
                zxdg_exporter_v2 1, zxdg_importer_v1 1, zxdg_importer_v2 1, \
                zwp_text_input_manager_v1 1, zwp_text_input_manager_v3 1, \
                wp_cursor_shape_manager_v1 1, zwp_pointer_constraints_v1 1, xdg_activation_v1 1, \
                wp_presentation 2, org_kde_kwin_idle 1, org_kde_kwin_appmenu_manager 1, \
                org_kde_kwin_server_decoration_manager 1, \
                zwp_primary_selection_device_manager_v1 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, wp_viewporter 1, \
                wp_color_manager_v1 1, xdg_toplevel_icon_manager_v1 1, \
                wp_fractional_scale_manager_v1 1, wp_content_type_manager_v1 1, \
                wp_single_pixel_buffer_manager_v1 1, zwp_relative_pointer_manager_v1 1",
    },
    Program {
        name: "Chromium, where it is not the newest",
        source: "ui/ozone/platform/wayland/host/wayland_connection.cc",
        binds: "gtk_primary_selection_device_manager 1, gtk_shell1 4, org_kde_kwin_idle 1, \
                overlay_prioritizer 1, surface_augmenter 1, wl_drm 2, zaura_shell 0, \
                zcr_cursor_shapes_v1 1, zcr_keyboard_extension_v1 2, zcr_text_input_extension_v1 1, \
                zcr_alpha_compositing_v1 1, zcr_extended_drag_v1 1, zcr_color_manager_v1 0, \
                zwp_linux_dmabuf_v1 3, zwp_linux_explicit_synchronization_v1 2, \
                wp_linux_drm_syncobj_manager_v1 1, zxdg_shell_v6 1, zxdg_output_manager_v1 3",
    },
    Program {
        name: "Firefox, 2026",
        source: "widget/gtk/nsWaylandDisplay.cpp",
        binds: "wl_shm 1, zwp_idle_inhibit_manager_v1 1, zwp_relative_pointer_manager_v1 1, \
                zwp_pointer_constraints_v1 1, wl_compositor 4, wl_subcompositor 1, wp_viewporter 1, \
                zwp_linux_dmabuf_v1 4, xdg_activation_v1 1, org_kde_kwin_appmenu_manager 2, \
                wl_seat 8, wp_fractional_scale_manager_v1 1, zwp_pointer_gestures_v1 3, \
                wp_color_manager_v1 0, wp_color_representation_manager_v1 1, xx_pip_shell_v1 0, \
                xdg_wm_base 0",
    },
    Program {
        name: "Xwayland 24.1",
        source: "hw/xwayland/xwayland-screen.c, xwayland-input.c, xwayland-glamor*.c",
        binds: "wl_compositor 4, wl_shm 1, xdg_wm_base 1, wl_output 4, zxdg_output_manager_v1 3, \
                wp_drm_lease_device_v1 1, wp_viewporter 1, xwayland_shell_v1 1, \
                wp_tearing_control_manager_v1 1, wp_fractional_scale_manager_v1 1, wl_seat 8, \
                zwp_relative_pointer_manager_v1 1, zwp_pointer_constraints_v1 1, \
                zwp_pointer_gestures_v1 1, zwp_tablet_manager_v2 1, \
                zwp_xwayland_keyboard_grab_manager_v1 1, \
                zwp_keyboard_shortcuts_inhibit_manager_v1 1, wl_eglstream_display 0, \
                wl_eglstream_controller 2, wl_drm 2, zwp_linux_dmabuf_v1 4, \
                wp_linux_drm_syncobj_manager_v1 1",
    },
    Program {
        name: "gamescope inside another compositor, August 2026",
        source: "src/Backends/WaylandBackend.cpp",
        binds: "wl_compositor 4, wp_single_pixel_buffer_manager_v1 1, wl_subcompositor 1, \
                xdg_wm_base 1, zwp_linux_dmabuf_v1 3, wp_viewporter 1, wl_seat 8, \
                wp_presentation 1, wl_output 4, frog_color_management_factory_v1 1, \
                wp_color_manager_v1 1, zwp_pointer_constraints_v1 1, \
                zwp_relative_pointer_manager_v1 1, wp_fractional_scale_manager_v1 1, wl_shm 1, \
                xdg_toplevel_icon_manager_v1 1, wl_data_device_manager 3, \
                zwp_primary_selection_device_manager_v1 1",
    },
    Program {
        name: "mpv, August 2026",
        source: "video/out/wayland_common.c, player/clipboard/clipboard-wayland.c",
        binds: "wl_compositor 6, wl_subcompositor 1, zwp_linux_dmabuf_v1 5, wp_viewporter 1, \
                wl_data_device_manager 3, wl_output 4, wl_seat 8, wl_shm 2, wl_fixes 2, \
                wp_color_representation_manager_v1 1, wp_content_type_manager_v1 1, \
                wp_single_pixel_buffer_manager_v1 1, wp_fifo_manager_v1 1, \
                wp_fractional_scale_manager_v1 1, wp_cursor_shape_manager_v1 2, \
                wp_presentation 2, xdg_wm_base 7, wp_color_manager_v1 2, xdg_activation_v1 1, \
                zxdg_decoration_manager_v1 1, zwp_idle_inhibit_manager_v1 1, \
                zwp_text_input_manager_v3 1, zwp_tablet_manager_v2 1, xdg_session_manager_v1 1, \
                ext_data_control_manager_v1 2",
    },
    Program {
        name: "libdecor",
        source: "src/libdecor.c, src/plugins/cairo/libdecor-cairo.c",
        binds: "xdg_wm_base 2, zxdg_decoration_manager_v1 2, wl_compositor 4, wl_subcompositor 1, \
                wl_shm 1, wl_seat 3, wl_output 2",
    },
    Program {
        name: "wl-clipboard 2.2 and grim",
        source: "their logs on Sway 1.10 and KWin 6.3",
        binds: "zwlr_data_control_manager_v1 2, xdg_wm_base 1, xdg_activation_v1 1, \
                zwp_primary_selection_device_manager_v1 1, wl_data_device_manager 1, \
                wl_compositor 2, wl_seat 2, wl_shm 1, zxdg_output_manager_v1 2, \
                zwlr_screencopy_manager_v1 1, wl_output 3",
    },
];

/// What Sway 1.10, labwc 0.8, cage 0.2, Weston 14, KWin 6.3 and Mutter 48 offered when they were
/// asked, and what the sources of Mutter, Hyprland, gamescope and COSMIC of 2026 add.
const OFFERED: &str = "\
    ext_foreign_toplevel_list_v1 1, ext_idle_notifier_v1 1, ext_session_lock_manager_v1 1, \
    ext_transient_seat_manager_v1 1, ext_workspace_manager_v1 1, \
    frog_color_management_factory_v1 1, gtk_shell1 7, kde_external_brightness_v1 2, \
    kde_output_device_v2 11, kde_output_management_v2 12, kde_output_order_v1 1, \
    kde_screen_edge_manager_v1 1, org_kde_kwin_appmenu_manager 2, org_kde_kwin_dpms_manager 1, \
    org_kde_kwin_idle 1, org_kde_kwin_server_decoration_manager 1, \
    org_kde_kwin_server_decoration_palette_manager 1, org_kde_kwin_shadow_manager 2, \
    org_kde_plasma_shell 8, org_kde_plasma_virtual_desktop_management 2, weston_capture_v1 1, \
    weston_desktop_shell 1, wl_compositor 6, wl_data_device_manager 3, wl_output 4, wl_seat 10, \
    wl_shm 2, wl_subcompositor 1, wp_alpha_modifier_v1 1, wp_color_manager_v1 2, \
    wp_commit_timing_manager_v1 1, wp_content_type_manager_v1 1, wp_cursor_shape_manager_v1 2, \
    wp_fifo_manager_v1 1, wp_fractional_scale_manager_v1 1, wp_presentation 2, \
    wp_security_context_manager_v1 1, wp_single_pixel_buffer_manager_v1 1, \
    wp_tearing_control_manager_v1 1, wp_viewporter 1, xdg_activation_v1 1, xdg_system_bell_v1 1, \
    xdg_toplevel_drag_manager_v1 1, xdg_toplevel_icon_manager_v1 1, xdg_wm_base 7, \
    xdg_wm_dialog_v1 1, xwayland_shell_v1 1, zcosmic_workspace_manager_v1 1, \
    zwlr_data_control_manager_v1 2, zwlr_export_dmabuf_manager_v1 1, \
    zwlr_foreign_toplevel_manager_v1 3, zwlr_gamma_control_manager_v1 1, zwlr_layer_shell_v1 5, \
    zwlr_output_manager_v1 4, zwlr_output_power_manager_v1 1, zwlr_screencopy_manager_v1 3, \
    zwlr_virtual_pointer_manager_v1 2, zwp_idle_inhibit_manager_v1 1, \
    zwp_input_method_manager_v2 1, zwp_input_panel_v1 1, zwp_input_timestamps_manager_v1 1, \
    zwp_keyboard_shortcuts_inhibit_manager_v1 1, zwp_linux_dmabuf_v1 5, \
    zwp_linux_explicit_synchronization_v1 2, zwp_pointer_constraints_v1 1, \
    zwp_pointer_gestures_v1 3, zwp_primary_selection_device_manager_v1 1, \
    zwp_relative_pointer_manager_v1 1, zwp_tablet_manager_v2 1, zwp_text_input_manager_v1 1, \
    zwp_text_input_manager_v2 1, zwp_text_input_manager_v3 2, zwp_virtual_keyboard_manager_v1 1, \
    zxdg_decoration_manager_v1 1, zxdg_exporter_v1 1, zxdg_exporter_v2 1, zxdg_importer_v1 1, \
    zxdg_importer_v2 1, zxdg_output_manager_v1 3, mutter_x11_interop 1, xdg_session_manager_v1 1, \
    wp_drm_lease_device_v1 1, xdg_toplevel_tag_manager_v1 1, \
    wp_color_representation_manager_v1 1, wl_fixes 1, wp_pointer_warp_v1 1, \
    ext_background_effect_manager_v1 1, ext_data_control_manager_v1 1, \
    ext_image_copy_capture_manager_v1 1, ext_output_image_capture_source_manager_v1 1, \
    wp_linux_drm_syncobj_manager_v1 1, wl_drm 2, vicinae_hotkey_manager_v1 1, \
    hyprland_ctm_control_manager_v1 2, hyprland_focus_grab_manager_v1 1, \
    hyprland_global_shortcuts_manager_v1 1, hyprland_input_capture_manager_v1 1, \
    hyprland_lock_notifier_v1 1, hyprland_surface_manager_v1 2, \
    hyprland_toplevel_export_manager_v1 2, hyprland_toplevel_mapping_manager_v1 1, \
    gamescope_action_binding_manager 1, gamescope_control 6, gamescope_input_method_manager 3, \
    gamescope_pipewire 1, gamescope_private 1, gamescope_reshade 1, \
    gamescope_swapchain_factory_v2 1, gamescope_xwayland 1, cosmic_a11y_manager_v1 3, \
    cosmic_atspi_manager_v1 1, cosmic_corner_radius_manager_v1 1, zcosmic_output_manager_v1 3, \
    zcosmic_workspace_image_capture_source_manager_v1 1, zcosmic_overlap_notify_v1 1, \
    zcosmic_toplevel_info_v1 3, zcosmic_toplevel_manager_v1 4, zcosmic_workspace_manager_v2 2";

/// What the globals above are hidden for, of those that a program binds. What a game could miss
/// is here for all to see.
const HIDDEN_FROM_PROGRAMS: &[&str] = &[
    "ext_data_control_manager_v1",
    "ivi_application",
    "overlay_prioritizer",
    "qt_hardware_integration",
    "qt_key_extension",
    "qt_text_input_method_manager_v1",
    "qt_touch_extension",
    "qt_windowmanager",
    "surface_augmenter",
    "wl_eglstream_display",
    "wp_drm_lease_device_v1",
    "wp_linux_drm_syncobj_manager_v1",
    "xx_pip_shell_v1",
    "zaura_shell",
    "zcr_alpha_compositing_v1",
    "zcr_color_manager_v1",
    "zcr_cursor_shapes_v1",
    "zcr_extended_drag_v1",
    "zcr_keyboard_extension_v1",
    "zcr_text_input_extension_v1",
    "zwlr_data_control_manager_v1",
    "zwlr_screencopy_manager_v1",
    "zwp_linux_explicit_synchronization_v1",
    "zxdg_shell_v6",
];

fn pairs(list: &'static str) -> impl Iterator<Item = (&'static str, u32)> {
    list.split(',').map(|pair| {
        let (name, version) = pair.trim().split_once(' ').unwrap_or_else(|| panic!("{pair}"));
        (name, version.trim().parse().unwrap_or_else(|_| panic!("{pair}")))
    })
}

/// What is wrong with how `policy` treats a global that is wanted in `version`.
fn complaint(policy: &GlobalPolicy, name: &str, version: u32) -> Option<String> {
    let ruling = policy.of(name);
    if ruling.reason == policy.of("no such global").reason {
        return Some(format!("{name} stands in no row"));
    }
    let shown = ruling.visibility == Visibility::Forwarded;
    let known = ruling.known_version().unwrap_or(0);
    (shown && known < version)
        .then(|| format!("{name} is wanted in version {version}, known in version {known}"))
}

#[test]
fn what_programs_bind_is_forwarded_in_their_version_or_hidden_with_a_reason() {
    let policy = GlobalPolicy::default();
    let mut hidden = BTreeSet::new();
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        for (name, version) in pairs(program.binds) {
            let of = format!("{} ({})", program.name, program.source);
            wrong.extend(complaint(&policy, name, version).map(|c| format!("{of}: {c}")));
            if policy.of(name).visibility == Visibility::Hidden {
                hidden.insert(name);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let declared: BTreeSet<_> = HIDDEN_FROM_PROGRAMS.iter().copied().collect();
    assert_eq!(hidden, declared);
}

#[test]
fn what_compositors_offer_is_known() {
    let policy = GlobalPolicy::default();
    let wrong: Vec<_> =
        pairs(OFFERED).filter_map(|(name, version)| complaint(&policy, name, version)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(complaint(&policy, "wl_shm", 99).is_some());
    assert!(complaint(&policy, "zharness_unheard_of_v7", 1).is_some());
}
