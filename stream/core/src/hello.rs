//! How a client and a server greet each other: hello, welcome, and who they say they are.

use bytes::{BufMut, BytesMut};
use stratus_frame::{Codec, MonoTime, Size};

use crate::message::{codec, codec_to_wire, size, time};
use crate::token::Token;
use crate::wire::{Fields, MAX_NAME, WireError, cut};

/// Names the running kernel and its clock to those who know the token; all zero means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineTag(pub [u8; 16]);

impl MachineTag {
    /// Whether both read the same CLOCK_MONOTONIC. Unknown machines never do.
    #[must_use]
    pub fn shares_clock_with(self, other: Self) -> bool {
        self.0 != [0; 16] && self == other
    }
}

/// Random bytes by which a client is known again when it connects anew; all zero means unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientId(pub [u8; 16]);

impl ClientId {
    /// Whether both are the same client. One that is unknown is never known again.
    #[must_use]
    pub fn is_same_as(self, other: Self) -> bool {
        self.0 != [0; 16] && self == other
    }
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plays: its input reaches the game. There is one at most.
    Player,
    /// Watches.
    Viewer,
}

/// The client's first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version that the client speaks.
    pub version: u16,
    /// The session's secret.
    pub token: Token,
    /// Where the client runs.
    pub machine: MachineTag,
    /// What the client calls itself, for logs; cut to [`MAX_NAME`] bytes.
    pub name: String,
    /// Which client this is; unknown where the hello ends before it.
    pub client: ClientId,
}

/// The server's answer to a good hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The version that the server speaks.
    pub version: u16,
    /// Names the session across reconnects.
    pub session: u64,
    /// Where the server runs.
    pub machine: MachineTag,
    /// Visible picture size.
    pub size: Size,
    /// Nominal frame rate, frames in 1000 s (60 fps is 60,000); 0 if there is none.
    pub millifps: u32,
    /// The codec of all frames.
    pub codec: Codec,
    /// The server's clock as it wrote this.
    pub clock: MonoTime,
    /// What the client may do; a viewer where the welcome ends before it.
    pub role: Role,
    /// What is played, for people; cut to [`MAX_NAME`] bytes. Empty: not known.
    pub game: String,
}

fn put_name(out: &mut BytesMut, name: &str) {
    let name = cut(name, MAX_NAME);
    out.put_u8(name.len() as u8);
    out.put_slice(name.as_bytes());
}

impl Hello {
    pub(crate) fn put(&self, out: &mut BytesMut) {
        out.put_u16(self.version);
        out.put_slice(self.token.as_bytes());
        out.put_slice(&self.machine.0);
        put_name(out, &self.name);
        out.put_slice(&self.client.0);
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("hello", payload);
        let version = f.u16("version")?;
        let token = Token::new(f.array("token")?);
        let machine = MachineTag(f.array("machine")?);
        let n = f.u8("name length")?;
        let name = f.text("name", n.into(), MAX_NAME)?;
        let client = if f.is_empty() { [0; 16] } else { f.array("client id")? };
        Ok(Self { version, token, machine, name, client: ClientId(client) })
    }
}

impl Welcome {
    pub(crate) fn put(&self, out: &mut BytesMut) {
        out.put_u16(self.version);
        out.put_u64(self.session);
        out.put_slice(&self.machine.0);
        out.put_u32(self.size.width);
        out.put_u32(self.size.height);
        out.put_u32(self.millifps);
        out.put_u8(codec_to_wire(self.codec));
        out.put_u64(self.clock.as_nanos());
        out.put_u8(match self.role {
            Role::Player => 0,
            Role::Viewer => 1,
        });
        put_name(out, &self.game);
    }

    pub(crate) fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let f = &mut Fields::new("welcome", payload);
        let version = f.u16("version")?;
        let session = f.u64("session")?;
        let machine = MachineTag(f.array("machine")?);
        let (size, millifps) = (size(f)?, f.u32("frame rate")?);
        let (codec, clock) = (codec(f)?, time(f, "clock")?);
        let (mut role, mut game) = (Role::Viewer, String::new());
        if !f.is_empty() {
            role = match f.u8("role")? {
                0 => Role::Player,
                1 => Role::Viewer,
                n => return Err(f.bad("role", n.into())),
            };
            let n = f.u8("game name length")?;
            game = f.text("game name", n.into(), MAX_NAME)?;
        }
        Ok(Self { version, session, machine, size, millifps, codec, clock, role, game })
    }
}
