//! From a stranger's first packet to a viewer.

use std::sync::Arc;

use bytes::BytesMut;
use quinn::{Endpoint, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use web_transport_quinn::{RecvStream, SendStream};

use stratus_frame::MonoTime;
use stratus_stream_core::VERSION;
use stratus_stream_core::greeting::{Greeting, Verdict};
use stratus_stream_core::message::{
    EndReason, Hello, MachineTag, Message, Messages, Refusal, RefusalCode, Role, Welcome,
};

use crate::config::ServerConfig;
use crate::connection::{Connection, describe, establish};
use crate::control::Control;
use crate::event::ServerEvent;
use crate::hub::{Hub, Seat};
use crate::identity::machine_tag;
use crate::refusal::{close, refuse};
use crate::session::serve;

/// What all connections of a server share.
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) config: ServerConfig,
}

impl Session {
    /// The machine's tag for those who have this role's token.
    fn machine(&self, role: Role) -> MachineTag {
        let tokens = &self.config.tokens;
        match role {
            Role::Player => machine_tag(&tokens.player),
            Role::Viewer => tokens.viewers.as_ref().map(machine_tag).unwrap_or_default(),
        }
    }
}

/// Lets peers in until `stopped`, then tells the viewers the end; returns the tasks that are left.
pub(crate) async fn accept(
    endpoint: &Endpoint,
    hub: &Arc<Hub>,
    session: &Arc<Session>,
    end: watch::Receiver<()>,
    mut stopped: oneshot::Receiver<EndReason>,
) -> JoinSet<()> {
    let strangers = Arc::new(Semaphore::new(session.config.limits.strangers));
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            incoming = endpoint.accept() => {
                let Some(incoming) = incoming else { return tasks };
                if let Some((incoming, permit)) = admit(incoming, &strangers, session) {
                    let (hub, session, end) = (Arc::clone(hub), Arc::clone(session), end.clone());
                    tasks.spawn(async move { welcome(incoming, permit, hub, session, end).await });
                }
            }
            // Finished tasks must be taken out, or they gather.
            Some(_) = tasks.join_next() => {}
            reason = &mut stopped => {
                if let Ok(reason) = reason {
                    hub.end(&reason);
                }
                return tasks;
            }
        }
    }
}

/// Keeps the number of strangers small; a flood of forged addresses costs a stateless answer each.
fn admit(
    incoming: Incoming,
    strangers: &Arc<Semaphore>,
    session: &Session,
) -> Option<(Incoming, OwnedSemaphorePermit)> {
    let many = strangers.available_permits() <= session.config.limits.strangers / 2;
    if many && incoming.may_retry() && !incoming.remote_address_validated() {
        if let Err(e) = incoming.retry() {
            tracing::debug!(error = %e, "could not ask for proof of an address");
        }
        return None;
    }
    match Arc::clone(strangers).try_acquire_owned() {
        Ok(permit) => Some((incoming, permit)),
        Err(_) => {
            tracing::warn!(remote = %incoming.remote_address(), "too many strangers at once");
            incoming.refuse();
            None
        }
    }
}

async fn welcome(
    incoming: Incoming,
    permit: OwnedSemaphorePermit,
    hub: Arc<Hub>,
    session: Arc<Session>,
    mut end: watch::Receiver<()>,
) {
    let remote = incoming.remote_address();
    let greeted = tokio::select! {
        greeted = greet(incoming, &hub, &session) => greeted,
        // The session ends: a stranger has no claim on its reason.
        _ = end.changed() => return,
    };
    drop(permit);
    match greeted {
        Greeted::Viewer(admitted) => {
            let Admitted { connection, control, seat, hello } = *admitted;
            let (viewer, role) = (seat.id, seat.role);
            hub.event(ServerEvent::Joined { viewer, role, name: hello.name, remote });
            let why = serve(connection, control, seat, &hub, session.config.limits).await;
            hub.event(ServerEvent::Left { viewer, why });
        }
        Greeted::Refused(refusal) => {
            tracing::debug!(%remote, code = ?refusal.code, text = refusal.text, "refused");
            hub.event(ServerEvent::Refused { remote, refusal });
        }
        Greeted::Lost(error) => tracing::debug!(%remote, error, "gone before its hello"),
    }
}

/// A peer that was let in.
struct Admitted {
    connection: Connection,
    control: Control,
    seat: Seat,
    hello: Hello,
}

enum Greeted {
    Viewer(Box<Admitted>),
    Refused(Refusal),
    Lost(String),
}

async fn greet(incoming: Incoming, hub: &Arc<Hub>, session: &Session) -> Greeted {
    let limits = session.config.limits;
    let mut greeting = Greeting::new(MonoTime::now(), limits.hello);
    let connecting = async {
        let connection = incoming.into_future().await.map_err(|e| e.to_string())?;
        establish(connection).await
    };
    let connection = match timeout(limits.hello, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(why)) => return Greeted::Lost(why),
        Err(_) => return Greeted::Lost("the handshake took too long".to_owned()),
    };
    let left = greeting.deadline().since(MonoTime::now());
    let (mut send, mut recv) = match timeout(left, connection.accept_bi()).await {
        Ok(Ok(streams)) => streams,
        Ok(Err(e)) => return Greeted::Lost(describe(&e)),
        Err(_) => {
            let text = "no control stream was opened in time".to_owned();
            let refusal = Refusal { code: RefusalCode::HelloTimeout, text };
            close(&connection, &refusal);
            return Greeted::Refused(refusal);
        }
    };
    let (hello, role) = match hello(&mut greeting, &mut recv, session).await {
        Ok(verdict) => verdict,
        Err(refusal) => {
            refuse(&connection, &mut send, &refusal).await;
            return Greeted::Refused(refusal);
        }
    };
    // What the hello's packets measured; a wrong token never gets this far.
    let seat = match hub.join(role, hello.client, connection.rtt()) {
        Ok(seat) => seat,
        Err(refusal) => {
            refuse(&connection, &mut send, &refusal).await;
            return Greeted::Refused(refusal);
        }
    };
    let control = control(role, (send, recv), greeting.into_messages(), session, hub);
    Greeted::Viewer(Box::new(Admitted { connection, control, seat, hello }))
}

async fn hello(greeting: &mut Greeting, recv: &mut RecvStream, session: &Session) -> Verdict {
    loop {
        let now = MonoTime::now();
        if let Some(verdict) = greeting.poll(now, &session.config.tokens) {
            return verdict;
        }
        let left = greeting.deadline().since(now);
        match timeout(left, recv.read_chunk(4096, true)).await {
            Ok(Ok(Some(chunk))) => greeting.handle_bytes(&chunk.bytes),
            Ok(Ok(None) | Err(_)) => greeting.handle_end(),
            // Next round says so.
            Err(_) => {}
        }
    }
}

/// The control stream with the welcome already waiting to be sent.
fn control(
    role: Role,
    (send, recv): (SendStream, RecvStream),
    messages: Messages,
    session: &Session,
    hub: &Hub,
) -> Control {
    let mut outbox = BytesMut::new();
    let screen = hub.screen();
    let config = &session.config;
    Message::Welcome(Welcome {
        version: VERSION,
        session: session.id,
        machine: session.machine(role),
        size: screen.size,
        millifps: screen.millifps,
        codec: config.codec,
        clock: MonoTime::now(),
        role,
        game: config.game.clone(),
    })
    .encode(&mut outbox);
    Control::new(role, send, recv, messages, outbox, config.clipboard)
}
