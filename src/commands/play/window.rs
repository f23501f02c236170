//! `stratus play`: the window on the main thread, as displays want it, and the network and the
//! decoder on others.

use std::thread::JoinHandle;
use std::time::Duration;

use stratus_frame::Size;
use stratus_stream::PlayerConfig;
use stratus_stream::core::link::Link;
use stratus_stream::core::message::{Role, Welcome};
use stratus_window::{Durations, Figures, Filter, Handle, Options, Scale, Window, Wish};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::args::{Filtering, Resizing, Scaling};
use super::session::Session;
use super::{Over, PlayArgs, judge, keyboard, report};
use crate::commands::on_this_thread;
use crate::failure::{Failure, chain};
use crate::player::{Drawn, Reception, Rest, SpanReport};
use crate::signals::Signals;

/// Makes sure that there is a display to have a window on.
pub(super) fn check_display() -> Result<(), Failure> {
    if ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| is_set(name)) {
        return Ok(());
    }
    let cause = "there is no display: neither WAYLAND_DISPLAY nor DISPLAY is set";
    Err(Failure::usage(SHOW, cause).remedy(NO_DISPLAY))
}

/// Plays until the window is closed.
pub(super) fn play(link: Link, args: PlayArgs) -> Result<(), Failure> {
    let (window, handle) = Window::new().map_err(|e| failed(e).remedy(NO_DISPLAY))?;
    let (joined, welcome) = oneshot::channel();
    let (wishes, wished) = unbounded_channel();
    let options = Options {
        title: "Stratus".into(),
        size: Size::new(1280, 720),
        scale: match args.window.scale {
            Scaling::Fit => Scale::Fit,
            Scaling::Integer => Scale::Integer,
        },
        filter: match args.window.filter {
            Filtering::Sharp => Filter::Sharp,
            Filtering::Smooth => Filter::Smooth,
        },
        fullscreen: args.window.fullscreen,
        follow: matches!(args.resize, None | Some(Resizing::Follow)),
        clipboard: !args.window.no_clipboard,
        layout: args.window.keyboard_layout.clone().or_else(keyboard::layout),
    };
    let network = start(link, args, handle, joined, wished)?;
    // Who is not let in says so where the command was given, without a window.
    let Ok((size, title)) = welcome.blocking_recv() else {
        return end(network).map(drop);
    };
    let options = Options { size, title, ..options };
    let shown = window.run(options, move |wish| {
        // Without a session nobody grants wishes; the window says that it is over.
        let _ = wishes.send(wish);
    });
    let (rest, over, args) = end(network)?;
    let figures = shown.map_err(failed)?;
    finish(rest, &over, &args, &figures)
}

const SHOW: &str = "show the stream in a window";
const NO_DISPLAY: &str = "run it in a graphical session, or add --headless: it receives, decodes, \
                          measures, and records with --record";

fn failed(cause: impl std::fmt::Display) -> Failure {
    Failure::new(SHOW, cause)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn title(welcome: &Welcome) -> String {
    let game = welcome.game.trim();
    match (welcome.role, game.is_empty()) {
        (Role::Player, true) => "Stratus".into(),
        (Role::Player, false) => format!("{game} - Stratus"),
        (Role::Viewer, true) => "Stratus (watching)".into(),
        (Role::Viewer, false) => format!("{game} - Stratus (watching)"),
    }
}

type Ended = Result<(Rest, Over, PlayArgs), Failure>;

/// Connects and plays on a thread of its own, which has the runtime to itself.
fn start(
    link: Link,
    args: PlayArgs,
    handle: Handle,
    joined: oneshot::Sender<(Size, String)>,
    wishes: UnboundedReceiver<Wish>,
) -> Result<JoinHandle<Ended>, Failure> {
    let work = move || {
        let closing = Closing(handle.clone());
        let ended = on_this_thread(async {
            let signals = Signals::listen().map_err(|e| Failure::new("listen to signals", e))?;
            let player = Reception::join(&link, PlayerConfig::default())
                .await
                .map_err(|e| Failure::new("join the session", chain(&e)))?;
            let welcome = player.welcome();
            let _ = joined.send((welcome.size, title(welcome)));
            let session = Session {
                link: &link,
                args: &args,
                handle,
                wishes,
                signals,
                figures_wanted: false,
                deadline: args.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s)),
                size: None,
            };
            session.play(player).await
        });
        drop(closing);
        ended.map(|(rest, over)| (rest, over, args))
    };
    std::thread::Builder::new()
        .name("stratus-network".into())
        .spawn(work)
        .map_err(|e| Failure::new("start the network's thread", e))
}

/// Closes the window when the session's thread ends, however it does.
struct Closing(Handle);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn end(network: JoinHandle<Ended>) -> Ended {
    match network.join() {
        Ok(ended) => ended,
        Err(_) => Err(Failure::new("receive the stream", "the network's thread panicked")),
    }
}

fn finish(rest: Rest, over: &Over, args: &PlayArgs, figures: &Figures) -> Result<(), Failure> {
    let measured = args.frames.is_some() || args.seconds.is_some();
    if measured || args.json {
        report(&rest, over, Some(drawn(figures)), args)?;
    }
    match over {
        Over::Lost(_) => judge(over, &rest.tally, args),
        _ if measured => judge(over, &rest.tally, args),
        _ => Ok(()),
    }
}

fn drawn(figures: &Figures) -> Drawn {
    let us = |d: Duration| d.as_nanos() as f64 / 1000.0;
    let span = |span, durations: &Durations| SpanReport {
        span,
        p50_us: durations.percentile(50).map(us),
        p95_us: durations.percentile(95).map(us),
        samples: durations.len(),
    };
    Drawn {
        drawn: figures.drawn,
        not_drawn: figures.skipped,
        spans: vec![
            span("decoded -> drawn", &figures.drawing),
            span("painting", &figures.painting),
            span("input -> answer drawn", &figures.answering),
        ],
    }
}
