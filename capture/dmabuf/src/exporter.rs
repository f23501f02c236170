//! Who made a dmabuf, and what a mapping of it shows.
//!
//! That a dmabuf can be mapped does not mean that its bytes are there: virtio-gpu maps the guest's
//! side of a picture that lies with the host, and reads zeros. Nothing says so, and zeros may be
//! black. So mappings are used only where nothing but main memory can be behind them: udmabuf,
//! the DMA heaps, and files. All others are imported through their own driver, which knows where
//! the bytes are, and how to get them faster than uncached reads over a bus would. Only where no
//! driver takes them is a linear one mapped after all, and then zeros are not believed.
//!
//! Comparing a mapping with an import once would tell liars too, but only where the import works,
//! and there nothing is gained by a mapping.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::stat::{SFlag, fstat};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use nix::unistd::{Whence, lseek};

use crate::layout::Rejected;

/// `DMA_BUF_MAGIC` of `linux/magic.h`, the type of the file system that dmabufs are of.
const DMA_BUF_MAGIC: i64 = 0x444d_4142;

/// Where the memory behind a descriptor comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exporter {
    /// A file: no dmabuf at all, which is for the compositor to judge.
    File,
    /// Main memory: a file's (udmabuf) or the kernel's (DMA heaps).
    Memory,
    /// A GPU whose pictures lie where mappings do not reach.
    Elsewhere,
    /// Any other.
    Unknown,
}

impl Exporter {
    /// Looks at a descriptor, and at how many bytes there are behind it.
    ///
    /// # Errors
    /// [`Rejected`] if mapping it would fail, or reading it would do things.
    pub(crate) fn of(fd: impl AsFd) -> Result<(Self, u64), Rejected> {
        let fd = fd.as_fd();
        let system = |errno| Rejected::System(std::io::Error::from(errno));
        // Before anything else: the last to close a socket may have to wait for its peer.
        let stat = fstat(fd).map_err(system)?;
        let kind = fstatfs(fd).map_err(system)?.filesystem_type();
        #[allow(clippy::useless_conversion, reason = "its width is the machine's")]
        if i64::from(kind.0) == DMA_BUF_MAGIC {
            // Its position is fixed: this moves nothing of the client's.
            let len = lseek(fd, 0, Whence::SeekEnd).map_err(system)?;
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
            let name = info.as_deref().ok().and_then(exporter_name);
            return Ok((Self::named(name), u64::try_from(len).unwrap_or(0)));
        }
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(Rejected::NotMemory);
        }
        if kind == HUGETLBFS_MAGIC {
            return Err(Rejected::HugePages);
        }
        Ok((Self::File, u64::try_from(stat.st_size).unwrap_or(0)))
    }

    fn named(name: Option<&str>) -> Self {
        match name {
            // The heaps of `drivers/dma-buf/heaps` are named for themselves.
            Some("udmabuf" | "system" | "reserved" | "linux,cma" | "default_cma_region") => {
                Self::Memory
            }
            Some("virtio_gpu" | "virtio-gpu") => Self::Elsewhere,
            _ => Self::Unknown,
        }
    }

    /// Whether a mapping shows what was drawn, for certain.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::File | Self::Memory)
    }

    /// Whether a mapping may show what was drawn.
    pub(crate) fn may_be_mapped(&self) -> bool {
        *self != Self::Elsewhere
    }
}

/// The exporter's name in a dmabuf's `fdinfo` (Documentation/filesystems/proc.rst, 3.8).
fn exporter_name(info: &str) -> Option<&str> {
    info.lines().find_map(|line| line.strip_prefix("exp_name:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_kernel_s_words_are_understood() {
        let info = "pos:\t0\nflags:\t02000002\nmnt_id:\t11\nino:\t9\nsize:\t4096\ncount:\t2\n\
                    exp_name:\tvirtio_gpu\nname:\tx\n";
        assert_eq!(exporter_name(info), Some("virtio_gpu"));
        assert_eq!(Exporter::named(exporter_name(info)), Exporter::Elsewhere);
        assert_eq!(exporter_name("pos:\t0\n"), None);
        for (name, plain, mapped) in
            [("udmabuf", true, true), ("system", true, true), ("drm", false, true)]
        {
            let exporter = Exporter::named(Some(name));
            assert_eq!((exporter.is_plain(), exporter.may_be_mapped()), (plain, mapped), "{name}");
        }
        assert!(!Exporter::named(None).is_plain());
    }

    #[test]
    fn what_is_no_memory_is_refused() {
        let (pipe, _writer) = std::io::pipe().unwrap();
        assert!(matches!(Exporter::of(&pipe), Err(Rejected::NotMemory)));
        let folder = fs::File::open("/").unwrap();
        assert!(matches!(Exporter::of(&folder), Err(Rejected::NotMemory)));
        let file = tempfile::tempfile().unwrap();
        file.set_len(99).unwrap();
        assert_eq!(Exporter::of(&file).unwrap(), (Exporter::File, 99));
    }
}
