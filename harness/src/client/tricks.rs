//! The rules that the scripted client breaks or strains, at the frames that its script names.

use std::io::Write as _;
use std::time::Instant;

use super::config::Trick;
use super::counts::End;
use super::play::{Halt, Player};

impl Player<'_> {
    /// What is to be done before frame `number`.
    pub(super) fn tricks_before(&mut self, number: u64) -> Result<(), Halt> {
        for trick in self.config.tricks.clone() {
            let (Some(window), Some(store)) = (&self.window, &mut self.store) else {
                return Ok(());
            };
            match trick {
                Trick::ResizePool { at } if at == number => store.grow(&self.handle)?,
                Trick::Unmap { at } if at == number => {
                    window.surface.attach(None, 0, 0);
                    window.surface.commit();
                    // An unmapped xdg_surface starts over: a bare commit, a configure, a buffer.
                    self.game.configured = None;
                    window.surface.commit();
                    while self.game.configured.is_none() {
                        self.pump(None)?;
                    }
                    self.wait_for_configure()?;
                }
                Trick::OversizedBuffer { at } if at == number => {
                    let buffer = store.oversized(&self.handle);
                    window.surface.attach(buffer.as_ref(), 0, 0);
                    window.surface.damage(0, 0, i32::MAX, i32::MAX);
                    window.surface.commit();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is to be done after frame `number`, which is in `slot`.
    pub(super) fn tricks_after(&mut self, number: u64, slot: usize) -> Result<(), Halt> {
        for trick in self.config.tricks.clone() {
            let (Some(window), Some(store)) = (&self.window, &mut self.store) else {
                return Ok(());
            };
            match trick {
                Trick::TruncateAfterCommit { from, frames }
                    if (from..from + frames).contains(&number) =>
                {
                    store.truncate(slot)?;
                    self.truncated = true;
                }
                Trick::TruncateForGood { after, stay } if after == number => {
                    store.truncate(slot)?;
                    let until = Instant::now() + stay;
                    while Instant::now() < until {
                        self.pump(Some(until))?;
                    }
                    return Err(Halt::End(End::Trick));
                }
                Trick::DestroyBuffersEarly => store.destroy_early(slot, &self.handle),
                Trick::EmptyCommits => {
                    window.surface.commit();
                    self.flush()?;
                }
                Trick::Garbage { after } if after == number => {
                    let garbage: Vec<u8> = (0..257u32).map(|i| (i * 151 + 7) as u8).collect();
                    let _ = (&self.stream).write_all(&garbage);
                }
                Trick::Vanish { after } if after == number => {
                    return Err(Halt::End(End::Trick));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
