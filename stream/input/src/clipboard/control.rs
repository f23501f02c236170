//! The two protocols that show a compositor's selection to one who has no window. They have the
//! same requests and events under different names.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use thiserror::Error;
use wayland_client::backend::ObjectId;
use wayland_client::protocol::wl_callback::WlCallback;
use wayland_client::protocol::wl_registry::WlRegistry;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{
    Connection, Dispatch, Proxy, QueueHandle, delegate_dispatch, delegate_noop, event_created_child,
};
use wayland_protocols::ext::data_control::v1::client as ext;
use wayland_protocols_wlr::data_control::v1::client as wlr;

use ext::ext_data_control_device_v1::{self, ExtDataControlDeviceV1};
use ext::ext_data_control_manager_v1::ExtDataControlManagerV1;
use ext::ext_data_control_offer_v1::{self, ExtDataControlOfferV1};
use ext::ext_data_control_source_v1::{self, ExtDataControlSourceV1};
use wlr::zwlr_data_control_device_v1::{self, ZwlrDataControlDeviceV1};
use wlr::zwlr_data_control_manager_v1::ZwlrDataControlManagerV1;
use wlr::zwlr_data_control_offer_v1::{self, ZwlrDataControlOfferV1};
use wlr::zwlr_data_control_source_v1::{self, ZwlrDataControlSourceV1};

use crate::line::{Basics, Cutter, Hear, Line, LineError, STALL, lost};

/// The names of UTF-8 text, the best first.
const TEXT: [&str; 3] = ["text/plain;charset=utf-8", "UTF8_STRING", "text/plain"];
/// Tells our own selection from others'.
const OURS: &str = "application/x-stratus-clipboard";
/// Kinds of content that are remembered of an offer; text is among the first of any program's.
const KINDS: usize = 64;

/// Why there is no clipboard.
#[derive(Debug, Error)]
pub(super) enum Unshared {
    #[error(
        "the compositor offers neither ext_data_control_manager_v1 nor \
         zwlr_data_control_manager_v1"
    )]
    Missing,
    #[error(transparent)]
    Line(#[from] LineError),
}

/// What the compositor told.
pub(super) enum Event {
    /// There is another selection, with text or without; never one of ours.
    Selected(Option<Offer>),
    /// A program reads ours.
    Send(Arc<str>, OwnedFd),
}

/// A selection of a program's, with text.
pub(super) struct Offer {
    any: AnyOffer,
    kind: &'static str,
}

enum AnyOffer {
    Ext(ExtDataControlOfferV1),
    Wlr(ZwlrDataControlOfferV1),
}

impl Drop for AnyOffer {
    fn drop(&mut self) {
        match self {
            Self::Ext(offer) => offer.destroy(),
            Self::Wlr(offer) => offer.destroy(),
        }
    }
}

enum Device {
    Ext(ExtDataControlManagerV1, ExtDataControlDeviceV1),
    Wlr(ZwlrDataControlManagerV1, ZwlrDataControlDeviceV1),
}

#[derive(Default)]
struct Told {
    basics: Basics,
    /// Offers that are described, until they are the selection or forgotten.
    offers: HashMap<ObjectId, (AnyOffer, Vec<String>)>,
    events: VecDeque<Event>,
    over: bool,
}

impl Hear for Told {
    fn basics(&mut self) -> &mut Basics {
        &mut self.basics
    }
}

impl Told {
    /// An offer became the selection, which it stays until the next.
    fn selected(&mut self, id: Option<ObjectId>) {
        let chosen = id.and_then(|id| self.offers.remove(&id));
        let offer = chosen.and_then(|(any, kinds)| {
            let has = |kind: &str| kinds.iter().any(|k| k == kind);
            let kind = TEXT.into_iter().find(|kind| has(kind)).filter(|_| !has(OURS))?;
            Some(Offer { any, kind })
        });
        self.events.push_back(Event::Selected(offer));
    }

    fn forget(&mut self, id: Option<ObjectId>) {
        if let Some(id) = id {
            self.offers.remove(&id);
        }
    }

    fn offers(&mut self, id: &ObjectId, kind: String) {
        if let Some((_, kinds)) = self.offers.get_mut(id)
            && kinds.len() < KINDS
        {
            kinds.push(kind);
        }
    }
}

/// A connection that sees and sets the selection.
pub(super) struct Control {
    line: Line<Told>,
    device: Device,
}

impl Control {
    /// Follows the selection of the compositor whose socket is `path`, from the next one on.
    pub(super) fn connect(path: &Path, cutter: &Cutter) -> Result<Self, Unshared> {
        let until = Instant::now() + STALL;
        let mut line = Line::<Told>::connect(path, cutter, until)?;
        let handle = line.handle();
        let seat: WlSeat = line.bind(1).ok_or(Unshared::Missing)?;
        let device = if let Some(manager) = line.bind::<ExtDataControlManagerV1>(1) {
            let device = manager.get_data_device(&seat, &handle, ());
            Device::Ext(manager, device)
        } else {
            let manager: ZwlrDataControlManagerV1 = line.bind(1).ok_or(Unshared::Missing)?;
            let device = manager.get_data_device(&seat, &handle, ());
            Device::Wlr(manager, device)
        };
        // A device is told first of the selection that there is. Whoever made that, it was not just
        // now, whatever the player does just now.
        line.roundtrip(until)?;
        line.told.events.clear();
        Ok(Self { line, device })
    }

    /// Makes `text` the selection.
    pub(super) fn select(&mut self, text: Arc<str>) -> Result<(), Unshared> {
        let handle = self.line.handle();
        let kinds = TEXT.into_iter().chain(["STRING", "TEXT", OURS]).map(str::to_owned);
        match &self.device {
            Device::Ext(manager, device) => {
                let source = manager.create_data_source(&handle, text);
                kinds.for_each(|kind| source.offer(kind));
                device.set_selection(Some(&source));
            }
            Device::Wlr(manager, device) => {
                let source = manager.create_data_source(&handle, text);
                kinds.for_each(|kind| source.offer(kind));
                device.set_selection(Some(&source));
            }
        }
        self.flush()
    }

    /// Asks for the text of a selection; it comes through a pipe.
    pub(super) fn receive(&mut self, offer: &Offer) -> Result<Option<OwnedFd>, Unshared> {
        let Ok((from, to)) = pipe2(OFlag::O_CLOEXEC) else { return Ok(None) };
        match &offer.any {
            AnyOffer::Ext(any) => any.receive(offer.kind.to_owned(), to.as_fd()),
            AnyOffer::Wlr(any) => any.receive(offer.kind.to_owned(), to.as_fd()),
        }
        self.flush()?;
        Ok(Some(from))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.line.fd()
    }

    /// Takes in what the compositor told.
    pub(super) fn listen(&mut self, events: &mut VecDeque<Event>) -> Result<(), Unshared> {
        self.line.listen()?;
        events.append(&mut self.line.told.events);
        if self.line.told.over {
            return Err(lost("the seat is gone").into());
        }
        self.flush()
    }

    /// These requests are few and small: a compositor that does not read them in time gets them
    /// with the next.
    fn flush(&mut self) -> Result<(), Unshared> {
        Ok(self.line.push().map(drop)?)
    }
}

delegate_dispatch!(Told: [WlRegistry: ()] => Basics);
delegate_dispatch!(Told: [WlCallback: ()] => Basics);
delegate_noop!(Told: ignore WlSeat);
delegate_noop!(Told: ExtDataControlManagerV1);
delegate_noop!(Told: ZwlrDataControlManagerV1);

/// What happens to the objects of one of the protocols.
macro_rules! hear {
    (
        $variant:ident,
        $device_events:ident $device:ident,
        $offer_events:ident $offer:ident,
        $source_events:ident $source:ident
    ) => {
        impl Dispatch<$device, ()> for Told {
            fn event(
                told: &mut Self,
                _: &$device,
                event: $device_events::Event,
                (): &(),
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
                match event {
                    $device_events::Event::DataOffer { id } => {
                        let name = id.id();
                        told.offers.insert(name, (AnyOffer::$variant(id), Vec::new()));
                    }
                    $device_events::Event::Selection { id } => {
                        told.selected(id.map(|id| id.id()));
                    }
                    $device_events::Event::PrimarySelection { id } => {
                        told.forget(id.map(|id| id.id()));
                    }
                    $device_events::Event::Finished => told.over = true,
                    _ => {}
                }
            }

            event_created_child!(Told, $device, [
                $device_events::EVT_DATA_OFFER_OPCODE => ($offer, ()),
            ]);
        }

        impl Dispatch<$offer, ()> for Told {
            fn event(
                told: &mut Self,
                offer: &$offer,
                event: $offer_events::Event,
                (): &(),
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
                if let $offer_events::Event::Offer { mime_type } = event {
                    told.offers(&offer.id(), mime_type);
                }
            }
        }

        impl Dispatch<$source, Arc<str>> for Told {
            fn event(
                told: &mut Self,
                source: &$source,
                event: $source_events::Event,
                text: &Arc<str>,
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
                match event {
                    $source_events::Event::Send { fd, .. } => {
                        told.events.push_back(Event::Send(Arc::clone(text), fd));
                    }
                    $source_events::Event::Cancelled => source.destroy(),
                    _ => {}
                }
            }
        }
    };
}

hear!(
    Ext,
    ext_data_control_device_v1 ExtDataControlDeviceV1,
    ext_data_control_offer_v1 ExtDataControlOfferV1,
    ext_data_control_source_v1 ExtDataControlSourceV1
);
hear!(
    Wlr,
    zwlr_data_control_device_v1 ZwlrDataControlDeviceV1,
    zwlr_data_control_offer_v1 ZwlrDataControlOfferV1,
    zwlr_data_control_source_v1 ZwlrDataControlSourceV1
);
