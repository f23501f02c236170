//! What a player was told of the cursor.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use stratus_frame::{CursorId, CursorLook, CursorState, PointerBounds, Size};

/// The last state and how often there was another.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    last: CursorState,
    changes: u64,
    images: BTreeSet<CursorId>,
}

impl Cursor {
    /// Takes note of a new state.
    pub(crate) fn note(&mut self, state: &CursorState) {
        self.changes += 1;
        if let CursorLook::Image { image, .. } = &state.look {
            self.images.insert(image.id);
        }
        self.last = state.clone();
    }

    pub(crate) fn report(&self) -> CursorReport {
        let (look, shape, image) = match &self.last.look {
            CursorLook::Unknown => ("unknown", None, None),
            CursorLook::Hidden => ("hidden", None, None),
            CursorLook::Shape(name) => ("shape", Some(name.clone().into_owned()), None),
            CursorLook::Image { image, shown, hotspot } => {
                let shown = Pixels::from(*shown);
                ("image", None, Some(Image { size: image.size.into(), shown, hotspot: *hotspot }))
            }
        };
        let pointer = match self.last.bounds {
            PointerBounds::Free => "free",
            PointerBounds::Locked { .. } => "locked",
            PointerBounds::Confined => "confined",
        };
        CursorReport {
            look,
            shape,
            image,
            pointer,
            changes: self.changes,
            images: self.images.len(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Pixels {
    width: u32,
    height: u32,
}

impl From<Size> for Pixels {
    fn from(Size { width, height }: Size) -> Self {
        Self { width, height }
    }
}

#[derive(Debug, Serialize)]
struct Image {
    size: Pixels,
    shown: Pixels,
    hotspot: (i32, i32),
}

/// The last state, for `--json` and for people.
#[derive(Debug, Serialize)]
pub(crate) struct CursorReport {
    look: &'static str,
    shape: Option<String>,
    image: Option<Image>,
    pointer: &'static str,
    /// States that came.
    changes: u64,
    /// Different images among them.
    images: usize,
}

impl fmt::Display for CursorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.look)?;
        if let Some(shape) = &self.shape {
            write!(f, " {shape}")?;
        }
        if let Some(Image { size, hotspot: (x, y), .. }) = &self.image {
            write!(f, " of {}x{}, hotspot {x},{y}", size.width, size.height)?;
        }
        write!(f, "; pointer {}; {} changes, {} images", self.pointer, self.changes, self.images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_state_is_told_with_its_counts() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.report().to_string(), "unknown; pointer free; 0 changes, 0 images");
        let look = CursorLook::Shape("text".into());
        cursor.note(&CursorState { look, bounds: PointerBounds::Locked { hint: None } });
        let report = cursor.report();
        assert_eq!(report.to_string(), "shape text; pointer locked; 1 changes, 0 images");
    }
}
