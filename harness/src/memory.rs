//! How much memory and how many threads a process has.

use std::fs;
use std::io;

/// What `/proc/PID/status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in KiB (`VmRSS`).
    pub rss_kib: u64,
    /// Its anonymous part in KiB (`RssAnon`): heap and stacks, without file and shared pages.
    pub anonymous_kib: u64,
    /// Threads.
    pub threads: u64,
}

/// Reads the usage of process `pid`.
///
/// # Errors
/// If the process is gone, or a line is missing (a zombie has none of memory).
pub fn usage(pid: u32) -> io::Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .and_then(|value| value.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no {name}")))
    };
    Ok(Usage {
        rss_kib: field("VmRSS")?,
        anonymous_kib: field("RssAnon")?,
        threads: field("Threads")?,
    })
}

/// Reads the usage of this process.
///
/// # Errors
/// If /proc cannot be read.
pub fn own_usage() -> io::Result<Usage> {
    usage(std::process::id())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn touched_memory_and_threads_show() {
        let before = own_usage().unwrap();
        let block = vec![1u8; 64 << 20];
        let with_block = own_usage().unwrap();
        assert!(with_block.anonymous_kib >= before.anonymous_kib + (32 << 10));
        assert!(with_block.rss_kib >= with_block.anonymous_kib && with_block.threads >= 1);
        drop(block);
        assert!(usage(u32::MAX).is_err());
    }
}
