//! Surfaces, subsurfaces, viewports and presentation feedback.

use std::collections::BTreeMap;

use stratus_harness::compositor::send::{array, int, object, uint};

use super::{Desk, Judged, Request, When, wrong};

/// What a surface is for. It stays so for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    None,
    Toplevel,
    Popup,
    Subsurface,
    Cursor,
}

#[derive(Default)]
pub(crate) struct Surface {
    pub role: Role,
    /// The object that gives the role: a subsurface or an xdg_surface.
    pub xdg: Option<u32>,
    sub: Option<u32>,
    viewport: Option<u32>,
    pending: Option<u32>,
    pending_is_set: bool,
    current: Option<u32>,
    /// A buffer was committed, whether or not it still lives.
    pub mapped: bool,
    scale: i32,
    frames: Vec<u32>,
    feedbacks: Vec<u32>,
    /// Waits for the next commit.
    older_frames: Vec<u32>,
    older_buffer: Option<u32>,
}

impl Surface {
    /// Whether it has a buffer or is about to.
    pub(super) fn has_buffer(&self) -> bool {
        self.mapped || self.pending.is_some()
    }
}

#[derive(Default)]
pub(crate) struct Surfaces {
    pub all: BTreeMap<u32, Surface>,
    /// Subsurface to surface and parent.
    subs: BTreeMap<u32, (u32, u32)>,
    viewports: BTreeMap<u32, u32>,
    /// What the next tick answers.
    frames: Vec<u32>,
    feedbacks: Vec<u32>,
    releases: Vec<u32>,
}

impl Surfaces {
    pub(super) fn forget(&mut self, id: u32) {
        self.all.remove(&id);
        // Without its surface or parent a subsurface does nothing any more.
        self.subs.retain(|sub, (surface, parent)| ![*sub, *surface, *parent].contains(&id));
        self.viewports.retain(|viewport, surface| ![*viewport, *surface].contains(&id));
        for waiting in [&mut self.frames, &mut self.feedbacks, &mut self.releases] {
            waiting.retain(|other| *other != id);
        }
        for surface in self.all.values_mut() {
            for other in [
                &mut surface.xdg,
                &mut surface.sub,
                &mut surface.viewport,
                &mut surface.pending,
                &mut surface.current,
                &mut surface.older_buffer,
            ] {
                other.take_if(|other| *other == id);
            }
            let lists = [&mut surface.frames, &mut surface.older_frames, &mut surface.feedbacks];
            lists.into_iter().for_each(|list| list.retain(|other| *other != id));
        }
    }

    fn parent(&self, surface: u32) -> Option<u32> {
        self.subs.values().find(|(child, _)| *child == surface).map(|(_, parent)| *parent)
    }
}

impl Desk {
    pub(super) fn surface_request(&mut self, interface: &str, name: &str, r: &Request) -> Judged {
        match (interface, name) {
            ("wl_compositor", "create_surface") => {
                self.surfaces.all.insert(r.id(0), Surface { scale: 1, ..Surface::default() });
            }
            ("wl_surface", _) => return self.surface(name, r),
            ("wl_subcompositor", "get_subsurface") => return self.get_subsurface(r),
            ("wl_subsurface", "place_above" | "place_below") => {
                const BAD_SURFACE: u32 = 0;
                let Some(&(surface, parent)) = self.surfaces.subs.get(&r.sender) else {
                    return Ok(());
                };
                let other = r.id(0);
                let sibling = other != surface && self.surfaces.parent(other) == Some(parent);
                if other != parent && !sibling {
                    return wrong(r.sender, BAD_SURFACE, "neither the parent nor a sibling");
                }
            }
            ("wp_viewporter", "get_viewport") => {
                const VIEWPORT_EXISTS: u32 = 0;
                let surface = self.surfaces.all.get_mut(&r.id(1)).expect("a surface");
                if surface.viewport.is_some() {
                    return wrong(r.sender, VIEWPORT_EXISTS, "the surface has a viewport");
                }
                surface.viewport = Some(r.id(0));
                self.surfaces.viewports.insert(r.id(0), r.id(1));
            }
            ("wp_viewport", "set_source" | "set_destination") => return self.viewport(name, r),
            ("wp_presentation", "feedback") => {
                let surface = self.surfaces.all.get_mut(&r.id(0)).expect("a surface");
                surface.feedbacks.push(r.id(1));
            }
            _ => {}
        }
        Ok(())
    }

    fn get_subsurface(&mut self, r: &Request) -> Judged {
        const BAD_SURFACE: u32 = 0;
        const BAD_PARENT: u32 = 1;
        let (id, child, parent) = (r.id(0), r.id(1), r.id(2));
        let mut ancestor = Some(parent);
        while let Some(surface) = ancestor {
            if surface == child {
                return wrong(r.sender, BAD_PARENT, "a surface is not its own ancestor");
            }
            ancestor = self.surfaces.parent(surface);
        }
        let surface = self.surfaces.all.get_mut(&child).expect("a surface");
        let other_role = !matches!(surface.role, Role::None | Role::Subsurface);
        if other_role || surface.xdg.is_some() || surface.sub.is_some() {
            return wrong(r.sender, BAD_SURFACE, "the surface has another role");
        }
        surface.role = Role::Subsurface;
        surface.sub = Some(id);
        self.surfaces.subs.insert(id, (child, parent));
        Ok(())
    }

    fn viewport(&mut self, name: &str, r: &Request) -> Judged {
        const BAD_VALUE: u32 = 0;
        const NO_SURFACE: u32 = 3;
        if !self.surfaces.viewports.contains_key(&r.sender) {
            return wrong(r.sender, NO_SURFACE, "the surface is gone");
        }
        // All are -1, or those of a place not negative and those of a size positive.
        let values: Vec<i32> = (0..r.args.len()).map(|index| r.number(index)).collect();
        let unset = if name == "set_source" { -256 } else { -1 };
        let (place, size) = values.split_at(values.len() - 2);
        let fine = values.iter().all(|v| *v == unset)
            || (place.iter().all(|v| *v >= 0) && size.iter().all(|v| *v > 0));
        if !fine {
            return wrong(r.sender, BAD_VALUE, "no rectangle");
        }
        Ok(())
    }

    fn surface(&mut self, name: &str, r: &Request) -> Judged {
        const INVALID_SCALE: u32 = 0;
        const INVALID_TRANSFORM: u32 = 1;
        const INVALID_OFFSET: u32 = 3;
        const DEFUNCT_ROLE_OBJECT: u32 = 4;
        let id = r.sender;
        let version = self.handle.object_info(self.ids[&id].clone()).map_or(0, |i| i.version);
        let surface = self.surfaces.all.get_mut(&id).expect("a surface");
        match name {
            "attach" => {
                if version >= 5 && (r.number(1), r.number(2)) != (0, 0) {
                    return wrong(id, INVALID_OFFSET, "wl_surface.offset is for that");
                }
                surface.pending = Some(r.id(0)).filter(|buffer| *buffer != 0);
                surface.pending_is_set = true;
            }
            "frame" => surface.frames.push(r.id(0)),
            "set_buffer_scale" => {
                if r.number(0) < 1 {
                    return wrong(id, INVALID_SCALE, "a scale is at least 1");
                }
                surface.scale = r.number(0);
            }
            "set_buffer_transform" if !(0..8).contains(&r.number(0)) => {
                return wrong(id, INVALID_TRANSFORM, "there are eight transforms");
            }
            "commit" => return self.commit(id),
            "destroy" if surface.xdg.is_some() => {
                return wrong(id, DEFUNCT_ROLE_OBJECT, "its role object lives");
            }
            _ => {}
        }
        Ok(())
    }

    fn commit(&mut self, id: u32) -> Judged {
        const INVALID_SIZE: u32 = 2;
        let surface = self.surfaces.all.get_mut(&id).expect("a surface");
        let attached = std::mem::take(&mut surface.pending_is_set).then(|| surface.pending.take());
        let xdg = surface.xdg;
        let shown = attached.unwrap_or(surface.current);
        if let Some((width, height)) = shown.and_then(|b| self.shm.buffers.get(&b))
            && (width % surface.scale, height % surface.scale) != (0, 0)
        {
            return wrong(id, INVALID_SIZE, "the buffer is no multiple of the scale");
        }
        if let Some(xdg) = xdg {
            self.xdg_commit(xdg, attached)?;
        }
        let surface = self.surfaces.all.get_mut(&id).expect("a surface");
        let frames = std::mem::take(&mut surface.frames);
        let feedbacks = std::mem::take(&mut surface.feedbacks);
        let older = attached.and_then(|new| std::mem::replace(&mut surface.current, new));
        let was_mapped = surface.mapped;
        surface.mapped = attached.map_or(was_mapped, |buffer| buffer.is_some());
        let appeared = surface.mapped && !was_mapped;
        self.surfaces.feedbacks.extend(feedbacks);
        if let Some(Some(new)) = attached {
            self.shm.busy.insert(new);
        }
        if appeared {
            for output in self.all("wl_output") {
                let output = self.ids[&output].clone();
                self.send(id, "enter", [object(&output)]);
            }
        }
        let older = older.filter(|older| attached != Some(Some(*older)));
        let surface = self.surfaces.all.get_mut(&id).expect("a surface");
        match self.manners.releases {
            When::AtOnce => {
                let now = attached.flatten();
                self.release(older);
                self.release(now);
            }
            When::NextCommit => {
                let before = std::mem::replace(&mut surface.older_buffer, older);
                self.release(before);
            }
            When::Tick => self.surfaces.releases.extend(older),
        }
        match self.manners.callbacks {
            When::AtOnce => self.answer(&frames),
            When::NextCommit => {
                let surface = self.surfaces.all.get_mut(&id).expect("a surface");
                let before = std::mem::replace(&mut surface.older_frames, frames);
                self.answer(&before);
            }
            When::Tick => self.surfaces.frames.extend(frames),
        }
        Ok(())
    }

    fn release(&mut self, buffer: Option<u32>) {
        if let Some(buffer) = buffer
            && self.shm.busy.remove(&buffer)
        {
            self.send(buffer, "release", []);
        }
    }

    fn answer(&self, callbacks: &[u32]) {
        for callback in callbacks {
            self.send(*callback, "done", [uint(17)]);
        }
    }

    /// What a compositor does when it has drawn.
    pub(super) fn tick(&mut self) {
        for buffer in std::mem::take(&mut self.surfaces.releases) {
            // It may be shown again meanwhile.
            if self.surfaces.all.values().all(|surface| surface.current != Some(buffer)) {
                self.release(Some(buffer));
            }
        }
        let frames = std::mem::take(&mut self.surfaces.frames);
        self.answer(&frames);
        let outputs = self.all("wl_output");
        for (number, feedback) in
            std::mem::take(&mut self.surfaces.feedbacks).into_iter().enumerate()
        {
            if number % 2 == 1 {
                self.send(feedback, "discarded", []);
                continue;
            }
            for output in &outputs {
                self.send(feedback, "sync_output", [object(&self.ids[output])]);
            }
            self.send(feedback, "presented", [0, 5, 6, 16_666_666, 0, 9, 1].map(uint));
        }
    }

    /// Says to every surface what it may prefer.
    pub(super) fn prefer(&self) {
        for surface in self.all("wl_surface") {
            self.send(surface, "preferred_buffer_scale", [int(2)]);
            self.send(surface, "preferred_buffer_transform", [uint(1)]);
        }
    }

    /// The first surface that shows something.
    pub(super) fn shown(&self) -> Option<u32> {
        self.surfaces.all.iter().find(|(_, s)| s.mapped).map(|(id, _)| *id)
    }

    pub(super) fn states() -> super::send::Arg {
        array(&[4])
    }
}
