//! Arguments of messages as both peers of the test write them down, and fds by what they lead to.

use std::collections::HashMap;
use std::fmt;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use nix::sys::stat::fstat;

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    Int(i32),
    Uint(u32),
    /// In 256ths.
    Fixed(i32),
    Text(String),
    /// 0 for none.
    Object(u32),
    New(u32),
    Bytes(Vec<u8>),
    /// By its label in [`Identities`].
    Fd(String),
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}"),
            Self::Fixed(value) => write!(f, "{value}/256"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Object(0) => write!(f, "nil"),
            Self::Object(id) => write!(f, "#{id}"),
            Self::New(id) => write!(f, "new #{id}"),
            Self::Bytes(bytes) => write!(f, "{bytes:?}"),
            Self::Fd(label) => write!(f, "fd {label}"),
        }
    }
}

/// One message as a line.
pub(crate) fn line(interface: &str, id: u32, name: &str, args: &[Arg]) -> String {
    let args: Vec<String> = args.iter().map(Arg::to_string).collect();
    format!("{interface}#{id}.{name}({})", args.join(", "))
}

/// What the fds of a run lead to: whoever makes a file names it, and whoever receives an fd asks
/// which file it is. The kernel tells files apart by device and inode, whichever way fds go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities(Arc<Mutex<HashMap<(u64, u64), String>>>);

impl Identities {
    fn key(fd: impl AsFd) -> (u64, u64) {
        let stat = fstat(fd).expect("an open fd can be looked at");
        (stat.st_dev, stat.st_ino)
    }

    pub(crate) fn name(&self, fd: impl AsFd, label: String) {
        self.0.lock().unwrap().insert(Self::key(fd), label);
    }

    pub(crate) fn label(&self, fd: impl AsFd) -> String {
        let known = self.0.lock().unwrap().get(&Self::key(fd)).cloned();
        known.unwrap_or_else(|| "of nobody's file".to_owned())
    }
}
