//! Names for the numbers of enums.
//!
//! A name is the generated one in snake case; an underscore before a digit is lost that way
//! (`flipped90`).

mod table;

use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::sync::LazyLock;

use stratus_protocols::InterfaceId;
use stratus_proxy_core::Direction;

/// The name of a number, `None` if the enum has none for it.
pub(crate) type Namer = fn(u32) -> Option<String>;

type Place = (InterfaceId, Direction, u16, usize);

/// The namers of arguments, by their place.
static BY_PLACE: LazyLock<HashMap<Place, Namer>> =
    LazyLock::new(|| places(table::ARGUMENTS).collect());
static ARRAYS: LazyLock<HashMap<Place, Namer>> = LazyLock::new(|| places(table::ARRAYS).collect());
static ERRORS: LazyLock<HashMap<InterfaceId, Namer>> = LazyLock::new(|| {
    table::ERRORS
        .iter()
        .filter_map(|(name, namer)| Some((InterfaceId::find(name)?, *namer)))
        .collect()
});

fn places(rows: &'static [table::Row]) -> impl Iterator<Item = (Place, Namer)> {
    rows.iter().flat_map(|(interface, message, index, namer)| {
        let message = message.trim_start_matches("r#");
        let id = InterfaceId::find(interface);
        id.into_iter().flat_map(move |id| {
            let table = id.interface();
            [(Direction::Request, table.requests), (Direction::Event, table.events)]
                .into_iter()
                .filter_map(move |(direction, messages)| {
                    let opcode = messages.iter().position(|m| m.name == message)?;
                    Some(((id, direction, opcode as u16, *index), *namer))
                })
        })
    })
}

/// What names the numbers of this argument, if it is of an enum.
pub(crate) fn argument(
    interface: InterfaceId,
    direction: Direction,
    opcode: u16,
    index: usize,
) -> Option<Namer> {
    BY_PLACE.get(&(interface, direction, opcode, index)).copied()
}

/// What names the words of this array.
pub(crate) fn array(
    interface: InterfaceId,
    direction: Direction,
    opcode: u16,
    index: usize,
) -> Option<Namer> {
    ARRAYS.get(&(interface, direction, opcode, index)).copied()
}

/// What names the codes of `wl_display.error` about an object of this interface.
pub(crate) fn errors(interface: InterfaceId) -> Option<Namer> {
    ERRORS.get(&interface).copied()
}

/// The name of `value` in a generated enum; for a bit field the names of its bits, joined by `|`.
fn name_of<E: TryFrom<u32> + Debug>(value: u32) -> Option<String> {
    match E::try_from(value) {
        Ok(known) => spell(&known),
        // A bit field takes 0, and prints as `Name(…)`; one with a bit that is not known is
        // refused whole.
        Err(_) if is_bit_field::<E>() => Some(bits::<E>(value)),
        Err(_) => None,
    }
}

fn is_bit_field<E: TryFrom<u32> + Debug>() -> bool {
    E::try_from(0).is_ok_and(|zero| format!("{zero:?}").ends_with(')'))
}

fn bits<E: TryFrom<u32> + Debug>(value: u32) -> String {
    let mut text = String::new();
    let mut unknown = 0;
    for bit in (0..32).map(|n| 1 << n).filter(|bit| value & bit != 0) {
        match E::try_from(bit).ok().and_then(|known| spell(&known)) {
            Some(name) => {
                text.push_str(&name);
                text.push('|');
            }
            None => unknown |= bit,
        }
    }
    let _ = write!(text, "{unknown:#x}");
    text
}

/// `CamelCase` as `snake_case`, `Kind(A | B)` as `a|b`. `None` for no bits at all.
fn spell(value: &impl Debug) -> Option<String> {
    let text = format!("{value:?}");
    let names = match text.split_once('(') {
        Some((_, inner)) => inner.trim_end_matches(')'),
        None => &text,
    };
    if names == "0x0" || names.is_empty() {
        return None;
    }
    Some(names.split(" | ").map(snake).collect::<Vec<_>>().join("|"))
}

fn snake(camel: &str) -> String {
    let mut name = String::with_capacity(camel.len() + 4);
    // Names that begin with a digit carry an underscore in Rust.
    let mut letters = camel.trim_start_matches('_').chars().peekable();
    let mut before = None;
    while let Some(c) = letters.next() {
        let word = before.is_some_and(|b: char| !b.is_ascii_uppercase())
            || letters.peek().is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && before.is_some() && word {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = Some(c);
    }
    name
}

#[cfg(test)]
mod tests;
