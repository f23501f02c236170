//! Windows that no toolkit would make: random trees of subsurfaces and popups, changed at random.

use std::time::{Duration, Instant};

use stratus_harness::puppet::wayland_client::protocol::{
    wl_output::Transform, wl_subsurface::WlSubsurface, wl_surface::WlSurface,
};
use stratus_harness::puppet::wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use stratus_harness::puppet::{Paint, Popup, Puppet, Window};

use super::{Place, SIZE};

/// Surfaces besides the window's own.
const MAX_SURFACES: usize = 7;
const MAX_POPUPS: usize = 2;

/// A seeded xorshift, so that a failure can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(limit.max(1))) as u32
    }

    fn index(&mut self, len: usize) -> usize {
        self.below(len as u32) as usize
    }

    fn place(&mut self) -> (i32, i32) {
        (self.below(700) as i32 - 60, self.below(500) as i32 - 60)
    }
}

/// A surface somewhere in the tree.
struct Node {
    surface: WlSurface,
    /// Nothing for the window and popups.
    role: Option<(WlSubsurface, WlSurface)>,
    /// What it shows, and at which scale.
    pixels: Option<(Vec<u8>, (u32, u32), i32)>,
    /// Stretches it: then it is of one colour, since Sway's filter is another than ours.
    viewport: Option<WpViewport>,
}

/// A client with one window, and what it has in it.
pub(crate) struct Tree {
    puppet: Puppet,
    window: Window,
    nodes: Vec<Node>,
    popups: Vec<Popup>,
    /// Buffers are never drawn in again, so whoever reads them late reads the same.
    kept: Vec<Paint>,
    /// Whether Sway stretches as it should.
    stretches: bool,
    /// What was done, for the message of a failure.
    pub(crate) done: Vec<String>,
}

impl Tree {
    /// A window that fills the screen.
    pub(crate) fn new(place: &Place, dice: &mut Dice) -> Self {
        let mut puppet = Puppet::connect(place.proxied.socket()).unwrap();
        let window = puppet.window("tree").unwrap();
        // Without, the window is all that its subsurfaces cover, which Sway finds out at the next
        // commit after one went.
        window.xdg_surface.set_window_geometry(0, 0, SIZE.0 as i32, SIZE.1 as i32);
        let surface = window.surface.clone();
        let root = Node { surface, role: None, pixels: None, viewport: None };
        let (popups, kept, done) = (Vec::new(), Vec::new(), Vec::new());
        let stretches = place.version < (1, 10);
        let nodes = vec![root];
        let mut tree = Self { puppet, window, nodes, popups, kept, stretches, done };
        tree.paint(0, SIZE, 1, dice);
        tree.nodes[0].surface.commit();
        tree
    }

    /// Does something legal to it, chosen at random.
    pub(crate) fn change(&mut self, dice: &mut Dice) {
        let node = dice.index(self.nodes.len());
        match dice.below(14) {
            0 | 1 if self.nodes.len() <= MAX_SURFACES => self.add(node, dice),
            2..=4 => self.repaint(node, dice),
            5 | 6 => self.touch_up(node, dice),
            7 => self.move_to(node, dice),
            8 => self.restack(node, dice),
            9 => self.synchronize(node, dice),
            10 => self.hide(node),
            11 if self.popups.len() < MAX_POPUPS => self.pop_up(dice),
            12 => self.pop_down(),
            _ => {}
        }
        // What waits for a parent's commit comes to light by chance.
        for index in [node, dice.index(self.nodes.len()), 0] {
            if dice.below(3) > 0 {
                self.commit(index);
            }
        }
    }

    /// Commits a surface, and its parents below the window: what a synchronized subsurface cached
    /// is applied with its parent's state, and where that has none compositors differ (wlroots
    /// lets the subsurface wait, Weston and Mutter do not).
    fn commit(&mut self, node: usize) {
        self.note(format!("commit {node}"));
        self.nodes[node].surface.commit();
        let Some((_, parent)) = &self.nodes[node].role else { return };
        let parent = self.nodes.iter().position(|n| n.surface == *parent);
        if let Some(parent) = parent.filter(|&p| p > 0) {
            self.commit(parent);
        }
    }

    fn note(&mut self, what: String) {
        self.done.push(what);
    }

    fn add(&mut self, parent: usize, dice: &mut Dice) {
        if self.nodes[parent].pixels.is_none() {
            return;
        }
        let surface = self.puppet.surface().unwrap();
        let to = self.nodes[parent].surface.clone();
        let subsurface = self.puppet.subsurface(&surface, &to).unwrap();
        let (x, y) = dice.place();
        subsurface.set_position(x / 2, y / 2);
        // wlroots 0.18 to 0.20 fades the edges of what is stretched.
        let stretched = self.stretches && dice.below(4) == 0;
        let viewport = stretched.then(|| self.puppet.viewport(&surface).unwrap());
        self.nodes.push(Node { surface, role: Some((subsurface, to)), pixels: None, viewport });
        let new = self.nodes.len() - 1;
        self.note(format!("add {new} to {parent} at {},{}", x / 2, y / 2));
        self.repaint(new, dice);
    }

    /// Other content, size and transform.
    fn repaint(&mut self, node: usize, dice: &mut Dice) {
        if node == 0 {
            return self.touch_up(node, dice);
        }
        if let Some(viewport) = self.nodes[node].viewport.clone() {
            return self.stretch(node, &viewport, dice);
        }
        let scale = if dice.below(4) == 0 { 2 } else { 1 };
        // An even number of pixels is what the scale asks for.
        let size = (2 + 2 * dice.below(110), 2 + 2 * dice.below(80));
        self.paint(node, size, scale, dice);
        let transforms = [
            Transform::Normal,
            Transform::_90,
            Transform::_180,
            Transform::_270,
            Transform::Flipped,
            Transform::Flipped90,
            Transform::Flipped180,
            Transform::Flipped270,
        ];
        let transform = transforms[if dice.below(2) == 0 { 0 } else { dice.index(8) }];
        self.note(format!("transform {node} by {transform:?}"));
        self.nodes[node].surface.set_buffer_transform(transform);
    }

    /// Attaches noise in squares of `scale` pixels, which look the same by whatever filter they
    /// are scaled down.
    fn paint(&mut self, node: usize, size: (u32, u32), scale: i32, dice: &mut Dice) {
        self.note(format!("paint {node}: {size:?} at scale {scale}"));
        let alpha = [255, 255, 0, dice.below(256) as u8][dice.index(4)];
        let squares = scale.unsigned_abs();
        let row = size.0 / squares;
        let colours: Vec<[u8; 4]> = (0..row * (size.1 / squares))
            .map(|_| {
                let word = dice.below(u32::MAX).to_le_bytes();
                let part = |n: u8| (u32::from(n) * u32::from(alpha) / 255) as u8;
                [part(word[0]), part(word[1]), part(word[2]), alpha]
            })
            .collect();
        let pixels = (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| colours[(y / squares * row + x / squares) as usize]);
        self.nodes[node].pixels = Some((pixels.collect(), size, scale));
        self.attach(node);
        self.nodes[node].surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
    }

    /// Another colour, and another size of what is shown.
    fn stretch(&mut self, node: usize, viewport: &WpViewport, dice: &mut Dice) {
        let size = (8 + dice.below(60), 8 + dice.below(60));
        let shown = (4 + dice.below(2 * size.0), 4 + dice.below(2 * size.1));
        viewport.set_destination(shown.0 as i32, shown.1 as i32);
        let colour = [dice.below(256) as u8, dice.below(256) as u8, dice.below(256) as u8, 255];
        self.note(format!("stretch {node} from {size:?} to {shown:?}"));
        self.nodes[node].pixels = Some((colour.repeat((size.0 * size.1) as usize), size, 1));
        self.attach(node);
        self.nodes[node].surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
    }

    fn attach(&mut self, node: usize) {
        let Some((pixels, size, scale)) = &self.nodes[node].pixels else { return };
        let paint = self.puppet.picture(*size, pixels).unwrap();
        self.nodes[node].surface.set_buffer_scale(*scale);
        self.nodes[node].surface.attach(Some(&paint.buffer), 0, 0);
        self.kept.push(paint);
    }

    /// Changes a rectangle, and damages no more than that.
    fn touch_up(&mut self, node: usize, dice: &mut Dice) {
        if self.nodes[node].viewport.is_some() {
            return;
        }
        let Some((pixels, size, scale)) = &mut self.nodes[node].pixels else { return };
        let step = scale.unsigned_abs();
        let even = |n: u32| n / step * step;
        let (x, y) = (even(dice.below(size.0)), even(dice.below(size.1)));
        let width = (step + even(dice.below(60))).min(size.0 - x);
        let height = (step + even(dice.below(60))).min(size.1 - y);
        let colour = [dice.below(256) as u8, dice.below(256) as u8, dice.below(256) as u8, 255];
        for y in y..y + height {
            let at = (y * size.0 + x) as usize * 4;
            pixels[at..at + width as usize * 4].copy_from_slice(&colour.repeat(width as usize));
        }
        self.note(format!("touch {node} up: {width}x{height} at {x},{y}"));
        self.attach(node);
        let surface = &self.nodes[node].surface;
        surface.damage_buffer(x as i32, y as i32, width as i32, height as i32);
    }

    fn move_to(&mut self, node: usize, dice: &mut Dice) {
        let (x, y) = dice.place();
        if let Some((subsurface, _)) = &self.nodes[node].role {
            subsurface.set_position(x, y);
            self.note(format!("move {node} to {x},{y}"));
        }
    }

    fn restack(&mut self, node: usize, dice: &mut Dice) {
        let Some((subsurface, parent)) = &self.nodes[node].role else { return };
        let is_beside = |other: &&Node| {
            let role = other.role.as_ref();
            other.surface == *parent
                || other.surface != self.nodes[node].surface
                    && role.is_some_and(|(_, beside)| beside == parent)
        };
        let beside: Vec<&Node> = self.nodes.iter().filter(is_beside).collect();
        let reference = &beside[dice.index(beside.len())].surface;
        if dice.below(2) == 0 {
            subsurface.place_above(reference);
        } else {
            subsurface.place_below(reference);
        }
        self.note(format!("restack {node}"));
    }

    /// One without subsurfaces of its own, which Sway 1.7 shows without it, and at once with its
    /// parents, for whose commits it does not wait.
    fn hide(&mut self, node: usize) {
        let surface = &self.nodes[node].surface;
        let has_parts = |other: &Node| other.role.as_ref().is_some_and(|(_, to)| to == surface);
        if node == 0 || self.nodes.iter().any(has_parts) {
            return;
        }
        surface.attach(None, 0, 0);
        self.nodes[node].pixels = None;
        self.note(format!("hide {node}"));
        self.commit(node);
        self.commit(0);
    }

    /// Those just below the window: wlroots never applies what a desynchronized subsurface of a
    /// synchronized one has cached.
    fn synchronize(&mut self, node: usize, dice: &mut Dice) {
        let root = &self.nodes[0].surface;
        let role = self.nodes[node].role.as_ref().filter(|(_, parent)| parent == root);
        let Some((subsurface, _)) = role else { return };
        let synchronized = dice.below(2) == 0;
        if synchronized {
            subsurface.set_sync();
        } else {
            subsurface.set_desync();
        }
        self.note(format!("{node} is synchronized: {synchronized}"));
    }

    fn pop_up(&mut self, dice: &mut Dice) {
        let parent = match self.popups.last() {
            Some(popup) => &popup.xdg_surface,
            None => &self.window.xdg_surface,
        };
        let size = (20 + 2 * dice.below(80), 20 + 2 * dice.below(80));
        let place = (dice.below(300) as i32, dice.below(200) as i32);
        let wire = (size.0 as i32, size.1 as i32);
        let popup = self.puppet.popup(parent, place, wire).unwrap();
        let bgra = [dice.below(256) as u8, dice.below(256) as u8, dice.below(256) as u8, 255];
        let paint = self.puppet.paint(size, bgra).unwrap();
        self.puppet.show(&popup.surface, &paint.buffer);
        self.note(format!("popup of {size:?} at {place:?}"));
        self.kept.push(paint);
        self.popups.push(popup);
    }

    fn pop_down(&mut self) {
        let Some(popup) = self.popups.pop() else { return };
        popup.popup.destroy();
        popup.xdg_surface.destroy();
        popup.surface.destroy();
        self.note("popup down".to_owned());
    }

    /// Draws everything once more as it is.
    pub(crate) fn repaint_all(&mut self) {
        for node in (0..self.nodes.len()).rev() {
            self.attach(node);
            self.nodes[node].surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
            self.commit(node);
        }
        self.settle();
    }

    /// Lets all that was done arrive.
    pub(crate) fn settle(&mut self) {
        self.puppet.settle().unwrap();
    }
}

/// Waits until Sway shows what was captured.
///
/// # Errors
/// Where they differ, if that stays so.
pub(crate) fn agreed(
    place: &mut Place,
    compare: impl Fn(&mut Place) -> Result<(), String>,
) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        // Neither the reader of frames nor Sway says when it is done with what there is.
        match compare(place) {
            Err(_) if Instant::now() < deadline => {}
            result => return result,
        }
    }
}
