//! What the client does with windows, popups and positioners.

use super::surface::Role;
use super::{Player, State, pick};
use crate::arg::Arg;

#[derive(Clone, Debug, Default)]
pub(crate) struct XdgSurface {
    pub surface: u32,
    /// Its toplevel or popup.
    pub role: Option<u32>,
    /// The first commit, which asks for a configure, was made.
    pub begun: bool,
    /// Serials of configures, not acknowledged.
    pub serials: Vec<u32>,
    pub acknowledged: bool,
    /// Configures of before the last unmapping may be under way: until the next barrier nothing
    /// can be told from them.
    pub stale: bool,
}

impl XdgSurface {
    fn start_anew(&mut self) {
        let surface = self.surface;
        *self = Self { surface, stale: true, role: self.role, ..Self::default() };
    }
}

impl Player {
    pub(super) fn xdg(&self, id: u32) -> &XdgSurface {
        match &self.objects[&id].state {
            State::XdgSurface(xdg) => xdg,
            other => panic!("{id} is no xdg_surface but {other:?}"),
        }
    }

    pub(super) fn xdg_mut(&mut self, id: u32) -> &mut XdgSurface {
        match self.objects.get_mut(&id).map(|object| &mut object.state) {
            Some(State::XdgSurface(xdg)) => xdg,
            other => panic!("{id} is no xdg_surface but {other:?}"),
        }
    }

    fn xdgs(&self, such: impl Fn(&XdgSurface) -> bool) -> Vec<u32> {
        self.all("xdg_surface").into_iter().filter(|id| such(self.xdg(*id))).collect()
    }

    pub(super) fn configured(&mut self, id: u32, serial: u32) {
        if let Some(State::XdgSurface(xdg)) = self.objects.get_mut(&id).map(|o| &mut o.state) {
            xdg.serials.push(serial);
        }
    }

    pub(super) fn after_barrier(&mut self) {
        for object in self.objects.values_mut() {
            if let State::XdgSurface(xdg) = &mut object.state
                && std::mem::take(&mut xdg.stale)
            {
                xdg.serials.clear();
            }
        }
    }

    pub(super) fn committed(&mut self, id: u32, attached: Option<Option<u32>>, was_mapped: bool) {
        let xdg = self.xdg_mut(id);
        if attached == Some(None) && xdg.begun && was_mapped {
            xdg.start_anew();
        } else {
            xdg.begun = true;
        }
    }

    /// A surface with an xdg_surface and no role object yet.
    pub(super) fn get_xdg_surface(&mut self, s: [u8; 4], role: Role) -> Option<u32> {
        let base = self.one("xdg_wm_base", "get_xdg_surface", s[0])?;
        let free = self.surfaces(|surface| {
            (surface.role == Role::None || surface.role == role)
                && surface.xdg.is_none()
                && !surface.mapped
                && surface.pending.flatten().is_none()
        });
        let surface = pick(&free, s[1])?;
        let args = vec![Arg::New(0), Arg::Object(surface)];
        let state = State::XdgSurface(XdgSurface { surface, ..XdgSurface::default() });
        let id = self.create(base, "get_xdg_surface", args, state);
        self.surface_mut(surface).xdg = Some(id);
        Some(id)
    }

    /// An xdg_surface that may be given this role.
    fn roleless(&mut self, s: [u8; 4], role: Role) -> Option<u32> {
        let such = self.xdgs(|xdg| {
            let surface = self.surface(xdg.surface);
            xdg.role.is_none()
                && !xdg.stale
                && !surface.mapped
                && surface.pending.flatten().is_none()
                && (surface.role == Role::None || surface.role == role)
        });
        pick(&such, s[2])
    }

    fn give_role(&mut self, xdg: u32, object: u32, role: Role) {
        self.xdg_mut(xdg).role = Some(object);
        let surface = self.xdg(xdg).surface;
        self.surface_mut(surface).role = role;
    }

    /// A window up to the commit that asks for its first configure.
    pub(super) fn window(&mut self, s: [u8; 4]) -> Option<()> {
        let xdg = self.roleless(s, Role::Toplevel).or_else(|| {
            self.create_surface(s[0])?;
            self.get_xdg_surface(s, Role::Toplevel)
        })?;
        let id = self.create(xdg, "get_toplevel", vec![Arg::New(0)], State::Toplevel);
        self.give_role(xdg, id, Role::Toplevel);
        if !s[3].is_multiple_of(8) {
            self.request(id, "set_title", vec![Arg::Text("a game".to_owned())], None);
            let surface = self.xdg(xdg).surface;
            self.commit(surface);
        }
        Some(())
    }

    pub(super) fn acknowledge(&mut self, s: [u8; 4]) -> Option<()> {
        let such = self.xdgs(|xdg| xdg.role.is_some() && !xdg.serials.is_empty() && !xdg.stale);
        let id = pick(&such, s[0])?;
        let xdg = self.xdg_mut(id);
        let serial = pick(&xdg.serials, s[1])?;
        // Those before it are acknowledged with it.
        xdg.serials.retain(|other| *other > serial);
        xdg.acknowledged = true;
        self.request(id, "ack_configure", vec![Arg::Uint(serial)], None);
        Some(())
    }

    pub(super) fn toplevel(&mut self, s: [u8; 4]) -> Option<()> {
        let id = self.one("xdg_toplevel", "set_title", s[0])?;
        let seat = pick(&self.all("wl_seat"), s[2]).map(Arg::Object);
        let sizes = || vec![Arg::Int(i32::from(s[2])), Arg::Int(i32::from(s[3]))];
        let serial = Arg::Uint(self.serial);
        let (name, args) = match s[1] % 13 {
            0 => ("set_title", vec![Arg::Text("x".repeat(usize::from(s[2])))]),
            1 => ("set_app_id", vec![Arg::Text("org.example.game".to_owned())]),
            2 => ("set_min_size", sizes()),
            3 => ("set_max_size", sizes()),
            4 => ("set_maximized", vec![]),
            5 => ("unset_maximized", vec![]),
            6 => {
                let output = pick(&self.all("wl_output"), s[2]).filter(|_| s[3].is_multiple_of(2));
                ("set_fullscreen", vec![Arg::Object(output.unwrap_or(0))])
            }
            7 => ("unset_fullscreen", vec![]),
            8 => ("set_minimized", vec![]),
            9 => ("move", vec![seat?, serial]),
            10 => ("resize", vec![seat?, serial, Arg::Uint(8)]),
            11 => ("show_window_menu", vec![seat?, serial, Arg::Int(1), Arg::Int(2)]),
            _ => {
                // Parents have lower ids, so that no window is its own ancestor.
                let mut older = self.all("xdg_toplevel");
                older.retain(|other| *other < id);
                let parent = pick(&older, s[2]).filter(|_| !s[3].is_multiple_of(4));
                ("set_parent", vec![Arg::Object(parent.unwrap_or(0))])
            }
        };
        self.request(id, name, args, None);
        Some(())
    }

    pub(super) fn geometry(&mut self, s: [u8; 4]) -> Option<()> {
        let id = pick(&self.xdgs(|xdg| xdg.role.is_some()), s[0])?;
        let args = [-1, 0, 1 + i32::from(s[1]), 1 + i32::from(s[2])].map(Arg::Int);
        self.request(id, "set_window_geometry", args.to_vec(), None);
        Some(())
    }

    pub(super) fn positioner(&mut self, s: [u8; 4]) -> Option<()> {
        let base = self.one("xdg_wm_base", "create_positioner", s[0])?;
        let existing = pick(&self.all("xdg_positioner"), s[0]).filter(|_| !s[1].is_multiple_of(4));
        let Some(id) = existing else {
            let state = State::Positioner { complete: false };
            let id = self.create(base, "create_positioner", vec![Arg::New(0)], state);
            if !s[2].is_multiple_of(4) {
                self.complete(id, s);
            }
            return Some(());
        };
        match s[2] % 6 {
            0 => self.request(id, "destroy", vec![], None),
            1 => self.request(id, "set_anchor", vec![Arg::Uint(u32::from(s[3] % 9))], None),
            2 => self.request(id, "set_gravity", vec![Arg::Uint(u32::from(s[3] % 9))], None),
            3 => {
                let adjust = vec![Arg::Uint(u32::from(s[3] % 64))];
                self.request(id, "set_constraint_adjustment", adjust, None);
            }
            4 if self.can(id, "set_reactive") => self.request(id, "set_reactive", vec![], None),
            _ => self.complete(id, s),
        }
        Some(())
    }

    fn complete(&mut self, id: u32, s: [u8; 4]) {
        let size = [1 + i32::from(s[2]), 1 + i32::from(s[3])].map(Arg::Int);
        self.request(id, "set_size", size.to_vec(), None);
        let rect = [-5, 5, i32::from(s[0]), i32::from(s[1])].map(Arg::Int);
        self.request(id, "set_anchor_rect", rect.to_vec(), None);
        if let Some(object) = self.objects.get_mut(&id) {
            object.state = State::Positioner { complete: true };
        }
    }

    fn complete_positioner(&self, choice: u8) -> Option<u32> {
        let mut all = self.all("xdg_positioner");
        all.retain(|id| matches!(self.objects[id].state, State::Positioner { complete: true }));
        pick(&all, choice)
    }

    pub(super) fn popup(&mut self, s: [u8; 4]) -> Option<()> {
        let positioner = self.complete_positioner(s[0])?;
        let parent = pick(&self.xdgs(|xdg| xdg.role.is_some()), s[1])?;
        let xdg = self.roleless(s, Role::Popup).or_else(|| {
            self.create_surface(s[0])?;
            self.get_xdg_surface(s, Role::Popup)
        })?;
        let args = [Arg::New(0), Arg::Object(parent), Arg::Object(positioner)].to_vec();
        let state = State::Popup { xdg, parent, grabs: false };
        let id = self.create(xdg, "get_popup", args, state);
        self.give_role(xdg, id, Role::Popup);
        let seat = pick(&self.all("wl_seat"), s[2]);
        if let Some(seat) = seat
            && s[3].is_multiple_of(2)
            && self.may_grab_over(parent)
        {
            let args = vec![Arg::Object(seat), Arg::Uint(self.serial)];
            self.request(id, "grab", args, None);
            if let Some(object) = self.objects.get_mut(&id) {
                object.state = State::Popup { xdg, parent, grabs: true };
            }
        }
        if !s[3].is_multiple_of(8) {
            let surface = self.xdg(xdg).surface;
            self.commit(surface);
        }
        Some(())
    }

    /// A popup grabs if its parent is a window or grabs.
    fn may_grab_over(&self, parent: u32) -> bool {
        let Some(role) = self.xdg(parent).role else { return false };
        matches!(self.objects[&role].state, State::Toplevel | State::Popup { grabs: true, .. })
    }

    pub(super) fn reposition(&mut self, s: [u8; 4]) -> Option<()> {
        let popup = self.one("xdg_popup", "reposition", s[0])?;
        let positioner = self.complete_positioner(s[1])?;
        let args = vec![Arg::Object(positioner), Arg::Uint(u32::from(s[2]))];
        self.request(popup, "reposition", args, None);
        Some(())
    }

    /// Whether a popup hangs on this xdg_surface.
    pub(super) fn has_popups(&self, xdg: u32) -> bool {
        let on = |object: &super::Object| {
            object.alive && matches!(object.state, State::Popup { parent, .. } if parent == xdg)
        };
        self.objects.values().any(on)
    }

    /// Destroys a toplevel or popup and, half the time, its xdg_surface.
    pub(super) fn destroy_role(&mut self, s: [u8; 4]) -> Option<()> {
        let such = self.xdgs(|xdg| {
            xdg.role.is_some() && self.surface(xdg.surface).pending.flatten().is_none()
        });
        let such: Vec<u32> = such.into_iter().filter(|xdg| !self.has_popups(*xdg)).collect();
        let id = pick(&such, s[0])?;
        let role = self.xdg_mut(id).role.take()?;
        self.xdg_mut(id).start_anew();
        self.request(role, "destroy", vec![], None);
        if s[1].is_multiple_of(2) {
            self.request(id, "destroy", vec![], None);
        }
        Some(())
    }

    pub(super) fn destroy_xdg_surface(&mut self, choice: u8) -> Option<()> {
        let id = pick(&self.xdgs(|xdg| xdg.role.is_none()), choice)?;
        self.request(id, "destroy", vec![], None);
        Some(())
    }

    pub(super) fn pong(&mut self) -> Option<()> {
        let (base, serial) = self.pings.pop()?;
        self.request(base, "pong", vec![Arg::Uint(serial)], None);
        Some(())
    }
}
