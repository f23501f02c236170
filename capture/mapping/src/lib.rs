//! Memory that another process shares, mapped for reading.
//!
//! A game can cut off its memory while we read it. Such a read goes on over zeros and says
//! afterwards that what it saw was not all there; the process lives.

mod guard_unsafe;
mod mapping_unsafe;

pub use mapping_unsafe::Mapping;
