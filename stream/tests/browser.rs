//! What browsers meet: WebTransport on the port of the native protocol, and the page beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use stratus_stream::core::VERSION;
use stratus_stream::core::link::Scheme;
use stratus_stream::core::message::{EndCode, EndReason, Message, Role};
use stratus_stream::{Limits, Server, ServerEvent};
use support::web::Web;
use support::{
    PATIENCE, Running, bounded, config, encode, frame, hello, next_id, play, runtime, start,
    start_with,
};

#[test]
fn a_browser_gets_the_same_frames_as_a_native_player() {
    let running = start(Limits::default());
    let runtime = runtime();
    let mut player = runtime.block_on(play(&running));
    let web = runtime.block_on(Web::connect(&running, "/")).unwrap();
    let (_send, _recv, welcome) = runtime.block_on(web.join());
    assert_eq!((welcome.role, welcome.game.as_str()), (Role::Viewer, "a game"));
    // Each may miss some while others are on their way to it.
    let watching = runtime.spawn(async move {
        let mut ids = Vec::new();
        while ids.len() < 30 {
            ids.push(web.next_frame().await);
        }
        ids
    });
    let playing = runtime.spawn(async move {
        for _ in 0..30 {
            next_id(&mut player).await;
        }
    });
    let mut id = 0;
    while !(watching.is_finished() && playing.is_finished()) && id < 4000 {
        id += 1;
        running.server.publisher().publish(&frame(id, None));
        std::thread::sleep(Duration::from_millis(5));
    }
    let ids = runtime.block_on(bounded(watching)).unwrap();
    assert!(ids.iter().all(|i| *i <= id), "{ids:?}");
    runtime.block_on(bounded(playing)).unwrap();
}

#[test]
fn a_browser_hears_the_end_and_leaves() {
    let running = start(Limits::default());
    let runtime = runtime();
    let web = runtime.block_on(Web::connect(&running, "/")).unwrap();
    let (_send, mut recv, _) = runtime.block_on(web.join());
    let Running { server, .. } = running;
    let ending = std::thread::spawn(move || {
        server.end(EndReason { code: EndCode::GameExited, text: "the game exited".to_owned() });
    });
    let Message::End(end) = runtime.block_on(web.message(&mut recv)) else { panic!("no end") };
    assert_eq!(end.code, EndCode::GameExited);
    let closed = runtime.block_on(web.closed());
    assert_eq!(closed, (0, "the game exited".to_owned()));
    ending.join().unwrap();
}

#[test]
fn a_browser_is_refused_with_code_and_text() {
    let running = start(Limits::default());
    let runtime = runtime();
    runtime.block_on(async {
        let web = Web::connect(&running, "/").await.unwrap();
        let (_send, mut recv) = web.say(&hello(9)).await;
        let Message::Refused(refusal) = web.message(&mut recv).await else { panic!("let in") };
        let (code, text) = web.closed().await;
        assert_eq!((code, text), (1, refusal.text));

        let web = Web::connect(&running, "/").await.unwrap();
        let (mut send, _recv, _) = web.join().await;
        let end = EndReason { code: EndCode::Stopped, text: "no, you end".to_owned() };
        bounded(send.write_all(&encode(&Message::End(end)))).await.unwrap();
        assert_eq!(web.closed().await.0, 7);

        assert!(Web::connect(&running, "/other").await.is_err(), "sessions are at / alone");
    });
}

#[test]
fn a_browser_that_never_asks_or_asks_nonsense_is_sent_away() {
    let limits = Limits { hello: Duration::from_millis(300), strangers: 4, ..Limits::default() };
    let running = start(limits);
    let runtime = runtime();
    runtime.block_on(async {
        let mut silent = Vec::new();
        for _ in 0..3 {
            silent.push(support::web::http3(&running).await);
        }
        // Settings that are none, on the stream where they belong.
        let nonsense = support::web::http3(&running).await;
        let mut stream = bounded(nonsense.1.open_uni()).await.unwrap();
        bounded(stream.write_all(&[0, 4, 200, 1, 2, 3])).await.unwrap();
        bounded(nonsense.1.closed()).await;
        for (_, connection) in &silent {
            bounded(connection.closed()).await;
        }
        // All of their places are free again.
        Web::connect(&running, "/").await.unwrap().join().await;
    });
}

#[test]
fn a_tab_that_is_closed_leaves_at_once() {
    let running = start(Limits::default());
    let runtime = runtime();
    let web = runtime.block_on(Web::connect(&running, "/")).unwrap();
    let control = runtime.block_on(web.join());
    running.wait("join", |e| matches!(e, ServerEvent::Joined { .. }).then_some(()));
    drop((control, web));
    running.wait("leave", |e| matches!(e, ServerEvent::Left { .. }).then_some(()));
    assert_eq!(running.server.publisher().viewers(), 0);
}

/// What the server's port in TCP answers to `request`.
fn ask(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(to: SocketAddr, path: &str, host: &str) -> String {
    ask(to, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

#[test]
fn the_page_is_had_without_tls_on_this_machine_alone() {
    let running = start(Limits::default());
    assert_eq!(running.server.link().scheme(), Scheme::Http);
    let to = running.server.local_addr();
    let own = to.to_string();
    let page = get(to, "/", &own);
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("content-type: text/html; charset=utf-8"), "{page}");
    assert!(page.contains("cross-origin-opener-policy: same-origin"), "{page}");
    assert!(page.contains("default-src 'none'") && page.contains("<!doctype html>"), "{page}");
    let by_name = get(to, "/", &format!("localhost:{}", to.port()));
    assert!(by_name.contains(&format!("connect-src 'self' https://{own}")), "{by_name}");
    let head = ask(to, &format!("HEAD / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(get(to, "/secret", &own).starts_with("HTTP/1.1 404"));
    let post = ask(to, &format!("POST / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"));
    assert!(post.starts_with("HTTP/1.1 405") && post.contains("allow: GET, HEAD"), "{post}");
    let foreign = get(to, "/session.json", "evil.example");
    assert!(foreign.starts_with("HTTP/1.1 421") && !foreign.contains("certificate"), "{foreign}");
    let nameless = ask(to, "GET / HTTP/1.0\r\n\r\n");
    assert!(nameless.starts_with("HTTP/1.0 400"), "{nameless}");
}

#[test]
fn the_session_is_told_without_its_secrets() {
    let running = start(Limits::default());
    let to = running.server.local_addr();
    let answer = get(to, "/session.json", &to.to_string());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("cache-control: no-store"), "{head}");
    let session: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(session["game"], "a game");
    assert_eq!(session["webtransport"], format!("https://{to}/"));
    assert_eq!(session["clipboard"], true);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let days = (session["expires"].as_u64().unwrap() - now.as_secs()) as f64 / 86_400.0;
    assert!((13.0..14.0).contains(&days), "{days}");
    for link in [running.server.link(), running.server.viewers_link().unwrap()] {
        let link = link.to_string();
        let (token, certificate) = link.split_once('#').unwrap().1.split_once('.').unwrap();
        assert_eq!(session["certificate"], certificate);
        assert!(!answer.contains(token));
    }
}

#[test]
fn other_machines_get_the_page_over_tls() {
    let mut config = config(Limits::default());
    config.listen = ([0, 0, 0, 0], 0).into();
    let running = start_with(config);
    let link = running.server.link();
    assert_eq!((link.scheme(), link.host()), (Scheme::Https, "127.0.0.1"));
    let to = SocketAddr::from(([127, 0, 0, 1], link.port()));
    let plain = get(to, "/some?thing", "play.example:80");
    assert!(plain.starts_with("HTTP/1.1 308"), "{plain}");
    let location = format!("location: https://play.example:{}/some\r\n", link.port());
    assert!(plain.contains(&location), "{plain}");
    let runtime = runtime();
    let page = runtime.block_on(support::web::get_over_tls(to, "/session.json", "play.example"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains(&format!("https://play.example:{}/", link.port())), "{page}");
    // The stream goes on beside it, for both kinds.
    runtime.block_on(async {
        play(&running).await;
        Web::connect(&running, "/").await.unwrap().join().await;
    });
}

#[test]
fn the_page_holds_out_against_the_rude() {
    let running = start(Limits { pages: 4, ..Limits::default() });
    let to = running.server.local_addr();
    let long = format!("GET / HTTP/1.1\r\nHost: {to}\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let answer = ask(to, &long);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(ask(to, "\x16\x03\x01 garbage\r\n\r\n").starts_with("HTTP/1.1 400"));
    // As many as find a place say nothing; they are sent away, and then others are answered.
    let _silent: Vec<_> = (0..4).map(|_| TcpStream::connect(to).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(50));
    assert!(get(to, "/", &to.to_string()).starts_with("HTTP/1.1 200"));
}

#[test]
fn certificates_follow_each_other_and_links_stay_good() {
    let mut config = config(Limits::default());
    config.certificate_validity = Duration::from_secs(4);
    let running = start_with(config);
    let to = running.server.local_addr();
    let certificate = || {
        let answer = get(to, "/session.json", &to.to_string());
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let session: serde_json::Value = serde_json::from_str(body).unwrap();
        (session["certificate"].as_str().unwrap().to_owned(), session["expires"].as_u64().unwrap())
    };
    let (first, expires) = certificate();
    let deadline = std::time::Instant::now() + PATIENCE;
    while certificate().0 == first {
        assert!(std::time::Instant::now() < deadline, "it is never renewed");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(certificate().1 > expires);
    let runtime = runtime();
    runtime.block_on(async {
        // The link names the first certificate for ever; a browser is shown the newest.
        play(&running).await;
        let web = Web::connect(&running, "/").await.unwrap();
        assert_eq!(web.certificate(), certificate().0);
        web.join().await;
    });
}

#[test]
fn both_sockets_have_one_port() {
    let server = Server::start(config(Limits::default()), std::sync::Arc::new(|_| ())).unwrap();
    assert_eq!(server.local_addr().port(), server.link().port());
    TcpStream::connect(server.local_addr()).unwrap();
    assert_eq!(VERSION, 1);
}
