//! A broker with two log directories, of which the second fails at each kind of call, at each place in turn, once and
//! from then on: the first serves all the time, nobody waits for ever, and nothing acknowledged is lost.

use crate::dirs_kit::{BOTH, start, try_start, two_topics_on};
use crate::door_kit::{Client, batch, within};
use logboom::sys::{Call, Fault, SimFs};
use logboom::types::ErrorCode;
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};

/// What a topic was told to keep.
#[derive(Clone, Default)]
struct Told {
    acked: Vec<String>,
    tried: Vec<String>,
}

impl Told {
    async fn produce(&mut self, client: &mut Client, topic: &str, value: String) -> ErrorCode {
        let code = client.produce(topic, batch(&[&value])).await.error_code;
        self.tried.push(value.clone());
        if code == ErrorCode::NONE {
            self.acked.push(value);
        }
        code
    }

    /// All that was acknowledged is there, in order, and nothing that was never sent.
    async fn check(&self, client: &mut Client, topic: &str, at: &str) {
        let (found, _) = client.fetch(topic, 0).await;
        let mut left = found.iter();
        for value in &self.acked {
            assert!(left.any(|one| one == value), "{at}: {topic} lost {value}: {found:?}");
        }
        assert!(found.iter().all(|one| self.tried.contains(one)), "{at}: {topic} has {found:?}");
    }
}

/// Codes that tell a client to try again, or that it was not to be.
fn is_clear(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NONE
            | ErrorCode::KAFKA_STORAGE_ERROR
            | ErrorCode::REQUEST_TIMED_OUT
            | ErrorCode::NOT_LEADER_OR_FOLLOWER
    )
}

/// Produces to both, makes a topic and deletes it, stops.
async fn work(fs: &SimFs, at: &str) -> (Told, Told) {
    let first = || Told { acked: vec!["first".to_owned()], tried: vec!["first".to_owned()] };
    let (mut a, mut b) = (first(), first());
    for life in 0..2 {
        let broker = try_start(fs, BOTH).await.unwrap_or_else(|error| panic!("{at}: no start: {error}"));
        let mut client = broker.client().await;
        for nth in 0..3 {
            // Longer than a sector, so that no record is saved by its neighbour.
            let value = format!("{life}-{nth}-{}", "x".repeat(1500));
            let code = a.produce(&mut client, "a", value.clone()).await;
            assert_eq!(code, ErrorCode::NONE, "{at}: the sound directory");
            let code = b.produce(&mut client, "b", value).await;
            assert!(is_clear(code), "{at}: {code:?}");
        }
        for topic in ["x", "y"] {
            client.create(topic, 1, &[]).await;
            let code = client.produce(topic, batch(&["x"])).await.error_code;
            assert!(is_clear(code), "{at}: {code:?}");
        }
        for topic in ["x", "y"] {
            let named = DeleteTopicState { name: Some(topic.into()), ..Default::default() };
            let request =
                DeleteTopicsRequest { topics: vec![named], timeout_ms: 10_000, ..Default::default() };
            assert_eq!(client.call(&request, 6).await.responses[0].error_code, ErrorCode::NONE, "{at}");
        }
        let code = a.produce(&mut client, "a", format!("{life}-last")).await;
        assert_eq!(code, ErrorCode::NONE, "{at}: the sound directory");
        within(broker.server.stop()).await;
    }
    (a, b)
}

async fn check(fs: &SimFs, told: &(Told, Told), at: &str) {
    let (a, mut b) = told.clone();
    let broker = start(fs, BOTH).await;
    let mut client = broker.client().await;
    a.check(&mut client, "a", at).await;
    b.check(&mut client, "b", at).await;
    assert_eq!(b.produce(&mut client, "b", "after".to_owned()).await, ErrorCode::NONE, "{at}");
    for topic in ["x", "y"] {
        assert_eq!(client.try_create(topic, 1, &[]).await.topics[0].error_code, ErrorCode::NONE, "{at}");
        assert_eq!(client.end_of(topic).await, (ErrorCode::NONE, 0), "{at}: {topic} is a new topic");
    }
    within(broker.server.stop()).await;
    // What was shown after the first start is there after the machine's next one.
    let broker = start(&fs.crash(9), BOTH).await;
    b.check(&mut broker.client().await, "b", at).await;
    within(broker.server.stop()).await;
}

async fn strike(call: Call, fault: Fault, nth: u64, lasts: bool) -> bool {
    let at = format!("{call:?} {nth}{}", if lasts { " and all later ones" } else { "" });
    let fs = two_topics_on(SimFs::new(nth)).await;
    let fault = fault.named("/two").nth(nth);
    let before = fs.struck();
    fs.fail(if lasts { fault.lasting() } else { fault });
    let told = work(&fs, &at).await;
    let struck = fs.struck() > before;
    fs.heal();
    check(&fs.crash(nth), &told, &format!("{at}, after a power cut")).await;
    check(&fs.kill(), &told, &format!("{at}, the process alone")).await;
    struck
}

/// Every `step`-th call of each kind, until there is none any more.
async fn strike_all(call: Call, fault: Fault, step: usize) {
    for lasts in [false, true] {
        let mut runs = 0;
        for nth in (1..).step_by(step) {
            if !strike(call, fault.clone(), nth, lasts).await {
                break;
            }
            runs += 1;
        }
        assert!(runs > 0, "{call:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_fail_and_the_other_directory_serves() {
    strike_all(Call::Sync, Fault::eio(Call::Sync), 1).await;
    strike_all(Call::SyncDir, Fault::eio(Call::SyncDir), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_fail_or_are_cut_short_and_the_other_directory_serves() {
    strike_all(Call::Write, Fault::eio(Call::Write), 1).await;
    strike_all(Call::Write, Fault::enospc(Call::Write).after_bytes(40), 1).await;
    strike_all(Call::SetLen, Fault::eio(Call::SetLen), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_fail_and_the_other_directory_serves() {
    strike_all(Call::Create, Fault::enospc(Call::Create), 1).await;
    strike_all(Call::Rename, Fault::eio(Call::Rename), 1).await;
    strike_all(Call::Remove, Fault::eio(Call::Remove), 1).await;
    strike_all(Call::MakeDir, Fault::eio(Call::MakeDir), 1).await;
    strike_all(Call::Lock, Fault::eio(Call::Lock), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_fail_and_the_other_directory_serves() {
    strike_all(Call::Open, Fault::eio(Call::Open), 1).await;
    strike_all(Call::List, Fault::eio(Call::List), 1).await;
    strike_all(Call::Read, Fault::eio(Call::Read), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_goes_away_at_any_call_takes_its_partitions_and_no_others() {
    for nth in (1..200).step_by(9) {
        let fault = Fault::on_any(std::io::ErrorKind::ReadOnlyFilesystem);
        strike(Call::Write, fault, nth, true).await;
    }
}
