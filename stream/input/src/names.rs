//! Names of keys and buttons.

use evdev::KeyCode;

/// The code of a key or button that is named as in `linux/input-event-codes.h`: `KEY_ENTER`,
/// `BTN_LEFT`.
#[must_use]
pub fn code_named(name: &str) -> Option<u16> {
    name.parse::<KeyCode>().ok().map(|key| key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_kernel() {
        assert_eq!(code_named("KEY_ENTER"), Some(28));
        assert_eq!(code_named("BTN_LEFT"), Some(0x110));
        assert_eq!(code_named("BTN_EXTRA"), Some(0x114));
        assert_eq!(code_named("enter"), None);
    }
}
