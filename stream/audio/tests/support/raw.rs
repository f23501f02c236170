//! A client built on the types of another library.

use std::ffi::CString;
use std::io::{BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use pulseaudio::protocol::{
    AuthParams, AuthReply, ChannelMap, Command, CommandReply, CreatePlaybackStreamReply,
    MAX_VERSION, PlaybackStreamParams, Prop, Props, ProtocolError, SampleFormat, SampleSpec,
    SetClientNameReply, read_reply_message, write_command_message,
};

/// A connection to a server.
pub struct Raw(pub BufReader<UnixStream>);

impl Raw {
    /// Just a socket.
    pub fn open(place: &Path) -> Self {
        let socket = UnixStream::connect(place.join("pulse/native")).unwrap();
        Self::over(socket)
    }

    /// Over a socket that was connected by other means.
    pub fn over(socket: UnixStream) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(socket))
    }

    pub fn greet(place: &Path) -> Self {
        let mut raw = Self::open(place);
        raw.say_hello();
        raw
    }

    pub fn say_hello(&mut self) {
        let auth = AuthParams {
            version: MAX_VERSION,
            supports_shm: true,
            supports_memfd: true,
            cookie: vec![0; 256],
        };
        let reply: AuthReply = self.ask(&Command::Auth(auth)).unwrap();
        assert!(!reply.use_shm && !reply.use_memfd, "no memory is shared");
        let mut props = Props::new();
        props.set(Prop::ApplicationName, CString::new("raw").unwrap());
        let _: SetClientNameReply = self.ask(&Command::SetClientName(props)).unwrap();
    }

    pub fn say(&mut self, command: &Command) -> Result<(), ProtocolError> {
        write_command_message(self.0.get_mut(), 1, command, MAX_VERSION)
    }

    pub fn ask<R: CommandReply>(&mut self, command: &Command) -> Result<R, ProtocolError> {
        self.say(command)?;
        Ok(read_reply_message(&mut self.0, MAX_VERSION)?.1)
    }

    pub fn play(&mut self, seconds: u32) -> Result<CreatePlaybackStreamReply, ProtocolError> {
        let spec = SampleSpec { format: SampleFormat::S16Le, channels: 2, sample_rate: 48_000 };
        let mut params = PlaybackStreamParams {
            sample_spec: spec,
            channel_map: ChannelMap::stereo(),
            ..PlaybackStreamParams::default()
        };
        params.buffer_attr.target_length = seconds * 192_000;
        self.ask(&Command::CreatePlaybackStream(params))
    }

    /// A stream that is read on whether or not there is something, as games have that care for
    /// delay.
    pub fn play_at_once(&mut self) -> CreatePlaybackStreamReply {
        let spec = SampleSpec { format: SampleFormat::S16Le, channels: 2, sample_rate: 48_000 };
        let mut params = PlaybackStreamParams {
            sample_spec: spec,
            channel_map: ChannelMap::stereo(),
            ..PlaybackStreamParams::default()
        };
        params.buffer_attr.target_length = 0;
        params.buffer_attr.pre_buffering = 0;
        self.ask(&Command::CreatePlaybackStream(params)).unwrap()
    }

    /// Whether the server let it go: it answers nothing more, and the socket is at its end.
    pub fn is_let_go(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(e) => e.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
