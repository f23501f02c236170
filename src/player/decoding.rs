//! The decoder's thread: pictures take milliseconds, and the network must not wait for them.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use stratus_encode::{Decoder, Kept, Plane, Planes};
use stratus_frame::{MonoTime, Size};
use stratus_stream::ReceivedFrame;
use stratus_stream::core::header::FrameHeader;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel};

use super::change::Changes;
use super::recording::Recording;
use crate::failure::Failure;

/// Frames between the network and the decoder: one being decoded and one behind it. More wait in
/// their streams, where the server sees them.
const WAITING: usize = 2;

/// A frame that has been through the decoder.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// What the server said of it.
    pub(crate) header: FrameHeader,
    /// When its first byte came.
    pub(crate) first_byte: MonoTime,
    /// When its last byte came.
    pub(crate) last_byte: MonoTime,
    /// When the decoder returned.
    pub(crate) decoded: MonoTime,
    /// The same in seconds since 1970, for who compares with other clocks.
    pub(crate) unix: f64,
    /// How many pictures so far differed from the one before.
    pub(crate) different: u64,
    /// Why there is no picture.
    pub(crate) failure: Option<String>,
}

/// Where frames go in and come out.
pub(crate) struct Decoding {
    /// Frames in the order of decoding. Dropping it ends the thread.
    pub(crate) frames: Sender<ReceivedFrame>,
    /// Each of them, in the same order.
    pub(crate) done: UnboundedReceiver<Done>,
    thread: JoinHandle<Result<Option<Recording>, Failure>>,
}

/// Takes pictures as they are decoded, on the decoder's thread.
pub(crate) type Show = Box<dyn FnMut(Kept, &FrameHeader, MonoTime) + Send>;

/// What else is done with each frame.
#[derive(Default)]
pub(crate) struct Extras {
    /// Keep the last picture in this file.
    pub(crate) dump: Option<PathBuf>,
    /// Show each picture; they are then not compared with each other.
    pub(crate) show: Option<Show>,
}

impl Decoding {
    /// Starts the thread, for pictures of at most `size`; frames are kept in `recording` too.
    ///
    /// # Errors
    /// A [`Failure`] if there is no decoder or no thread.
    pub(crate) fn start(
        size: Size,
        extras: Extras,
        recording: Option<Recording>,
    ) -> Result<Self, Failure> {
        let decoder = Decoder::new(size).map_err(|e| {
            Failure::new("decode the stream", e).remedy("`stratus doctor` looks at FFmpeg")
        })?;
        let (frames, incoming) = channel(WAITING);
        let (outgoing, done) = tokio::sync::mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("stratus-decode".into())
            .spawn(move || work(decoder, incoming, &outgoing, extras, recording))
            .map_err(|e| Failure::new("start the decoder's thread", e))?;
        Ok(Self { frames, done, thread })
    }

    /// Waits until all frames are decoded. Gives what had not been fetched from `done`, and the
    /// file that the stream is kept in, which another stream may follow in.
    ///
    /// # Errors
    /// A [`Failure`] if a file cannot be written.
    pub(crate) fn finish(self) -> Result<(Vec<Done>, Option<Recording>), Failure> {
        let Self { frames, mut done, thread } = self;
        drop(frames);
        let mut rest = Vec::new();
        while let Some(frame) = done.blocking_recv() {
            rest.push(frame);
        }
        match thread.join() {
            Ok(result) => result.map(|recording| (rest, recording)),
            Err(_) => Err(Failure::new("decode the stream", "the decoder's thread panicked")),
        }
    }
}

fn work(
    mut decoder: Decoder,
    mut incoming: Receiver<ReceivedFrame>,
    outgoing: &UnboundedSender<Done>,
    mut extras: Extras,
    mut recording: Option<Recording>,
) -> Result<Option<Recording>, Failure> {
    let mut changes = Changes::default();
    let mut last = None;
    while let Some(frame) = incoming.blocking_recv() {
        let picture = decoder.decode(&frame.data);
        let decoded = MonoTime::now();
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let failure = match &picture {
            Ok(picture) => {
                if extras.dump.is_some() {
                    last = Some(Copied::new(&picture.planes, frame.header.size));
                }
                match &mut extras.show {
                    Some(show) => show(decoder.take(), &frame.header, decoded),
                    None => changes.look(&picture.planes.luma),
                }
                None
            }
            Err(e) => Some(e.to_string()),
        };
        let done = Done {
            header: frame.header,
            first_byte: frame.first_byte,
            last_byte: frame.last_byte,
            decoded,
            unix,
            different: changes.count(),
            failure,
        };
        // Without a receiver the player has left; what came is still recorded.
        let _ = outgoing.send(done);
        if let Some(recording) = &mut recording {
            recording.write(frame)?;
        }
    }
    if let (Some(path), Some(last)) = (&extras.dump, &last) {
        std::fs::write(path, last.planes().to_ppm(last.visible))
            .map_err(|e| Failure::new(format!("write {}", path.display()), e))?;
    }
    Ok(recording)
}

/// A picture of our own, as the decoder's is gone with the next one.
struct Copied {
    samples: [(Vec<u8>, usize, Size); 3],
    visible: Size,
}

impl Copied {
    fn new(planes: &Planes<'_>, visible: Size) -> Self {
        let [cb, cr] = &planes.chroma;
        let copy = |p: &Plane<'_>| (p.data.to_vec(), p.stride, p.size);
        Self { samples: [copy(&planes.luma), copy(cb), copy(cr)], visible }
    }

    fn planes(&self) -> Planes<'_> {
        let [luma, cb, cr] = self.samples.each_ref().map(|(data, stride, size)| Plane {
            data,
            stride: *stride,
            size: *size,
        });
        Planes { luma, chroma: [cb, cr] }
    }
}
