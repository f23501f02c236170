//! What a streamer does that asks the compositor for its picture: screencopy with damage, then the
//! converter and the encoder that Stratus has, and no network at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use anyhow::{Context as _, anyhow};
use stratus_encode::{Coding, Converter, Encoder as _, EncoderConfig, X264};
use stratus_frame::{Damage, PixelFormat, PixelView, Size};
use stratus_harness::copies::Copies;
use stratus_mapping::Mapping;

use super::contestant::{BITRATE, Running, Stage};
use super::cpu;
use super::sight::{Sight, Unit, decoding};

/// The thread that copies and encodes, and those that its encoder starts.
const THREAD: &str = "bench-copy";

pub(super) struct Copying {
    stage: Stage,
    over: Arc<AtomicBool>,
}

impl Copying {
    pub(super) fn start(stage: Stage, sight: &Sight) -> anyhow::Result<Self> {
        let copies = Copies::connect(stage.sway.socket())?;
        let units = decoding(sight.clone())?;
        let over = Arc::new(AtomicBool::new(false));
        let (ends, faults) = (Arc::clone(&over), sight.clone());
        std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || match copy(copies, &units, &ends) {
                Err(why) if !ends.load(Ordering::Relaxed) => faults.fault(&why),
                _ => {}
            })
            .context("starting the thread that copies")?;
        Ok(Self { stage, over })
    }
}

impl Running for Copying {
    fn processor_time(&self) -> u64 {
        cpu::of_processes(&[self.stage.sway.pid()]) + cpu::of_own_threads(THREAD)
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn copy(mut copies: Copies, units: &Sender<Unit>, over: &AtomicBool) -> anyhow::Result<()> {
    let layout = copies.layout();
    let size = Size::new(layout.size.0, layout.size.1);
    let len = layout.stride as usize * layout.size.1 as usize;
    let map = |file| Mapping::new(file, len);
    let memory = copies.memory().iter().map(map).collect::<Result<Vec<_>, _>>()?;
    let mut converter = Converter::new();
    let mut encoder = X264::open(EncoderConfig { size, fps: 60, bitrate: BITRATE, threads: 0 })?;
    copies.ask()?;
    while !over.load(Ordering::Relaxed) {
        let buffer = copies.wait()?;
        // The other buffer is filled meanwhile, so that no tick is missed.
        copies.ask()?;
        let mut converted = Ok(0);
        let memory = memory.get(buffer).context("the buffer is ours")?;
        memory.read(0..len, |data| {
            let stride = layout.stride as usize;
            let view = PixelView { data, stride, size, format: PixelFormat::Xrgb8888 };
            converted = converter.convert(view, &Damage::full(size));
        });
        converted?;
        let picture = converter.picture_mut().context("it was just converted")?;
        let unit = encoder.encode(picture, Coding::Delta)?;
        units.send(Box::new(unit.data)).map_err(|_| anyhow!("the decoder ended"))?;
    }
    Ok(())
}
