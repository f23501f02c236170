//! H.264 out of a stream of FLV: a container that says how long each frame is before it comes, so
//! that a reader need not wait for the next one. (Adobe Flash Video File Format 10.1, annex E;
//! the configuration record is that of ISO/IEC 14496-15, 5.3.3.1.)

use std::io::{self, ErrorKind, Read};

/// A tag that holds video.
const VIDEO: u8 = 9;
/// The low half of a video tag's first byte, for H.264.
const AVC: u8 = 7;
/// No picture is as large: 64 MiB.
const LARGEST_TAG: usize = 1 << 26;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Reads access units.
pub(super) struct Units<R> {
    from: R,
    /// The parameter sets, in Annex B, for the next access unit.
    parameters: Vec<u8>,
}

impl<R: Read> Units<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// If it is none, or reading fails.
    pub(super) fn begin(mut from: R) -> io::Result<Self> {
        let header: [u8; 9] = take(&mut from)?;
        if &header[..3] != b"FLV" {
            return Err(invalid("no FLV"));
        }
        Ok(Self { from, parameters: Vec::new() })
    }

    /// The next access unit, in Annex B.
    ///
    /// # Errors
    /// If the stream ends or is not what it should be.
    pub(super) fn read_unit(&mut self) -> io::Result<Vec<u8>> {
        loop {
            // The length of the tag before, then the tag's header.
            let head: [u8; 15] = take(&mut self.from)?;
            let len = u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize;
            if len > LARGEST_TAG {
                return Err(invalid("a tag is too long"));
            }
            let mut body = vec![0; len];
            self.from.read_exact(&mut body)?;
            if head[4] != VIDEO || body.first().is_none_or(|first| first & 0x0f != AVC) {
                continue;
            }
            // Codec, kind, and three bytes of composition time.
            let payload = body.get(5..).unwrap_or_default();
            match body.get(1) {
                Some(0) => {
                    self.parameters =
                        parameters(payload).ok_or_else(|| invalid("a configuration is cut"))?;
                }
                Some(1) => {
                    let mut unit = std::mem::take(&mut self.parameters);
                    append_units(payload, &mut unit).ok_or_else(|| invalid("a unit is cut"))?;
                    return Ok(unit);
                }
                _ => {}
            }
        }
    }
}

fn take<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// The parameter sets of an `AVCDecoderConfigurationRecord`, in Annex B.
fn parameters(record: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = record.get(5..)?;
    for mask in [0x1f, 0xff] {
        let (count, after) = rest.split_first()?;
        rest = after;
        for _ in 0..count & mask {
            let (len, after) = rest.split_at_checked(2)?;
            let len = u16::from_be_bytes([len[0], len[1]]);
            let (unit, after) = after.split_at_checked(len.into())?;
            out.extend(START_CODE);
            out.extend(unit);
            rest = after;
        }
    }
    Some(out)
}

/// Units behind their lengths, which FFmpeg writes in four bytes, to units behind start codes.
fn append_units(mut from: &[u8], to: &mut Vec<u8>) -> Option<()> {
    while !from.is_empty() {
        let (len, after) = from.split_at_checked(4)?;
        let len = u32::from_be_bytes([len[0], len[1], len[2], len[3]]);
        let (unit, after) = after.split_at_checked(len as usize)?;
        to.extend(START_CODE);
        to.extend(unit);
        from = after;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tag(kind: u8, body: &[u8]) -> Vec<u8> {
        let len = (body.len() as u32).to_be_bytes();
        [&[0, 0, 0, 0, kind], &len[1..], &[0; 7], body].concat()
    }

    #[test]
    fn parameter_sets_come_with_the_first_unit() {
        let record = [1, 66, 0, 30, 0xff, 0xe1, 0, 2, 0x67, 1, 1, 0, 1, 0x68];
        let stream = [
            b"FLV\x01\x01\0\0\0\x09".to_vec(),
            tag(18, b"metadata"),
            tag(VIDEO, &[&[0x17, 0, 0, 0, 0][..], &record].concat()),
            tag(VIDEO, &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 0, 2, 0x41, 7]),
            tag(VIDEO, &[0x27, 1, 0, 0, 0, 0, 0, 0, 1, 0x41]),
        ]
        .concat();
        let mut units = Units::begin(&stream[..]).unwrap();
        let first = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 0, 0, 0, 1, 0x41, 7];
        assert_eq!(units.read_unit().unwrap(), first);
        assert_eq!(units.read_unit().unwrap(), [0, 0, 0, 1, 0x41]);
        assert_eq!(units.read_unit().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_cut_or_something_else_is_an_error() {
        assert!(Units::begin(&b"RIFF      "[..]).is_err());
        assert_eq!(parameters(&[1, 66, 0, 30, 0xff, 0xe1, 0, 9, 0x67]), None);
        assert_eq!(append_units(&[0, 0, 0, 9, 1], &mut Vec::new()), None);
        assert_eq!(append_units(&[0, 0], &mut Vec::new()), None);
    }
}
