//! Images of cursors: read once, turned upright, and known again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use stratus_frame::{
    CursorId, CursorImage, MAX_CURSOR_PIXELS, MAX_CURSOR_SIDE, PixelFormat, PixelView, Pixels,
    ReadError, Size,
};

use crate::graph::{Picture, Surface, Viewport};

/// Images that are known again when they come again: an animated cursor has some dozens.
const REMEMBERED: usize = 64;

/// Bits behind the point of `wl_fixed_t`.
const FIXED_BITS: u32 = 8;

/// Why an image is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("its buffer is not in shared memory, or breaks its pool's bounds")]
    Unreadable,
    #[error("{0} is larger than any cursor")]
    TooLarge(Size),
    #[error("its viewport shows none of it")]
    Empty,
}

/// A surface's buffer and how it is to be shown.
pub(super) struct Drawing {
    pub(super) pixels: Option<Arc<dyn Pixels>>,
    pub(super) scale: i32,
    pub(super) transform: u32,
    pub(super) viewport: Viewport,
}

impl Drawing {
    /// What a surface shows, if anything.
    pub(super) fn of(surface: &Surface) -> Option<Self> {
        let applied = &surface.applied;
        let picture = applied.content.as_ref()?.picture.as_ref();
        // The proxy's thread waits for no GPU.
        let pixels = picture.and_then(Picture::memory).filter(|pixels| pixels.reads_at_once());
        let (scale, transform) = (applied.scale, applied.transform);
        Some(Self { pixels: pixels.cloned(), scale, transform, viewport: applied.viewport })
    }

    /// The buffer's pixels in memory of ours.
    fn read(&self) -> Result<Grid, NotTaken> {
        let pixels = self.pixels.as_ref().ok_or(NotTaken::Unreadable)?;
        let mut grid = Err(NotTaken::Unreadable);
        pixels.read(&mut |view| grid = Grid::copy(view))?;
        grid
    }

    /// The part that the viewport shows, and the size that it is shown with.
    fn crop(&self, grid: Grid) -> Result<(Grid, Size), NotTaken> {
        let scale = u32::try_from(self.scale).unwrap_or(1).max(1);
        let Viewport { source, destination } = self.viewport;
        let Some(source) = source else {
            let shown = Size::new(grid.size.width / scale, grid.size.height / scale);
            return Ok((grid, destination.unwrap_or(shown).at_least(Size::new(1, 1))));
        };
        // In pixels, parts of which count as wholes.
        let pixel = |fixed: i64, up: i64| (fixed * i64::from(scale) + up) >> FIXED_BITS;
        let [x, y, width, height] = source.map(i64::from);
        let ends = |from: i64, len: i64, limit: u32| {
            let limit = i64::from(limit);
            let start = pixel(from, 0).clamp(0, limit);
            let end = pixel(from.saturating_add(len), 255).clamp(0, limit);
            // Both lie in 0..=limit, which is a u32.
            (end > start).then_some(start as u32..end as u32).ok_or(NotTaken::Empty)
        };
        let columns = ends(x, width, grid.size.width)?;
        let rows = ends(y, height, grid.size.height)?;
        // Without a destination the protocol takes whole numbers only.
        let whole = |fixed: i64| u32::try_from(fixed >> FIXED_BITS).unwrap_or(1);
        let shown = destination.unwrap_or(Size::new(whole(width), whole(height)));
        Ok((grid.part(columns, rows), shown.at_least(Size::new(1, 1))))
    }
}

/// Pixels without gaps, bytes B G R A.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) size: Size,
    pub(super) bgra: Vec<u8>,
}

impl Grid {
    fn copy(view: PixelView<'_>) -> Result<Self, NotTaken> {
        let Size { width, height } = view.size;
        let fits = width <= MAX_CURSOR_SIDE && height <= MAX_CURSOR_SIDE;
        if !fits || width * height > MAX_CURSOR_PIXELS {
            return Err(NotTaken::TooLarge(view.size));
        }
        let row = width as usize * 4;
        let mut bgra = Vec::with_capacity(row * height as usize);
        for from in view.data.chunks(view.stride).take(height as usize) {
            bgra.extend_from_slice(from.get(..row).ok_or(NotTaken::Unreadable)?);
        }
        if view.format != PixelFormat::Argb8888 {
            for pixel in bgra.as_chunks_mut().0 {
                *pixel = bgra_of(*pixel, view.format);
            }
        }
        Ok(Self { size: view.size, bgra })
    }

    /// Makes a grid of `size` whose pixel x, y is that of this one which `from` names.
    fn map(&self, size: Size, from: impl Fn(u32, u32) -> (u32, u32)) -> Self {
        let mut bgra = Vec::with_capacity(self.bgra.len());
        for y in 0..size.height {
            for x in 0..size.width {
                let (x, y) = from(x, y);
                let at = (y as usize * self.size.width as usize + x as usize) * 4;
                bgra.extend_from_slice(self.bgra.get(at..at + 4).unwrap_or(&[0; 4]));
            }
        }
        Self { size, bgra }
    }

    /// Undoes what `wl_surface.set_buffer_transform` says was done to the content: a flip about
    /// the vertical axis from 4 on, then a turn counter-clockwise.
    pub(super) fn upright(self, transform: u32) -> Self {
        let Size { width, height } = self.size;
        let turned = transform % 2 == 1;
        let size = if turned { Size::new(height, width) } else { self.size };
        let flipped = (4..8).contains(&transform);
        if transform == 0 || transform > 7 {
            return self;
        }
        self.map(size, |x, y| {
            let x = if flipped { size.width - 1 - x } else { x };
            match transform % 4 {
                0 => (x, y),
                1 => (y, height - 1 - x),
                2 => (width - 1 - x, height - 1 - y),
                _ => (width - 1 - y, x),
            }
        })
    }

    fn part(&self, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> Self {
        let size = Size::new(columns.end - columns.start, rows.end - rows.start);
        self.map(size, |x, y| (columns.start + x, rows.start + y))
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u32(self.size.width);
        hasher.write(&self.bgra);
        hasher.finish()
    }
}

/// The bytes B G R A of a pixel in another format.
fn bgra_of(pixel: [u8; 4], format: PixelFormat) -> [u8; 4] {
    use PixelFormat as Format;
    let word = u32::from_le_bytes(pixel);
    // The upper eight of ten bits, and two bits of alpha spread over eight.
    let ten = |at: u32| (word >> (at + 2)) as u8;
    let alpha = (word >> 30) as u8 * 0x55;
    let [a, b, c, d] = pixel;
    let opaque = |[b, g, r, _]: [u8; 4]| [b, g, r, 0xff];
    match format {
        Format::Argb8888 => pixel,
        Format::Xrgb8888 => opaque(pixel),
        Format::Abgr8888 => [c, b, a, d],
        Format::Xbgr8888 => opaque([c, b, a, d]),
        Format::Argb2101010 => [ten(0), ten(10), ten(20), alpha],
        Format::Xrgb2101010 => opaque([ten(0), ten(10), ten(20), 0]),
        Format::Abgr2101010 => [ten(20), ten(10), ten(0), alpha],
        Format::Xbgr2101010 => opaque([ten(20), ten(10), ten(0), 0]),
    }
}

/// Numbers images, and knows the newest again.
#[derive(Default)]
pub(super) struct Images {
    known: VecDeque<(u64, Arc<CursorImage>)>,
    newest: u64,
}

impl Images {
    /// Reads a drawing. Gives its image and the size that it is shown with.
    pub(super) fn take(&mut self, drawing: &Drawing) -> Result<(Arc<CursorImage>, Size), NotTaken> {
        let (grid, shown) = drawing.crop(drawing.read()?.upright(drawing.transform))?;
        let hash = grid.hash();
        let same = |(h, image): &&(u64, Arc<CursorImage>)| {
            *h == hash && image.size == grid.size && image.bgra == grid.bgra
        };
        if let Some((_, image)) = self.known.iter().find(same) {
            return Ok((Arc::clone(image), shown));
        }
        self.newest += 1;
        let (id, size) = (CursorId(self.newest), grid.size);
        let image = Arc::new(CursorImage { id, size, bgra: grid.bgra.into() });
        if self.known.len() >= REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back((hash, Arc::clone(&image)));
        Ok((image, shown))
    }
}
