//! xdg-shell: windows, popups and positioners.

use std::collections::{BTreeMap, BTreeSet};

use stratus_harness::compositor::send::{int, uint};

use super::surface::Role;
use super::{Desk, Judged, Request, wrong};

#[derive(Default)]
pub(crate) struct XdgSurface {
    base: u32,
    surface: u32,
    /// Its toplevel or popup.
    role: Option<u32>,
    /// The commit without a buffer that asks for a configure was made.
    begun: bool,
    /// Serials that were sent and not acknowledged.
    serials: Vec<u32>,
    acknowledged: bool,
}

#[derive(Default)]
struct Popup {
    xdg: u32,
    parent: Option<u32>,
    grabs: bool,
}

#[derive(Default)]
pub(crate) struct Shell {
    pub xdgs: BTreeMap<u32, XdgSurface>,
    /// Toplevel to xdg_surface.
    pub toplevels: BTreeMap<u32, u32>,
    parents: BTreeMap<u32, u32>,
    popups: BTreeMap<u32, Popup>,
    /// Positioners with what they lack: a size, an anchor rectangle.
    positioners: BTreeMap<u32, (bool, bool)>,
    /// xdg_surfaces whose role was constructed once.
    constructed: BTreeSet<u32>,
}

impl Shell {
    pub(super) fn forget(&mut self, id: u32) {
        self.xdgs.remove(&id);
        self.toplevels.remove(&id);
        self.parents.remove(&id);
        self.parents.retain(|_, parent| *parent != id);
        self.popups.remove(&id);
        self.positioners.remove(&id);
        self.constructed.remove(&id);
        for xdg in self.xdgs.values_mut() {
            if xdg.role == Some(id) {
                // Without a role object the surface is unmapped.
                *xdg = XdgSurface { base: xdg.base, surface: xdg.surface, ..Default::default() };
            }
        }
    }

    fn children_of(&self, xdg: u32) -> bool {
        self.popups.values().any(|popup| popup.parent == Some(xdg))
    }
}

impl Desk {
    pub(super) fn shell_request(&mut self, interface: &str, name: &str, r: &Request) -> Judged {
        match (interface, name) {
            ("xdg_wm_base", "create_positioner") => {
                self.shell.positioners.insert(r.id(0), (true, true));
                Ok(())
            }
            ("xdg_wm_base", "get_xdg_surface") => self.get_xdg_surface(r),
            ("xdg_wm_base", "destroy") => {
                const DEFUNCT_SURFACES: u32 = 1;
                if self.shell.xdgs.values().any(|xdg| xdg.base == r.sender) {
                    return wrong(r.sender, DEFUNCT_SURFACES, "its surfaces live");
                }
                Ok(())
            }
            ("xdg_surface", _) => self.xdg_surface(name, r),
            ("xdg_toplevel", _) => self.toplevel(name, r),
            ("xdg_popup", _) => self.popup(name, r),
            ("xdg_positioner", _) => self.positioner(name, r),
            _ => Ok(()),
        }
    }

    fn get_xdg_surface(&mut self, r: &Request) -> Judged {
        const ROLE: u32 = 0;
        const INVALID_SURFACE_STATE: u32 = 4;
        let (id, surface) = (r.id(0), r.id(1));
        let found = self.surfaces.all.get_mut(&surface).expect("a surface");
        if found.xdg.is_some() || !matches!(found.role, Role::None | Role::Toplevel | Role::Popup) {
            return wrong(r.sender, ROLE, "the surface has another role");
        }
        if found.has_buffer() {
            return wrong(r.sender, INVALID_SURFACE_STATE, "the surface has a buffer");
        }
        found.xdg = Some(id);
        self.shell.xdgs.insert(id, XdgSurface { base: r.sender, surface, ..XdgSurface::default() });
        Ok(())
    }

    fn xdg_surface(&mut self, name: &str, r: &Request) -> Judged {
        const NOT_CONSTRUCTED: u32 = 1;
        const ALREADY_CONSTRUCTED: u32 = 2;
        const INVALID_SERIAL: u32 = 4;
        const INVALID_SIZE: u32 = 5;
        const DEFUNCT_ROLE_OBJECT: u32 = 6;
        let id = r.sender;
        let xdg = self.shell.xdgs.get_mut(&id).expect("an xdg_surface");
        match name {
            "destroy" if xdg.role.is_some() => {
                wrong(id, DEFUNCT_ROLE_OBJECT, "its toplevel or popup lives")
            }
            "get_toplevel" | "get_popup" => {
                if xdg.role.is_some() {
                    return wrong(id, ALREADY_CONSTRUCTED, "it has a toplevel or popup");
                }
                xdg.role = Some(r.id(0));
                let (surface, base) = (xdg.surface, xdg.base);
                self.shell.constructed.insert(id);
                let role = if name == "get_popup" { Role::Popup } else { Role::Toplevel };
                self.surfaces.all.get_mut(&surface).expect("its surface").role = role;
                if name == "get_popup" {
                    return self.get_popup(base, r);
                }
                self.shell.toplevels.insert(r.id(0), id);
                Ok(())
            }
            "ack_configure" => {
                let serial = r.number(0) as u32;
                if xdg.role.is_none() {
                    return wrong(id, NOT_CONSTRUCTED, "it has no role");
                }
                let Some(at) = xdg.serials.iter().position(|sent| *sent == serial) else {
                    return wrong(id, INVALID_SERIAL, "no configure had this serial");
                };
                xdg.serials.drain(..=at);
                xdg.acknowledged = true;
                Ok(())
            }
            "set_window_geometry" => {
                if xdg.role.is_none() {
                    return wrong(id, NOT_CONSTRUCTED, "it has no role");
                }
                if r.number(2) <= 0 || r.number(3) <= 0 {
                    return wrong(id, INVALID_SIZE, "a window has a size");
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn get_popup(&mut self, base: u32, r: &Request) -> Judged {
        const INVALID_POPUP_PARENT: u32 = 3;
        const INVALID_POSITIONER: u32 = 5;
        let (id, parent, positioner) = (r.id(0), r.id(1), r.id(2));
        if self.shell.positioners.get(&positioner) != Some(&(false, false)) {
            return wrong(base, INVALID_POSITIONER, "the positioner is not complete");
        }
        let parent = Some(parent).filter(|parent| *parent != 0);
        let made = |parent: u32| self.shell.xdgs.get(&parent).is_some_and(|x| x.role.is_some());
        if !parent.is_some_and(made) || parent == Some(r.sender) {
            return wrong(base, INVALID_POPUP_PARENT, "the parent has no role");
        }
        self.shell.popups.insert(id, Popup { xdg: r.sender, parent, grabs: false });
        Ok(())
    }

    fn toplevel(&mut self, name: &str, r: &Request) -> Judged {
        const INVALID_RESIZE_EDGE: u32 = 0;
        const INVALID_PARENT: u32 = 1;
        const INVALID_SIZE: u32 = 2;
        let id = r.sender;
        match name {
            "set_parent" => {
                let mut ancestor = Some(r.id(0)).filter(|parent| *parent != 0);
                while let Some(parent) = ancestor {
                    if parent == id {
                        return wrong(id, INVALID_PARENT, "a window is not its own ancestor");
                    }
                    ancestor = self.shell.parents.get(&parent).copied();
                }
                self.shell.parents.remove(&id);
                if r.id(0) != 0 {
                    self.shell.parents.insert(id, r.id(0));
                }
            }
            "set_min_size" | "set_max_size" if r.number(0) < 0 || r.number(1) < 0 => {
                return wrong(id, INVALID_SIZE, "a size is not negative");
            }
            "resize" if !matches!(r.number(2), 0 | 1 | 2 | 4 | 5 | 6 | 8 | 9 | 10) => {
                return wrong(id, INVALID_RESIZE_EDGE, "no edge");
            }
            _ => {}
        }
        Ok(())
    }

    fn popup(&mut self, name: &str, r: &Request) -> Judged {
        const INVALID_GRAB: u32 = 0;
        const NOT_THE_TOPMOST_POPUP: u32 = 2;
        const INVALID_POSITIONER: u32 = 5;
        let id = r.sender;
        let Popup { xdg, parent, .. } = self.shell.popups[&id];
        let base = self.shell.xdgs[&xdg].base;
        match name {
            "destroy" if self.shell.children_of(xdg) => {
                return wrong(base, NOT_THE_TOPMOST_POPUP, "another popup is above it");
            }
            "grab" => {
                let grabbing = parent.is_some_and(|parent| {
                    let of_grab = |popup: &Popup| popup.xdg == parent && popup.grabs;
                    self.shell.toplevels.values().any(|xdg| *xdg == parent)
                        || self.shell.popups.values().any(of_grab)
                });
                if self.shell.xdgs[&xdg].begun || !grabbing {
                    return wrong(id, INVALID_GRAB, "too late, or the parent does not grab");
                }
                self.shell.popups.get_mut(&id).expect("a popup").grabs = true;
            }
            "reposition" => {
                if self.shell.positioners.get(&r.id(0)) != Some(&(false, false)) {
                    return wrong(base, INVALID_POSITIONER, "the positioner is not complete");
                }
                if self.shell.xdgs[&xdg].begun {
                    self.send(id, "repositioned", [uint(r.number(1) as u32)]);
                    self.configure(xdg, (40, 30));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn positioner(&mut self, name: &str, r: &Request) -> Judged {
        const INVALID_INPUT: u32 = 0;
        let lacks = self.shell.positioners.get_mut(&r.sender).expect("a positioner");
        match name {
            "set_size" => {
                if r.number(0) < 1 || r.number(1) < 1 {
                    return wrong(r.sender, INVALID_INPUT, "a popup has a size");
                }
                lacks.0 = false;
            }
            "set_anchor_rect" => {
                if r.number(2) < 0 || r.number(3) < 0 {
                    return wrong(r.sender, INVALID_INPUT, "a rectangle is not negative");
                }
                lacks.1 = false;
            }
            "set_anchor" | "set_gravity" if !(0..=8).contains(&r.number(0)) => {
                return wrong(r.sender, INVALID_INPUT, "no such direction");
            }
            _ => {}
        }
        Ok(())
    }

    /// What a commit means for an xdg_surface.
    pub(super) fn xdg_commit(&mut self, id: u32, attached: Option<Option<u32>>) -> Judged {
        const NOT_CONSTRUCTED: u32 = 1;
        const UNCONFIGURED_BUFFER: u32 = 3;
        let xdg = self.shell.xdgs.get_mut(&id).expect("an xdg_surface");
        if xdg.role.is_none() {
            if attached.flatten().is_some() || self.shell.constructed.contains(&id) {
                return Ok(());
            }
            return wrong(id, NOT_CONSTRUCTED, "it has no role");
        }
        match attached {
            Some(Some(_)) if !xdg.acknowledged => {
                return wrong(id, UNCONFIGURED_BUFFER, "no configure was acknowledged");
            }
            // Unmapped: all begins anew.
            Some(None) if xdg.begun && self.surfaces.all[&xdg.surface].mapped => {
                (xdg.begun, xdg.acknowledged) = (false, false);
                xdg.serials.clear();
            }
            _ if !xdg.begun => {
                xdg.begun = true;
                self.configure(id, (0, 0));
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a configure sequence to a window or popup.
    pub(super) fn configure(&mut self, id: u32, (width, height): (i32, i32)) {
        let serial = self.serial();
        let xdg = self.shell.xdgs.get_mut(&id).expect("an xdg_surface");
        xdg.serials.push(serial);
        let Some(role) = xdg.role else { return };
        if self.shell.toplevels.contains_key(&role) {
            self.send(role, "configure_bounds", [int(900), int(700)]);
            self.send(role, "wm_capabilities", [super::send::array(&[1, 2])]);
            self.send(role, "configure", [int(width), int(height), Self::states()]);
        } else {
            self.send(role, "configure", [int(3), int(4), int(40), int(30)]);
        }
        self.send(id, "configure", [uint(serial)]);
    }

    /// Configures all windows that ask for it.
    pub(super) fn configure_all(&mut self, size: (i32, i32)) {
        let begun = |(id, xdg): (&u32, &XdgSurface)| xdg.begun.then_some(*id);
        for xdg in self.shell.xdgs.iter().filter_map(begun).collect::<Vec<_>>() {
            self.configure(xdg, size);
        }
    }
}
