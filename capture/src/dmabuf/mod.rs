//! Buffers in GPU memory: what clients say of them, and what they are offered.

mod feedback;
mod params;
mod picture;

use std::sync::Arc;

use slotmap::{SlotMap, new_key_type};
use stratus_dmabuf::{Description, Reader, Rejected, pixel_format};
use stratus_proxy_core::{ClientId, ObjectId};

use crate::allowance::Allowance;
use crate::graph::{Buffer, BufferKey, Picture};
use crate::{Capture, Formats};

pub(crate) use feedback::Feedback;
use feedback::Table;
pub(crate) use params::Params;
use picture::DmabufPicture;

new_key_type! {
    /// Names a `zwp_linux_buffer_params_v1`.
    pub(crate) struct ParamsKey;
    /// Names a `zwp_linux_dmabuf_feedback_v1`.
    pub(crate) struct FeedbackKey;
}

/// What a session knows of dmabufs, but for the buffers made of them.
#[derive(Default)]
pub(crate) struct Dmabufs {
    pub(crate) reader: Reader,
    formats: Formats,
    pub(crate) params: SlotMap<ParamsKey, Params>,
    pub(crate) feedbacks: SlotMap<FeedbackKey, Feedback>,
    /// The table read last: most feedbacks bring the same.
    table: Table,
    /// Whether a format that we can read was let through to a client: as long as none was, others
    /// pass as well, for a client that is offered nothing at all may give up.
    offers: bool,
    /// Whether it was said that nothing that is offered can be read.
    said_unreadable: bool,
}

impl Dmabufs {
    /// Nothing yet, in a session that offers games `formats`.
    pub(crate) fn new(formats: Formats) -> Self {
        Self { formats, ..Self::default() }
    }

    /// Whether an offer of this format and modifier reaches the client. Some programs take the
    /// first that they draw with; what we cannot read they then do not take.
    pub(crate) fn lets_through(&mut self, format: u32, modifier: u64) -> bool {
        let wished = self.wishes(format, modifier);
        self.offers |= wished;
        wished || !self.offers
    }

    /// Whether pictures of this format and modifier can be read, and are what the session wishes.
    fn wishes(&self, format: u32, modifier: u64) -> bool {
        let all = self.formats == Formats::All;
        let wished = pixel_format(format).is_some_and(|pixels| all || pixels.is_bgrx());
        wished && self.reader.may_read(format, modifier)
    }

    /// A client's session is over.
    pub(crate) fn remove_client(&mut self, client: ClientId) {
        self.params.retain(|_, params| params.client != client);
        self.feedbacks.retain(|_, feedback| feedback.client != client);
        self.reader.forget_unused();
    }
}

impl Capture {
    /// What becomes of a client's dmabufs. `kept` are the marks of their descriptors; `id` is what
    /// the log calls the whole.
    pub(crate) fn open_dmabuf(
        &mut self,
        client: ClientId,
        id: ObjectId,
        described: Result<(Description, Vec<Allowance>), Rejected>,
    ) -> Option<Picture> {
        let opened = described
            .and_then(|(described, kept)| Ok((self.dmabufs.reader.open(described)?, kept)));
        match opened {
            Ok((picture, kept)) => {
                let (size, format) = (picture.size(), picture.format());
                let pixels = DmabufPicture::new(picture, kept, Arc::clone(&self.stats));
                Some(Picture::of_pixels(Arc::new(pixels), size, format))
            }
            Err(rejected) => {
                self.report_unreadable(client, id, &rejected);
                None
            }
        }
    }

    /// A `wl_buffer` came to be out of dmabufs.
    pub(crate) fn add_dmabuf(
        &mut self,
        client: ClientId,
        id: ObjectId,
        picture: Option<Picture>,
    ) -> BufferKey {
        if picture.is_none() {
            self.stats.unreadable.add(1);
        }
        self.graph.buffers.insert(Buffer::new(client, id, picture))
    }
}
