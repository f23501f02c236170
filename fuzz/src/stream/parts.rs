//! Messages whose fields hang together: parts of an image, a cursor, parts of a text.

use super::messages::{Wrong, number, word};
use crate::input::Input;

/// How many bytes the fields of a part of a cursor's image take.
pub(super) fn part(payload: &[u8]) -> Result<usize, Wrong> {
    let head = payload.get(..24).ok_or(Wrong::Malformed)?;
    let (width, height, offset, len) =
        (word(head, 8), word(head, 12), word(head, 16), word(head, 20));
    let sides = (1..=512).contains(&width) && (1..=512).contains(&height);
    let inside = sides && width * height <= 1 << 16 && offset + len <= width * height * 4;
    let good = number(&head[..8]) > 0 && inside && (1..=16 << 10).contains(&len);
    if good && payload.len() >= 24 + len { Ok(24 + len) } else { Err(Wrong::Malformed) }
}

/// How many bytes the fields of a cursor's state take.
pub(super) fn cursor(payload: &[u8]) -> Result<usize, Wrong> {
    let head = payload.get(..36).ok_or(Wrong::Malformed)?;
    let len = usize::from(head[35]);
    if len > 32 {
        return Err(Wrong::TooLong);
    }
    let name = payload.get(36..36 + len).ok_or(Wrong::Malformed)?;
    let text = std::str::from_utf8(name).is_ok();
    let sides = (1..=16_384).contains(&word(head, 9)) && (1..=16_384).contains(&word(head, 13));
    let image = number(&head[1..9]) > 0 && sides;
    let no_image = head[1..25].iter().all(|b| *b == 0);
    let look = match head[0] {
        0 | 1 => no_image && len == 0,
        2 => no_image && len > 0,
        3 => image && len == 0,
        _ => false,
    };
    let no_hint = head[27..35].iter().all(|b| *b == 0);
    let bounds = match (head[25], head[26]) {
        (0..=2, 0) => no_hint,
        (1, 1) => true,
        _ => false,
    };
    if text && look && bounds { Ok(36 + len) } else { Err(Wrong::Malformed) }
}

/// How many bytes the fields of a part of a clipboard's text take.
pub(super) fn clipboard(payload: &[u8]) -> Result<usize, Wrong> {
    let head = payload.get(..3).filter(|head| head[0] < 2).ok_or(Wrong::Malformed)?;
    match number(&head[1..]) {
        16_385.. => Err(Wrong::TooLong),
        len if payload.len() < 3 + len => Err(Wrong::Malformed),
        len => Ok(3 + len),
    }
}

pub(super) fn some_part(input: &mut Input<'_>) -> Vec<u8> {
    let sides = [1 + u32::from(input.byte() & 1), 1 + u32::from(input.byte() & 1)];
    let whole = sides[0] * sides[1] * 4;
    // Often a whole image, or one half of it.
    let (offset, len) = match input.byte() & 7 {
        0..=3 => (0, whole),
        4 => (0, whole / 2),
        5 => (whole / 2, whole / 2),
        _ => (u32::from(input.byte() & 15), u32::from(input.byte() & 15)),
    };
    let words = [0, u32::from(input.byte() & 3), sides[0], sides[1], offset, len];
    [words.map(u32::to_be_bytes).concat(), vec![input.byte(); len as usize]].concat()
}

pub(super) fn some_cursor(input: &mut Input<'_>) -> Vec<u8> {
    let look = input.byte() & 3;
    let mut head = vec![look];
    let image = (look == 3).then(|| [0, 1, 9, 9, 0, 0].map(|n| n * u32::from(input.byte() & 3)));
    head.extend(image.unwrap_or_default().map(u32::to_be_bytes).concat());
    let bounds = input.byte() % 3;
    let hint = (bounds == 1 && input.byte() & 1 == 1).then(|| [input.word(), input.word()]);
    head.extend([bounds, hint.is_some().into()]);
    head.extend(hint.unwrap_or_default().map(u32::to_be_bytes).concat());
    let name = if look == 2 { input.bytes(5) } else { &[] };
    head.push(name.len() as u8);
    head.extend(name);
    if input.byte() == 200 {
        let at = input.below(head.len());
        head[at] = input.byte();
    }
    head
}
