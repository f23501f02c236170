//! What all pictures of a session share: devices, memories, and what was found unreadable.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::{Cache, Key};
use crate::device::Devices;
use crate::exporter::Exporter;
use crate::format;
use crate::layout::{Description, Layout, Rejected};
use crate::memory::Memory;
use crate::picture::Picture;

/// Pairs of format and modifier that are remembered as unreadable; a device has some dozens.
const MAX_REFUSED: usize = 1024;

/// Behind the reader and all its pictures.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) devices: Devices,
    cache: Mutex<Cache>,
    refused: Mutex<BTreeSet<(u32, u64)>>,
}

impl Shared {
    /// Remembers that a picture of this format and modifier could not be read.
    pub(crate) fn refuse(&self, format: u32, modifier: u64) {
        let mut refused = lock(&self.refused);
        if refused.len() < MAX_REFUSED && refused.insert((format, modifier)) {
            tracing::info!(
                format = format::name(format),
                modifier = format_args!("{modifier:#x}"),
                "pictures of this kind cannot be read here: clients to come are not offered it"
            );
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens dmabufs; one for a session.
#[derive(Clone, Debug, Default)]
pub struct Reader(Arc<Shared>);

impl Reader {
    /// The compositor draws with the device of this number (`dev_t`, as in
    /// `zwp_linux_dmabuf_feedback_v1.main_device`): what GPUs draw is imported there first.
    pub fn prefer_device(&self, number: u64) {
        self.0.devices.prefer(number);
    }

    /// The same by its path (`wl_drm.device`).
    pub fn prefer_node(&self, node: &Path) {
        self.0.devices.prefer_node(node);
    }

    /// Checks a description and makes a picture of it. This asks the system about the descriptors
    /// and waits for nobody.
    ///
    /// # Errors
    /// [`Rejected`] if such a picture cannot be read.
    pub fn open(&self, described: Description) -> Result<Picture, Rejected> {
        let mut exporter = None;
        let mut sizes = Vec::with_capacity(described.planes.len());
        for plane in &described.planes {
            let (by, size) = Exporter::of(&plane.fd)?;
            exporter.get_or_insert(by);
            sizes.push(size);
        }
        let layout = Layout::new(&described, &sizes)?;
        let exporter = exporter.ok_or(Rejected::Planes)?;
        let key = Key::new(&described, layout)?;
        let memory =
            lock(&self.0.cache).find_or(key, || Memory::new(layout, described.planes, exporter));
        Ok(Picture::new(memory, Arc::clone(&self.0)))
    }

    /// Whether pictures of this DRM format and modifier may be readable: the format is known, and
    /// none was found that could not be read.
    #[must_use]
    pub fn may_read(&self, format: u32, modifier: u64) -> bool {
        format::pixel_format(format).is_some()
            && !lock(&self.0.refused).contains(&(format, modifier))
    }

    /// Lets go of memory that no buffer is made of any more.
    pub fn forget_unused(&self) {
        lock(&self.0.cache).forget_unused();
    }
}

#[cfg(test)]
impl Reader {
    /// What its pictures share.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.0)
    }
}
