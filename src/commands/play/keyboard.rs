//! Which layout the player's keyboard has.

use std::ffi::OsString;

use stratus_frame::input::Layout;

/// Where Debian and its kin keep it (keyboard(5)).
const FILE: &str = "/etc/default/keyboard";

/// The layout that the environment or the system names, if one does: the first of several.
pub(super) fn layout() -> Option<Layout> {
    from_environment(|name| std::env::var_os(name))
        .or_else(|| from_file(&std::fs::read_to_string(FILE).ok()?))
}

/// What XKB itself takes where nothing else is said.
fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Option<Layout> {
    let text = |name| variable(name).and_then(|v| v.into_string().ok()).unwrap_or_default();
    join(&text("XKB_DEFAULT_LAYOUT"), &text("XKB_DEFAULT_VARIANT"))
}

/// Assignments as in a shell: `XKBLAYOUT="de"`.
fn from_file(text: &str) -> Option<Layout> {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
    };
    join(&value("XKBLAYOUT"), &value("XKBVARIANT"))
}

/// The first layout of a list with the first variant of another.
fn join(layouts: &str, variants: &str) -> Option<Layout> {
    let first = |list: &str| list.split(',').next().unwrap_or_default().trim().to_owned();
    let (layout, variant) = (first(layouts), first(variants));
    let text = if variant.is_empty() { layout } else { format!("{layout}({variant})") };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_layout_counts_with_its_variant() {
        let found = |text| from_file(text).map(|layout| layout.to_string());
        let debian =
            "# see keyboard(5)\nXKBMODEL=\"pc105\"\nXKBLAYOUT=\"de,us\"\nXKBVARIANT=\"\"\n";
        assert_eq!(found(debian).as_deref(), Some("de"));
        let variant = "XKBLAYOUT='us'\nXKBVARIANT='altgr-intl,'\n";
        assert_eq!(found(variant).as_deref(), Some("us(altgr-intl)"));
        assert_eq!(found("XKBLAYOUT=../../etc"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn the_environment_is_asked_as_xkb_does() {
        let with = |set: &'static [(&str, &str)]| {
            let found = from_environment(|name| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
            });
            found.map(|layout| layout.to_string())
        };
        assert_eq!(with(&[("XKB_DEFAULT_LAYOUT", "fr")]).as_deref(), Some("fr"));
        let both = &[("XKB_DEFAULT_LAYOUT", "de"), ("XKB_DEFAULT_VARIANT", "nodeadkeys")];
        assert_eq!(with(both).as_deref(), Some("de(nodeadkeys)"));
        assert_eq!(with(&[("XKB_DEFAULT_VARIANT", "nodeadkeys")]), None);
    }
}
