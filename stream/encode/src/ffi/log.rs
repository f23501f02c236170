//! FFmpeg's log lines, led into `tracing` instead of stderr.
//!
//! FFmpeg calls an error what is often only a peer's odd byte or a missing device, and reports
//! the same through return codes, which this crate turns into typed errors. So its errors and
//! warnings are debug lines here, its information trace lines, and its own debug lines (libx264
//! sends one a frame) are dropped before they are formatted.
#![allow(unsafe_code, reason = "a log callback is a C function that gets a C argument list")]

use std::cell::RefCell;

thread_local! {
    static FIRST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Leads FFmpeg's log lines of this process into `tracing`.
pub(super) fn install() {
    imp::install();
}

/// Takes the first error line that FFmpeg wrote on this thread since [`forget_errors`]: it names a
/// reason ("cannot load libcuda.so.1") where the return code only says that something failed.
/// Later lines list alternatives or tell what failed in consequence.
pub(crate) fn take_first_error() -> Option<String> {
    FIRST.with(|first| {
        let line = std::mem::take(&mut *first.borrow_mut());
        (!line.is_empty()).then_some(line)
    })
}

/// Forgets what [`take_first_error`] would return, before a call whose reason matters.
pub(crate) fn forget_errors() {
    FIRST.with(|first| first.borrow_mut().clear());
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use std::ffi::{CStr, c_char, c_int, c_void};

    use ffmpeg_next::ffi;

    use super::FIRST;

    /// Long enough for every line of interest; FFmpeg cuts longer ones off.
    const LINE: usize = 512;

    pub(super) fn install() {
        // SAFETY: the callback lives as long as the program and may be called from any thread,
        // as av_log_set_callback demands: it touches only thread-local and `tracing` state.
        unsafe { ffi::av_log_set_callback(Some(on_line)) };
    }

    /// # Safety
    /// As FFmpeg calls it: `class` is null or points to a struct that starts with an AVClass
    /// pointer, `format` and `args` are what printf takes.
    unsafe extern "C" fn on_line(
        class: *mut c_void,
        level: c_int,
        format: *const c_char,
        args: *mut ffi::__va_list_tag,
    ) {
        let serious = level <= ffi::AV_LOG_WARNING;
        if level > ffi::AV_LOG_VERBOSE || (!serious && !tracing::enabled!(tracing::Level::TRACE)) {
            return;
        }
        let mut line: [c_char; LINE] = [0; LINE];
        // No prefix: it holds an address, and these lines end up in messages to users.
        let mut prefix: c_int = 0;
        // SAFETY: the arguments come straight from av_log, `line` has the length given, and
        // `prefix` outlives the call.
        let written = unsafe {
            ffi::av_log_format_line2(
                class,
                level,
                format,
                args,
                line.as_mut_ptr(),
                LINE as c_int,
                &raw mut prefix,
            )
        };
        if written < 0 {
            return;
        }
        // SAFETY: av_log_format_line2 succeeded, so it ended the line with a zero inside `line`.
        let text = unsafe { CStr::from_ptr(line.as_ptr()) }.to_string_lossy();
        let text = text.trim_end();
        if level <= ffi::AV_LOG_ERROR {
            FIRST.with(|first| {
                if let Ok(mut first) = first.try_borrow_mut()
                    && first.is_empty()
                {
                    first.push_str(text);
                }
            });
        }
        if serious {
            tracing::debug!(target: "stratus_encode::ffmpeg", "{text}");
        } else {
            tracing::trace!(target: "stratus_encode::ffmpeg", "{text}");
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    use ffmpeg_next::util::log;

    /// The C argument list has another type on each of these machines, so FFmpeg is only hushed.
    pub(super) fn install() {
        log::set_level(log::Level::Quiet);
    }
}
