//! Hostile and unlucky programs against the whole `stratus proxy`, in a process of its own: each
//! costs at most itself, hears why where the protocol can say it, and is logged once, while a
//! bystander plays on. docs/hostile.md is the table of all of them, here and elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod crowds;
mod floods;
mod libwayland;
mod limits;
mod signals;
mod silence;
mod stage;
mod wire;

#[path = "../support/mod.rs"]
mod support;
#[allow(dead_code, reason = "each test binary uses a part")]
#[path = "../support/viewer.rs"]
mod viewer;
