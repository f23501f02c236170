//! Blending rows where the processor has AVX2: the proof that it has, and the call that needs it.

#![allow(unsafe_code)] // What not every processor has can only be called by whoever asked for it.

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// `None` if the processor does not have it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn of_processor() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn of_processor() -> Option<Self> {
        None
    }

    /// Puts the pixels of `above` over those of `below`, as [`crate::over`] says; `next` comes next.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn over(self, below: &mut [u32], above: &[u8], next: &[u8]) {
        // SAFETY: the processor has AVX2: it was asked before `self` was made.
        unsafe { crate::over::row(below, above, next) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn over(self, _: &mut [u32], _: &[u8], _: &[u8]) {}
}

/// Asks for the memory at `byte`, without waiting for it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn prefetch(byte: &u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint, which reads nothing and faults nowhere, for an address that may be read.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) }
}
