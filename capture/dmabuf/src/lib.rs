//! Reads the pixels of dmabufs: mapped where their bytes are visible, imported where they are not.
//!
//! It knows planes, formats and fences, and no Wayland: `stratus-capture` says what the client
//! made of them.
