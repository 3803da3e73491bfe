//! Several log directories: how partitions are spread, what is gone with one, and what an operator may do with them
//! while the broker is down.

use crate::dirs_kit::{BOTH, copy, pause, start, try_start, two_topics};
use crate::door_kit::{batch, fetch, within};
use logboom::sys::{Call, Fault, Fs, OpenHow, SimFs};
use logboom::types::ErrorCode;
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logboom::wire::messages::fetch::FetchRequest;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

fn values(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn refusal(fs: &SimFs, dirs: &str) -> String {
    try_start(fs, dirs).await.err().expect("it is refused").to_string()
}

#[tokio::test]
async fn partitions_are_spread_over_the_directories_and_stay_where_they_are() {
    let fs = SimFs::new(1);
    let broker = start(&fs, "/one,/two,/three").await;
    let mut client = broker.client().await;
    client.create("t", 7, &[]).await;
    let sizes = async |client: &mut crate::door_kit::Client| -> BTreeMap<String, Vec<i32>> {
        let numbers = |dir: &logboom::wire::messages::describe_log_dirs::DescribeLogDirsResult| {
            dir.topics.iter().flat_map(|topic| &topic.partitions).map(|one| one.partition_index).collect()
        };
        client.log_dirs().await.iter().map(|dir| (dir.log_dir.to_string(), numbers(dir))).collect()
    };
    let expected = BTreeMap::from([
        ("/one".to_owned(), vec![0, 3, 6]),
        ("/two".to_owned(), vec![1, 4]),
        ("/three".to_owned(), vec![2, 5]),
    ]);
    assert_eq!(sizes(&mut client).await, expected);
    assert_eq!(client.produce("t", batch(&["x"])).await.error_code, ErrorCode::NONE);
    broker.server.stop().await;
    // The order is of no account any more, and a new directory takes the catalog from nobody.
    let broker = start(&fs, "/four,/three,/two,/one").await;
    let mut client = broker.client().await;
    let mut with_four = expected;
    with_four.insert("/four".to_owned(), Vec::new());
    assert_eq!(sizes(&mut client).await, with_four);
    assert_eq!(client.fetch("t", 0).await.0, values(&["x"]));
    client.create("u", 2, &[]).await;
    assert_eq!(sizes(&mut client).await["/four"], [0, 1]);
}

#[tokio::test]
async fn a_directory_that_fails_takes_its_partitions_and_no_others() {
    let fs = two_topics().await;
    let broker = start(&fs, BOTH).await;
    let (mut client, mut waiting) = (broker.client().await, broker.client().await);
    assert_eq!(client.produce("b", batch(&["acked"])).await.error_code, ErrorCode::NONE);
    waiting.send(&fetch("b", 2, 600_000), 12).await;
    fs.fail(Fault::on(Call::Write, ErrorKind::ReadOnlyFilesystem).named("/two/").lasting());
    client.produce_until("b", ErrorCode::KAFKA_STORAGE_ERROR).await;
    // Who waited is told.
    let (_, response) = waiting.receive::<FetchRequest>(12).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(!client.has_leader("b").await);
    assert!(client.has_leader("a").await);
    assert_eq!(client.end_of("b").await.0, ErrorCode::KAFKA_STORAGE_ERROR);
    let response = client.call(&fetch("b", 0, 0), 12).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(client.produce("a", batch(&["more"])).await.error_code, ErrorCode::NONE);
    let dirs = client.log_dirs().await;
    assert_eq!((&*dirs[0].log_dir, dirs[0].error_code), ("/one", ErrorCode::NONE));
    assert_eq!((&*dirs[1].log_dir, dirs[1].error_code), ("/two", ErrorCode::KAFKA_STORAGE_ERROR));
    assert!(dirs[1].topics.is_empty() && !dirs[0].topics.is_empty());
    // A new topic goes where there is a disk, though the other has fewer.
    client.create("c", 3, &[]).await;
    assert!(client.has_leader("c").await);
    broker.server.stop().await;
    // The next start brings it back.
    fs.heal();
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    assert!(client.has_leader("b").await);
    assert_eq!(client.fetch("b", 0).await.0[..2], values(&["first", "acked"]));
    assert_eq!(client.fetch("a", 0).await.0, values(&["first", "more"]));
}

#[tokio::test]
async fn a_disk_that_syncs_nothing_is_told_from_a_log_with_a_bad_spot() {
    let fs = two_topics().await;
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    // One log's sync fails, once: it is reopened, and the directory stays.
    fs.fail(Fault::eio(Call::Sync).named("/two/b-0"));
    client.produce_until("b", ErrorCode::KAFKA_STORAGE_ERROR).await;
    assert!(client.has_leader("b").await);
    client.produce_until("b", ErrorCode::NONE).await;
    // All of them fail: the directory goes.
    fs.fail(Fault::eio(Call::Sync).named("/two/").lasting());
    client.produce_until("b", ErrorCode::KAFKA_STORAGE_ERROR).await;
    within(async {
        while client.has_leader("b").await {
            pause().await;
        }
    })
    .await;
    assert_eq!(client.produce("a", batch(&["more"])).await.error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn without_the_directory_of_the_catalog_the_broker_asks_to_be_stopped() {
    let fs = two_topics().await;
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    fs.fail(Fault::on(Call::Sync, ErrorKind::ReadOnlyFilesystem).named("/one/").lasting());
    client.produce_until("a", ErrorCode::KAFKA_STORAGE_ERROR).await;
    let why = within(broker.server.engine().broken()).await;
    assert!(why.contains("/one") && why.contains("sync"), "{why}");
    assert_eq!(client.produce("b", batch(&["still"])).await.error_code, ErrorCode::NONE);
    within(broker.server.stop()).await;
    fs.heal();
    let broker = start(&fs.crash(3), BOTH).await;
    let mut client = broker.client().await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["first", "still"]));
    assert_eq!(client.fetch("a", 0).await.0[..1], values(&["first"]));
}

#[tokio::test]
async fn a_partition_of_a_missing_directory_is_offline_and_not_made_anew() {
    let fs = two_topics().await;
    // Left out, replaced by a file, and replaced by an empty directory.
    for (nth, dirs) in ["/one", BOTH, BOTH].into_iter().enumerate() {
        if nth > 0 {
            fs.rename(Path::new("/two"), Path::new("/away")).unwrap();
        }
        if nth == 1 {
            fs.open(Path::new("/two"), OpenHow::CreateNew).unwrap();
        }
        let broker = start(&fs, dirs).await;
        let mut client = broker.client().await;
        assert!(!client.has_leader("b").await, "{nth}");
        assert_eq!(client.end_of("b").await.0, ErrorCode::KAFKA_STORAGE_ERROR);
        let refused = client.produce("b", batch(&["lost"])).await.error_code;
        assert_eq!(refused, ErrorCode::KAFKA_STORAGE_ERROR);
        assert_eq!(client.produce("a", batch(&["more"])).await.error_code, ErrorCode::NONE);
        let two = client.log_dirs().await.into_iter().find(|dir| &*dir.log_dir == "/two");
        let told = two.map(|dir| dir.error_code);
        assert_eq!(told, [None, Some(ErrorCode::KAFKA_STORAGE_ERROR), Some(ErrorCode::NONE)][nth]);
        broker.server.stop().await;
        assert!(!fs.is_dir(Path::new("/one/b-0")) && (nth == 0 || !fs.is_dir(Path::new("/two/b-0"))));
        if nth > 0 {
            let gone = fs.remove_dir_all(Path::new("/two"));
            gone.or_else(|_| fs.remove(Path::new("/two"))).unwrap();
            fs.rename(Path::new("/away"), Path::new("/two")).unwrap();
        }
    }
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["first"]));
    assert_eq!(client.fetch("a", 0).await.0, values(&["first", "more", "more", "more"]));
}

#[tokio::test]
async fn a_topic_of_a_missing_directory_can_be_deleted_and_does_not_come_back() {
    let fs = two_topics().await;
    let broker = start(&fs, "/one").await;
    let mut client = broker.client().await;
    let named = DeleteTopicState { name: Some("b".into()), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![named], timeout_ms: 10_000, ..Default::default() };
    assert_eq!(client.call(&request, 6).await.responses[0].error_code, ErrorCode::NONE);
    client.create("b", 1, &[]).await;
    assert_eq!(client.produce("b", batch(&["new"])).await.error_code, ErrorCode::NONE);
    broker.server.stop().await;
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["new"]));
    within(async {
        while fs.is_dir(Path::new("/two/b-0")) {
            pause().await;
        }
    })
    .await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["new"]));
}

#[tokio::test]
async fn a_partition_moved_while_the_broker_was_down_is_served_where_it_is_found() {
    let fs = two_topics().await;
    fs.rename(Path::new("/two/b-0"), Path::new("/one/b-0")).unwrap();
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    within(async {
        while !client.has_leader("b").await {
            pause().await;
        }
    })
    .await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["first"]));
    assert_eq!(client.produce("b", batch(&["second"])).await.error_code, ErrorCode::NONE);
    // It is written down: the directory that it came from may go, and come back empty.
    broker.server.stop().await;
    for dirs in ["/one", BOTH] {
        let broker = start(&fs.crash(5), dirs).await;
        let mut client = broker.client().await;
        assert_eq!(client.fetch("b", 0).await.0, values(&["first", "second"]));
        broker.server.stop().await;
    }
}

#[tokio::test]
async fn a_directory_may_be_emptied_into_another_and_left_out() {
    let fs = two_topics().await;
    fs.rename(Path::new("/two/b-0"), Path::new("/one/b-0")).unwrap();
    let broker = start(&fs, "/one").await;
    let mut client = broker.client().await;
    within(async {
        while !client.has_leader("b").await {
            pause().await;
        }
    })
    .await;
    assert_eq!(client.fetch("b", 0).await.0, values(&["first"]));
}

#[tokio::test]
async fn a_partition_in_two_directories_is_offline_and_both_stay() {
    let fs = two_topics().await;
    copy(&fs, Path::new("/two/b-0"), Path::new("/one/b-0"));
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    assert_eq!(client.end_of("b").await.0, ErrorCode::KAFKA_STORAGE_ERROR);
    let refused = client.produce("b", batch(&["x"])).await.error_code;
    assert_eq!(refused, ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(client.produce("a", batch(&["x"])).await.error_code, ErrorCode::NONE);
    broker.server.stop().await;
    assert!(fs.is_dir(Path::new("/one/b-0")) && fs.is_dir(Path::new("/two/b-0")));
    fs.remove_dir_all(Path::new("/one/b-0")).unwrap();
    let broker = start(&fs, BOTH).await;
    assert_eq!(broker.client().await.fetch("b", 0).await.0, values(&["first"]));
}

#[tokio::test]
async fn directories_that_do_not_belong_together_are_refused() {
    let fs = two_topics().await;
    let stranger = start(&fs, "/three").await;
    stranger.server.stop().await;
    let why = refusal(&fs, "/one,/two,/three").await;
    assert!(why.contains("different brokers") && why.contains("/three"), "{why}");
    copy(&fs, Path::new("/two"), Path::new("/copy"));
    let why = refusal(&fs, "/one,/two,/copy").await;
    assert!(why.contains("directory.id") && why.contains("/copy"), "{why}");
    copy(&fs, Path::new("/one/__cluster_metadata-0"), Path::new("/two/__cluster_metadata-0"));
    let why = refusal(&fs, BOTH).await;
    assert!(why.contains("both have a catalog"), "{why}");
}

#[tokio::test]
async fn without_its_catalog_a_broker_does_not_start_and_deletes_nothing() {
    let fs = two_topics().await;
    // The disk of the catalog is not mounted: an empty directory is there, or none, or it cannot be read.
    fs.rename(Path::new("/one"), Path::new("/away")).unwrap();
    for dirs in ["/one,/two", "/two,/one", "/two"] {
        let why = refusal(&fs, dirs).await;
        assert!(why.contains("no log directory has the catalog"), "{why}");
    }
    fs.open(Path::new("/one"), OpenHow::CreateNew).unwrap();
    let why = refusal(&fs, BOTH).await;
    assert!(why.contains("no log directory has the catalog") && why.contains("/one"), "{why}");
    fs.remove(Path::new("/one")).unwrap();
    fs.rename(Path::new("/away"), Path::new("/one")).unwrap();
    let broker = start(&fs, BOTH).await;
    assert_eq!(broker.client().await.fetch("b", 0).await.0, values(&["first"]));
}

#[tokio::test]
async fn a_data_directory_of_before_is_joined_by_others() {
    let fs = SimFs::new(1);
    let broker = start(&fs, "/one").await;
    let mut client = broker.client().await;
    client.create("a", 2, &[]).await;
    client.produce("a", batch(&["first"])).await;
    broker.server.stop().await;
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    assert_eq!(client.fetch("a", 0).await.0, values(&["first"]));
    client.create("b", 1, &[]).await;
    let dirs = client.log_dirs().await;
    assert_eq!((dirs[0].topics.len(), &*dirs[1].topics[0].name), (1, "b"));
}
