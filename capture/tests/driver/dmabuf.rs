//! What games and compositors do with dmabufs, a line each. Files stand in for them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use stratus_protocols::{
    InterfaceId, zwp_linux_buffer_params_v1, zwp_linux_dmabuf_feedback_v1, zwp_linux_dmabuf_v1,
};
use stratus_proxy_core::{ObjectId, Writer};

use super::{SCREEN, World, memfd};

/// `DRM_FORMAT_XRGB8888`.
pub(crate) const XRGB: u32 = u32::from_le_bytes(*b"XR24");
/// `DRM_FORMAT_NV12`, of which no frame is made.
pub(crate) const NV12: u32 = u32::from_le_bytes(*b"NV12");
/// `DRM_FORMAT_MOD_LINEAR`.
pub(crate) const LINEAR: u64 = 0;

/// A picture of the stream's size as numbers: width, height, offset and stride.
pub(crate) const WHOLE: [i32; 4] =
    [SCREEN.width as i32, SCREEN.height as i32, 0, SCREEN.width as i32 * 4];

impl World {
    pub(crate) fn params(&mut self, client: usize) -> ObjectId {
        let opcode = zwp_linux_dmabuf_v1::REQ_CREATE_PARAMS_OPCODE;
        self.make(client, InterfaceId::ZwpLinuxDmabufV1, opcode, &[])
    }

    /// Adds plane `index` at an offset with a stride.
    pub(crate) fn add_plane(
        &mut self,
        client: usize,
        params: ObjectId,
        file: &File,
        [index, offset, stride]: [u32; 3],
        modifier: u64,
    ) {
        let mut bytes = Vec::new();
        Writer::message(&mut bytes, params, zwp_linux_buffer_params_v1::REQ_ADD_OPCODE, |w| {
            w.uint(index).uint(offset).uint(stride);
            w.uint((modifier >> 32) as u32).uint(modifier as u32);
        });
        let fd = file.try_clone().expect("an fd").into();
        self.game_sends(client, &bytes, vec![fd]);
    }

    pub(crate) fn create_immed(
        &mut self,
        client: usize,
        params: ObjectId,
        [width, height]: [i32; 2],
        [format, flags]: [u32; 2],
    ) -> ObjectId {
        let id = self.clients[client].new_id();
        let opcode = zwp_linux_buffer_params_v1::REQ_CREATE_IMMED_OPCODE;
        self.request(client, params, opcode, |w| {
            w.object(id).int(width).int(height).uint(format).uint(flags);
        });
        id
    }

    pub(crate) fn create_later(&mut self, client: usize, params: ObjectId, size: [i32; 2]) {
        let opcode = zwp_linux_buffer_params_v1::REQ_CREATE_OPCODE;
        self.request(client, params, opcode, |w| {
            w.int(size[0]).int(size[1]).uint(XRGB).uint(0);
        });
    }

    /// The compositor answers `create` with a buffer.
    pub(crate) fn created(&mut self, client: usize, params: ObjectId, id: ObjectId) {
        let opcode = zwp_linux_buffer_params_v1::EVT_CREATED_OPCODE;
        self.event(client, params, opcode, |w| {
            w.object(id);
        });
    }

    /// A linear buffer of the stream's size, and the file behind it.
    pub(crate) fn dmabuf(&mut self, client: usize, pixel: u32) -> (ObjectId, File) {
        let [width, height, offset, stride] = WHOLE;
        let file = memfd((height * stride) as u64);
        file.write_all_at(&pixel.to_le_bytes(), 0).expect("a pixel");
        let params = self.params(client);
        self.add_plane(client, params, &file, [0, offset as u32, stride as u32], LINEAR);
        let id = self.create_immed(client, params, [width, height], [XRGB, 0]);
        self.destroy(client, params, zwp_linux_buffer_params_v1::REQ_DESTROY_OPCODE);
        (id, file)
    }

    /// A feedback object that was told of a table of formats.
    pub(crate) fn feedback(&mut self, client: usize, table: &[(u32, u64)]) -> ObjectId {
        let opcode = zwp_linux_dmabuf_v1::REQ_GET_DEFAULT_FEEDBACK_OPCODE;
        let id = self.make(client, InterfaceId::ZwpLinuxDmabufV1, opcode, &[]);
        let mut bytes = Vec::new();
        for &(format, modifier) in table {
            bytes.extend_from_slice(&format.to_ne_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&modifier.to_ne_bytes());
        }
        let file = memfd(bytes.len() as u64);
        file.write_all_at(&bytes, 0).expect("the table");
        let opcode = zwp_linux_dmabuf_feedback_v1::EVT_FORMAT_TABLE_OPCODE;
        self.event_with_fd(client, id, opcode, file.into(), |w| {
            w.uint(bytes.len() as u32);
        });
        id
    }

    /// What reaches the game of a tranche with these indices into the table.
    pub(crate) fn tranche(
        &mut self,
        client: usize,
        feedback: ObjectId,
        indices: &[u16],
    ) -> Vec<Vec<u16>> {
        let bytes: Vec<u8> = indices.iter().flat_map(|i| i.to_ne_bytes()).collect();
        let opcode = zwp_linux_dmabuf_feedback_v1::EVT_TRANCHE_FORMATS_OPCODE;
        self.clients[client].forget();
        self.event(client, feedback, opcode, |w| {
            w.array(&bytes);
        });
        let events = self.clients[client].events.iter();
        let heard = events.filter(|said| (said.sender, said.opcode) == (feedback, opcode));
        heard
            .map(|said| {
                let len = u32::from_ne_bytes(said.body[..4].try_into().expect("four bytes"));
                let indices = said.body[4..4 + len as usize].chunks_exact(2);
                indices.map(|i| u16::from_ne_bytes([i[0], i[1]])).collect()
            })
            .collect()
    }
}
