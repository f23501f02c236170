//! The `stratus` command: one game, streamed with the least possible delay.
//!
//! The parts live in crates of their own and know nothing of each other. Here the command line
//! and the config file become [`options`], [`assemble`] connects the crates, and [`session`] and
//! [`commands`] carry a stream from its first process to its last. Everything that a session
//! starts is accounted for in [`process`], so that no end of it leaves anything behind.

pub mod assemble;
pub mod cli;
pub mod commands;
pub mod failure;
pub mod game;
pub mod logging;
pub mod options;
mod player;
mod print;
pub mod process;
pub mod session;
pub mod signals;
pub mod sway;
