//! The target `recording` for libFuzzer; what it does stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stratus_fuzz::recording::run(data));
