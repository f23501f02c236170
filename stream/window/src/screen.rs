//! The window's surface: what is on it, and when it is drawn.
//!
//! A picture is drawn the moment it comes, not when the compositor next asks for one, since a
//! newer buffer may replace one that waits. Only where the compositor has shown none of the last
//! two is the next one kept until it asks, so that a hidden window costs nothing and softbuffer,
//! which has two buffers, does not wait for one of them.

use std::num::NonZeroU32;
use std::sync::Arc;

use stratus_frame::{MonoTime, Size};
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::Window;

use crate::canvas::Canvas;
use crate::error::WindowError;
use crate::figures::Figures;
use crate::kernel::Filter;
use crate::letterbox::{Letterbox, Scale};
use crate::paint::Painter;
use crate::panel::{self, Notice};
use crate::picture::{Latest, Shown};

/// Pictures drawn without the compositor having asked for one.
const AHEAD: u32 = 2;

type Surface = softbuffer::Surface<OwnedDisplayHandle, Arc<Window>>;

/// What is drawn, and where.
pub(crate) struct Screen {
    pub(crate) window: Arc<Window>,
    pub(crate) figures: Figures,
    /// What there is to say over the picture.
    pub(crate) notice: Option<Notice>,
    /// Lines of the overlay, as long as it is wanted.
    pub(crate) overlay: Option<Vec<String>>,
    surface: Surface,
    painter: Painter,
    scale: Scale,
    latest: Latest<Shown>,
    shown: Option<Shown>,
    /// Whether the compositor says when it shows a picture: Wayland's does.
    ticks: bool,
    ahead: u32,
    /// The next request to draw is an answer to what was drawn, not a reason to draw.
    tick_expected: bool,
    /// What is on the surface is not what should be.
    stale: bool,
}

impl Screen {
    pub(crate) fn new(
        events: &ActiveEventLoop,
        window: Arc<Window>,
        latest: Latest<Shown>,
        (scale, filter, ticks): (Scale, Filter, bool),
    ) -> Result<Self, WindowError> {
        let refused = |e: softbuffer::SoftBufferError| WindowError::Surface(e.to_string());
        let context = softbuffer::Context::new(events.owned_display_handle()).map_err(refused)?;
        let surface = Surface::new(&context, Arc::clone(&window)).map_err(refused)?;
        window.request_redraw();
        Ok(Self {
            window,
            figures: Figures::default(),
            notice: None,
            overlay: None,
            surface,
            painter: Painter::new(filter),
            scale,
            latest,
            shown: None,
            ticks,
            ahead: AHEAD,
            tick_expected: false,
            stale: true,
        })
    }

    pub(crate) fn size(&self) -> Size {
        let size = self.window.inner_size();
        Size::new(size.width, size.height)
    }

    /// Where the picture lies, if there is one.
    pub(crate) fn place(&self) -> Option<Letterbox> {
        let (window, shown) = (self.size(), self.shown.as_ref()?);
        let picture = shown.picture.samples().visible;
        (!window.is_empty() && !picture.is_empty())
            .then(|| Letterbox::new(window, picture, self.scale))
    }

    /// A picture waits. Tells whether the picture's place may be another from now on.
    pub(crate) fn handle_picture(&mut self) -> Result<bool, WindowError> {
        if self.ahead < AHEAD {
            return self.draw();
        }
        self.window.request_redraw();
        Ok(false)
    }

    /// What is written over the picture, or the window's size, is another.
    pub(crate) fn handle_change(&mut self) {
        self.stale = true;
        self.window.request_redraw();
    }

    /// The window system wants the window drawn, or is ready for the next picture. Tells the same
    /// as [`Screen::handle_picture`].
    pub(crate) fn handle_redraw(&mut self) -> Result<bool, WindowError> {
        self.ahead = 0;
        let tick = std::mem::take(&mut self.tick_expected);
        if tick && !self.stale && self.latest.is_empty() {
            return Ok(false);
        }
        self.draw()
    }

    fn draw(&mut self) -> Result<bool, WindowError> {
        let begun = MonoTime::now();
        let fresh = self.latest.take();
        let before = self.place().map(|p| (p.picture, p.shown));
        let newest = fresh.as_ref().map(|f| (f.decoded, f.newest_input));
        if let Some(fresh) = fresh {
            self.figures.skipped += self.shown.as_ref().map_or(0, |s| skipped(s, &fresh));
            self.shown = Some(fresh);
        }
        let size = self.size();
        let (Some(width), Some(height)) =
            (NonZeroU32::new(size.width), NonZeroU32::new(size.height))
        else {
            return Ok(false);
        };
        let place = self.place();
        let refused = |e: softbuffer::SoftBufferError| WindowError::Surface(e.to_string());
        self.surface.resize(width, height).map_err(refused)?;
        let mut buffer = self.surface.buffer_mut().map_err(refused)?;
        let mut canvas = Canvas::new(&mut buffer, size);
        match (&self.shown, &place) {
            (Some(shown), Some(place)) => self
                .painter
                .paint(&mut canvas, &shown.picture.samples(), place)
                .map_err(WindowError::Paint)?,
            _ => canvas.fill((0, 0), size, 0),
        }
        let scale = self.window.scale_factor();
        if let Some(notice) = &self.notice {
            panel::notice(&mut canvas, notice, scale);
        }
        if let Some(lines) = &self.overlay {
            panel::overlay(&mut canvas, lines, scale);
        }
        self.window.pre_present_notify();
        buffer.present().map_err(refused)?;
        self.stale = false;
        if self.ticks {
            self.ahead += 1;
            self.tick_expected = true;
            self.window.request_redraw();
        }
        if let Some((decoded, newest_input)) = newest {
            self.figures.drawn([decoded, begun, MonoTime::now()], newest_input);
        }
        Ok(place.map(|p| (p.picture, p.shown)) != before)
    }
}

/// Frames that came between two that were drawn; what the server left out counts too.
fn skipped(before: &Shown, now: &Shown) -> u64 {
    now.id.0.saturating_sub(before.id.0).saturating_sub(1)
}
