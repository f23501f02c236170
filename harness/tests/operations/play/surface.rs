//! What the client does with surfaces, buffers, subsurfaces and viewports.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;

use super::{Player, State, pick};
use crate::arg::Arg;

/// What a surface is for, for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    #[default]
    None,
    Toplevel,
    Popup,
    Subsurface,
    Cursor,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Surface {
    pub role: Role,
    pub xdg: Option<u32>,
    pub sub: Option<u32>,
    pub viewport: Option<u32>,
    /// What was attached since the last commit.
    pub pending: Option<Option<u32>>,
    pub mapped: bool,
    pub scale: i32,
    /// A buffer of one pixel was attached at some time: no scale but 1 will do.
    pub one_pixel: bool,
}

impl Player {
    pub(super) fn surface(&self, id: u32) -> &Surface {
        match &self.objects[&id].state {
            State::Surface(surface) => surface,
            other => panic!("{id} is no surface but {other:?}"),
        }
    }

    pub(super) fn surface_mut(&mut self, id: u32) -> &mut Surface {
        match self.objects.get_mut(&id).map(|object| &mut object.state) {
            Some(State::Surface(surface)) => surface,
            other => panic!("{id} is no surface but {other:?}"),
        }
    }

    /// Living surfaces that are such.
    pub(super) fn surfaces(&self, such: impl Fn(&Surface) -> bool) -> Vec<u32> {
        self.all("wl_surface").into_iter().filter(|id| such(self.surface(*id))).collect()
    }

    pub(super) fn forget_in_surfaces(&mut self, gone: u32) {
        for object in self.objects.values_mut() {
            match &mut object.state {
                State::Surface(surface) => {
                    for other in [&mut surface.xdg, &mut surface.sub, &mut surface.viewport] {
                        other.take_if(|other| *other == gone);
                    }
                }
                // Its id may soon be another surface's.
                State::Subsurface { surface, parent } if [*surface, *parent].contains(&gone) => {
                    (*surface, *parent) = (0, 0);
                }
                State::Viewport { surface } if *surface == gone => *surface = 0,
                _ => {}
            }
        }
    }

    pub(super) fn create_surface(&mut self, choice: u8) -> Option<u32> {
        let compositor = self.one("wl_compositor", "create_surface", choice)?;
        let state = State::Surface(Surface { scale: 1, ..Surface::default() });
        Some(self.create(compositor, "create_surface", vec![Arg::New(0)], state))
    }

    pub(super) fn create_pool(&mut self, size: u8) -> Option<u32> {
        let shm = self.one("wl_shm", "create_pool", 0)?;
        let size = 4096 * (1 + i32::from(size % 8));
        let file = memfd_create("operations", MFdFlags::MFD_CLOEXEC).ok()?;
        ftruncate(&file, i64::from(size)).ok()?;
        self.files += 1;
        let label = format!("pool {}", self.files);
        self.identities.name(&file, label.clone());
        let sent = file.try_clone().ok()?;
        let args = vec![Arg::New(0), Arg::Fd(label), Arg::Int(size)];
        let state = State::Pool { size, file: Arc::new(file) };
        Some(self.write(shm, "create_pool", args, Some(sent), state))
    }

    fn pool(&self, choice: u8) -> Option<(u32, i32, Arc<OwnedFd>)> {
        let id = self.one("wl_shm_pool", "create_buffer", choice)?;
        match &self.objects[&id].state {
            State::Pool { size, file } => Some((id, *size, Arc::clone(file))),
            _ => None,
        }
    }

    pub(super) fn resize_pool(&mut self, s: [u8; 4]) -> Option<()> {
        let (id, size, file) = self.pool(s[0])?;
        let larger = size + 4096 * i32::from(s[1] % 4);
        ftruncate(&*file, i64::from(larger)).ok()?;
        if let Some(State::Pool { size, .. }) = self.objects.get_mut(&id).map(|o| &mut o.state) {
            *size = larger;
        }
        self.request(id, "resize", vec![Arg::Int(larger)], None);
        Some(())
    }

    pub(super) fn create_buffer(&mut self, s: [u8; 4]) -> Option<u32> {
        let (pool, size, _) = self.pool(s[0])?;
        // Multiples of every scale that is used.
        let (width, height) = (4 + 4 * i32::from(s[1] % 4), 4 + 4 * i32::from(s[2] % 4));
        let stride = width * 4 + 8 * i32::from(s[3] % 2);
        let offset = (size - stride * height) / 64 * i32::from(s[3] % 8) * 4;
        let offset = offset.min(size - stride * height);
        let format = u32::from(s[3] / 8 % 2);
        let args = [offset, width, height, stride].map(Arg::Int);
        let mut args: Vec<Arg> = [Arg::New(0)].into_iter().chain(args).collect();
        args.push(Arg::Uint(format));
        Some(self.create(pool, "create_buffer", args, State::Buffer { one_pixel: false }))
    }

    pub(super) fn create_pixel(&mut self, s: [u8; 4]) -> Option<u32> {
        let manager = self.one("wp_single_pixel_buffer_manager_v1", "create_u32_rgba_buffer", 0)?;
        let colours = s.map(|part| Arg::Uint(u32::from(part) << 24));
        let args = [Arg::New(0)].into_iter().chain(colours).collect();
        let state = State::Buffer { one_pixel: true };
        Some(self.create(manager, "create_u32_rgba_buffer", args, state))
    }

    pub(super) fn destroy_buffer(&mut self, choice: u8) -> Option<()> {
        let attached: Vec<_> =
            self.surfaces(|_| true).iter().filter_map(|id| self.surface(*id).pending).collect();
        let mut all = self.all("wl_buffer");
        // What a surface shows whose pending buffer is gone is not defined.
        all.retain(|buffer| !attached.contains(&Some(*buffer)));
        let buffer = pick(&all, choice)?;
        self.request(buffer, "destroy", vec![], None);
        Some(())
    }

    /// Surfaces that may be given a buffer.
    fn may_show(&self, surface: &Surface) -> bool {
        surface.xdg.is_none_or(|xdg| self.xdg(xdg).acknowledged)
    }

    pub(super) fn attach(&mut self, s: [u8; 4]) -> Option<u32> {
        let id = pick(&self.surfaces(|surface| self.may_show(surface)), s[0])?;
        let buffers: Vec<u32> = self
            .all("wl_buffer")
            .into_iter()
            .filter(|buffer| self.surface(id).scale == 1 || !self.is_one_pixel(*buffer))
            .collect();
        let buffer = pick(&buffers, s[1])?;
        self.attach_to(id, Some(buffer));
        Some(id)
    }

    fn is_one_pixel(&self, buffer: u32) -> bool {
        matches!(self.objects[&buffer].state, State::Buffer { one_pixel: true })
    }

    pub(super) fn attach_to(&mut self, id: u32, buffer: Option<u32>) {
        let args = vec![Arg::Object(buffer.unwrap_or(0)), Arg::Int(0), Arg::Int(0)];
        self.request(id, "attach", args, None);
        let one_pixel = buffer.is_some_and(|buffer| self.is_one_pixel(buffer));
        let surface = self.surface_mut(id);
        surface.pending = Some(buffer);
        surface.one_pixel |= one_pixel;
    }

    pub(super) fn detach(&mut self, choice: u8) -> Option<()> {
        let id = pick(&self.surfaces(|_| true), choice)?;
        self.attach_to(id, None);
        Some(())
    }

    pub(super) fn commit_one(&mut self, choice: u8) -> Option<()> {
        let id = pick(&self.surfaces(|surface| self.may_commit(surface)), choice)?;
        self.commit(id);
        Some(())
    }

    fn may_commit(&self, surface: &Surface) -> bool {
        let Some(xdg) = surface.xdg.map(|xdg| self.xdg(xdg)) else { return true };
        xdg.role.is_some() && !xdg.stale
    }

    pub(super) fn commit(&mut self, id: u32) {
        self.request(id, "commit", vec![], None);
        let surface = self.surface_mut(id);
        let attached = surface.pending.take();
        let was_mapped = surface.mapped;
        surface.mapped = attached.map_or(was_mapped, |buffer| buffer.is_some());
        if let Some(xdg) = surface.xdg {
            self.committed(xdg, attached, was_mapped);
        }
    }

    /// A whole new picture, as most programs show one.
    pub(super) fn show(&mut self, s: [u8; 4]) -> Option<()> {
        if self.all("wl_buffer").len() < 2 {
            if self.all("wl_shm_pool").is_empty() {
                self.create_pool(s[2])?;
            }
            self.create_buffer(s)?;
        }
        let id = self.attach(s)?;
        self.damage(id, s);
        if s[3].is_multiple_of(2) {
            self.frame(id);
        }
        self.commit(id);
        Some(())
    }

    pub(super) fn damage(&mut self, id: u32, s: [u8; 4]) {
        let buffer = s[0].is_multiple_of(2) && self.can(id, "damage_buffer");
        let name = if buffer { "damage_buffer" } else { "damage" };
        let far = if s[1].is_multiple_of(4) { i32::MAX } else { i32::from(s[1]) };
        let args = [0, i32::from(s[2]), far, far].map(Arg::Int);
        self.request(id, name, args.to_vec(), None);
    }

    pub(super) fn frame(&mut self, id: u32) {
        self.create(id, "frame", vec![Arg::New(0)], None);
    }

    pub(super) fn set_on_surface(&mut self, s: [u8; 4]) -> Option<()> {
        let id = pick(&self.surfaces(|_| true), s[0])?;
        match s[1] % 5 {
            0 if self.can(id, "set_buffer_transform") => {
                let args = vec![Arg::Int(i32::from(s[2] % 8))];
                self.request(id, "set_buffer_transform", args, None);
            }
            1 if self.can(id, "set_buffer_scale") && !self.surface(id).one_pixel => {
                let scale = [1, 2, 4][usize::from(s[2] % 3)];
                self.surface_mut(id).scale = scale;
                self.request(id, "set_buffer_scale", vec![Arg::Int(scale)], None);
            }
            2 if self.can(id, "offset") => {
                let args = vec![Arg::Int(i32::from(s[2])), Arg::Int(-i32::from(s[3]))];
                self.request(id, "offset", args, None);
            }
            3 | 4 => {
                let region = pick(&self.all("wl_region"), s[2]).filter(|_| !s[3].is_multiple_of(4));
                let name = ["set_opaque_region", "set_input_region"][usize::from(s[1] % 5 - 3)];
                self.request(id, name, vec![Arg::Object(region.unwrap_or(0))], None);
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn region(&mut self, s: [u8; 4]) -> Option<()> {
        let compositor = self.one("wl_compositor", "create_region", s[0])?;
        match (s[1] % 4, pick(&self.all("wl_region"), s[0])) {
            (0, Some(region)) => self.request(region, "destroy", vec![], None),
            (1 | 2, Some(region)) => {
                let name = if s[1] % 4 == 1 { "add" } else { "subtract" };
                let args = s.map(|part| Arg::Int(i32::from(part)));
                self.request(region, name, args.to_vec(), None);
            }
            _ => {
                self.create(compositor, "create_region", vec![Arg::New(0)], None);
            }
        }
        Some(())
    }

    pub(super) fn destroy_surface(&mut self, choice: u8) -> Option<()> {
        let id = pick(&self.surfaces(|surface| surface.xdg.is_none()), choice)?;
        self.request(id, "destroy", vec![], None);
        Some(())
    }

    fn parent_of(&self, surface: u32) -> Option<u32> {
        let sub = self.surface(surface).sub?;
        match self.objects[&sub].state {
            State::Subsurface { parent, .. } => Some(parent).filter(|parent| *parent != 0),
            _ => None,
        }
    }

    pub(super) fn get_subsurface(&mut self, s: [u8; 4]) -> Option<u32> {
        let manager = self.one("wl_subcompositor", "get_subsurface", s[0])?;
        let parent = pick(&self.surfaces(|_| true), s[1])?;
        let mut ancestors = vec![parent];
        while let Some(above) = ancestors.last().and_then(|id| self.parent_of(*id)) {
            ancestors.push(above);
        }
        let free = |surface: &Surface| {
            matches!(surface.role, Role::None | Role::Subsurface)
                && surface.sub.is_none()
                && surface.xdg.is_none()
        };
        let mut children = self.surfaces(free);
        children.retain(|id| !ancestors.contains(id));
        let child = pick(&children, s[2])?;
        let args = vec![Arg::New(0), Arg::Object(child), Arg::Object(parent)];
        let state = State::Subsurface { surface: child, parent };
        let id = self.create(manager, "get_subsurface", args, state);
        let surface = self.surface_mut(child);
        (surface.role, surface.sub) = (Role::Subsurface, Some(id));
        Some(id)
    }

    pub(super) fn subsurface(&mut self, s: [u8; 4]) -> Option<()> {
        let id = self.one("wl_subsurface", "set_position", s[0])?;
        match s[1] % 6 {
            0 => self.request(id, "set_sync", vec![], None),
            1 => self.request(id, "set_desync", vec![], None),
            2 => {
                let args = vec![Arg::Int(i32::from(s[2])), Arg::Int(-i32::from(s[3]))];
                self.request(id, "set_position", args, None);
            }
            5 if s[2].is_multiple_of(2) => self.request(id, "destroy", vec![], None),
            above => {
                let State::Subsurface { surface, parent } = self.objects[&id].state else {
                    return None;
                };
                if parent == 0 {
                    return None;
                }
                let mut others = self.surfaces(|_| true);
                others.retain(|other| {
                    *other == parent || *other != surface && self.parent_of(*other) == Some(parent)
                });
                let name = if above % 2 == 0 { "place_above" } else { "place_below" };
                let other = pick(&others, s[2])?;
                self.request(id, name, vec![Arg::Object(other)], None);
            }
        }
        Some(())
    }

    pub(super) fn viewport(&mut self, s: [u8; 4]) -> Option<()> {
        let manager = self.one("wp_viewporter", "get_viewport", s[0])?;
        let existing = pick(&self.all("wp_viewport"), s[0]).filter(|_| !s[1].is_multiple_of(4));
        let Some(id) = existing else {
            let surface = pick(&self.surfaces(|surface| surface.viewport.is_none()), s[2])?;
            let args = vec![Arg::New(0), Arg::Object(surface)];
            let id = self.create(manager, "get_viewport", args, State::Viewport { surface });
            self.surface_mut(surface).viewport = Some(id);
            return Some(());
        };
        let State::Viewport { surface } = self.objects[&id].state else { return None };
        let of_living = surface != 0;
        match s[1] % 4 {
            1 if of_living => {
                let unset = s[2].is_multiple_of(4);
                let size = if unset { [-1, -1] } else { [i32::from(s[2]), 30] };
                self.request(id, "set_destination", size.map(Arg::Int).to_vec(), None);
            }
            2 if of_living => {
                let unset = s[2].is_multiple_of(4);
                let rect = if unset { [-256; 4] } else { [0, 128, 512, i32::from(s[2])] };
                self.request(id, "set_source", rect.map(Arg::Fixed).to_vec(), None);
            }
            3 => self.request(id, "destroy", vec![], None),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn feedback(&mut self, s: [u8; 4]) -> Option<()> {
        let presentation = self.one("wp_presentation", "feedback", s[0])?;
        let surface = pick(&self.surfaces(|_| true), s[1])?;
        let args = vec![Arg::Object(surface), Arg::New(0)];
        self.create(presentation, "feedback", args, None);
        Some(())
    }
}
