//! The outer layer of a recording: a preamble, then blocks that can each be read alone.
//!
//! All numbers are little-endian. The preamble has 16 bytes: the magic, major and minor version
//! (`u16`), and four that are zero. A block is the length of its compressed and of its plain bytes
//! (`u32` each), and one zstd frame with a checksum. Blocks hold whole records.

use std::io::{self, Read};

use crate::reader::{Error, Problem};

/// A file starts with it. The bytes around the letters are damaged by transfers that take it for
/// text, or cut the eighth bit off.
pub(crate) const MAGIC: [u8; 8] = *b"\x93WlRec\r\n";

/// Readers refuse a file whose major version is another one.
pub const MAJOR: u16 = 1;
/// Readers skip what a newer minor version added.
pub const MINOR: u16 = 0;

pub(crate) const PREAMBLE_LEN: usize = 16;
pub(crate) const BLOCK_HEADER_LEN: usize = 8;

/// A writer ends a block when it has as many plain bytes.
pub(crate) const BLOCK_TARGET: usize = 1 << 20;
/// No block has more plain bytes. This bounds what a reader allocates.
pub(crate) const MAX_PLAIN: usize = 4 << 20;
/// More than zstd makes of the largest block at its worst (its `ZSTD_COMPRESSBOUND`).
const MAX_PACKED: usize = MAX_PLAIN + (MAX_PLAIN >> 7) + (1 << 10);

pub(crate) fn preamble() -> [u8; PREAMBLE_LEN] {
    let mut bytes = [0; PREAMBLE_LEN];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&MAJOR.to_le_bytes());
    bytes[10..12].copy_from_slice(&MINOR.to_le_bytes());
    bytes
}

/// Makes blocks of records.
pub(crate) struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Self { compressor, packed: Vec::new() })
    }

    /// The whole block, its header included. `level` is zstd's.
    pub(crate) fn pack(&mut self, plain: &[u8], level: i32) -> io::Result<&[u8]> {
        self.compressor.set_compression_level(level)?;
        let room = zstd::zstd_safe::compress_bound(plain.len());
        self.packed.clear();
        self.packed.resize(BLOCK_HEADER_LEN + room, 0);
        let len =
            self.compressor.compress_to_buffer(plain, &mut self.packed[BLOCK_HEADER_LEN..])?;
        self.packed.truncate(BLOCK_HEADER_LEN + len);
        self.packed[..4].copy_from_slice(&(len as u32).to_le_bytes());
        self.packed[4..8].copy_from_slice(&(plain.len() as u32).to_le_bytes());
        Ok(&self.packed)
    }
}

/// What was found where a block should start.
pub(crate) enum Found {
    Block,
    /// The file ends here, between two blocks.
    End,
    /// The file ends within the block.
    Cut,
}

/// Reads blocks.
pub(crate) struct Unpacker<R> {
    from: R,
    decompressor: zstd::bulk::Decompressor<'static>,
    packed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
    /// Where the block at hand starts in the file, and where the next one does.
    pub(crate) start: u64,
    pub(crate) next: u64,
}

impl<R: Read> Unpacker<R> {
    /// Reads the preamble. Gives the minor version as well.
    pub(crate) fn open(mut from: R) -> Result<(Self, u16), Error> {
        let at_start = |problem| Error { offset: 0, problem };
        let mut bytes = Vec::with_capacity(PREAMBLE_LEN);
        read_up_to(&mut from, PREAMBLE_LEN, &mut bytes).map_err(|e| at_start(e.into()))?;
        if bytes.len() < PREAMBLE_LEN || bytes[..8] != MAGIC {
            return Err(at_start(Problem::NotARecording));
        }
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let (major, minor) = (half(8), half(10));
        if major != MAJOR {
            return Err(at_start(Problem::Version { major, minor }));
        }
        let decompressor = zstd::bulk::Decompressor::new().map_err(|e| at_start(e.into()))?;
        let next = PREAMBLE_LEN as u64;
        let (packed, plain) = (Vec::new(), Vec::new());
        Ok((Self { from, decompressor, packed, plain, start: next, next }, minor))
    }

    /// Unpacks the next block into `plain`, which is empty if there is none.
    pub(crate) fn advance(&mut self) -> Result<Found, Error> {
        self.start = self.next;
        let start = self.start;
        let failed = |problem: Problem| Error { offset: start, problem };
        self.plain.clear();
        read_up_to(&mut self.from, BLOCK_HEADER_LEN, &mut self.packed)
            .map_err(|e| failed(e.into()))?;
        let Some(&[a, b, c, d, e, f, g, h]) = self.packed.first_chunk() else {
            return Ok(if self.packed.is_empty() { Found::End } else { Found::Cut });
        };
        let packed_len = u32::from_le_bytes([a, b, c, d]) as usize;
        let plain_len = u32::from_le_bytes([e, f, g, h]) as usize;
        if packed_len > MAX_PACKED || plain_len > MAX_PLAIN {
            return Err(failed(Problem::BlockLength { packed: packed_len, plain: plain_len }));
        }
        read_up_to(&mut self.from, packed_len, &mut self.packed).map_err(|e| failed(e.into()))?;
        if self.packed.len() < packed_len {
            return Ok(Found::Cut);
        }
        self.plain.reserve(plain_len);
        let unpacked = self.decompressor.decompress_to_buffer(&self.packed, &mut self.plain);
        match unpacked {
            Ok(len) if len == plain_len => {}
            Ok(len) => {
                self.plain.clear();
                return Err(failed(Problem::BlockLength { packed: packed_len, plain: len }));
            }
            Err(_) => {
                self.plain.clear();
                return Err(failed(Problem::Damaged));
            }
        }
        self.next = start + (BLOCK_HEADER_LEN + packed_len) as u64;
        Ok(Found::Block)
    }
}

/// Fills `into` with the next `len` bytes, or all there are. Memory is taken as bytes come.
fn read_up_to(from: &mut impl Read, len: usize, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    from.take(len as u64).read_to_end(into)?;
    Ok(())
}
