//! What a `zwp_linux_buffer_params_v1` has gathered.

use stratus_dmabuf::{Description, MAX_PLANES, Plane, Rejected};
use stratus_proxy_core::ClientId;

use crate::allowance::Allowance;
use crate::graph::{BufferKey, Picture};

/// Upside down, interlaced: all that `zwp_linux_buffer_params_v1.flags` knows, and we do not read.
const PLAIN: u32 = 0;

/// How far it is. It makes one buffer in its life ("can be sent only once").
enum Stage {
    /// Planes are added.
    Gathering,
    /// `create` was sent; the buffer comes with `created`, if it comes.
    Asked(Option<Picture>),
    /// `create_immed` made this buffer, unless `failed` says that it did not.
    Made(BufferKey),
    /// Whatever comes now is an error or concerns nobody.
    Over,
}

/// The numbers of one buffer, as far as the client has sent them.
pub(crate) struct Params {
    pub(crate) client: ClientId,
    planes: [Option<(Plane, Allowance)>; MAX_PLANES],
    modifier: Option<u64>,
    /// Some plane of it cannot be had: the whole is then none of ours.
    broken: bool,
    stage: Stage,
}

impl Params {
    pub(crate) fn new(client: ClientId) -> Self {
        Self {
            client,
            planes: Default::default(),
            modifier: None,
            broken: false,
            stage: Stage::Gathering,
        }
    }

    /// Whether a plane at `index` would be read. What the compositor makes of it, if not, is an
    /// error of the protocol.
    pub(crate) fn can_add(&self, index: u32, modifier: u64) -> bool {
        let free = usize::try_from(index).ok().and_then(|at| self.planes.get(at));
        matches!(self.stage, Stage::Gathering)
            && free.is_some_and(Option::is_none)
            && self.modifier.is_none_or(|m| m == modifier)
    }

    /// Adds a plane where [`Params::can_add`] allows it.
    pub(crate) fn add(&mut self, index: u32, modifier: u64, plane: Plane, kept: Allowance) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(free) = self.planes.get_mut(at) {
            *free = Some((plane, kept));
            self.modifier = Some(modifier);
        }
    }

    /// A plane of it is not to be had.
    pub(crate) fn spoil(&mut self) {
        self.broken = true;
    }

    /// What `create` and `create_immed` describe: all planes so far. `None` if one of them came
    /// before.
    #[allow(clippy::type_complexity, reason = "a result of two things that go together")]
    pub(crate) fn describe(
        &mut self,
        [width, height]: [i32; 2],
        format: u32,
        flags: u32,
    ) -> Option<Result<(Description, Vec<Allowance>), Rejected>> {
        if !matches!(self.stage, Stage::Gathering) {
            return None;
        }
        self.stage = Stage::Over;
        let all = std::mem::take(&mut self.planes);
        let count = all.iter().flatten().count();
        let has_gap = all.iter().take(count).any(Option::is_none);
        let (planes, kept) = all.into_iter().flatten().unzip();
        let modifier = self.modifier.filter(|_| !has_gap && !self.broken);
        Some(match modifier {
            None => Err(Rejected::Planes),
            Some(_) if flags != PLAIN => Err(Rejected::Flags),
            Some(modifier) => Ok((Description { width, height, format, modifier, planes }, kept)),
        })
    }

    /// `create` was sent.
    pub(crate) fn asked(&mut self, picture: Option<Picture>) {
        self.stage = Stage::Asked(picture);
    }

    /// `create_immed` made a buffer.
    pub(crate) fn made(&mut self, buffer: BufferKey) {
        self.stage = Stage::Made(buffer);
    }

    /// `created`: the pixels of the buffer that it brings.
    pub(crate) fn created(&mut self) -> Option<Picture> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Asked(picture) => picture,
            _ => None,
        }
    }

    /// `failed`: the buffer that is none, if there is one.
    pub(crate) fn failed(&mut self) -> Option<BufferKey> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Made(buffer) => Some(buffer),
            _ => None,
        }
    }
}
