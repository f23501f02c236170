//! A client of VNC that sees a screen and does nothing else: RFB 3.8 (RFC 6143), no security, raw
//! pixels.

use std::io::{Read, Write};

use anyhow::{Context as _, bail, ensure};

/// `FramebufferUpdate` (RFC 6143, 7.6.1).
const UPDATE: u8 = 0;
const COLOUR_MAP: u8 = 1;
const BELL: u8 = 2;
const CUT_TEXT: u8 = 3;
/// Blue, green, red and one unused byte, as `SetPixelFormat` says it (7.5.1).
const BGRX: [u8; 20] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
/// `SetEncodings` (7.5.2): raw alone.
const RAW: [u8; 8] = [2, 0, 0, 1, 0, 0, 0, 0];

/// A connection, and the screen as last told.
pub(super) struct Viewer<S> {
    stream: S,
    pub(super) size: (u32, u32),
    /// Rows of bytes B G R X without gaps.
    pub(super) pixels: Vec<u8>,
}

impl<S: Read + Write> Viewer<S> {
    /// Greets the server and asks for the whole screen.
    ///
    /// # Errors
    /// If it wants a password, or says what it should not.
    pub(super) fn join(mut stream: S) -> anyhow::Result<Self> {
        let version: [u8; 12] = take(&mut stream).context("the server's version")?;
        ensure!(version.starts_with(b"RFB 003.00"), "the server speaks {version:?}");
        stream.write_all(b"RFB 003.008\n")?;
        let [count] = take(&mut stream)?;
        let mut kinds = vec![0; count.into()];
        stream.read_exact(&mut kinds)?;
        ensure!(kinds.contains(&1), "the server wants security of kinds {kinds:?}");
        stream.write_all(&[1])?;
        let result: [u8; 4] = take(&mut stream)?;
        ensure!(result == [0; 4], "the server refuses");
        // Others may look as well.
        stream.write_all(&[1])?;
        let [w0, w1, h0, h1, _format @ ..]: [u8; 20] = take(&mut stream)?;
        let name: [u8; 4] = take(&mut stream)?;
        skip(&mut stream, u32::from_be_bytes(name))?;
        let size = (be(w0, w1).into(), be(h0, h1).into());
        stream.write_all(&BGRX)?;
        stream.write_all(&RAW)?;
        let pixels = vec![0; size.0 as usize * size.1 as usize * 4];
        let mut viewer = Self { stream, size, pixels };
        viewer.ask(false)?;
        Ok(viewer)
    }

    /// `FramebufferUpdateRequest` for the whole screen (7.5.3).
    fn ask(&mut self, incremental: bool) -> anyhow::Result<()> {
        let [_, _, w0, w1] = self.size.0.to_be_bytes();
        let [_, _, h0, h1] = self.size.1.to_be_bytes();
        self.stream.write_all(&[3, incremental.into(), 0, 0, 0, 0, w0, w1, h0, h1])?;
        Ok(())
    }

    /// Waits for the next update and takes it in.
    ///
    /// # Errors
    /// If the connection ends, or the server says what it should not.
    pub(super) fn update(&mut self) -> anyhow::Result<()> {
        loop {
            let [kind] = take(&mut self.stream)?;
            match kind {
                UPDATE => break,
                COLOUR_MAP => {
                    let [_, _, _, c0, c1] = take(&mut self.stream)?;
                    skip(&mut self.stream, u32::from(be(c0, c1)) * 6)?;
                }
                BELL => {}
                CUT_TEXT => {
                    let [_, _, _, len @ ..]: [u8; 7] = take(&mut self.stream)?;
                    skip(&mut self.stream, u32::from_be_bytes(len))?;
                }
                other => bail!("the server sends a message of kind {other}"),
            }
        }
        let [_, n0, n1] = take(&mut self.stream)?;
        // Before the pixels are here, so that the server never waits for a request.
        self.ask(true)?;
        for _ in 0..be(n0, n1) {
            self.rectangle()?;
        }
        Ok(())
    }

    fn rectangle(&mut self) -> anyhow::Result<()> {
        let [x0, x1, y0, y1, w0, w1, h0, h1, encoding @ ..]: [u8; 12] = take(&mut self.stream)?;
        ensure!(encoding == [0; 4], "a rectangle is encoded as {encoding:?}");
        let [x, y, width, height] =
            [be(x0, x1), be(y0, y1), be(w0, w1), be(h0, h1)].map(usize::from);
        let screen = (self.size.0 as usize, self.size.1 as usize);
        let inside = x + width <= screen.0 && y + height <= screen.1;
        ensure!(inside, "a rectangle of {width}x{height} at {x},{y} lies outside");
        if width == screen.0 {
            // Its rows lie behind each other, so that it takes one read.
            let rows = y * width * 4..(y + height) * width * 4;
            return Ok(self.stream.read_exact(&mut self.pixels[rows])?);
        }
        for row in y..y + height {
            let start = (row * screen.0 + x) * 4;
            self.stream.read_exact(&mut self.pixels[start..start + width * 4])?;
        }
        Ok(())
    }
}

fn be(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

fn take<const N: usize>(from: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn skip(from: &mut impl Read, len: u32) -> std::io::Result<()> {
    std::io::copy(&mut from.take(len.into()), &mut std::io::sink()).map(|_| ())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use super::*;

    /// What a server says, and what it heard.
    struct Server {
        says: Cursor<Vec<u8>>,
        heard: Vec<u8>,
    }

    impl Read for Server {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            self.says.read(to)
        }
    }

    impl Write for Server {
        fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
            self.heard.extend(from);
            Ok(from.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn greeting(security: u8) -> Vec<u8> {
        let size = [0, 2, 0, 1];
        let format = [0; 16];
        let name = *b"\0\0\0\x02vm";
        [&b"RFB 003.008\n"[..], &[1, security], &[0; 4], &size, &format, &name].concat()
    }

    fn server(says: Vec<u8>) -> Server {
        Server { says: Cursor::new(says), heard: Vec::new() }
    }

    #[test]
    fn an_update_changes_its_rectangle_and_asks_for_the_next() {
        let bell_and_text = [&[BELL, CUT_TEXT, 0, 0, 0, 0, 0, 0, 1][..], b"x"].concat();
        let update = [UPDATE, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
        let says = [greeting(1), bell_and_text, update.to_vec()].concat();
        let mut viewer = Viewer::join(server(says)).unwrap();
        assert_eq!(viewer.size, (2, 1));
        viewer.update().unwrap();
        assert_eq!(viewer.pixels, [0, 0, 0, 0, 1, 2, 3, 4]);
        let heard = &viewer.stream.heard;
        assert_eq!(heard[..14], [&b"RFB 003.008\n"[..], &[1, 1]].concat());
        assert!(heard.ends_with(&[3, 1, 0, 0, 0, 0, 0, 2, 0, 1]), "{heard:?}");
        assert!(viewer.update().is_err(), "the connection ended");
    }

    #[test]
    fn passwords_and_what_lies_outside_are_errors() {
        assert!(Viewer::join(server(greeting(2))).is_err());
        let outside = [UPDATE, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
        let mut viewer = Viewer::join(server([greeting(1), outside.to_vec()].concat())).unwrap();
        assert!(viewer.update().unwrap_err().to_string().contains("outside"));
    }
}
