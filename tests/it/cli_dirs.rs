//! The binary with several directories of data, on a real file system.

use super::kit::{Broker, Scratch, logboom};
use logboom::sys::{Fs, OpenHow, RealFs};

#[test]
fn directories_are_given_one_by_one_and_one_of_them_may_be_missing() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.path().join("one"), scratch.path().join("two"));
    let broker = Broker::start_on(&[&one, &two], "127.0.0.1:0");
    for topic in ["a", "b"] {
        broker.run(&["produce", topic, "tea"]).ok();
    }
    assert_eq!(broker.terminate(), Some(0));
    assert!(RealFs.is_dir(&one.join("a-0")) && RealFs.is_dir(&two.join("b-0")));
    let away = scratch.path().join("away");
    RealFs.rename(&two, &away).unwrap();
    RealFs.open(&two, OpenHow::CreateNew).unwrap();
    let broker = Broker::start_on(&[&one, &two], "127.0.0.1:0");
    assert_eq!(broker.run(&["consume", "a"]).ok(), "tea\n");
    assert_ne!(broker.run(&["consume", "b"]).code, 0);
    assert_eq!(broker.terminate(), Some(0));
    RealFs.remove(&two).unwrap();
    RealFs.rename(&away, &two).unwrap();
    let broker = Broker::start_on(&[&one, &two], "127.0.0.1:0");
    assert_eq!(broker.run(&["consume", "b"]).ok(), "tea\n");
}

#[test]
fn directories_that_cannot_be_used_together_are_refused_with_the_reason() {
    let scratch = Scratch::new();
    let text = |name: &str| scratch.path().join(name).display().to_string();
    let (one, within) = (text("one"), text("one/two"));
    let ran = logboom(&["serve", "--data", &one, "--data", &within]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("LB0203") && ran.err.contains("within the other"), "{}", ran.err);
    let twice = format!("{one},{one}");
    let ran = logboom(&["serve", "--data", &twice]);
    assert!(ran.err.contains("twice"), "{}", ran.err);
    let ran = logboom(&["config", "list", "--data", &one, "--data", &text("two")]);
    assert!(ran.ok().contains(&format!("{one},{}", text("two"))));
}

#[test]
fn the_broker_ends_with_an_error_when_the_directory_of_the_catalog_is_gone() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.path().join("one"), scratch.path().join("two"));
    let mut broker = Broker::start_on(&[&one, &two], "127.0.0.1:0");
    for topic in ["a", "b"] {
        broker.run(&["produce", topic, "tea"]).ok();
    }
    RealFs.rename(&one, &scratch.path().join("away")).unwrap();
    // Each record makes the marks due; without their directory they cannot be written.
    let mut acked = 1;
    let code = (0..5000).find_map(|_| {
        acked += usize::from(broker.run(&["produce", "b", "tea"]).code == 0);
        broker.ended()
    });
    assert_eq!(code, Some(Some(1)));
    RealFs.rename(&scratch.path().join("away"), &one).unwrap();
    let broker = Broker::start_on(&[&one, &two], "127.0.0.1:0");
    assert_eq!(broker.run(&["consume", "a"]).ok(), "tea\n");
    assert!(broker.run(&["consume", "b"]).ok().lines().count() >= acked);
}
