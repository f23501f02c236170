//! A session as its window's other side: receives, passes the player's wishes on, and connects
//! anew when the connection is lost.

use std::time::Duration;

use stratus_frame::{FrameId, MonoTime, Size};
use stratus_stream::core::header::FrameHeader;
use stratus_stream::core::link::Link;
use stratus_stream::core::message::{Refusal, RefusalCode, Resize, Role};
use stratus_stream::{ConnectError, Player};
use stratus_window::{Handle, I420, Notice, Picture, Samples, Shown, Wish};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::overlay::{Before, Stream, lines};
use super::reconnect::{GRACE, reconnect};
use super::{Over, PlayArgs, first_wish, is_enough};
use crate::failure::{Failure, chain};
use crate::player::{Extras, Files, Received, Reception, Rest, Show};
use crate::signals::{Said, Signals};

/// How often the overlay's figures are told anew.
const FIGURES_EVERY: Duration = Duration::from_millis(500);

/// What a window's session needs.
pub(super) struct Session<'a> {
    pub(super) link: &'a Link,
    pub(super) args: &'a PlayArgs,
    pub(super) handle: Handle,
    /// What the player wants; ends with the window.
    pub(super) wishes: UnboundedReceiver<Wish>,
    pub(super) signals: Signals,
    pub(super) figures_wanted: bool,
    /// When it is enough.
    pub(super) deadline: Option<Instant>,
    /// What the game was last asked to be as large as.
    pub(super) size: Option<Size>,
}

impl Session<'_> {
    /// Plays until the window is closed, or what was to be received is there. Gives what the last
    /// connection counted.
    pub(super) async fn play(mut self, player: Player) -> Result<(Rest, Over), Failure> {
        let args = self.args;
        let mut player = player;
        let mut files = Files::create(args.paths())?;
        let mut first = true;
        loop {
            let (mut rest, over, refusal) = self.play_once(player, files, first).await?;
            first = false;
            files = std::mem::take(&mut rest.files);
            let (said, over) = match over {
                Over::Lost(_) if refusal.as_ref().is_some_and(is_final) => {
                    let text = refusal.map(|r| r.text).unwrap_or_default();
                    (Some(("This window plays no more", text)), Over::Asked)
                }
                Over::Lost(why) => match self.return_to(&why).await {
                    Return::Player(again) => {
                        player = *again;
                        continue;
                    }
                    Return::Closed => (None, Over::Asked),
                    Return::Late => (None, Over::Lost(why)),
                    Return::Refused(why) => {
                        (Some(("The connection is lost", why.clone())), Over::Lost(why))
                    }
                },
                Over::End(reason) => {
                    (Some(("The session is over", reason.text.clone())), Over::End(reason))
                }
                Over::Enough | Over::Asked => (None, over),
            };
            files.finish()?;
            // Who only measures does not wait for somebody to read this.
            if let Some((title, why)) = said
                && self.deadline.is_none()
                && args.frames.is_none()
            {
                self.part(title, &why).await;
            }
            return Ok((rest, over));
        }
    }

    /// Plays until the connection is over; gives also what the server said as it closed it.
    async fn play_once(
        &mut self,
        player: Player,
        files: Files,
        first: bool,
    ) -> Result<(Rest, Over, Option<Refusal>), Failure> {
        let args = self.args;
        let show = Some(show(self.handle.clone()));
        let extras = Extras { dump: args.dump_ppm.clone(), show };
        let mut reception = Reception::start(player, files, extras)?;
        if !args.window.no_sound {
            reception.tally.sound.play_aloud();
        }
        self.greet(&reception.player, first);
        let over = self.receive(&mut reception).await;
        let (old, rest) = reception.finish(|tally| !is_enough(tally, args)).await?;
        let refusal = old.refusal().cloned();
        old.close().await;
        Ok((rest, over, refusal))
    }

    /// What a server hears first, also of a player that comes back.
    fn greet(&self, player: &Player, first: bool) {
        if let Some(resize) = first_wish(self.args).filter(|_| first) {
            player.resize(resize);
        }
        if let Some(size) = self.size.filter(|_| plays(player)) {
            player.resize(Resize { size, millifps: 0 });
        }
        self.handle.notice(None);
        self.handle.joined();
    }

    async fn receive(&mut self, reception: &mut Reception) -> Over {
        let deadline = self.deadline;
        let mut figures = interval(FIGURES_EVERY);
        figures.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut before = Before::new(&reception.tally);
        loop {
            tokio::select! {
                // What the player does comes before everything.
                biased;
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.grant(wish, &reception.player),
                    None => return Over::Asked,
                },
                said = self.signals.next() => if let Said::End(_) = said { return Over::Asked },
                () = until(deadline) => return Over::Enough,
                received = reception.next() => match received {
                    Received::Frame if is_enough(&reception.tally, self.args) => {
                        return Over::Enough;
                    }
                    Received::Frame => {}
                    Received::Cursor(state) => self.handle.cursor(state),
                    Received::Rumble(rumble) => self.handle.rumble(rumble),
                    Received::Copied(text) => self.handle.copied(text),
                    Received::End(reason) => return Over::End(reason),
                    Received::Lost(why) => return Over::Lost(why),
                    Received::NoDecoder => return Over::Asked,
                },
                _ = figures.tick(), if self.figures_wanted => {
                    let Reception { player, tally, .. } = &*reception;
                    let welcome = player.welcome();
                    let stream = Stream { millifps: welcome.millifps, codec: welcome.codec };
                    self.handle.overlay(lines(&mut before, tally, &player.clock(), stream));
                }
            }
        }
    }

    fn grant(&mut self, wish: Wish, player: &Player) {
        match wish {
            Wish::Overlay(wanted) => self.figures_wanted = wanted,
            // Who watches may look at figures, and nothing else.
            _ if !plays(player) => {}
            Wish::Input(input) => player.send_input(&input),
            Wish::Clipboard(text) => player.send_clipboard(&text),
            Wish::Resize(size) => {
                self.size = Some(size);
                player.resize(Resize { size, millifps: 0 });
            }
        }
    }

    /// Connects anew, as long as somebody looks at the window and there is time.
    async fn return_to(&mut self, why: &str) -> Return {
        tracing::warn!("the connection is lost ({why}); connecting anew");
        let handle = self.handle.clone();
        let tell = |why: &str| {
            let title = "Connection lost, trying again".into();
            let text = format!("{why}\n\nThe game goes on. Tried for {} s.", GRACE.as_secs());
            handle.notice(Some(Notice { title, text }));
        };
        tell(why);
        let again = reconnect(self.link, |e: &ConnectError| tell(&e.to_string()));
        tokio::pin!(again);
        let deadline = self.deadline;
        loop {
            tokio::select! {
                () = until(deadline) => return Return::Late,
                result = &mut again => return match result {
                    Ok(player) => Return::Player(Box::new(player)),
                    Err(e) => Return::Refused(chain(&e)),
                },
                wish = self.wishes.recv() => match wish {
                    Some(Wish::Resize(size)) => self.size = Some(size),
                    Some(Wish::Overlay(wanted)) => self.figures_wanted = wanted,
                    // What is typed now would reach the game at a time when nobody expects it.
                    Some(Wish::Input(_) | Wish::Clipboard(_)) => {}
                    None => return Return::Closed,
                },
                said = self.signals.next() => if let Said::End(_) = said {
                    return Return::Closed;
                },
            }
        }
    }

    /// Says why nothing more comes, until the window is closed.
    async fn part(&mut self, title: &str, why: &str) {
        tracing::info!("{title}: {why}");
        let text = format!("{why}\n\nClose this window, or press Ctrl+Alt+Shift+Q.");
        self.handle.notice(Some(Notice { title: title.into(), text }));
        loop {
            tokio::select! {
                wish = self.wishes.recv() => if wish.is_none() { return },
                said = self.signals.next() => if let Said::End(_) = said { return },
            }
        }
    }
}

/// Whether its input reaches the game.
fn plays(player: &Player) -> bool {
    player.welcome().role == Role::Player
}

/// Whether another connection would be closed for the same reason, or take the place of who has
/// this one's now.
fn is_final(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        RefusalCode::Replaced
            | RefusalCode::Busy
            | RefusalCode::NotPlayer
            | RefusalCode::Token
            | RefusalCode::Version
    )
}

/// Waits for this moment, if there is one.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

enum Return {
    Player(Box<Player>),
    /// Nobody looks any more.
    Closed,
    /// There is no time left.
    Late,
    /// It is no use.
    Refused(String),
}

/// A picture as the decoder gave it away, and how much of it is to be seen.
struct Decoded(stratus_encode::Kept, Size);

impl Picture for Decoded {
    fn samples(&self) -> I420<'_> {
        let nothing = Samples { data: &[], stride: 0 };
        let planes = self.0.planes().map_or([nothing; 3], |planes| {
            let [cb, cr] = planes.chroma;
            [planes.luma, cb, cr].map(|p| Samples { data: p.data, stride: p.stride })
        });
        I420 { planes, visible: self.1 }
    }
}

/// Gives pictures to the window.
fn show(handle: Handle) -> Show {
    Box::new(move |picture, header: &FrameHeader, decoded: MonoTime| {
        let FrameHeader { id, newest_input, size, .. } = *header;
        let id: FrameId = id;
        // A picture whose planes are smaller than its header says shows what there is.
        let visible = picture.planes().map_or(Size::default(), |p| {
            let coded = p.size();
            Size::new(size.width.min(coded.width), size.height.min(coded.height))
        });
        handle.show(Shown {
            picture: Box::new(Decoded(picture, visible)),
            id,
            newest_input,
            decoded,
        });
    })
}
