//! What a child prints: logged line by line, the last lines kept for the case that it fails.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::logging::one_line;

const KEPT: usize = 20;
/// Bytes of a line beyond which it is cut in two: a child that never ends a line costs no memory.
const LONGEST: u64 = 4096;

/// Reads a child's output until all who can write to it are gone.
#[derive(Debug)]
pub struct Lines {
    last: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl Lines {
    /// Logs each line of `pipe` under the target `game`.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn follow(pipe: PipeReader) -> std::io::Result<Self> {
        let last = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT)));
        let kept = Arc::clone(&last);
        let reader = std::thread::Builder::new()
            .name("game-output".into())
            .spawn(move || read_all(pipe, &kept))?;
        Ok(Self { last, reader })
    }

    /// The last lines so far. Waits up to `patience` for the end of the output, so that what a
    /// child said just before it ended is there.
    #[must_use]
    pub fn last(&self, patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        while !self.reader.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn read_all(pipe: PipeReader, kept: &Mutex<VecDeque<String>>) {
    let mut pipe = BufReader::new(pipe);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match pipe.by_ref().take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // A failure shows the last ones, outside the log.
        let line = one_line(String::from_utf8_lossy(&bytes).trim_end());
        if line.is_empty() {
            continue;
        }
        tracing::info!(target: "game", "{line}");
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::io::Write;

    use super::*;

    #[test]
    fn keeps_the_last_lines_and_bounds_the_longest() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let lines = Lines::follow(reader).unwrap();
        for n in 0..50 {
            writeln!(writer, "line {n}").unwrap();
        }
        writer.write_all(&[b'x'; 10_000]).unwrap();
        writer.write_all(b"\nin \x1b[31mred\r\n").unwrap();
        drop(writer);
        let last = lines.last(Duration::from_secs(10));
        assert_eq!(last.len(), KEPT);
        assert_eq!(last[KEPT - 5], "line 49");
        assert_eq!(last[KEPT - 2].len(), 10_000 - 2 * 4096);
        assert_eq!(last[KEPT - 1], "in \\u{1b}[31mred");
    }
}
