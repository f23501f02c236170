//! Where the surfaces of a window lie in its picture.

use stratus_compose::{Layer, Source, Transform};
use stratus_frame::{Rect, Size};

use crate::graph::{Applied, BufferKey, Graph, MAX_DEPTH, SurfaceKey, ToplevelKey, Viewport};

/// How many surfaces of a window are drawn. No program shows as many; the bound keeps a client
/// from costing the encoder's thread more than it is worth.
const MAX_LAYERS: usize = 256;

/// Farther out nothing is seen; the bound keeps sums of a client's numbers in range.
const FAR: i32 = 1 << 20;

/// One surface in the picture.
#[derive(Clone)]
pub(crate) struct Lay {
    pub(crate) surface: SurfaceKey,
    pub(crate) buffer: BufferKey,
    pub(crate) layer: Layer,
}

impl Lay {
    /// Whether the other shows the same part of the surface at the same place.
    pub(crate) fn lies_as(&self, other: &Self) -> bool {
        let (a, b) = (&self.layer, &other.layer);
        self.surface == other.surface
            && (a.at, a.shown, a.size) == (b.at, b.shown, b.size)
            && (a.source, a.transform) == (b.source, b.transform)
            && (a.opaque, a.alpha) == (b.opaque, b.alpha)
    }

    /// The part of a picture of `size` that it covers.
    pub(crate) fn covers(&self, size: Size) -> Option<Rect> {
        let Layer { at: (x, y), shown, .. } = self.layer;
        Rect::clipped(x, y, int(shown.width), int(shown.height), size)
    }

    /// Where the pixels `rect` of its buffer show in a picture of `size`.
    pub(crate) fn maps(&self, rect: Rect, size: Size) -> Option<Rect> {
        let all = self.covers(size)?;
        if self.layer.transform != Transform::Normal {
            return Some(all);
        }
        let Layer { at, shown, size: buffer, source, .. } = self.layer;
        let whole = Source {
            x: 0,
            y: 0,
            width: int(buffer.width).checked_mul(256)?,
            height: int(buffer.height).checked_mul(256)?,
        };
        let Source { x, y, width, height } = source.unwrap_or(whole);
        let across = span(rect.x, rect.width, (x, width), (at.0, shown.width));
        let down = span(rect.y, rect.height, (y, height), (at.1, shown.height));
        let (Some((x, width)), Some((y, height))) = (across, down) else { return Some(all) };
        Rect::clipped(x, y, width, height, size)
    }
}

/// One side of [`Lay::maps`]: start and length in the picture. `None` if the source is empty.
fn span(from: u32, len: u32, source: (i32, i32), target: (i32, u32)) -> Option<(i32, i32)> {
    let ((start, extent), (at, shown)) = (source, target);
    let extent = i64::from(extent).max(0);
    let shown = i64::from(shown);
    let exact = extent == shown * 256 && start % 256 == 0;
    let scale = |pixel: i64, up: i64| -> Option<i64> {
        ((pixel * 256 - i64::from(start)) * shown + up).checked_div_euclid(extent)
    };
    let first = scale(i64::from(from), 0)?;
    let last = scale(i64::from(from) + i64::from(len), extent - 1)?;
    // Filters look at the neighbours too, and round.
    let margin = if exact { 0 } else { 2 + shown * 256 / extent.max(1) };
    let clamp = |n: i64| i32::try_from(n.clamp(-i64::from(FAR), i64::from(FAR))).unwrap_or(FAR);
    let first = clamp((first - margin).max(0));
    let last = clamp((last + margin).min(shown));
    Some((at.saturating_add(first), (last - first).max(0)))
}

fn int(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The size at which a surface with a buffer of `size` shows, in surface coordinates.
pub(crate) fn surface_size(applied: &Applied, size: Size) -> Size {
    let Viewport { source, destination } = applied.viewport;
    if let Some(destination) = destination {
        return destination;
    }
    if let Some([_, _, width, height]) = source {
        // Whole numbers, or the client is told that they must be (`wp_viewport`, bad_size).
        let whole = |n: i32| u32::try_from(n >> 8).unwrap_or(0);
        return Size::new(whole(width), whole(height));
    }
    let scale = u32::try_from(applied.scale).unwrap_or(1).max(1);
    let upright = transform(applied).swaps_sides();
    let Size { width, height } = size;
    let (width, height) = if upright { (height, width) } else { (width, height) };
    Size::new(width / scale, height / scale)
}

fn transform(applied: &Applied) -> Transform {
    // Others end the client (`wl_surface.set_buffer_transform`).
    Transform::from_wire(applied.transform).unwrap_or(Transform::Normal)
}

/// A window as one picture.
pub(crate) struct Layout {
    pub(crate) size: Size,
    /// Its surfaces from the bottom to the top.
    pub(crate) lays: Vec<Lay>,
}

impl Graph {
    /// Lays out a window with all that stands on it, on a screen of the size `screen`.
    ///
    /// The picture is the window, unless a popup or dialog could reach beyond one that is smaller
    /// than the screen: then it is the screen with the window in its middle, where Sway has it.
    pub(crate) fn layout(&self, window: ToplevelKey, screen: Size) -> Option<Layout> {
        let surface = self.toplevels.get(window)?.surface;
        let [x, y, width, height] = self.window_geometry(surface)?;
        let own = Size::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        let dialogs = self.dialogs(window);
        let more = !dialogs.is_empty() || self.has_mapped_popup(surface);
        let size = if more { screen.at_least(own) } else { own };
        let mut lays = Vec::with_capacity(8);
        let middle = |inner: i32, outer: u32| ((int(outer) - inner) / 2).max(0);
        let at = (middle(width, size.width), middle(height, size.height));
        self.lay_window(surface, at, (x, y), 0, &mut lays);
        for dialog in dialogs {
            let Some([x, y, width, height]) = self.window_geometry(dialog) else { continue };
            let at = (middle(width, size.width), middle(height, size.height));
            self.lay_window(dialog, at, (x, y), 0, &mut lays);
        }
        Some(Layout { size, lays })
    }

    /// The part of a surface that is the window: what the client set, as far as there is
    /// something, or all that it and its subsurfaces cover (`xdg_surface.set_window_geometry`).
    fn window_geometry(&self, key: SurfaceKey) -> Option<[i32; 4]> {
        let mut extents = None;
        self.extend(key, (0, 0), 0, &mut extents);
        let [left, top, right, bottom] = extents?;
        let Some([x, y, width, height]) = self.surfaces.get(key)?.applied.geometry else {
            return Some([left, top, right - left, bottom - top]);
        };
        let (x0, y0) = (x.max(left), y.max(top));
        let x1 = x.saturating_add(width).min(right);
        let y1 = y.saturating_add(height).min(bottom);
        (x1 > x0 && y1 > y0).then(|| [x0, y0, x1 - x0, y1 - y0])
    }

    /// Grows `extents` (left, top, right, bottom) by a surface and its subsurfaces.
    fn extend(&self, key: SurfaceKey, at: (i32, i32), depth: usize, all: &mut Option<[i32; 4]>) {
        let Some(surface) = self.surfaces.get(key).filter(|_| depth < MAX_DEPTH) else { return };
        let Some(content) = &surface.applied.content else { return };
        if let Some(picture) = &content.picture {
            let size = surface_size(&surface.applied, picture.size);
            let (right, bottom) = (int(size.width).min(FAR), int(size.height).min(FAR));
            let own = [at.0, at.1, at.0 + right, at.1 + bottom];
            *all = Some(all.map_or(own, |[left, top, right, bottom]| {
                [left.min(own[0]), top.min(own[1]), right.max(own[2]), bottom.max(own[3])]
            }));
        }
        let Some(stack) = &surface.applied.stack else { return };
        for placed in stack.iter().filter(|p| p.surface != key) {
            self.extend(placed.surface, moved(at, placed.at), depth + 1, all);
        }
    }

    /// Lays a window or popup with its geometry's corner `corner` at `at`, and its popups.
    fn lay_window(
        &self,
        key: SurfaceKey,
        at: (i32, i32),
        corner: (i32, i32),
        depth: usize,
        lays: &mut Vec<Lay>,
    ) {
        let Some(surface) = self.surfaces.get(key).filter(|_| depth < MAX_DEPTH) else { return };
        let origin = moved(at, (corner.0.saturating_neg(), corner.1.saturating_neg()));
        self.lay_tree(key, origin, 0, lays);
        for &popup in &surface.popups {
            let Some([x, y, ..]) = self.window_geometry(popup) else { continue };
            let Some(moves) = self.surfaces.get(popup).map(|s| s.popup_at) else { continue };
            self.lay_window(popup, moved(at, moves), (x, y), depth + 1, lays);
        }
    }

    /// Lays a surface at `at` with its subsurfaces below and above it.
    fn lay_tree(&self, key: SurfaceKey, at: (i32, i32), depth: usize, lays: &mut Vec<Lay>) {
        let Some(surface) = self.surfaces.get(key).filter(|_| depth < MAX_DEPTH) else { return };
        // A subsurface is mapped only while its parent is.
        if surface.applied.content.is_none() || lays.len() >= MAX_LAYERS {
            return;
        }
        let Some(stack) = &surface.applied.stack else { return self.lay(key, at, lays) };
        for placed in stack.iter() {
            if placed.surface == key {
                self.lay(key, at, lays);
            } else {
                self.lay_tree(placed.surface, moved(at, placed.at), depth + 1, lays);
            }
        }
    }

    /// Lays one surface, if its pixels can be read.
    fn lay(&self, key: SurfaceKey, at: (i32, i32), lays: &mut Vec<Lay>) {
        let Some(applied) = self.surfaces.get(key).map(|s| &s.applied) else { return };
        let Some(content) = &applied.content else { return };
        let Some(picture) = &content.picture else { return };
        let shown = surface_size(applied, picture.size);
        if shown.is_empty() || lays.len() >= MAX_LAYERS {
            return;
        }
        let layer = Layer {
            content: picture.pixels.clone(),
            size: picture.size,
            transform: transform(applied),
            source: source(applied),
            at,
            shown,
            opaque: picture.opaque && applied.alpha == u32::MAX,
            alpha: applied.alpha,
        };
        lays.push(Lay { surface: key, buffer: content.buffer, layer });
    }
}

/// The crop in 1/256 pixels of the upright buffer: the viewport's is in surface coordinates.
fn source(applied: &Applied) -> Option<Source> {
    let scale = applied.scale.max(1);
    let [x, y, width, height] = applied.viewport.source?.map(|n| n.saturating_mul(scale));
    Some(Source { x, y, width, height })
}

fn moved(from: (i32, i32), by: (i32, i32)) -> (i32, i32) {
    let sum = |a: i32, b: i32| a.saturating_add(b).clamp(-FAR, FAR);
    (sum(from.0, by.0), sum(from.1, by.1))
}
