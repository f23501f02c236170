//! One picture in a dmabuf, and how it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stratus_frame::{PixelFormat, PixelView, Size};
use stratus_mapping::Mapping;

use crate::fence::ProcessorReads;
use crate::layout::Layout;
use crate::memory::{Memory, Way};
use crate::reader::Shared;

/// How long a read waits for whoever draws. A GPU that takes longer for a frame is not drawing a
/// game; the encoder must not wait for one that hangs.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a picture was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may be done by the next read.
    #[error("the GPU has not finished drawing it in {} ms", PATIENCE.as_millis())]
    Unfinished,
    /// What was a file was cut off.
    #[error("its memory was cut off while it was being read")]
    Truncated,
    /// No driver takes it, and a mapping does not show it.
    #[error("nothing here can read its memory: {0}")]
    Unreadable(Arc<str>),
}

/// A picture whose numbers were checked. Any thread may read it.
#[derive(Debug)]
pub struct Picture {
    memory: Arc<Memory>,
    shared: Arc<Shared>,
}

impl Picture {
    pub(crate) fn new(memory: Arc<Memory>, shared: Arc<Shared>) -> Self {
        Self { memory, shared }
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Size {
        self.memory.layout.size
    }

    /// How its pixels are laid out when they are read.
    #[must_use]
    pub fn format(&self) -> PixelFormat {
        self.memory.layout.format
    }

    /// Whether a read would neither wait for a fence nor ask a driver.
    #[must_use]
    pub fn reads_at_once(&self) -> bool {
        self.memory.is_at_hand() && self.memory.is_drawn(Duration::ZERO)
    }

    /// Waits for whoever draws, at most 100 ms, and calls `read` once with the pixels laid open.
    ///
    /// The producer may draw at the same time if it does not keep to the rules: what was read is
    /// then torn, not unsafe.
    ///
    /// # Errors
    /// [`Failure`]; `read` was then not called, or saw zeros.
    pub fn read(&self, read: &mut dyn FnMut(PixelView<'_>)) -> Result<(), Failure> {
        if !self.memory.is_drawn(PATIENCE) {
            return Err(Failure::Unfinished);
        }
        let way = self.memory.way(&self.shared.devices);
        let answer = match &*way {
            Way::Mapped(mapping) => self.read_mapping(mapping, false, read),
            Way::Doubtful(mapping) => self.read_mapping(mapping, true, read),
            Way::Imported(import) => import
                .read(&self.memory.layout, read)
                .map_err(|error| Failure::Unreadable(error.to_string().into())),
            Way::None(why) => Err(Failure::Unreadable(Arc::clone(why))),
        };
        if let Err(Failure::Unreadable(_)) = &answer
            && self.memory.is_dmabuf()
        {
            let Layout { fourcc, modifier, .. } = self.memory.layout;
            self.shared.refuse(fourcc, modifier);
        }
        answer
    }

    fn read_mapping(
        &self,
        mapping: &Mapping,
        doubtful: bool,
        read: &mut dyn FnMut(PixelView<'_>),
    ) -> Result<(), Failure> {
        let unreadable = |why: &str| Failure::Unreadable(why.into());
        let first = self.memory.first().ok_or_else(|| unreadable("it has no plane"))?;
        let _reads = ProcessorReads::begin(first)
            .map_err(|e| unreadable(&format!("its exporter refuses reads: {e}")))?;
        let Layout { size, format, stride, start, end, .. } = self.memory.layout;
        let empty = AtomicBool::new(false);
        let whole = mapping.read(start..end, |data| {
            if doubtful && is_zero(data) {
                empty.store(true, Ordering::Relaxed);
            } else {
                read(PixelView { data, stride, size, format });
            }
        });
        if whole != Some(true) {
            // The pages that are gone stay zeros in this mapping.
            self.memory.lose_way();
            return Err(Failure::Truncated);
        }
        if empty.load(Ordering::Relaxed) {
            return Err(unreadable("no driver takes it, and its mapping reads as zeros"));
        }
        Ok(())
    }
}

/// Whether nothing but zeros is there; quick to answer no.
fn is_zero(data: &[u8]) -> bool {
    data.chunks(4096).all(|chunk| chunk.iter().fold(0, |all, &byte| all | byte) == 0)
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
