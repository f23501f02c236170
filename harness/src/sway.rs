//! Starts a real headless Sway.
