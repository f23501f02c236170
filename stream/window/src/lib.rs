//! The native player's window.
