//! The subsurfaces of a surface: where they lie and in which order.

use super::SurfaceKey;

/// How many subsurfaces of a surface are followed. No program has as many; the bound keeps a
/// client from costing us more than its messages did.
const MAX_CHILDREN: usize = 256;

/// One surface of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) surface: SurfaceKey,
    /// Left and top edge relative to the parent's (`wl_subsurface.set_position`).
    pub(crate) at: (i32, i32),
}

/// A surface among its subsurfaces, from the bottom to the top.
///
/// It is state of the parent: order and positions change with its commit (`wl_subsurface`).
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    parent: SurfaceKey,
    surfaces: Vec<Placed>,
}

impl Stack {
    /// `parent` alone.
    pub(crate) fn new(parent: SurfaceKey) -> Self {
        Self { parent, surfaces: vec![Placed { surface: parent, at: (0, 0) }] }
    }

    /// All, the parent among them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Placed> + '_ {
        self.surfaces.iter().copied()
    }

    /// The subsurface at `index`, counted from the bottom without the parent.
    pub(crate) fn child(&self, index: usize) -> Option<SurfaceKey> {
        self.children().nth(index)
    }

    /// All but the parent.
    pub(crate) fn children(&self) -> impl Iterator<Item = SurfaceKey> + '_ {
        self.surfaces.iter().map(|p| p.surface).filter(|&s| s != self.parent)
    }

    /// Puts a new subsurface on top of the others; answers whether there was room.
    pub(crate) fn push(&mut self, child: SurfaceKey) -> bool {
        self.remove(child);
        let room = self.surfaces.len() <= MAX_CHILDREN;
        if room {
            self.surfaces.push(Placed { surface: child, at: (0, 0) });
        }
        room
    }

    /// Takes a subsurface out.
    pub(crate) fn remove(&mut self, child: SurfaceKey) {
        self.surfaces.retain(|p| p.surface != child || child == self.parent);
    }

    /// Moves a subsurface (`wl_subsurface.set_position`).
    pub(crate) fn place(&mut self, child: SurfaceKey, at: (i32, i32)) {
        if let Some(placed) = self.find(child).and_then(|i| self.surfaces.get_mut(i)) {
            placed.at = at;
        }
    }

    /// Puts a subsurface just above or just below another one, or the parent. Anything else is an
    /// error, of which the compositor tells the client (`wl_subsurface.place_above`).
    pub(crate) fn restack(&mut self, child: SurfaceKey, sibling: SurfaceKey, above: bool) {
        if child == sibling || self.find(sibling).is_none() {
            return;
        }
        let Some(from) = self.find(child) else { return };
        let placed = self.surfaces.remove(from);
        let Some(to) = self.find(sibling) else { return };
        self.surfaces.insert(to + usize::from(above), placed);
    }

    fn find(&self, surface: SurfaceKey) -> Option<usize> {
        self.surfaces.iter().position(|p| p.surface == surface)
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn surfaces_move_among_their_siblings_and_the_parent() {
        let mut keys = SlotMap::<SurfaceKey, ()>::with_key();
        let [parent, a, b, c] = [(); 4].map(|()| keys.insert(()));
        let mut stack = Stack::new(parent);
        for child in [a, b, c] {
            assert!(stack.push(child));
        }
        let order = |stack: &Stack| stack.iter().map(|p| p.surface).collect::<Vec<_>>();
        assert_eq!(order(&stack), [parent, a, b, c]);
        stack.restack(c, parent, false);
        assert_eq!(order(&stack), [c, parent, a, b]);
        stack.restack(a, b, true);
        assert_eq!(order(&stack), [c, parent, b, a]);
        stack.restack(b, c, false);
        assert_eq!(order(&stack), [b, c, parent, a]);
        // Not a sibling, itself, and one that is no child: nothing happens.
        let stranger = keys.insert(());
        for (child, sibling) in [(a, stranger), (a, a), (stranger, a)] {
            stack.restack(child, sibling, true);
        }
        assert_eq!(order(&stack), [b, c, parent, a]);
        stack.place(a, (3, -4));
        stack.remove(b);
        stack.remove(parent);
        assert_eq!(order(&stack), [c, parent, a]);
        assert_eq!(stack.iter().last().map(|p| p.at), Some((3, -4)));
    }

    #[test]
    fn a_stack_has_an_end() {
        let mut keys = SlotMap::<SurfaceKey, ()>::with_key();
        let mut stack = Stack::new(keys.insert(()));
        let pushed = (0..1000).filter(|_| stack.push(keys.insert(()))).count();
        assert_eq!((pushed, stack.children().count()), (MAX_CHILDREN, MAX_CHILDREN));
    }
}
