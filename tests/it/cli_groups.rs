//! Groups as the user of the binary sees them: reading as a member, how far a group is, moving and deleting it.

use super::kit::{Begun, Broker, Scratch};
use logboom::sys::{Clock, Fs, OpenHow, RealClock, RealFs};
use logboom::types::MonoNs;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::IoSlice;
use std::time::Duration;

/// How long a group may take to be as it should be; there are five seconds between heartbeats.
const SETTLED: Duration = Duration::from_secs(60);

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n}\n")).collect()
}

fn show(broker: &Broker, group: &str) -> Value {
    serde_json::from_str(&broker.run(&["group", "show", group, "--json"]).ok()).unwrap()
}

/// One member of the partitions of a group, as `show` has them.
fn column(group: &Value, name: &str) -> Vec<Value> {
    group["partitions"].as_array().unwrap().iter().map(|partition| partition[name].clone()).collect()
}

fn wait_for(broker: &Broker, group: &str, what: impl Fn(&Value) -> bool) -> Value {
    let (clock, mut last) = (RealClock::new(), Value::Null);
    while clock.mono().since(MonoNs(0)) < SETTLED {
        let ran = broker.run(&["group", "show", group, "--json"]);
        if ran.code == 0 {
            last = serde_json::from_str(&ran.out).unwrap();
            if what(&last) {
                return last;
            }
        }
    }
    panic!("the group stayed as {last}");
}

fn follow(broker: &Broker, group: &str) -> Begun {
    broker.begin(&["consume", "orders", "--group", group, "--follow", "-f", "%p %o\n"])
}

#[test]
fn a_group_reads_on_where_it_was_and_another_reads_everything() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.fed(&["produce", "orders"], &lines(10)).ok();
    assert_eq!(broker.run(&["consume", "orders", "--group", "billing"]).ok(), lines(10));
    assert_eq!(broker.run(&["consume", "orders", "--group", "billing"]).ok(), "");
    let group = show(&broker, "billing");
    assert_eq!((&group["state"], &group["type"]), (&json!("Empty"), &json!("consumer")));
    assert_eq!((&group["lag"], &group["behind_seconds"]), (&json!(0), &json!(0.0)));

    broker.fed(&["produce", "orders"], "one\ntwo\n").ok();
    let group = show(&broker, "billing");
    assert_eq!((column(&group, "committed"), column(&group, "end")), (vec![json!(10)], vec![json!(12)]));
    assert_eq!(group["lag"], 2);
    let behind = group["behind_seconds"].as_f64().unwrap();
    assert!(behind > 0.0 && behind < 60.0, "{behind}");

    assert_eq!(broker.run(&["consume", "orders", "-g", "billing", "-n", "1"]).ok(), "one\n");
    assert_eq!(column(&show(&broker, "billing"), "committed"), [json!(11)]);
    assert_eq!(broker.run(&["consume", "orders", "-g", "billing"]).ok(), "two\n");
    assert_eq!(broker.run(&["consume", "orders", "-g", "audit"]).ok(), lines(10) + "one\ntwo\n");
    assert_eq!(broker.run(&["consume", "orders", "-g", "late", "--from", "end"]).ok(), "");
    assert_eq!(column(&show(&broker, "late"), "committed"), [json!(12)]);
    let listed = broker.run(&["group", "list", "--state", "empty", "--type", "consumer"]).ok();
    let names: Vec<_> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["audit", "billing", "late"]);
    assert_eq!(broker.run(&["group", "list", "--type", "classic", "--json"]).ok(), "");
}

#[test]
fn members_share_the_partitions_and_one_that_leaves_gives_its_own_up() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["topic", "create", "orders", "-p", "4"]).ok();
    let first = follow(&broker, "billing");
    wait_for(&broker, "billing", |group| group["state"] == "Stable");
    let second = follow(&broker, "billing");
    let shared = wait_for(&broker, "billing", |group| {
        let readers: BTreeSet<String> = column(group, "member").iter().map(Value::to_string).collect();
        group["state"] == "Stable" && readers.len() == 2
    });
    assert_eq!(shared["members"][0]["client"], "logboom");
    for partition in ["0", "1", "2", "3"] {
        broker.fed(&["produce", "orders", "-p", partition], &lines(3)).ok();
    }
    let both = [first.lines(6), second.lines(6)].concat();
    let seen: BTreeSet<&String> = both.iter().collect();
    assert_eq!(seen.len(), 12, "each record once, in the group as a whole: {both:?}");

    let refused = broker.run(&["group", "reset", "billing", "--to", "earliest", "--yes"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.starts_with("error[NON_EMPTY_GROUP]: group `billing` has 2 members"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("logboom at 127.0.0.1 reads orders"), "{}", refused.err);
    assert_eq!(broker.run(&["group", "delete", "billing", "--yes"]).code, 1);

    assert_eq!(first.end("-INT"), (Some(0), String::new()));
    wait_for(&broker, "billing", |group| {
        let readers: BTreeSet<String> = column(group, "member").iter().map(Value::to_string).collect();
        group["state"] == "Stable" && readers.len() == 1 && group["lag"] == 0
    });
    assert_eq!(second.end("-TERM"), (Some(0), String::new()));
    let left = wait_for(&broker, "billing", |group| group["state"] == "Empty");
    assert_eq!(column(&left, "committed"), [json!(3), json!(3), json!(3), json!(3)]);
}

#[test]
fn a_member_outlasts_the_death_of_the_broker() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.fed(&["produce", "orders"], &lines(2)).ok();
    let member = follow(&broker, "billing");
    assert_eq!(member.lines(2), ["0 0", "0 1"]);
    let before = wait_for(&broker, "billing", |group| group["lag"] == 0 && group["state"] == "Stable");
    let address = broker.address.clone();
    broker.kill();
    let broker = Broker::start_at(scratch.path(), &address);
    broker.fed(&["produce", "orders"], &lines(2)).ok();
    assert_eq!(member.lines(2), ["0 2", "0 3"]);
    let after = wait_for(&broker, "billing", |group| group["lag"] == 0 && group["state"] == "Stable");
    assert_eq!(after["members"][0]["member"], before["members"][0]["member"]);
    assert_eq!(member.end("-TERM"), (Some(0), String::new()));
}

#[test]
fn a_topic_that_was_made_again_is_read_from_its_beginning() {
    // A commit by name put the offset of the old topic on the new one, and its first records were skipped.
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.fed(&["produce", "orders"], &lines(3)).ok();
    let member = follow(&broker, "billing");
    assert_eq!(member.lines(3), ["0 0", "0 1", "0 2"]);
    broker.run(&["topic", "delete", "orders"]).ok();
    broker.fed(&["produce", "orders"], &lines(5)).ok();
    assert_eq!(member.lines(5), ["0 0", "0 1", "0 2", "0 3", "0 4"]);
    assert_eq!(member.end("-TERM"), (Some(0), String::new()));
    assert_eq!(column(&show(&broker, "billing"), "committed"), [json!(5)]);
}

#[test]
fn a_reset_shows_what_it_would_do_and_does_it_only_when_told() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.fed(&["produce", "orders"], &lines(10)).ok();
    broker.run(&["consume", "orders", "--group", "billing"]).ok();
    let committed = || column(&show(&broker, "billing"), "committed");
    let dry = broker.run(&["group", "reset", "billing", "--to", "@-1h"]);
    assert_eq!(dry.err, "10 records to be read again; nothing was changed; do it with --yes\n");
    assert_eq!(dry.ok(), "TOPIC   PARTITION  NOW  NEW  CHANGE\norders  0          10   0    -10\n");
    assert_eq!(committed(), [json!(10)]);

    let check = |to: &str, expect: i64| {
        let done = broker.run(&["group", "reset", "billing", "--to", to, "--yes", "--json"]).ok();
        let done: Value = serde_json::from_str(&done).unwrap();
        assert_eq!((&done["applied"], &done["partitions"][0]["new"]), (&json!(true), &json!(expect)), "{to}");
        assert_eq!(committed(), [json!(expect)], "{to}");
    };
    check("earliest", 0);
    check("latest", 10);
    check("7", 7);
    check("-3", 4);
    check("+2", 6);
    check("@-1h", 0);
    check("@2999-01-01T00:00:00Z", 10);
    check("-99", 0);
    check("99", 10);
    let clamped = broker.run(&["group", "reset", "billing", "--to", "+5"]).ok();
    assert!(clamped.contains("15 is after the end, so the end"), "{clamped}");
    assert_eq!(broker.run(&["consume", "orders", "-g", "billing"]).ok(), "");
    broker.run(&["group", "reset", "billing", "--to", "8", "--topic", "orders:0", "--yes"]).ok();
    assert_eq!(broker.run(&["consume", "orders", "-g", "billing"]).ok(), "line 8\nline 9\n");
}

#[test]
fn offsets_come_from_a_file_and_a_group_can_have_them_before_its_first_member() {
    let scratch = Scratch::new();
    let broker = Broker::start(&scratch.path().join("data"));
    broker.fed(&["produce", "orders"], &lines(5)).ok();
    let path = scratch.path().join("offsets");
    let name = path.to_str().unwrap();
    let file = RealFs.open(&path, OpenHow::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(b"orders,0,3\n")], 0).unwrap();
    let made = broker.run(&["group", "reset", "billing", "--file", name, "--yes"]);
    assert!(made.err.contains("group `billing` does not exist"), "{}", made.err);
    assert_eq!(made.code, 0);
    let group = show(&broker, "billing");
    assert_eq!((&group["type"], &group["lag"]), (&json!("classic"), &json!(2)));
    assert_eq!(broker.run(&["consume", "orders", "-g", "billing"]).ok(), "line 3\nline 4\n");
    // What one group is printed as is what another can be set to.
    let json = broker.run(&["group", "show", "billing", "--json"]).ok();
    file.write_all_at(&[IoSlice::new(json.as_bytes())], 0).unwrap();
    broker.run(&["group", "reset", "audit", "--file", name, "--yes"]).ok();
    assert_eq!(column(&show(&broker, "audit"), "committed"), [json!(5)]);
    file.write_all_at(&[IoSlice::new(b"nonsense")], 0).unwrap();
    let wrong = broker.run(&["group", "reset", "billing", "--file", name]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.starts_with("error[LB0503]"), "{}", wrong.err);
}

#[test]
fn groups_and_single_offsets_are_deleted_only_when_told() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["topic", "create", "orders", "-p", "2"]).ok();
    for group in ["a", "b"] {
        broker.run(&["consume", "orders", "--group", group]).ok();
    }
    let dry = broker.run(&["group", "delete", "a", "--offsets", "orders:1"]);
    assert!(dry.err.contains("nothing was changed"), "{}", dry.err);
    broker.run(&["group", "delete", "a", "--offsets", "orders:1", "--yes"]).ok();
    assert_eq!(column(&show(&broker, "a"), "committed"), [json!(0)]);
    let none = broker.run(&["group", "delete", "a", "--offsets", "orders:1", "--yes"]);
    assert!(none.err.starts_with("error[LB0601]"), "{}", none.err);

    let dry = broker.run(&["group", "delete", "a", "b"]);
    assert!(dry.out.contains("GROUP TO DELETE") && dry.err.contains("nothing was changed"), "{dry:?}");
    assert_eq!(broker.run(&["group", "delete", "a", "c", "--yes"]).code, 1);
    assert_eq!(broker.run(&["group", "list", "--json"]).ok().lines().count(), 2);
    let deleted = broker.run(&["group", "delete", "a", "b", "--yes"]).ok();
    assert_eq!(deleted, "deleted group a\ndeleted group b\n");
    assert_eq!(broker.run(&["group", "list", "--json"]).ok(), "");
}

#[test]
fn a_group_that_is_not_there_is_named_with_the_one_that_was_meant() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let none = broker.run(&["group", "list"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.starts_with("there are no groups"), "{}", none.err);
    broker.run(&["topic", "create", "orders"]).ok();
    broker.run(&["consume", "orders", "--group", "billing"]).ok();
    for verb in [&["group", "show", "biling"][..], &["group", "delete", "biling"]] {
        let absent = broker.run(verb);
        assert_eq!(absent.code, 1);
        assert!(absent.err.starts_with("error[GROUP_ID_NOT_FOUND]: group `biling`"), "{}", absent.err);
        assert!(absent.err.contains("help: did you mean `billing`?"), "{}", absent.err);
    }
    let ranged = broker.run(&["consume", "orders", "--group", "billing", "--from", "1:3"]);
    assert_eq!(ranged.code, 2);
}
