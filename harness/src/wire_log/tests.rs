//! Logs of several libraries, their normal form and their differences.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// The same conversation as libwayland 1.21, libwayland 1.24 and wayland-rs print it.
const OLD: &str = r#"
info: a line of the client's own
[1746391.474]  -> wl_display@1.get_registry(new id wl_registry@2)
[1746391.623] wl_registry@2.global(1, "wl_shm", 1)
[1746391.631]  -> wl_registry@2.bind(1, "wl_shm", 1, new id [unknown]@4)
[1746391.640]  -> wl_shm@4.create_pool(new id wl_shm_pool@5, fd 7, 4096)
[   6391.702] discarded wl_shm@4.format(0)
[1746391.712] xdg_toplevel@9.configure(0, 0, array[4])
[1746391.722] xdg_surface@8.configure(41)
[1746391.730]  -> xdg_surface@8.ack_configure(41)
[1746391.740]  -> wl_surface@6.attach(nil, 0, 0)
[1746391.741]  -> xdg_toplevel@9.set_title("a, (b) [c]")
"#;
const NEW: &str = "
[ 746391.474] {Display Queue} \x1b[36m -> \x1b[0mwl_display#1.get_registry(new id wl_registry#2)
[ 746391.623] {Default Queue} TID#812 wl_registry#2.global(1, \"wl_shm\", 1)
[ 746391.631] {Default Queue} TID#812  -> wl_registry#2.bind(1, \"wl_shm\", 1, new id [unknown]#4)
[ 746391.640] {Default Queue}  -> wl_shm#4.create_pool(new id wl_shm_pool#5, fd 9, 4096)
[ 746391.702] {Default Queue} discarded wl_shm#4.format(0)
[ 746391.712] {Default Queue} xdg_toplevel#9.configure(0, 0, array[4])
[ 746391.722] {Default Queue} xdg_surface#8.configure(1041)
[ 746391.730] {Default Queue}  -> xdg_surface#8.ack_configure(1041)
[ 746391.740] {Default Queue}  -> wl_surface#6.attach(nil, 0, 0)
[ 746391.741] {Default Queue}  -> xdg_toplevel#9.set_title(\"a, (b) [c]\")
";

#[test]
fn both_formats_of_libwayland_say_the_same() {
    let (old, new) = (Log::parse(OLD), Log::parse(NEW));
    assert_eq!((old.messages.len(), old.unread.len()), (10, 0), "{old:?}");
    assert_eq!((new.messages.len(), new.unread.len()), (10, 0), "{new:?}");
    assert_eq!(compare(&old, &new, Order::Whole), []);
    let bind = &old.normalised()[2];
    assert_eq!(bind.to_string(), "-> wl_registry#1.bind(1, \"wl_shm\", 1, new id wl_shm#1)");
    let title = &old.messages[9];
    assert_eq!(title.args, ["\"a, (b) [c]\""]);
    assert!(old.messages[4].discarded && old.messages[4].way == Way::Received);
}

#[test]
fn the_format_of_wayland_rs_is_read() {
    let log = Log::parse(
        r#"[1747406.559][rs] -> wl_display@1.get_registry(wl_registry@2)
[1747406.781][rs] <- wl_registry@2.global, (1, Some("wl_shm"), 1)
[1747408.866][rs] -> wl_registry@2.bind(1, Some("wl_shm"), 1, wl_shm@4)
[1747409.337][rs] -> xdg_toplevel@11.set_title(Some("say \"hi\", all"))
[1747409.340][rs] -> wl_shm@4.create_pool(wl_shm_pool@5, 7, 4096)
"#,
    );
    assert_eq!(log.unread, Vec::<String>::new());
    let lines: Vec<_> = log.normalised().iter().map(ToString::to_string).collect();
    assert_eq!(lines[1], "<- wl_registry#1.global(1, \"wl_shm\", 1)");
    assert_eq!(lines[2], "-> wl_registry#1.bind(1, \"wl_shm\", 1, wl_shm#1)");
    assert_eq!(log.messages[3].args, ["\"say \\\"hi\\\", all\""]);
}

#[test]
fn ids_and_serials_and_times_do_not_matter_but_what_they_lead_to_does() {
    let run = |first: u32, serial: u32, acked: u32| {
        Log::parse(&format!(
            "[1.000]  -> wl_display@1.sync(new id wl_callback@{first})\n\
             [1.100] wl_callback@{first}.done({})\n\
             [1.200] wl_display@1.delete_id({first})\n\
             [1.300]  -> wl_display@1.sync(new id wl_callback@{})\n\
             [1.400] xdg_surface@90.configure({serial})\n\
             [1.450] xdg_surface@90.configure({})\n\
             [1.500]  -> xdg_surface@90.ack_configure({acked})\n",
            serial * 3,
            // The id is given out again, or another one is.
            first + serial % 2,
            serial + 1,
        ))
    };
    assert_eq!(compare(&run(3, 10, 11), &run(7, 21, 22), Order::Whole), []);
    let wrong = compare(&run(3, 10, 11), &run(7, 21, 21), Order::Whole);
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].direct.as_ref().unwrap().args, ["serial 2"]);
    assert_eq!(wrong[0].proxied.as_ref().unwrap().args, ["serial 1"]);
}

#[test]
fn differences_are_paired_and_checked_against_declarations() {
    let direct = Log::parse(
        "[1.0] wl_output@3.mode(3, 1024, 768, 60000)\n\
         [1.1] wl_output@3.scale(2)\n\
         [1.2]  -> xdg_toplevel@4.set_maximized()\n\
         [1.3] wl_output@3.done()\n",
    );
    let proxied = Log::parse(
        "[1.0] wl_output@3.mode(3, 1280, 720, 60000)\n\
         [1.2]  -> xdg_toplevel@4.set_maximized()\n\
         [1.3] wl_output@3.done()\n\
         [1.4] wl_output@3.done()\n",
    );
    let found = compare(&direct, &proxied, Order::PerObject);
    assert_eq!(found.len(), 3, "{found:?}");
    let declared = [
        Rewrite::new("wl_output", "mode", Change::Changed),
        Rewrite::new("wl_output", "scale", Change::Removed),
        Rewrite::new("wl_output", "done", Change::Added),
    ];
    assert_eq!(undeclared(&found, &declared), Vec::<String>::new());
    let missing = undeclared(&found, &declared[..2]);
    assert_eq!(missing, ["direct: nothing\n  proxied: <- wl_output#1.done()"]);
    let idle = [declared[0], declared[1], declared[2]];
    let unseen = undeclared(&found[..2], &idle);
    assert_eq!(unseen.len(), 1, "{unseen:?}");
    assert!(unseen[0].starts_with("declared but not seen"));
}

#[test]
fn order_is_kept_as_a_whole_or_for_each_object() {
    let a = Log::parse("[1.0] wl_buffer@3.release()\n[1.1] wl_callback@4.done(5)\n");
    let b = Log::parse("[1.0] wl_callback@4.done(6)\n[1.1] wl_buffer@3.release()\n");
    assert_eq!(compare(&a, &b, Order::Whole).len(), 2);
    assert_eq!(compare(&a, &b, Order::PerObject), []);
}

#[test]
fn what_looks_like_a_message_and_is_none_is_kept_apart() {
    let log = Log::parse("[12.345] hello\n[info] wl_shm@1.x()\nplain\n[1.2] wl_shm@x.y()\n");
    assert_eq!(log.messages, []);
    assert_eq!(log.unread, ["[12.345] hello", "[1.2] wl_shm@x.y()"]);
}
