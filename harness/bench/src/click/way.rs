//! The way of each input: what the player, the game and the frames' stamps say of it.

use anyhow::Context as _;

use crate::session::Frame;

/// An input as the player tells of it. Moments are nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) sent: u64,
    /// The frame that answered it, and when that was decoded; none if no frame did.
    pub(super) frame: Option<(u64, u64)>,
}

/// A key as the game tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Press {
    /// When the game heard of it.
    pub(super) heard: u64,
    /// When it committed the frame that shows it.
    pub(super) committed: u64,
}

/// What `stratus play --answers` wrote.
///
/// # Errors
/// Which line is something else.
pub(super) fn answers(csv: &str) -> anyhow::Result<Vec<Answer>> {
    let answer = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [_input, sent, frame, decoded] = fields[..] else { return None };
        let frame = frame.parse().ok().zip(decoded.parse().ok());
        Some(Answer { sent: sent.parse().ok()?, frame })
    };
    let lines = csv.lines().skip(1);
    lines.map(|line| answer(line).with_context(|| format!("an answer: {line}"))).collect()
}

/// What `harness-client --on-key` wrote.
///
/// # Errors
/// Which line is something else.
pub(super) fn presses(csv: &str) -> anyhow::Result<Vec<Press>> {
    let press = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [_number, heard, committed] = fields[..] else { return None };
        Some(Press { heard: heard.parse().ok()?, committed: committed.parse().ok()? })
    };
    csv.lines().map(|line| press(line).with_context(|| format!("a press: {line}"))).collect()
}

/// The parts of an input's way, in order: their names, and where each begins and ends.
pub(super) const PARTS: [&str; 8] = [
    "key sent to heard by the game",
    "heard to committed: the game's own",
    "committed to read by the proxy",
    "read to conversion",
    "conversion",
    "encoder",
    "encoded to received",
    "received to decoded",
];

/// One input's way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    /// When it was sent.
    pub(super) sent: u64,
    /// Milliseconds from then to the picture.
    pub(super) total: f64,
    /// The same of each of [`PARTS`].
    pub(super) parts: [f64; 8],
    /// Whether the player took another frame for the answer than the one that shows it.
    pub(super) mistaken: bool,
}

/// Follows each key to the first frame that was committed with it or after it. `None` where none
/// came, or not with all of its moments.
///
/// The keys come to the game in the order in which they were sent, so that the n-th is the n-th.
pub(super) fn ways(answers: &[Answer], presses: &[Press], frames: &[Frame]) -> Vec<Option<Way>> {
    let one = |(answer, press): (&Answer, &Press)| {
        let shows = frames.iter().find(|f| f.read.is_some_and(|read| read >= press.committed))?;
        way(*answer, *press, shows)
    };
    let mut ways: Vec<_> = answers.iter().zip(presses).map(one).collect();
    ways.resize(answers.len(), None);
    ways
}

fn way(answer: Answer, press: Press, frame: &Frame) -> Option<Way> {
    let moments = [
        answer.sent,
        press.heard,
        press.committed,
        frame.read?,
        frame.convert_start?,
        frame.convert_end?,
        frame.encoded?,
        frame.last_byte?,
        frame.decoded?,
    ];
    let ms = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
    let mut parts = [0.0; 8];
    for (part, pair) in parts.iter_mut().zip(moments.windows(2)) {
        *part = ms(pair[0], pair[1]);
    }
    Some(Way {
        sent: answer.sent,
        total: ms(answer.sent, frame.decoded?),
        parts,
        mistaken: answer.frame.is_none_or(|(id, _)| id != frame.id),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn files_are_read() {
        let read = answers("input,sent,frame,decoded\n1,500,7,900\n3,600,,\n").unwrap();
        assert_eq!(read[0], Answer { sent: 500, frame: Some((7, 900)) });
        assert_eq!(read[1], Answer { sent: 600, frame: None });
        assert!(answers("head\n1,2\n").is_err());
        assert_eq!(presses("5,10,20\n").unwrap(), [Press { heard: 10, committed: 20 }]);
        assert!(presses("5,10\n").is_err());
    }

    #[test]
    fn an_input_is_followed_to_the_frame_that_was_committed_for_it() {
        let ms = |ms: u64| ms * 1_000_000;
        let frame = |id, from: u64| Frame {
            id,
            read: Some(ms(from)),
            handed: Some(ms(from)),
            convert_start: Some(ms(from + 1)),
            convert_end: Some(ms(from + 3)),
            encoded: Some(ms(from + 6)),
            last_byte: Some(ms(from + 10)),
            decoded: Some(ms(from + 15)),
            ..Frame::default()
        };
        let answers = [
            Answer { sent: ms(100), frame: Some((2, ms(119))) },
            Answer { sent: ms(200), frame: Some((2, ms(119))) },
            Answer { sent: ms(300), frame: None },
        ];
        let press = |at| Press { heard: ms(at), committed: ms(at + 1) };
        let presses = [press(102), press(202), press(302)];
        // The picture of the first key is shown again before the second.
        let repeat = Frame { id: 3, decoded: Some(ms(150)), ..Frame::default() };
        let frames = [frame(1, 50), frame(2, 104), repeat, frame(4, 204)];
        let ways = ways(&answers, &presses, &frames);
        let first = ways[0].clone().unwrap();
        assert_eq!(first.parts, [2.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!((first.total, first.mistaken), (19.0, false));
        assert!(ways[1].as_ref().unwrap().mistaken);
        assert_eq!(ways[2], None);
        assert_eq!(super::ways(&answers, &presses[..1], &frames).len(), 3);
    }
}
