//! Input from a file, for tests and for measuring: `stratus play --headless --input FILE`.
//!
//! A line is a time and what is done then; `#` begins a remark. Times count from the first frame.
//!
//! ```text
//! 0.5s  key KEY_ENTER tap        # or down, or up; named as in linux/input-event-codes.h
//! 600ms text Hello there
//! 1s    at 100 200               # pixels of the picture
//! 1s    by 10.5 -3
//! 1.2s  button BTN_LEFT tap
//! 2s    wheel 0 -120             # 1/120 of a notch, right and down
//! 3s    layout de(nodeadkeys)
//! 4s    release
//! ```

use std::collections::VecDeque;
use std::path::Path;
use std::str::SplitWhitespace;
use std::time::Duration;

use stratus_frame::input::{Input, InputEvent, PicturePoint, WheelSource};
use stratus_frame::{MonoTime, Size};
use stratus_input::code_named;
use tokio::time::Instant;

use crate::failure::Failure;
use crate::player::Reception;

/// A script that is being played.
#[derive(Default)]
pub(super) struct Script {
    steps: VecDeque<Step>,
    begun: Option<Instant>,
    last: u64,
}

impl Script {
    /// Reads it from a file.
    ///
    /// # Errors
    /// A usage [`Failure`] if it cannot be read, with the line that is wrong.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| {
            Failure::usage(format!("use the input in {}", path.display()), why)
                .remedy("docs/input.md has all that can be said there")
        };
        let text = std::fs::read_to_string(path).map_err(|e| failed(&e))?;
        let steps = parse(&text).map_err(|why| failed(&why))?.into();
        Ok(Self { steps, ..Self::default() })
    }

    /// The first frame is there, or another.
    pub(super) fn begin(&mut self) {
        self.begun.get_or_insert_with(Instant::now);
    }

    /// When the next step is to be done.
    pub(super) fn due(&self) -> Option<Instant> {
        Some(self.begun? + self.steps.front()?.at)
    }

    /// Does what is due.
    pub(super) fn go_on(&mut self, reception: &mut Reception) {
        // It begins with a frame.
        let size = reception.tally.size;
        while self.due().is_some_and(|due| due <= Instant::now()) {
            let Some(step) = self.steps.pop_front() else { return };
            self.last += 1;
            let event = step.event(size);
            let answered = is_answered(&event);
            let input = Input { id: self.last, time: MonoTime::now(), event };
            reception.player.send_input(&input);
            if answered {
                reception.tally.answers.sent(input.id, input.time);
            }
        }
    }
}

/// Whether a program can be expected to show that it heard of this.
fn is_answered(event: &InputEvent) -> bool {
    match event {
        InputEvent::Key { pressed, .. } | InputEvent::Button { pressed, .. } => *pressed,
        InputEvent::Text(_) | InputEvent::Wheel { .. } => true,
        _ => false,
    }
}

/// What is done at a time.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    /// How long after the first frame.
    at: Duration,
    deed: Deed,
}

#[derive(Clone, Debug, PartialEq)]
enum Deed {
    Event(InputEvent),
    /// The pointer goes to a point of the picture, whose size is not known yet.
    At {
        x: u32,
        y: u32,
    },
}

impl Step {
    /// The input, in a picture of `size`.
    fn event(&self, size: Size) -> InputEvent {
        match &self.deed {
            Deed::Event(event) => event.clone(),
            Deed::At { x, y } => InputEvent::PointerAt(PicturePoint {
                x: (*x).min(size.width.saturating_sub(1)),
                y: (*y).min(size.height.saturating_sub(1)),
                size,
            }),
        }
    }
}

/// Reads a script; its steps come in the order of their times.
///
/// # Errors
/// Which line is wrong, and why.
fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            steps.extend(parse_line(line).map_err(|why| format!("line {number}: {why}"))?);
        }
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

fn parse_line(line: &str) -> Result<Vec<Step>, String> {
    let (time, rest) = line.split_once(char::is_whitespace).ok_or("what is done is missing")?;
    let at = parse_time(time)?;
    let (what, rest) = match rest.trim_start().split_once(char::is_whitespace) {
        Some((what, rest)) => (what, rest.trim_start()),
        None => (rest.trim(), ""),
    };
    let mut words = rest.split_whitespace();
    let deeds: Vec<Deed> = match what {
        "key" | "button" => presses(what == "key", &mut words)?,
        "text" if !rest.is_empty() => {
            words = "".split_whitespace();
            vec![Deed::Event(InputEvent::Text(rest.to_owned()))]
        }
        "at" => vec![Deed::At { x: number(&mut words)?, y: number(&mut words)? }],
        "by" => {
            let (dx, dy) = (fixed(&mut words)?, fixed(&mut words)?);
            vec![Deed::Event(InputEvent::PointerBy { dx, dy })]
        }
        "wheel" => {
            let (dx, dy, source) = (number(&mut words)?, number(&mut words)?, WheelSource::Wheel);
            vec![Deed::Event(InputEvent::Wheel { dx, dy, source })]
        }
        "layout" => {
            let name = words.next().ok_or("a layout is missing")?;
            let layout = name.parse().map_err(|e| format!("{name:?}: {e}"))?;
            vec![Deed::Event(InputEvent::Layout(layout))]
        }
        "release" => vec![Deed::Event(InputEvent::Release)],
        _ => {
            return Err(format!(
                "{what:?} is none of key, button, text, at, by, wheel, layout, release"
            ));
        }
    };
    match words.next() {
        Some(word) => Err(format!("{word:?} is one word too many")),
        None => Ok(deeds.into_iter().map(|deed| Step { at, deed }).collect()),
    }
}

/// A key or a button, and whether it goes down, up, or both.
fn presses(is_key: bool, words: &mut SplitWhitespace<'_>) -> Result<Vec<Deed>, String> {
    let name = words.next().ok_or("the name of a key is missing")?;
    let code = code_named(name)
        .filter(|code| is_key != (0x110..=0x114).contains(code))
        .ok_or_else(|| format!("{name:?} is not in linux/input-event-codes.h, or not of a kind"))?;
    let ways: &[bool] = match words.next() {
        Some("down") => &[true],
        Some("up") => &[false],
        Some("tap") | None => &[true, false],
        Some(other) => return Err(format!("{other:?} is none of down, up, tap")),
    };
    let event = |pressed| match is_key {
        true => InputEvent::Key { code, pressed },
        false => InputEvent::Button { code, pressed },
    };
    Ok(ways.iter().map(|pressed| Deed::Event(event(*pressed))).collect())
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 0.001),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => (text, 1.0),
    };
    let wrong = || format!("{text:?} is no time, as in 0.5s or 500ms");
    let seconds = digits.parse::<f64>().map_err(|_| wrong())? * unit;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

fn number<N: std::str::FromStr>(words: &mut SplitWhitespace<'_>) -> Result<N, String> {
    let word = words.next().ok_or("a number is missing")?;
    word.parse().map_err(|_| format!("{word:?} is no such number"))
}

/// Pixels as a 24.8 fixed-point number.
fn fixed(words: &mut SplitWhitespace<'_>) -> Result<i32, String> {
    let pixels: f64 = number(words)?;
    // A number that does not fit saturates.
    Ok((pixels * 256.0).round() as i32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn lines_become_inputs_in_the_order_of_their_times() {
        let script = "\
            # a remark\n\
            1s button BTN_LEFT down # another\n\
            \n\
            500ms key KEY_A\n\
            0.7s text two words \n\
            2s at 5000 7\n\
            3 by -1.5 2\n\
            3s wheel 0 -120\n\
            4s layout de(nodeadkeys)\n\
            4s release\n";
        let ms = Duration::from_millis;
        let got: Vec<(Duration, InputEvent)> = parse(script)
            .unwrap()
            .iter()
            .map(|step| (step.at, step.event(Size::new(100, 50))))
            .collect();
        let point = PicturePoint { x: 99, y: 7, size: Size::new(100, 50) };
        let source = WheelSource::Wheel;
        assert_eq!(
            got,
            [
                (ms(500), InputEvent::Key { code: 30, pressed: true }),
                (ms(500), InputEvent::Key { code: 30, pressed: false }),
                (ms(700), InputEvent::Text("two words".into())),
                (ms(1000), InputEvent::Button { code: 0x110, pressed: true }),
                (ms(2000), InputEvent::PointerAt(point)),
                (ms(3000), InputEvent::PointerBy { dx: -384, dy: 512 }),
                (ms(3000), InputEvent::Wheel { dx: 0, dy: -120, source }),
                (ms(4000), InputEvent::Layout("de(nodeadkeys)".parse().unwrap())),
                (ms(4000), InputEvent::Release),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (line, why) in [
            ("1s", "what is done is missing"),
            ("soon key KEY_A", "no time"),
            ("-1s release", "no time"),
            ("1s key KEY_NONSENSE", "KEY_NONSENSE"),
            ("1s key BTN_LEFT", "not of a kind"),
            ("1s button KEY_A", "not of a kind"),
            ("1s key KEY_A sideways", "none of down, up, tap"),
            ("1s at 5", "a number is missing"),
            ("1s at -5 5", "no such number"),
            ("1s release now", "one word too many"),
            ("1s layout ../x", "no place there"),
            ("1s dance", "none of key"),
            ("1s text", "none of key"),
        ] {
            let error = parse(&format!("\n{line}")).unwrap_err();
            assert!(error.starts_with("line 2: ") && error.contains(why), "{line}: {error}");
        }
    }
}
