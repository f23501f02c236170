//! What a `zwp_linux_dmabuf_feedback_v1` says of formats, less those that we cannot read.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use stratus_proxy_core::ClientId;

use super::Dmabufs;

/// Bytes of an entry: a format, four bytes of nothing, a modifier (`format_table`).
const ENTRY: usize = 16;
/// Entries that the 16 bits of an index can name.
const MAX_ENTRIES: usize = 1 << 16;

/// Pairs of format and modifier, as indices name them.
pub(super) type Table = Arc<[(u32, u64)]>;

/// A feedback object, from its first table on.
#[derive(Clone)]
pub(crate) struct Feedback {
    pub(crate) client: ClientId,
    table: Table,
}

impl Dmabufs {
    /// A feedback of `client` with the table of `size` bytes in `file`.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn feedback(
        &mut self,
        client: ClientId,
        file: BorrowedFd<'_>,
        size: u32,
    ) -> io::Result<Feedback> {
        let len = usize::try_from(size).unwrap_or(usize::MAX).min(MAX_ENTRIES * ENTRY);
        let mut bytes = vec![0; len];
        File::from(file.try_clone_to_owned()?).read_exact_at(&mut bytes, 0)?;
        let entries = bytes.chunks_exact(ENTRY).map(entry);
        if !entries.clone().eq(self.table.iter().copied()) {
            self.table = entries.collect();
        }
        Ok(Feedback { client, table: Arc::clone(&self.table) })
    }

    /// The indices of a tranche that can be read, if they are not all of them. A client that is
    /// left nothing in the whole table is left everything.
    pub(crate) fn readable_part(&mut self, feedback: &Feedback, tranche: &[u8]) -> Option<Vec<u8>> {
        let is_wished = |&(format, modifier): &(u32, u64)| self.wishes(format, modifier);
        let is_left = |index: &[u8]| {
            let at = index.first_chunk().map(|i| usize::from(u16::from_ne_bytes(*i)));
            // An index of nothing is for the client to mind.
            at.and_then(|at| feedback.table.get(at)).is_none_or(is_wished)
        };
        let part: Vec<u8> =
            tranche.chunks_exact(2).filter(|i| is_left(i)).flatten().copied().collect();
        if part.len() == tranche.len() - tranche.len() % 2 {
            return None;
        }
        if !feedback.table.iter().any(is_wished) {
            if !std::mem::replace(&mut self.said_unreadable, true) {
                tracing::warn!(
                    "none of the formats that the compositor takes on a GPU can be read: what \
                     games draw there is not streamed"
                );
            }
            return None;
        }
        Some(part)
    }
}

fn entry(bytes: &[u8]) -> (u32, u64) {
    let format = bytes.first_chunk().map_or(0, |b| u32::from_ne_bytes(*b));
    let modifier = bytes.last_chunk().map_or(0, |b| u64::from_ne_bytes(*b));
    (format, modifier)
}
