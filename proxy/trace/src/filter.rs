//! Which messages a trace shows.
//!
//! A pattern is an interface, a message or an object, in the spelling of the lines themselves:
//! `wl_surface`, `xdg_*`, `wl_surface.commit`, `*.configure`, `wl_surface@3`, `@3`, `@3.frame`.
//! `*` stands for any characters and `?` for one.

use stratus_protocols::InterfaceId;
use stratus_proxy_core::{ClientId, Direction, ObjectId, Step};

use crate::printer::Options;
use crate::step::Shown;

/// A pattern that is none, or that can match nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// There is nothing between two parts, or no part at all.
    #[error("{0:?} is no pattern; write wl_surface, wl_*, wl_surface.commit, wl_surface@3 or @3")]
    Form(String),
    /// The interface's name is not known.
    #[error("{pattern:?} matches no interface{}", suggest(.nearest.as_deref()))]
    Interface {
        /// The pattern.
        pattern: String,
        /// A name that is much like it.
        nearest: Option<String>,
    },
    /// No message of the interfaces has this name.
    #[error("{pattern:?} matches no request and no event{}", suggest(.nearest.as_deref()))]
    Message {
        /// The pattern.
        pattern: String,
        /// A name that is much like it.
        nearest: Option<String>,
    },
}

fn suggest(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `None` for any.
    interface: Option<String>,
    object: Option<ObjectId>,
    message: Option<String>,
}

impl Pattern {
    /// Reads a pattern and checks that there is something for it to match.
    ///
    /// # Errors
    /// [`BadPattern`] says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let form = || BadPattern::Form(pattern.to_owned());
        let (object, message) = match pattern.split_once('.') {
            Some((object, message)) => (object, Some(message)),
            None => (pattern, None),
        };
        let (interface, id) = match object.split_once('@') {
            Some((interface, id)) => (interface, Some(id.parse().map_err(|_| form())?)),
            None => (object, None),
        };
        let word =
            |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_*?".contains(&b));
        let named = message.is_none_or(|m| !m.is_empty() && word(m));
        if !word(interface) || !named || interface.is_empty() && id.is_none() {
            return Err(form());
        }
        let parsed = Self {
            interface: Some(interface).filter(|i| !i.is_empty()).map(str::to_owned),
            object: id.map(ObjectId),
            message: message.map(str::to_owned),
        };
        parsed.check(pattern)?;
        Ok(parsed)
    }

    fn check(&self, pattern: &str) -> Result<(), BadPattern> {
        let interfaces: Vec<InterfaceId> =
            InterfaceId::ALL.iter().copied().filter(|id| self.is_interface(*id)).collect();
        let pattern = pattern.to_owned();
        if interfaces.is_empty() {
            let wanted = self.interface.as_deref().unwrap_or_default();
            let nearest = nearest(wanted, InterfaceId::ALL.iter().map(|id| id.name()));
            return Err(BadPattern::Interface { pattern, nearest });
        }
        let Some(wanted) = &self.message else { return Ok(()) };
        let names = || {
            interfaces.iter().flat_map(|id| {
                let table = id.interface();
                table.requests.iter().chain(table.events).map(|m| m.name)
            })
        };
        if names().any(|name| fits(wanted, name)) {
            return Ok(());
        }
        Err(BadPattern::Message { pattern, nearest: nearest(wanted, names()) })
    }

    fn is_interface(&self, id: InterfaceId) -> bool {
        self.interface.as_ref().is_none_or(|wanted| fits(wanted, id.name()))
    }

    fn matches(&self, shown: &Shown<'_>) -> bool {
        self.object.is_none_or(|id| id == shown.sender)
            && self.is_interface(shown.interface)
            && self.message.as_ref().is_none_or(|wanted| {
                shown.description().is_some_and(|message| fits(wanted, message.name))
            })
    }
}

/// Whether `text` is what `glob` describes.
fn fits(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    // Where to go on if the last `*` has to swallow one more.
    let mut star = None;
    while t < text.len() {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(b) if *b == b'?' || *b == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                let Some((star_g, star_t)) = star else { return false };
                star = Some((star_g, star_t + 1));
                g = star_g + 1;
                t = star_t + 1;
            }
        }
    }
    glob[g..].iter().all(|b| *b == b'*')
}

/// The name that is most like `wanted`, if one is like enough to be meant.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = names.map(|name| (distance(wanted, name), name)).min()?;
    (near.0 <= wanted.len() / 3).then(|| near.1.to_owned())
}

/// How many letters must be put in, taken out or replaced to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What of a conversation is shown.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    only: Vec<Pattern>,
    except: Vec<Pattern>,
    clients: Vec<u64>,
    hidden: Option<Direction>,
    nothing: bool,
    only_changes: bool,
}

impl Filter {
    /// The filter that these options describe.
    ///
    /// # Errors
    /// [`BadPattern`] for the first pattern that is none.
    pub fn new(options: &Options) -> Result<Self, BadPattern> {
        let parse = |patterns: &[String]| {
            patterns.iter().map(|p| Pattern::parse(p)).collect::<Result<_, _>>()
        };
        Ok(Self {
            only: parse(&options.only)?,
            except: parse(&options.except)?,
            clients: options.clients.clone(),
            hidden: match (options.no_requests, options.no_events) {
                (true, _) => Some(Direction::Request),
                (false, true) => Some(Direction::Event),
                (false, false) => None,
            },
            nothing: options.no_requests && options.no_events,
            only_changes: options.only_changes,
        })
    }

    /// Whether it lets this client's lines pass.
    #[must_use]
    pub fn shows_client(&self, client: ClientId) -> bool {
        self.clients.is_empty() || self.clients.contains(&client.0)
    }

    /// Whether it lets this message pass.
    #[must_use]
    pub fn shows(&self, shown: &Shown<'_>) -> bool {
        !self.nothing
            && self.shows_client(shown.client)
            && self.hidden != Some(shown.direction)
            && !(self.only_changes && shown.step == Step::Came)
            && (self.only.is_empty() || self.only.iter().any(|p| p.matches(shown)))
            && !self.except.iter().any(|p| p.matches(shown))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn globs_fit_what_they_describe() {
        for (glob, text, expected) in [
            ("wl_surface", "wl_surface", true),
            ("wl_surface", "wl_surfaces", false),
            ("wl_*", "wl_surface", true),
            ("wl_*", "xdg_wl_surface", false),
            ("*", "", true),
            ("*_v?", "zxdg_decoration_v1", true),
            ("*_v?", "zxdg_decoration_v", false),
            ("*a*b", "xxaxbxb", true),
            ("*a*b", "xxaxbxbc", false),
            ("a**c", "ac", true),
        ] {
            assert_eq!(fits(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn patterns_are_read_or_refused_with_the_reason() {
        for good in [
            "wl_surface",
            "wl_*",
            "xdg_toplevel.configure",
            "*.configure",
            "wl_surface@3",
            "@3",
            "@4278190080.offer",
            "wl_surface@3.frame",
            "*",
            "_wl_fullscreen_shell",
        ] {
            Pattern::parse(good).unwrap();
        }
        for (bad, reason) in [
            ("", "is no pattern"),
            (".", "is no pattern"),
            ("wl_surface.", "is no pattern"),
            (".commit", "is no pattern"),
            ("wl_surface@", "is no pattern"),
            ("wl_surface@x", "is no pattern"),
            ("@-1", "is no pattern"),
            ("wl surface", "is no pattern"),
            ("wl_surfce", "matches no interface; did you mean wl_surface?"),
            ("WL_*", "matches no interface"),
            ("wl_surface.comit", "matches no request and no event; did you mean commit?"),
            ("wl_callback.*x", "matches no request and no event"),
        ] {
            let error = Pattern::parse(bad).unwrap_err().to_string();
            assert!(error.contains(reason), "{bad}: {error}");
        }
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (a, b, expected) in
            [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), expected);
            assert_eq!(distance(b, a), expected);
        }
    }
}
