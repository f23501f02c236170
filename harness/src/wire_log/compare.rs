//! The difference of two logs, and whether it was declared.

use std::collections::BTreeMap;

use super::{Line, Log, Way};

/// Which order of messages must be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That of all requests, and that of all events.
    Whole,
    /// That of each object's requests and of each object's events: for compositors whose own
    /// clock mixes the events of different objects differently each time.
    PerObject,
}

/// One difference between two logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The line in the first log, if it is there.
    pub direct: Option<Line>,
    /// The line in the second log, if it is there.
    pub proxied: Option<Line>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |line: &Option<Line>| line.as_ref().map_or("nothing".into(), Line::to_string);
        write!(f, "direct: {}\n  proxied: {}", side(&self.direct), side(&self.proxied))
    }
}

/// What a rewrite does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The client hears or says it only through the proxy.
    Added,
    /// The client hears or says it only directly.
    Removed,
    /// Other arguments.
    Changed,
}

/// A declared difference: interface, message and what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The interface.
    pub interface: &'static str,
    /// The message.
    pub message: &'static str,
    /// What happens to it.
    pub change: Change,
}

impl Rewrite {
    /// A declaration.
    #[must_use]
    pub const fn new(interface: &'static str, message: &'static str, change: Change) -> Self {
        Self { interface, message, change }
    }

    fn covers(&self, difference: &Difference) -> bool {
        let of = |line: &Line| line.interface == self.interface && line.name == self.message;
        match (&difference.direct, &difference.proxied) {
            (Some(a), Some(b)) => self.change == Change::Changed && of(a) && of(b),
            (Some(a), None) => self.change == Change::Removed && of(a),
            (None, Some(b)) => self.change == Change::Added && of(b),
            (None, None) => false,
        }
    }
}

/// Compares two logs after normalising them.
#[must_use]
pub fn compare(direct: &Log, proxied: &Log, order: Order) -> Vec<Difference> {
    let (direct, proxied) = (direct.normalised(), proxied.normalised());
    let mut streams: BTreeMap<(Way, String), [Vec<Line>; 2]> = BTreeMap::new();
    for (side, lines) in [direct, proxied].into_iter().enumerate() {
        for line in lines {
            let object = if order == Order::Whole { String::new() } else { line.object.clone() };
            streams.entry((line.way, object)).or_default()[side].push(line);
        }
    }
    streams.into_values().flat_map(|[direct, proxied]| differences(direct, proxied)).collect()
}

/// Differences that no rewrite declares, then rewrites that nothing shows, as readable lines.
#[must_use]
pub fn undeclared(differences: &[Difference], rewrites: &[Rewrite]) -> Vec<String> {
    let surprising = differences
        .iter()
        .filter(|difference| !rewrites.iter().any(|rewrite| rewrite.covers(difference)))
        .map(Difference::to_string);
    let unseen = rewrites
        .iter()
        .filter(|rewrite| !differences.iter().any(|difference| rewrite.covers(difference)))
        .map(|rewrite| format!("declared but not seen: {rewrite:?}"));
    surprising.chain(unseen).collect()
}

/// The shortest difference of two streams; within a run of it, lines of the same object and
/// message are taken for one that changed.
fn differences(direct: Vec<Line>, proxied: Vec<Line>) -> Vec<Difference> {
    let start = direct.iter().zip(&proxied).take_while(|(a, b)| a == b).count();
    let (direct, proxied) = (&direct[start..], &proxied[start..]);
    let lengths = common_lengths(direct, proxied);
    let (mut found, mut gone, mut came) = (Vec::new(), Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < direct.len() || j < proxied.len() {
        if i < direct.len() && j < proxied.len() && direct[i] == proxied[j] {
            pair(&mut found, &mut gone, &mut came);
            (i, j) = (i + 1, j + 1);
        } else if j == proxied.len() || i < direct.len() && lengths[i + 1][j] >= lengths[i][j + 1] {
            gone.push(direct[i].clone());
            i += 1;
        } else {
            came.push(proxied[j].clone());
            j += 1;
        }
    }
    pair(&mut found, &mut gone, &mut came);
    found
}

/// `[i][j]`: length of the longest common subsequence of `a[i..]` and `b[j..]`.
fn common_lengths(a: &[Line], b: &[Line]) -> Vec<Vec<u32>> {
    let mut lengths = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i] == b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

fn pair(found: &mut Vec<Difference>, gone: &mut Vec<Line>, came: &mut Vec<Line>) {
    for direct in gone.drain(..) {
        let same = |line: &Line| line.object == direct.object && line.name == direct.name;
        let proxied = came.iter().position(same).map(|at| came.remove(at));
        found.push(Difference { direct: Some(direct), proxied });
    }
    found.extend(came.drain(..).map(|line| Difference { direct: None, proxied: Some(line) }));
}
