//! The lines of a conversation that has every kind of argument, as text and as JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::task::Waker;

use stratus_protocols::{InterfaceId, wl_surface};
use stratus_proxy_core::{
    ClientId, Context, Direction, Hook, Interest, Malformed, Message, Observer, PassThrough, Side,
    Verdict,
};
use stratus_trace::{Format, Hub, Options, Printer, QUEUE_LIMIT, Times};
use support::*;

/// Patches the scale, drops the offset, and answers a commit with an event of its own.
struct Meddles;

impl Hook for Meddles {
    fn interests(&self) -> Vec<Interest> {
        [
            wl_surface::REQ_SET_BUFFER_SCALE_OPCODE,
            wl_surface::REQ_OFFSET_OPCODE,
            wl_surface::REQ_COMMIT_OPCODE,
        ]
        .map(|opcode| Interest {
            interface: InterfaceId::WlSurface,
            direction: Direction::Request,
            opcode,
        })
        .to_vec()
    }

    fn request(&mut self, cx: &mut Context<'_>, m: &mut Message<'_>) -> Result<Verdict, Malformed> {
        match m.opcode {
            wl_surface::REQ_SET_BUFFER_SCALE_OPCODE => m.patch(0, 1)?,
            wl_surface::REQ_OFFSET_OPCODE => return Ok(Verdict::Drop),
            _ => cx.send_event(m.sender, wl_surface::EVT_PREFERRED_BUFFER_SCALE_OPCODE, |w| {
                w.int(2);
            }),
        }
        Ok(Verdict::Forward)
    }

    fn event(&mut self, _: &mut Context<'_>, _: &mut Message<'_>) -> Result<Verdict, Malformed> {
        Ok(Verdict::Forward)
    }
}

const GLOBALS: [&str; 5] =
    ["wl_compositor", "wl_shm", "wl_seat", "xdg_wm_base", "wl_data_device_manager"];

/// What one side says at once, with how many fds.
type Said = (Side, Vec<u8>, usize);

/// A conversation with every kind of argument; all of it legal but for some of the last.
fn conversation() -> Vec<Said> {
    use Side::{Client, Compositor};
    let fixed = |number: f64| ((number * 256.0) as i32).cast_unsigned();
    let states: Vec<u8> = [1u32, 4, 77].iter().flat_map(|s| s.to_ne_bytes()).collect();
    let mut said = vec![(Client, message(1, 1, &[2]), 0)];
    for (name, interface) in (1..).zip(GLOBALS) {
        let version = InterfaceId::find(interface).unwrap().version();
        said.push((Compositor, global(name, interface, version), 0));
    }
    said.extend([
        (Client, bind(1, "wl_compositor", 6, 3), 0),
        (Client, message(3, 0, &[4]), 0),
        (Client, bind(2, "wl_shm", 1, 5), 0),
        (Compositor, message(5, 0, &[1]), 0),
        (Compositor, message(5, 0, &[0x2020_2020]), 0),
        (Client, message(5, 0, &[6, 4096]), 1),
        (Client, message(6, 0, &[7, 0, 32, 32, 128, 1]), 0),
        (Client, message(4, 1, &[7, 0, 0]), 0),
        (Client, message(4, wl_surface::REQ_DAMAGE_OPCODE, &[(-3i32).cast_unsigned(), 0, 8, 8]), 0),
        (Client, message(4, 1, &[0, 0, 0]), 0),
        (Client, message(4, wl_surface::REQ_SET_BUFFER_SCALE_OPCODE, &[3]), 0),
        (Client, message(4, wl_surface::REQ_OFFSET_OPCODE, &[5, 6]), 0),
        (Client, message(4, wl_surface::REQ_COMMIT_OPCODE, &[]), 0),
        (Client, bind(3, "wl_seat", 7, 8), 0),
        (Compositor, message(8, 0, &[3]), 0),
        (Compositor, message(8, 1, &text("S\"1\"\n\u{202e}é".as_bytes())), 0),
        (Compositor, message(8, 1, &text(b"\xff\\\x1b")), 0),
        (Client, message(8, 0, &[9]), 0),
        (Client, message(8, 1, &[10]), 0),
        (Compositor, message(9, 0, &[20, 4, fixed(12.5), fixed(-0.25)]), 0),
        (Compositor, message(10, 0, &[1, 99]), 1),
        (Compositor, message(10, 1, &[vec![21, 4], array(&[30, 0, 0, 0])].concat()), 0),
        (Client, bind(4, "xdg_wm_base", 5, 11), 0),
        (Client, message(11, 2, &[12, 4]), 0),
        (Client, message(12, 1, &[13]), 0),
        (Compositor, message(13, 0, &[vec![640, 480], array(&states)].concat()), 0),
        (Client, bind(5, "wl_data_device_manager", 3, 14), 0),
        (Client, message(14, 1, &[15, 8]), 0),
        (Compositor, message(15, 0, &[0xff00_0000]), 0),
        (Compositor, message(0xff00_0000, 0, &text(b"text/plain")), 0),
        (Compositor, message(0xff00_0000, 1, &[3]), 0),
        (Client, message(0xff00_0000, 0, &[22, 0]), 0),
        (Client, message(9, 0, &[22, 99, 0, 0]), 0),
        (Compositor, message(4, 0, &[98]), 0),
        (Compositor, [message(4, 0, &[98, 1]), message(10, 1, &[23, 4, 100])].concat(), 0),
        (Compositor, message(1, 0, &[vec![13, 1], text(b"no")].concat()), 0),
    ]);
    said
}

fn hold<H: Hook>(stage: &mut Stage<H>, said: &[Said]) {
    for (from, bytes, fds) in said {
        stage.say(*from, bytes, *fds);
    }
}

const LINES: &str = r#"
-> wl_display@1.get_registry(new id wl_registry@2)
<- wl_registry@2.global(1, "wl_compositor", VERSION)
<- wl_registry@2.global(2, "wl_shm", VERSION)
<- wl_registry@2.global(3, "wl_seat", VERSION)
<- wl_registry@2.global(4, "xdg_wm_base", VERSION)
<- wl_registry@2.global(5, "wl_data_device_manager", VERSION)
-> wl_registry@2.bind(1, "wl_compositor", 6, new id wl_compositor@3)
-> wl_compositor@3.create_surface(new id wl_surface@4)
-> wl_registry@2.bind(2, "wl_shm", 1, new id wl_shm@5)
<- wl_shm@5.format(xrgb8888)
<- wl_shm@5.format(538976288)
-> wl_shm@5.create_pool(new id wl_shm_pool@6, fd, 4096)
-> wl_shm_pool@6.create_buffer(new id wl_buffer@7, 0, 32, 32, 128, xrgb8888)
-> wl_surface@4.attach(wl_buffer@7, 0, 0)
-> wl_surface@4.damage(-3, 0, 8, 8)
-> wl_surface@4.attach(nil, 0, 0)
-> wl_surface@4.set_buffer_scale(3)
-> changed wl_surface@4.set_buffer_scale(1)
-> wl_surface@4.offset(5, 6)
-> dropped wl_surface@4.offset(5, 6)
-> wl_surface@4.commit()
<- own wl_surface@4.preferred_buffer_scale(2)
-> wl_registry@2.bind(3, "wl_seat", 7, new id wl_seat@8)
<- wl_seat@8.capabilities(pointer|keyboard)
<- wl_seat@8.name("S\"1\"\n\u{202e}é")
<- wl_seat@8.name("\xff\\\u{1b}")
-> wl_seat@8.get_pointer(new id wl_pointer@9)
-> wl_seat@8.get_keyboard(new id wl_keyboard@10)
<- wl_pointer@9.enter(20, wl_surface@4, 12.5, -0.25)
<- wl_keyboard@10.keymap(xkb_v1, fd, 99)
<- wl_keyboard@10.enter(21, wl_surface@4, array[4])
-> wl_registry@2.bind(4, "xdg_wm_base", 5, new id xdg_wm_base@11)
-> xdg_wm_base@11.get_xdg_surface(new id xdg_surface@12, wl_surface@4)
-> xdg_surface@12.get_toplevel(new id xdg_toplevel@13)
<- xdg_toplevel@13.configure(640, 480, array[12](maximized activated 77))
-> wl_registry@2.bind(5, "wl_data_device_manager", 3, new id wl_data_device_manager@14)
-> wl_data_device_manager@14.get_data_device(new id wl_data_device@15, wl_seat@8)
<- wl_data_device@15.data_offer(new id wl_data_offer@4278190080)
<- wl_data_offer@4278190080.offer("text/plain")
<- wl_data_offer@4278190080.source_actions(copy|move)
-> wl_data_offer@4278190080.accept(22, nil)
-> wl_pointer@9.set_cursor(22, [unknown]@99, 0, 0)
<- wl_surface@4.enter([unknown]@98)
<- wl_surface@4.enter([unknown]@98 +4 bytes)
<- wl_keyboard@10.enter(23, wl_surface@4, …malformed)
<- wl_display@1.error(xdg_toplevel@13, invalid_parent, "no")
"#;

/// The expected lines, with the versions of the tables and, where nobody meddles, without what
/// the hook does.
fn expected(meddled: bool) -> Vec<String> {
    let by_hook = ["-> changed", "-> dropped", "<- own"];
    LINES
        .trim()
        .lines()
        .filter(|line| meddled || !by_hook.iter().any(|start| line.starts_with(start)))
        .map(|line| match line.split('"').nth(1).and_then(InterfaceId::find) {
            Some(id) => line.replace("VERSION", &id.version().to_string()),
            None => line.to_owned(),
        })
        .collect()
}

#[test]
fn every_kind_of_argument_has_its_text() {
    let mut stage = Stage::new(Meddles);
    let feed = stage.feed();
    hold(&mut stage, &conversation());
    let lines = stage.lines(feed, &Options::default());
    let prefix = "[     0.000000] {1} ";
    let rest: Vec<&str> = lines.iter().map(|l| l.strip_prefix(prefix).expect(l)).collect();
    assert_eq!(rest.join("\n"), expected(true).join("\n"));
}

#[test]
fn who_attaches_in_the_middle_sees_the_rest_with_the_same_names() {
    let said = conversation();
    let mut whole = Stage::new(PassThrough);
    let feed = whole.feed();
    hold(&mut whole, &said);
    let all = whole.lines(feed, &Options::default());
    for attach_at in [1, 7, 16, 30] {
        let mut stage = Stage::new(PassThrough);
        stage.hook.client_added(ClientId(1), Some(std::process::id()));
        hold(&mut stage, &said[..attach_at]);
        let feed = stage.feed();
        hold(&mut stage, &said[attach_at..]);
        let lines = stage.lines(feed, &Options::default());
        let (id, name) = (std::process::id(), std::fs::read_to_string("/proc/self/comm").unwrap());
        assert_eq!(lines[0], format!("# client 1 is connected: process {id} ({})", name.trim()));
        assert_eq!(lines[1..], all[attach_at..], "from {attach_at} on");
    }
}

#[test]
fn numbers_stay_numbers_where_that_is_wanted() {
    let mut stage = Stage::new(PassThrough);
    let feed = stage.feed();
    hold(&mut stage, &conversation());
    let options = Options {
        numbers: true,
        only: vec!["wl_shm".into(), "xdg_toplevel".into()],
        ..Options::default()
    };
    let lines = stage.lines(feed, &options);
    assert!(lines[0].ends_with("<- wl_shm@5.format(1)"), "{lines:#?}");
    assert!(lines[3].ends_with("<- xdg_toplevel@13.configure(640, 480, array[12])"), "{lines:#?}");
}

#[test]
fn filters_take_out_what_they_say() {
    let shown = |options: &Options| {
        let mut stage = Stage::new(Meddles);
        let feed = stage.feed();
        hold(&mut stage, &conversation());
        let lines = stage.lines(feed, options);
        lines.iter().map(|l| l.split("} ").nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = expected(true);
    let with = |keep: &dyn Fn(&str) -> bool| -> Vec<String> {
        all.iter().filter(|line| keep(line)).cloned().collect()
    };
    let patterns = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect();
    /// Whether an object and a message are to be shown.
    type Keep<'a> = &'a dyn Fn(&str, &str) -> bool;
    let cases: [(&[&str], &[&str], Keep<'_>); 4] = [
        (&["wl_surface"], &[], &|object, _| object == "wl_surface@4"),
        (&["xdg_*"], &["*.configure"], &|object, message| {
            object.starts_with("xdg_") && message != "configure"
        }),
        (&["wl_surface.commit", "@8"], &["@8.get_keyboard"], &|object, message| {
            message == "commit" || object == "wl_seat@8" && message != "get_keyboard"
        }),
        (&[], &["*@4", "wl_registry@2"], &|object, _| {
            object != "wl_surface@4" && object != "wl_registry@2"
        }),
    ];
    for (only, except, keep) in cases {
        let (only, except) = (patterns(only), patterns(except));
        let options = Options { only, except, ..Options::default() };
        let keep = |line: &str| {
            let head = line.split('(').next().unwrap().rsplit(' ').next().unwrap();
            let (object, message) = head.split_once('.').unwrap();
            keep(object, message)
        };
        assert_eq!(shown(&options), with(&keep), "{options:?}");
    }
    let requests = Options { no_events: true, ..Options::default() };
    assert_eq!(shown(&requests), with(&|l| l.starts_with("->")));
    let events = Options { no_requests: true, ..Options::default() };
    assert_eq!(shown(&events), with(&|l| l.starts_with("<-")));
    let changes = Options { only_changes: true, ..Options::default() };
    assert_eq!(
        shown(&changes),
        with(&|l| [" changed ", " dropped ", " own "].iter().any(|m| l.contains(m)))
    );
    assert_eq!(shown(&Options { clients: vec![1], ..Options::default() }), all);
    assert!(shown(&Options { clients: vec![2], ..Options::default() }).is_empty());
}

#[test]
fn json_lines_have_the_keys_that_are_documented() {
    let mut stage = Stage::new(Meddles);
    let feed = stage.feed();
    stage.hook.client_added(ClientId(1), None);
    hold(&mut stage, &conversation());
    stage.hook.client_gone(ClientId(1));
    let lines = stage.lines(feed, &Options { format: Format::Json, ..Options::default() });
    let values: Vec<serde_json::Value> =
        lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let event = |name: &str| values.iter().find(|v| v["event"] == name).unwrap();
    assert_eq!(event("client_added")["process"], serde_json::Value::Null);
    assert_eq!(event("client_gone")["client"], 1);
    let message = |name: &str| {
        let found = lines.iter().find(|l| l.contains(&format!("\"message\":\"{name}\"")));
        found.unwrap().as_str()
    };
    let start = r#"{"event":"message","time":0.0,"client":1,"direction":"#;
    for (name, rest) in [
        (
            "create_pool",
            r#""request","step":"came","object":5,"interface":"wl_shm","version":1,"message":"create_pool","opcode":0,"args":[{"new_id":6,"interface":"wl_shm_pool"},{"fd":null},{"int":4096}]}"#,
        ),
        (
            "attach",
            r#""request","step":"came","object":4,"interface":"wl_surface","version":6,"message":"attach","opcode":1,"args":[{"object":7,"interface":"wl_buffer"},{"int":0},{"int":0}]}"#,
        ),
        (
            "accept",
            r#""request","step":"came","object":4278190080,"interface":"wl_data_offer","version":3,"message":"accept","opcode":0,"args":[{"uint":22},{"string":null}]}"#,
        ),
        (
            "capabilities",
            r#""event","step":"came","object":8,"interface":"wl_seat","version":7,"message":"capabilities","opcode":0,"args":[{"uint":3,"name":"pointer|keyboard"}]}"#,
        ),
        (
            "preferred_buffer_scale",
            r#""event","step":"own","object":4,"interface":"wl_surface","version":6,"message":"preferred_buffer_scale","opcode":2,"args":[{"int":2}]}"#,
        ),
        (
            "configure",
            r#""event","step":"came","object":13,"interface":"xdg_toplevel","version":5,"message":"configure","opcode":0,"args":[{"int":640},{"int":480},{"array":"01000000040000004d000000","words":["maximized","activated","77"]}]}"#,
        ),
    ] {
        assert_eq!(message(name), format!("{start}{rest}"));
    }
    let enters: Vec<_> = values.iter().filter(|v| v["message"] == "enter").collect();
    assert_eq!(enters[0]["args"][2]["fixed"], 12.5);
    assert_eq!(enters[0]["args"][3]["fixed"], -0.25);
    assert_eq!((&enters[3]["surplus"], &enters[4]["malformed"]), (&4.into(), &true.into()));
}

#[test]
fn a_reader_that_falls_behind_is_told_how_much_it_missed() {
    let (hub, mut tap) = Hub::new(Waker::noop().clone());
    assert!(!tap.active());
    let mut slow = hub.attach(200);
    let quick = hub.attach(QUEUE_LIMIT);
    assert!(tap.active());
    for client in 1..=100 {
        tap.client_added(ClientId(client), None);
    }
    let mut batch = slow.take().unwrap();
    let lost = batch.lost;
    let mut kept = 0;
    while batch.next_record().unwrap().is_some() {
        kept += 1;
    }
    assert!(kept > 0 && lost > 0 && kept + lost == 100, "{kept} and {lost}");
    // With room again, it hears again.
    tap.client_added(ClientId(101), None);
    drop(tap);
    let mut lines = Vec::new();
    Printer::new(&Options::default()).unwrap().print_all(slow, &mut lines).unwrap();
    assert_eq!(String::from_utf8(lines).unwrap(), "# client 101 is connected\n");
    let mut all = Vec::new();
    Printer::new(&Options::default()).unwrap().print_all(quick, &mut all).unwrap();
    assert_eq!(all.split(|b| *b == b'\n').count(), 102);
    assert!(hub.attach(200).take().is_none(), "the proxy is gone");
}

#[test]
fn lost_lines_are_told_in_their_place() {
    let printer = Printer::new(&Options::default()).unwrap();
    let mut out = String::new();
    printer.print_lost(&mut out, 7);
    assert_eq!(out, "# 7 messages are missing here: they came faster than they were read\n");
    let options = Options { format: Format::Json, times: Times::Wall, ..Options::default() };
    out.clear();
    Printer::new(&options).unwrap().print_lost(&mut out, 7);
    assert_eq!(out, "{\"event\":\"lost\",\"count\":7}\n");
}
