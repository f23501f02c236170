//! Servers that break rules: the player says so and ends, and never takes in more than it may.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;

use bytes::BytesMut;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, RecvStream, SendStream, ServerConfig};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use stratus_frame::{Codec, FrameId, MonoTime};
use stratus_stream::core::header::FrameHeader;
use stratus_stream::core::link::{CertificateHash, Link};
use stratus_stream::core::message::{MachineTag, Message, Role, Welcome};
use stratus_stream::core::{ALPN, VERSION};
use stratus_stream::{ConnectError, Player, PlayerConfig, PlayerEvent};
use support::{bounded, encode, frame, message, next_id, runtime, token};

/// An endpoint with a certificate of its own and the link to it.
fn listen(alpn: &[u8]) -> (Endpoint, Link) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["rogue".to_owned()]).unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    let hash = ring::digest::digest(&ring::digest::SHA256, &der);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der], key)
        .unwrap();
    tls.alpn_protocols = vec![alpn.to_vec()];
    let config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let endpoint = Endpoint::server(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let port = endpoint.local_addr().unwrap().port();
    let hash = CertificateHash(hash.as_ref().try_into().unwrap());
    (endpoint, Link::new("127.0.0.1", port, token(), hash).unwrap())
}

fn welcome(version: u16) -> Message {
    Message::Welcome(Welcome {
        version,
        session: 1,
        machine: MachineTag::default(),
        size: support::SIZE,
        millifps: 60_000,
        codec: Codec::H264,
        clock: MonoTime::from_nanos(1),
        role: Role::Player,
        game: String::new(),
    })
}

async fn accept(endpoint: &Endpoint, answer: &Message) -> (Connection, SendStream, RecvStream) {
    let connection = bounded(endpoint.accept()).await.unwrap().await.unwrap();
    let (mut send, mut recv) = bounded(connection.accept_bi()).await.unwrap();
    assert!(matches!(message(&mut recv).await, Message::Hello(_)));
    send.write_all(&encode(answer)).await.unwrap();
    (connection, send, recv)
}

/// What a player sees of a server that opens streams with these bytes.
fn seen(streams: Vec<Vec<u8>>) -> (PlayerEvent, Vec<u64>) {
    runtime().block_on(async {
        let (endpoint, link) = listen(ALPN);
        let serving = tokio::spawn(async move {
            let (connection, _send, _recv) = accept(&endpoint, &welcome(VERSION)).await;
            for bytes in streams {
                let mut stream = connection.open_uni().await.unwrap();
                // The player may hang up in the middle.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.finish();
            }
            bounded(connection.closed()).await
        });
        let mut player = bounded(Player::connect(&link, PlayerConfig::default())).await.unwrap();
        assert!(!player.clock().is_same_machine());
        let mut ids = Vec::new();
        let event = loop {
            match bounded(player.next()).await {
                PlayerEvent::Frame(f) => ids.push(f.header.id.0),
                event => break event,
            }
        };
        drop(player);
        bounded(serving).await.unwrap();
        (event, ids)
    })
}

/// A stream for frame `id`, which announces `announced` bytes and has `real`.
fn stream(id: u64, announced: u32, real: usize) -> Vec<u8> {
    let mut header = FrameHeader::of(&frame(id, None), id - 1, MonoTime::now()).unwrap();
    header.payload_len = announced;
    let mut out = BytesMut::new();
    header.encode(&mut out);
    out.extend(std::iter::repeat_n(7, real));
    out.to_vec()
}

#[test]
fn streams_that_break_rules_end_the_connection_with_a_reason() {
    let cases = [
        ("longer than announced", stream(2, 10, 50_000), "a frame of 10 bytes has"),
        ("shorter than announced", stream(2, 100, 99), "a frame of 100 bytes ended after 99"),
        ("above the limit", stream(2, u32::MAX, 0), "above the limit of 16777216"),
        ("a header above its limit", vec![0, 0x40, 0, 1, 0, 0], "above the limit of 1024"),
        ("a header cut off", stream(2, 1, 0)[..50].to_vec(), "ended inside its header"),
        ("nonsense", [&[0, 0x40, 0, 0, 0, 94][..], &[0; 94]].concat(), "id of frame header is 0"),
    ];
    for (name, bytes, reason) in cases {
        let (event, _) = seen(vec![stream(1, 3, 3), bytes]);
        let PlayerEvent::Lost(why) = event else { panic!("{name}: {event:?}") };
        assert!(
            why.contains("the server broke the protocol") && why.contains(reason),
            "{name}: {why}"
        );
    }
}

#[test]
fn streams_of_unknown_kinds_are_skipped_and_an_end_of_a_newer_kind_is_told() {
    runtime().block_on(async {
        let (endpoint, link) = listen(ALPN);
        let serving = tokio::spawn(async move {
            let (connection, mut send, _recv) = accept(&endpoint, &welcome(VERSION)).await;
            let mut unknown = connection.open_uni().await.unwrap();
            unknown.write_all(&[0x7f, 0, 0, 0, 0, 1, 9]).await.unwrap();
            let mut known = FrameHeader::of(&frame(1, None), 0, MonoTime::now()).unwrap();
            known.id = FrameId(1);
            let mut out = BytesMut::new();
            known.encode(&mut out);
            out.extend_from_slice(&support::payload(1));
            let mut stream = connection.open_uni().await.unwrap();
            stream.write_all(&out).await.unwrap();
            stream.finish().unwrap();
            stream.stopped().await.unwrap();
            send.write_all(&[0, 8, 0, 0, 0, 5, 0xab, 0xcd, 0, 1, b'x']).await.unwrap();
            bounded(connection.closed()).await
        });
        let mut player = bounded(Player::connect(&link, PlayerConfig::default())).await.unwrap();
        assert_eq!(next_id(&mut player).await, 1);
        let PlayerEvent::End(end) = bounded(player.next()).await else { panic!("no end") };
        assert_eq!((end.code.to_wire(), end.text.as_str()), (0xabcd, "x"));
        bounded(serving).await.unwrap();
    });
}

#[test]
fn other_versions_and_protocols_are_told_apart() {
    runtime().block_on(async {
        let (endpoint, link) = listen(ALPN);
        let newer = welcome(7);
        let serving = tokio::spawn(async move { accept(&endpoint, &newer).await.0.closed().await });
        let result = bounded(Player::connect(&link, PlayerConfig::default())).await;
        let error = result.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("version 1") && error.contains("version 7"), "{error}");
        bounded(serving).await.unwrap();

        let (endpoint, link) = listen(b"h3");
        // The player also asks whether the port is open, so it must stay so until it has its answer.
        let listening = endpoint.clone();
        let serving = tokio::spawn(async move {
            bounded(listening.accept()).await.unwrap().await.map(|_| ()).unwrap_err()
        });
        let result = bounded(Player::connect(&link, PlayerConfig::default())).await;
        let error = result.map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectError::Protocol { .. }), "{error}");
        bounded(serving).await.unwrap();
        drop(endpoint);
    });
}
