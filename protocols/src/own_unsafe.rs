//! The interfaces that no crate ships: what the scanner makes of our descriptions of their messages.
//!
//! The generated tables come with twins for C, whose raw pointers need `unsafe`; Stratus never
//! follows them.
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "generated: addresses of statics are stored in statics, nothing is dereferenced"
)]
#![allow(missing_docs, unreachable_pub, dead_code, unused_imports, unused_unsafe)]
#![allow(non_upper_case_globals, non_camel_case_types, clippy::all, clippy::pedantic)]

/// A module of the shape that the crates have, from one of our descriptions. `uses` names the
/// modules of the protocols whose interfaces the description mentions.
macro_rules! described {
    ($module:ident, $xml:tt, uses $($($used:ident)::+),*) => {
        pub mod $module {
            use wayland_client;
            $(use $($used)::+::*;)*

            pub mod __interfaces {
                $(use $($used)::+::__interfaces::*;)*
                wayland_scanner::generate_interfaces!($xml);
            }
            use self::__interfaces::*;

            wayland_scanner::generate_client_code!($xml);
        }
    };
}

described!(drm, "./xml/wl_drm.xml", uses wayland_client::protocol);
described!(frog_color_management, "./xml/frog_color_management.xml", uses wayland_client::protocol);
described!(frog_fifo, "./xml/frog_fifo.xml", uses wayland_client::protocol);
described!(gtk_shell, "./xml/gtk_shell.xml", uses wayland_client::protocol);
described!(
    xdg_session_management,
    "./xml/xdg_session_management.xml",
    uses wayland_client::protocol, wayland_protocols::xdg::shell::client
);
