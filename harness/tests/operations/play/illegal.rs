//! Breaches of the protocol, each with what its text says about them.

use stratus_harness::raw::Wire;

use super::surface::Role;
use super::{Player, pick};
use crate::arg::Arg;

/// One breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Illegal {
    BufferBeforeConfigure,
    TwoRoles,
    SubsurfaceOfItself,
    NotASibling,
    UnknownSerial,
    BufferPastPool,
    UnofferedFormat,
    ShrinkingPool,
    NoSize,
    IncompletePositioner,
    LateGrab,
    PopupBelowAnother,
    XdgSurfaceBeforeRole,
    SurfaceBeforeXdgSurface,
    BaseBeforeSurfaces,
    RoleTwice,
    NoScale,
    NinthTransform,
    OffsetByAttach,
    SecondViewport,
    BadViewport,
    OwnParent,
    CursorOfWindow,
    // From here on the bytes themselves are wrong.
    UnknownObject,
    DestroyedObject,
    UnknownRequest,
    IdInUse,
    IdGap,
    ServerId,
    ImpossibleSize,
    UnknownGlobal,
}

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// `wl_display.error` with this object and code, and the end.
    Error(u32, u32),
    /// The end. What is said before it is the implementation's: some compositors say nothing.
    End,
}

impl Illegal {
    pub(crate) const ALL: &[Self] = &[
        Self::BufferBeforeConfigure,
        Self::TwoRoles,
        Self::SubsurfaceOfItself,
        Self::NotASibling,
        Self::UnknownSerial,
        Self::BufferPastPool,
        Self::UnofferedFormat,
        Self::ShrinkingPool,
        Self::NoSize,
        Self::IncompletePositioner,
        Self::LateGrab,
        Self::PopupBelowAnother,
        Self::XdgSurfaceBeforeRole,
        Self::SurfaceBeforeXdgSurface,
        Self::BaseBeforeSurfaces,
        Self::RoleTwice,
        Self::NoScale,
        Self::NinthTransform,
        Self::OffsetByAttach,
        Self::SecondViewport,
        Self::BadViewport,
        Self::OwnParent,
        Self::CursorOfWindow,
        Self::UnknownObject,
        Self::DestroyedObject,
        Self::UnknownRequest,
        Self::IdInUse,
        Self::IdGap,
        Self::ServerId,
        Self::ImpossibleSize,
        Self::UnknownGlobal,
    ];
}

impl Player {
    /// Breaks the rule, if there is something to break it with.
    pub(crate) fn break_rule(&mut self, illegal: Illegal, s: [u8; 4]) -> Option<Verdict> {
        use Illegal as I;
        match illegal {
            I::BufferBeforeConfigure
            | I::UnknownSerial
            | I::XdgSurfaceBeforeRole
            | I::SurfaceBeforeXdgSurface
            | I::BaseBeforeSurfaces
            | I::RoleTwice
            | I::LateGrab
            | I::PopupBelowAnother
            | I::OwnParent
            | I::NoSize
            | I::IncompletePositioner => self.break_shell(illegal, s),
            I::TwoRoles
            | I::SubsurfaceOfItself
            | I::NotASibling
            | I::NoScale
            | I::NinthTransform
            | I::OffsetByAttach
            | I::SecondViewport
            | I::BadViewport
            | I::CursorOfWindow => self.break_surface(illegal, s),
            I::BufferPastPool | I::UnofferedFormat | I::ShrinkingPool => {
                self.break_pool(illegal, s)
            }
            _ => self.break_wire(illegal, s),
        }
    }

    /// A surface with a role of its own kind, made for the purpose if there is none.
    fn windowed(&mut self, s: [u8; 4]) -> Option<u32> {
        let of = |surface: &super::surface::Surface| {
            surface.role == Role::Toplevel && surface.xdg.is_some()
        };
        if self.surfaces(of).is_empty() {
            self.window(s)?;
        }
        pick(&self.surfaces(of), s[0])
    }

    fn break_shell(&mut self, illegal: Illegal, s: [u8; 4]) -> Option<Verdict> {
        let none = vec![];
        if illegal == Illegal::NoSize || illegal == Illegal::IncompletePositioner {
            let base = self.one("xdg_wm_base", "create_positioner", s[0])?;
            let positioner = self.create(base, "create_positioner", vec![Arg::New(0)], None);
            if illegal == Illegal::NoSize {
                self.request(positioner, "set_size", vec![Arg::Int(0), Arg::Int(5)], None);
                return Some(Verdict::Error(positioner, 0));
            }
            let surface = self.windowed(s)?;
            let parent = self.surface(surface).xdg?;
            self.create_surface(s[0])?;
            let xdg = self.get_xdg_surface([0, 255, 0, 0], Role::Popup)?;
            // Which xdg_wm_base made it decides who complains.
            let base = self.one("xdg_wm_base", "get_xdg_surface", 0)?;
            let args = [Arg::New(0), Arg::Object(parent), Arg::Object(positioner)];
            self.create(xdg, "get_popup", args.to_vec(), None);
            return Some(Verdict::Error(base, 5));
        }
        if illegal == Illegal::LateGrab {
            let popups = self.all("xdg_popup");
            let begun = popups.into_iter().filter(|popup| self.popup_xdg(*popup).1);
            let popup = pick(&begun.collect::<Vec<_>>(), s[0])?;
            let seat = Arg::Object(pick(&self.all("wl_seat"), s[1])?);
            self.request(popup, "grab", vec![seat, Arg::Uint(1)], None);
            return Some(Verdict::Error(popup, 0));
        }
        if illegal == Illegal::PopupBelowAnother {
            let below = self.all("xdg_popup").into_iter();
            let below = below.filter(|popup| self.has_popups(self.popup_xdg(*popup).0));
            let popup = pick(&below.collect::<Vec<_>>(), s[0])?;
            let base = self.only_base()?;
            self.request(popup, "destroy", none, None);
            return Some(Verdict::Error(base, 2));
        }
        let surface = self.windowed(s)?;
        let xdg = self.surface(surface).xdg?;
        let toplevel = self.xdg(xdg).role;
        match illegal {
            Illegal::BufferBeforeConfigure => {
                self.create_surface(s[0])?;
                let xdg = self.get_xdg_surface([0, 255, 0, 0], Role::Toplevel)?;
                self.create(xdg, "get_toplevel", vec![Arg::New(0)], None);
                self.create_pool(0)?;
                let buffer = self.create_buffer([255, 0, 0, 0])?;
                let surface = self.xdg(xdg).surface;
                self.attach_to(surface, Some(buffer));
                self.request(surface, "commit", none, None);
                Some(Verdict::Error(xdg, 3))
            }
            Illegal::UnknownSerial => {
                toplevel?;
                self.request(xdg, "ack_configure", vec![Arg::Uint(0x7fff_0000)], None);
                Some(Verdict::Error(xdg, 4))
            }
            Illegal::XdgSurfaceBeforeRole => {
                toplevel?;
                self.request(xdg, "destroy", none, None);
                Some(Verdict::Error(xdg, 6))
            }
            Illegal::SurfaceBeforeXdgSurface => {
                self.request(surface, "destroy", none, None);
                Some(Verdict::Error(surface, 4))
            }
            Illegal::BaseBeforeSurfaces => {
                let base = self.only_base()?;
                self.request(base, "destroy", none, None);
                Some(Verdict::Error(base, 1))
            }
            Illegal::RoleTwice => {
                toplevel?;
                self.create(xdg, "get_toplevel", vec![Arg::New(0)], None);
                Some(Verdict::Error(xdg, 2))
            }
            _ => {
                let toplevel = toplevel?;
                self.request(toplevel, "set_parent", vec![Arg::Object(toplevel)], None);
                Some(Verdict::Error(toplevel, 1))
            }
        }
    }

    /// The xdg_wm_base that made all xdg_surfaces, if there was never another.
    fn only_base(&self) -> Option<u32> {
        match self.all("xdg_wm_base")[..] {
            [base] if self.bases == 1 => Some(base),
            _ => None,
        }
    }

    /// A popup's xdg_surface, and whether its first commit was made.
    fn popup_xdg(&self, popup: u32) -> (u32, bool) {
        match self.objects[&popup].state {
            super::State::Popup { xdg, .. } => (xdg, self.xdg(xdg).begun),
            _ => (0, false),
        }
    }

    fn break_surface(&mut self, illegal: Illegal, s: [u8; 4]) -> Option<Verdict> {
        // First, because a window takes a surface without a role where there is one.
        let window = self.windowed(s)?;
        let compositor = self.one("wl_compositor", "create_surface", s[0])?;
        let state = super::State::Surface(super::surface::Surface::default());
        let fresh = self.create(compositor, "create_surface", vec![Arg::New(0)], state);
        match illegal {
            Illegal::TwoRoles => {
                let manager = self.one("wl_subcompositor", "get_subsurface", s[1])?;
                let args = [Arg::New(0), Arg::Object(window), Arg::Object(fresh)];
                self.create(manager, "get_subsurface", args.to_vec(), None);
                Some(Verdict::Error(manager, 0))
            }
            Illegal::SubsurfaceOfItself => {
                let manager = self.one("wl_subcompositor", "get_subsurface", s[1])?;
                let args = [Arg::New(0), Arg::Object(fresh), Arg::Object(fresh)];
                self.create(manager, "get_subsurface", args.to_vec(), None);
                Some(Verdict::Error(manager, 1))
            }
            Illegal::NotASibling => {
                let manager = self.one("wl_subcompositor", "get_subsurface", s[1])?;
                let other = self.create_surface(s[2])?;
                let parent = self.create_surface(s[3])?;
                let args = [Arg::New(0), Arg::Object(fresh), Arg::Object(parent)];
                let sub = self.create(manager, "get_subsurface", args.to_vec(), None);
                self.request(sub, "place_above", vec![Arg::Object(other)], None);
                Some(Verdict::Error(sub, 0))
            }
            Illegal::NoScale if self.can(fresh, "set_buffer_scale") => {
                self.request(fresh, "set_buffer_scale", vec![Arg::Int(0)], None);
                Some(Verdict::Error(fresh, 0))
            }
            Illegal::NinthTransform if self.can(fresh, "set_buffer_transform") => {
                self.request(fresh, "set_buffer_transform", vec![Arg::Int(8)], None);
                Some(Verdict::Error(fresh, 1))
            }
            Illegal::OffsetByAttach if self.can(fresh, "offset") => {
                let args = vec![Arg::Object(0), Arg::Int(1), Arg::Int(0)];
                self.request(fresh, "attach", args, None);
                Some(Verdict::Error(fresh, 3))
            }
            Illegal::SecondViewport | Illegal::BadViewport => {
                let manager = self.one("wp_viewporter", "get_viewport", s[1])?;
                let args = || vec![Arg::New(0), Arg::Object(fresh)];
                let viewport = self.create(manager, "get_viewport", args(), None);
                if illegal == Illegal::SecondViewport {
                    self.create(manager, "get_viewport", args(), None);
                    return Some(Verdict::Error(manager, 0));
                }
                self.request(viewport, "set_destination", [0, 5].map(Arg::Int).to_vec(), None);
                Some(Verdict::Error(viewport, 0))
            }
            Illegal::CursorOfWindow => {
                let pointer = match self.one("wl_pointer", "set_cursor", s[1]) {
                    Some(pointer) => pointer,
                    None => {
                        let seat = self.one("wl_seat", "get_pointer", s[1])?;
                        self.create(seat, "get_pointer", vec![Arg::New(0)], None)
                    }
                };
                let args = vec![Arg::Uint(0), Arg::Object(window), Arg::Int(0), Arg::Int(0)];
                self.request(pointer, "set_cursor", args, None);
                Some(Verdict::Error(pointer, 0))
            }
            _ => None,
        }
    }

    fn break_pool(&mut self, illegal: Illegal, s: [u8; 4]) -> Option<Verdict> {
        let pool = self.create_pool(s[0])?;
        if illegal == Illegal::ShrinkingPool {
            self.request(pool, "resize", vec![Arg::Int(8)], None);
            return Some(Verdict::Error(pool, 2));
        }
        let past = illegal == Illegal::BufferPastPool;
        let height = if past { 1 << 20 } else { 4 };
        let format = if past { 0 } else { 0x3432_5258 };
        let mut args = vec![Arg::New(0)];
        args.extend([0, 4, height, 16].map(Arg::Int));
        args.push(Arg::Uint(format));
        self.create(pool, "create_buffer", args, None);
        Some(Verdict::Error(pool, u32::from(past)))
    }

    fn break_wire(&mut self, illegal: Illegal, s: [u8; 4]) -> Option<Verdict> {
        if !self.way.is_bytes() {
            return None;
        }
        let next = self.next_id;
        let wire = match illegal {
            Illegal::UnknownObject => Wire::new(next + 1000, 0),
            Illegal::DestroyedObject => {
                // Its id is not free before the compositor's delete_id, which is not read yet.
                let surface = self.create_surface(s[0])?;
                self.request(surface, "destroy", vec![], None);
                Wire::new(surface, 6)
            }
            Illegal::UnknownRequest => Wire::new(self.registry, 40 + u16::from(s[1])),
            Illegal::IdInUse => Wire::new(1, 0).word(self.registry),
            Illegal::IdGap => Wire::new(1, 0).word(next + 7),
            Illegal::ServerId => Wire::new(1, 0).word(0xff00_0100),
            Illegal::ImpossibleSize => Wire::new(1, 0).word(1).claim(u16::from(s[1] % 8)),
            Illegal::UnknownGlobal => {
                Wire::new(self.registry, 0).word(9_999).string("wl_seat").word(1).word(next)
            }
            _ => return None,
        };
        self.raw(&wire.bytes());
        Some(Verdict::End)
    }
}
