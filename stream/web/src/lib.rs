//! The browser player's files.
