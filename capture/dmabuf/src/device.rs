//! DRM devices, and pictures imported into them.
//!
//! GBM hands a picture to the driver of a render node, which lays out a copy row by row wherever
//! the bytes are and however they are tiled (`gbm_bo_map`).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gbm::{BufferObject, BufferObjectFlags, Format, Modifier};
use stratus_frame::PixelView;

use crate::format::{INVALID, LINEAR};
use crate::layout::{Layout, MAX_PLANES, Plane};

/// Devices that are tried; no machine has as many.
const MAX_DEVICES: usize = 16;

/// Why a picture is in no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotImported {
    #[error("there is no DRM render node that can be opened ({0})")]
    NoDevice(String),
    #[error("no driver imports it (the last said: {0})")]
    Refused(String),
}

/// The devices of the machine. None is opened before something is to be imported.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    preferred: Mutex<Option<u64>>,
    opened: Mutex<Opened>,
}

#[derive(Debug, Default)]
struct Opened {
    devices: Vec<Arc<Device>>,
    /// Of nodes that cannot be opened, which are not tried again.
    failed: Vec<PathBuf>,
    last_error: String,
}

impl Devices {
    pub(crate) fn prefer(&self, number: u64) {
        *lock(&self.preferred) = Some(number);
    }

    pub(crate) fn prefer_node(&self, node: &Path) {
        if let Ok(about) = fs::metadata(node)
            && about.file_type().is_char_device()
        {
            self.prefer(about.rdev());
        }
    }

    /// Imports a picture into the preferred device, else into the first that takes it.
    ///
    /// # Errors
    /// [`NotImported`].
    pub(crate) fn import(&self, layout: &Layout, planes: &[Plane]) -> Result<Import, NotImported> {
        let preferred = *lock(&self.preferred);
        let mut opened = lock(&self.opened);
        let mut refusal = None;
        for node in nodes(preferred) {
            let Some(device) = opened.device(node) else { continue };
            match device.import(layout, planes) {
                Ok(import) => return Ok(import),
                Err(error) => refusal = Some(error.to_string()),
            }
        }
        Err(match refusal {
            Some(error) => NotImported::Refused(error),
            None if opened.last_error.is_empty() => {
                NotImported::NoDevice("/dev/dri has none".to_owned())
            }
            None => NotImported::NoDevice(opened.last_error.clone()),
        })
    }
}

impl Opened {
    fn device(&mut self, node: PathBuf) -> Option<Arc<Device>> {
        if let Some(device) = self.devices.iter().find(|device| device.node == node) {
            return Some(Arc::clone(device));
        }
        if self.failed.contains(&node) || self.devices.len() >= MAX_DEVICES {
            return None;
        }
        match Device::open(node.clone()) {
            Ok(device) => {
                tracing::info!(
                    "reading GPU memory through {} ({})",
                    node.display(),
                    device.backend
                );
                let device = Arc::new(device);
                self.devices.push(Arc::clone(&device));
                Some(device)
            }
            Err(error) => {
                tracing::debug!("cannot open {}: {error}", node.display());
                self.last_error = format!("{}: {error}", node.display());
                self.failed.push(node);
                None
            }
        }
    }
}

/// Render nodes, that of the preferred device first.
fn nodes(preferred: Option<u64>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = names_in(Path::new("/dev/dri"))
        .into_iter()
        .filter(|name| name.starts_with("renderD"))
        .map(|name| Path::new("/dev/dri").join(name))
        .collect();
    all.sort();
    let Some(preferred) = preferred else { return all };
    // The compositor may name the card, whose render node stands beside it.
    let (major, minor) = (nix::libc::major(preferred), nix::libc::minor(preferred));
    let siblings = names_in(&PathBuf::from(format!("/sys/dev/char/{major}:{minor}/device/drm")));
    let is_preferred = |node: &PathBuf| {
        let name = node.file_name().and_then(|n| n.to_str());
        name.is_some_and(|n| siblings.iter().any(|s| s == n))
            || fs::metadata(node).is_ok_and(|about| about.rdev() == preferred)
    };
    all.sort_by_key(|node| !is_preferred(node));
    all
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// One device. Mesa's GBM maps through one context of the device, which is no two threads' at a
/// time: `busy` is held meanwhile.
struct Device {
    node: PathBuf,
    backend: String,
    gbm: gbm::Device<File>,
    busy: Mutex<()>,
    /// Imports that nobody needs any more. They are destroyed by the next reader, because those
    /// who drop them must not wait for `busy`.
    graves: Mutex<Vec<BufferObject<()>>>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Device").field(&self.node).finish()
    }
}

impl Device {
    fn open(node: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(&node)?;
        let gbm = gbm::Device::new(file)?;
        let backend = gbm.backend_name().to_owned();
        Ok(Self { node, backend, gbm, busy: Mutex::new(()), graves: Mutex::default() })
    }

    fn import(self: &Arc<Self>, layout: &Layout, planes: &[Plane]) -> io::Result<Import> {
        let _busy = self.begin();
        let bo = self.import_planes(layout, planes)?;
        // Some drivers take what they cannot show.
        bo.map(0, 0, 1, 1, |_| ())?;
        Ok(Import { bo: Some(bo), device: Arc::clone(self) })
    }

    fn import_planes(&self, layout: &Layout, planes: &[Plane]) -> io::Result<BufferObject<()>> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let format = Format::try_from(layout.fourcc).map_err(|_| invalid())?;
        let (width, height) = (layout.size.width, layout.size.height);
        let count = u32::try_from(planes.len().min(MAX_PLANES)).map_err(|_| invalid())?;
        let mut fds = [None; MAX_PLANES];
        let (mut strides, mut offsets) = ([0; MAX_PLANES], [0; MAX_PLANES]);
        for (at, plane) in planes.iter().enumerate().take(MAX_PLANES) {
            fds[at] = Some(plane.fd.as_fd());
            strides[at] = i32::try_from(plane.stride).map_err(|_| invalid())?;
            offsets[at] = i32::try_from(plane.offset).map_err(|_| invalid())?;
        }
        let usage = BufferObjectFlags::empty();
        let modifier = Modifier::from(layout.modifier);
        let stated = self.gbm.import_buffer_object_from_dma_buf_with_modifiers(
            count, fds, width, height, format, usage, strides, offsets, modifier,
        );
        let first = planes.first().ok_or_else(invalid)?;
        let plain = matches!(layout.modifier, INVALID | LINEAR) && count == 1 && first.offset == 0;
        match stated {
            // Drivers without modifiers know this way only.
            Err(_) if plain => self.gbm.import_buffer_object_from_dma_buf(
                first.fd.as_fd(),
                width,
                height,
                first.stride,
                format,
                usage,
            ),
            stated => stated,
        }
    }

    /// Takes the device for one piece of work, and buries the dead first.
    fn begin(&self) -> MutexGuard<'_, ()> {
        let busy = lock(&self.busy);
        drop(std::mem::take(&mut *lock(&self.graves)));
        busy
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind the locks here is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A picture in a device.
pub(crate) struct Import {
    /// Always there until the drop.
    bo: Option<BufferObject<()>>,
    device: Arc<Device>,
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Import").field(&self.device.node).finish()
    }
}

impl Import {
    /// Lets the driver lay the picture out and lends it to `read`.
    ///
    /// # Errors
    /// What the driver answers.
    pub(crate) fn read(
        &self,
        layout: &Layout,
        read: &mut dyn FnMut(PixelView<'_>),
    ) -> io::Result<()> {
        let bo = self.bo.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let (size, format) = (layout.size, layout.format);
        let row = size.width as usize * format.bytes_per_pixel();
        let _busy = self.device.begin();
        bo.map(0, 0, size.width, size.height, |map| {
            let stride = map.stride() as usize;
            let needed = stride.checked_mul(size.height as usize - 1);
            let data = needed.and_then(|rows| map.buffer().get(..rows.checked_add(row)?));
            match data.filter(|_| stride >= row) {
                Some(data) => {
                    read(PixelView { data, stride, size, format });
                    Ok(())
                }
                None => Err(io::Error::from(io::ErrorKind::InvalidData)),
            }
        })?
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        lock(&self.device.graves).extend(self.bo.take());
    }
}
