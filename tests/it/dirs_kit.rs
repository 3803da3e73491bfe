//! A broker with two log directories on a simulated disk, each of which may fail on its own. The catalog is in the
//! first, and topics of one partition go to the one and the other in turn. It knows no behaviour.

use crate::door_kit::{Broker, Client, batch, settings};
use logboom::log::local::LogDirOptions;
use logboom::server::{Parts, Server, StartError};
use logboom::sys::{Clock, Fs, OpenHow, RealClock, RealNet, RealRng, SimFs};
use logboom::types::ErrorCode;
use logboom::wire::messages::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResult};
use logboom::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Both.
pub const BOTH: &str = "/one,/two";

/// Starts a broker with these directories; the marks are written often, so that tests need not wait for what tells a
/// bad spot from a bad disk.
pub async fn try_start(fs: &SimFs, dirs: &str) -> Result<Broker, StartError> {
    let parts = Parts {
        fs: Arc::new(fs.clone()),
        clock: Arc::new(RealClock::new()),
        rng: Arc::new(RealRng),
        net: Arc::new(RealNet),
    };
    let options = LogDirOptions { mark_interval: Duration::from_millis(5), ..LogDirOptions::default() };
    let server: Server = Server::start_with(settings(&[("log.dirs", dirs)]), parts, options).await?;
    Ok(Broker { server, fs: fs.clone() })
}

pub async fn start(fs: &SimFs, dirs: &str) -> Broker {
    try_start(fs, dirs).await.unwrap()
}

/// A stopped broker that has the topic `a` in the first directory and `b` in the second, with a record in each.
pub async fn two_topics() -> SimFs {
    two_topics_on(SimFs::new(1)).await
}

pub async fn two_topics_on(fs: SimFs) -> SimFs {
    let broker = start(&fs, BOTH).await;
    let mut client = broker.client().await;
    for topic in ["a", "b"] {
        client.create(topic, 1, &[]).await;
        assert_eq!(client.produce(topic, batch(&["first"])).await.error_code, ErrorCode::NONE);
    }
    broker.server.stop().await;
    assert!(fs.is_dir(Path::new("/one/a-0")) && fs.is_dir(Path::new("/two/b-0")));
    fs
}

impl Client {
    /// Whether a topic has a leader, by Metadata.
    pub async fn has_leader(&mut self, topic: &str) -> bool {
        let metadata = self.metadata(topic).await;
        let partition = &metadata.topics[0].partitions[0];
        assert_eq!(partition.replica_nodes, [1]);
        let offline = partition.leader_id == -1;
        assert_eq!(partition.offline_replicas.len(), usize::from(offline));
        assert_eq!(partition.error_code == ErrorCode::LEADER_NOT_AVAILABLE, offline);
        !offline
    }

    /// What a request for the end of the topic's log answers.
    pub async fn end_of(&mut self, topic: &str) -> (ErrorCode, i64) {
        let partition =
            ListOffsetsPartition { timestamp: -1, current_leader_epoch: -1, ..Default::default() };
        let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![partition] };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let response = self.call(&request, 7).await;
        let partition = &response.topics[0].partitions[0];
        (partition.error_code, partition.offset)
    }

    pub async fn log_dirs(&mut self) -> Vec<DescribeLogDirsResult> {
        self.call(&DescribeLogDirsRequest { topics: None }, 4).await.results
    }

    /// Produces until the code is this one; a partition goes offline a moment after its disk.
    pub async fn produce_until(&mut self, topic: &str, code: ErrorCode) {
        let mut last = ErrorCode::NONE;
        for nth in 0..400 {
            last = self.produce(topic, batch(&[&format!("until-{nth}")])).await.error_code;
            if last == code {
                return;
            }
            pause().await;
        }
        panic!("{topic}: {last:?}, and not {code:?}");
    }
}

/// Lets the broker go on before another look.
pub async fn pause() {
    RealClock::new().sleep(Duration::from_millis(5)).await;
}

/// Copies a file or a directory with all in it.
pub fn copy(fs: &dyn Fs, source: &Path, target: &Path) {
    if !fs.is_dir(source) {
        let file = fs.open(target, OpenHow::CreateNew).unwrap();
        return file.write_all_at(&[IoSlice::new(&fs.read(source).unwrap())], 0).unwrap();
    }
    fs.create_dir_all(target).unwrap();
    for path in fs.list(source).unwrap() {
        copy(fs, &path, &target.join(path.file_name().unwrap()));
    }
}
