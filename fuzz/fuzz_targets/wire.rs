//! The target `wire` for libFuzzer; what it does stands in the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stratus_fuzz::wire::run(data));
