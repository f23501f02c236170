//! Tests of recordings, read back by libavformat and, where installed, by ffprobe.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

use stratus_frame::{Codec, Stamps};

use super::*;
use crate::convert::Converter;
use crate::encoder::{Coding, Encoder as _, EncoderConfig};
use crate::test_scene::Scene;
use crate::x264::X264;

/// Commits come every 12.5 ms, later than the clock's start.
const START: u64 = 5_000_000_000;
const STEP: u64 = 12_500_000;

/// A stream that goes on over sizes, as a pipeline makes it.
#[derive(Default)]
struct Stream {
    encoder: Option<X264>,
    converter: Converter,
    frames: u64,
}

impl Stream {
    fn next(&mut self, size: Size, coding: Coding) -> EncodedFrame {
        if self.encoder.as_ref().is_none_or(|e| e.size() != size) {
            let config = EncoderConfig { size, fps: 80, bitrate: 8_000_000, threads: 1 };
            self.encoder = Some(X264::open(config).unwrap());
        }
        Scene::moving(size, self.frames as u32).draw(&mut self.converter);
        let picture = self.converter.picture_mut().unwrap();
        let unit = self.encoder.as_mut().unwrap().encode(picture, coding).unwrap();
        let read = MonoTime::from_nanos(START + self.frames * STEP);
        self.frames += 1;
        EncodedFrame {
            id: FrameId(self.frames),
            depends_on: (!unit.keyframe).then(|| FrameId(self.frames - 1)),
            stamps: Stamps { read, convert_start: read, encoded: read, ..Stamps::default() },
            newest_input: 0,
            size,
            codec: Codec::H264,
            torn: false,
            data: unit.data,
        }
    }
}

/// Size, times in seconds and keyframe flags of a file's packets.
fn read_back(path: &Path) -> (Size, Vec<f64>, Vec<bool>) {
    let mut input = format::input(path).unwrap();
    let stream = input.stream(0).unwrap();
    let base = f64::from(stream.time_base());
    let context = codec::Context::from_parameters(stream.parameters()).unwrap();
    let video = context.decoder().video().unwrap();
    let size = Size::new(video.width(), video.height());
    let (mut times, mut keys) = (Vec::new(), Vec::new());
    for (_, packet) in input.packets() {
        times.push(packet.pts().unwrap() as f64 * base);
        keys.push(packet.is_key());
    }
    (size, times, keys)
}

/// What ffprobe decodes of a file: `None` if it is not installed.
fn ffprobe(path: &Path) -> Option<String> {
    let show = "stream=codec_name,width,height,nb_read_frames,color_range,color_space";
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", show, "-of", "default=nw=1"])
        .arg(path)
        .output()
        .ok()?;
    assert!(out.status.success() && out.stderr.is_empty(), "{out:?}");
    Some(String::from_utf8(out.stdout).unwrap())
}

#[test]
fn recordings_keep_every_frame_and_its_time_in_every_container() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.mkv", "a.mp4", "a.ts", "odd: name.mkv"] {
        let path = folder.path().join(name);
        let mut recorder = Recorder::create(&path).unwrap();
        let mut stream = Stream::default();
        let size = Size::new(160, 96);
        for i in 0..40 {
            let coding = if i == 25 { Coding::Keyframe } else { Coding::Delta };
            assert_eq!(recorder.write(&stream.next(size, coding)), Ok(Recorded::Kept));
        }
        let recording = recorder.finish().unwrap();
        assert_eq!(recording, Recording { files: vec![path.clone()], frames: 40, skipped: 0 });
        let (found, times, keys) = read_back(&path);
        assert_eq!(found, size, "{name}");
        assert_eq!(keys, (0..40).map(|i| i == 0 || i == 25).collect::<Vec<_>>(), "{name}");
        for (i, time) in times.iter().enumerate() {
            let expected = i as f64 * 0.0125;
            assert!((time - times[0] - expected).abs() < 0.001, "{name}: {time} for {expected}");
        }
        if let Some(text) = ffprobe(&path) {
            for line in ["h264", "width=160", "height=96", "nb_read_frames=40", "=tv", "=bt709"] {
                assert!(text.contains(line), "{name}: no {line} in {text}");
            }
        }
    }
}

#[test]
fn another_size_goes_on_in_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("game.mkv");
    let mut recorder = Recorder::create(&path).unwrap();
    let mut stream = Stream::default();
    let sizes = [Size::new(160, 96), Size::new(96, 64), Size::new(161, 97)];
    for size in sizes {
        for _ in 0..5 {
            recorder.write(&stream.next(size, Coding::Delta)).unwrap();
        }
    }
    let recording = recorder.finish().unwrap();
    let names = ["game.mkv", "game-2.mkv", "game-3.mkv"];
    assert_eq!(recording.files, names.map(|n| folder.path().join(n)));
    for (file, size) in recording.files.iter().zip(sizes) {
        let (found, times, _) = read_back(file);
        assert_eq!((found, times.len()), (size.rounded_up_to_even(), 5));
        assert!(times[0].abs() < 0.001, "{times:?}");
    }
}

#[test]
fn another_stream_goes_on_in_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("game.mkv");
    let mut recorder = Recorder::create(&path).unwrap();
    recorder.cut().unwrap();
    let size = Size::new(96, 64);
    let mut stream = Stream::default();
    for _ in 0..5 {
        recorder.write(&stream.next(size, Coding::Delta)).unwrap();
    }
    recorder.cut().unwrap();
    // Nothing to begin a file with.
    assert_eq!(recorder.write(&stream.next(size, Coding::Delta)), Ok(Recorded::Skipped));
    // Its numbers and times begin again.
    let mut stream = Stream::default();
    for _ in 0..3 {
        assert_eq!(recorder.write(&stream.next(size, Coding::Delta)), Ok(Recorded::Kept));
    }
    let recording = recorder.finish().unwrap();
    assert_eq!(recording.files, ["game.mkv", "game-2.mkv"].map(|n| folder.path().join(n)));
    for (file, frames) in recording.files.iter().zip([5, 3]) {
        let (_, times, _) = read_back(file);
        assert_eq!(times.len(), frames);
        assert!(times[0].abs() < 0.001 && times[frames - 1] > 0.02, "{times:?}");
    }
}

#[test]
fn frames_that_cannot_be_decoded_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gap.mkv");
    let mut recorder = Recorder::create(&path).unwrap();
    let mut stream = Stream::default();
    let size = Size::new(96, 64);
    let kept: Vec<Recorded> = (0..12)
        .filter_map(|i| {
            let frame = stream.next(size, if i == 8 { Coding::Keyframe } else { Coding::Delta });
            // The first keyframe and frame 5 get lost.
            (i != 0 && i != 5).then(|| recorder.write(&frame).unwrap())
        })
        .collect();
    let expected = [vec![Recorded::Skipped; 6], vec![Recorded::Kept; 4]].concat();
    assert_eq!(kept, expected);
    let recording = recorder.finish().unwrap();
    assert_eq!((recording.frames, recording.skipped), (4, 6));
    assert_eq!(read_back(&path).1.len(), 4);
}

#[test]
fn repeats_and_equal_times_still_move_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("still.mkv");
    let mut recorder = Recorder::create(&path).unwrap();
    let mut stream = Stream::default();
    for i in 0..6_u64 {
        let mut frame = stream.next(Size::new(96, 64), Coding::Delta);
        frame.stamps.read = MonoTime::from_nanos(START);
        if i >= 3 {
            // Encoded again, 100 ms apart.
            frame.stamps.convert_start = MonoTime::UNSET;
            frame.stamps.encoded = MonoTime::from_nanos(START + (i - 2) * 100_000_000);
        }
        recorder.write(&frame).unwrap();
    }
    recorder.finish().unwrap();
    let millis: Vec<i64> = read_back(&path).1.iter().map(|t| (t * 1000.0).round() as i64).collect();
    assert_eq!(millis, [0, 1, 2, 100, 200, 300]);
}

#[test]
fn a_recording_without_a_frame_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.mkv");
    let recorder = Recorder::create(&path).unwrap();
    assert!(path.exists());
    assert_eq!(recorder.finish(), Ok(Recording::default()));
    assert!(!path.exists());
}

#[test]
fn a_dropped_recorder_leaves_a_readable_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dropped.mkv");
    let mut recorder = Recorder::create(&path).unwrap();
    let mut stream = Stream::default();
    for _ in 0..3 {
        recorder.write(&stream.next(Size::new(96, 64), Coding::Delta)).unwrap();
    }
    drop(recorder);
    assert_eq!(read_back(&path).1.len(), 3);
}

#[test]
fn names_that_cannot_work_are_told_at_once() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let create = |name: &str| Recorder::create(&folder.path().join(name)).map(|_| ());
    assert!(matches!(create("film.nonsense"), Err(RecordError::Create { .. })));
    assert!(matches!(create("missing/film.mkv"), Err(RecordError::Create { .. })));
    assert!(matches!(create("a\0b.mkv"), Err(RecordError::BadPath(_))));
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.mkv"));
    assert!(matches!(Recorder::create(&odd), Err(RecordError::BadPath(_))));
}

#[test]
fn a_keyframe_without_parameter_sets_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(&folder.path().join("bad.mkv")).unwrap();
    let mut frame = Stream::default().next(Size::new(96, 64), Coding::Delta);
    for data in [&[][..], &[0, 0, 0, 1, 0x65, 1, 2, 3]] {
        frame.data = bytes::Bytes::copy_from_slice(data);
        assert_eq!(recorder.write(&frame), Err(RecordError::NoParameterSets(frame.id)));
    }
}
