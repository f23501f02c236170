//! Tests of what the thread does with its commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::net::UnixStream;

use super::*;

const CAPS_LOCK: u16 = 58;
const KEY_A: u16 = 30;

/// A thread's work, with nobody who waits for it, and no compositor.
fn worker() -> Worker {
    let shared = Shared {
        queue: Arc::new(Queue::new().unwrap()),
        stats: Arc::default(),
        cutter: Arc::default(),
    };
    let nowhere = PathBuf::from("/nonexistent/wayland-0");
    let mark = InputMark::default();
    Worker::new(nowhere, &"us".parse().unwrap(), mark, Arc::new(|_| {}), shared)
}

/// One whose compositor reads, and takes keys for nothing; at the other end of what is returned.
fn worker_with_seat() -> (Worker, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut worker = worker();
    worker.seat = Some(Seat::without_devices(ours).unwrap());
    (worker, theirs)
}

fn command(event: InputEvent, came: MonoTime) -> Command {
    Command::Input(Input { id: 1, time: MonoTime::UNSET, event }, came)
}

fn key(code: u16, pressed: bool) -> InputEvent {
    InputEvent::Key { code, pressed }
}

/// The keys among what is to be done, which is forgotten.
fn keys(worker: &mut Worker) -> Vec<(u16, bool)> {
    let key = |action| {
        if let Action::Key { code, pressed } = action { Some((code, pressed)) } else { None }
    };
    std::mem::take(&mut worker.actions).into_iter().filter_map(key).collect()
}

/// What a compositor that comes now is told first.
fn introduction(worker: &mut Worker) -> Vec<Action> {
    let mut out = Vec::new();
    worker.desk.introduce(&mut out);
    out
}

#[test]
fn many_long_texts_are_sent_one_by_one() {
    let (mut worker, _theirs) = worker_with_seat();
    let text: String = ('\u{4e00}'..).take(341).collect();
    let mut commands: VecDeque<Command> =
        (0..100).map(|_| command(InputEvent::Text(text.clone()), MonoTime::now())).collect();
    assert!(worker.obey(&mut commands));
    // Each has two actions for each of its characters.
    let most = worker.actions.capacity();
    assert!(most < 10 * 2 * 341, "{most} actions at once");
    assert!(worker.weight < HEAVY);
    worker.send();
    assert_eq!(worker.shared.stats.given(), 100);
}

#[test]
fn what_the_player_did_long_ago_is_not_played() {
    let (mut worker, _theirs) = worker_with_seat();
    let now = MonoTime::now();
    assert!(worker.obey(&mut [command(key(KEY_A, true), now)].into()));
    assert_eq!(keys(&mut worker), [(KEY_A, true)]);
    let before = MonoTime::from_nanos(now.as_nanos() - 2 * STALL.as_nanos() as u64);
    let late = [key(KEY_A, false), key(CAPS_LOCK, true), key(CAPS_LOCK, false)];
    let mut commands: VecDeque<Command> =
        late.into_iter().map(|event| command(event, before)).collect();
    commands.push_back(command(InputEvent::Layout("de".parse().unwrap()), before));
    assert!(worker.obey(&mut commands));
    assert_eq!(worker.shared.stats.lost(), 4);
    // What is held is let go, once, and the player's keyboard is still known.
    assert!(worker.actions.iter().any(|a| matches!(a, Action::Keymap(_))));
    assert_eq!(keys(&mut worker), [(KEY_A, false)]);
    assert!(worker.obey(&mut [command(key(KEY_A, true), MonoTime::now())].into()));
    assert_eq!(keys(&mut worker), [(KEY_A, true)], "and play goes on");
}

#[test]
fn a_player_that_leaves_while_there_is_no_compositor_is_forgotten() {
    let mut worker = worker();
    let fresh = introduction(&mut worker);
    let (mut now, place) = (MonoTime::from_nanos(1), |_| Action::Frame);
    for event in [key(CAPS_LOCK, true), key(CAPS_LOCK, false)] {
        worker.desk.handle(&event, now, &place, &mut Vec::new());
    }
    now = MonoTime::now();
    assert!(worker.obey(&mut [command(InputEvent::Layout("de".parse().unwrap()), now)].into()));
    let players = introduction(&mut worker);
    assert!(players[0] != fresh[0] && players[1] != fresh[1]);
    assert!(worker.obey(&mut [Command::PlayerLeft].into()));
    assert_eq!(worker.actions, [], "nobody is told");
    assert!(introduction(&mut worker) == fresh, "the next player's keyboard");
}
