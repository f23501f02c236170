//! Compares two `WAYLAND_DEBUG` logs.
