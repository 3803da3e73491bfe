//! One function for each command of groups.

use super::super::{Engine, Refusal};
use crate::coordinator::CallError;
use crate::group::{
    ClassicDescribed, Command, Commit, ConsumerDescribed, ConsumerHeartbeat, ConsumerHeartbeatAnswer,
    DeleteOffsets, FetchOffsets, Heartbeat, Join, Joined, Leave, Left, List, Listed, NotJoined, Refused,
    Reply, Sync, Synced, TopicOffsets,
};
use crate::types::ErrorCode;
use std::sync::Arc;

/// Joining and syncing wait for others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// As long as the log takes, but not longer than `offsets.commit.timeout.ms`.
    ForTheLog,
    /// As long as other members take.
    ForMembers,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal::new(refused.code, refused.why)
    }
}

/// The reply of the one kind that belongs to the command.
macro_rules! expect {
    ($reply:expr, $kind:path) => {
        match $reply {
            $kind(outcome) => outcome.map_err(Refusal::from),
            // The machine answers each command with its own kind of reply.
            _ => Err(ErrorCode::UNKNOWN_SERVER_ERROR.into()),
        }
    };
}

impl Engine {
    /// JoinGroup: answers when the rebalance has come so far.
    pub async fn join_group(&self, join: Join) -> Result<Joined, NotJoined> {
        let member = Arc::clone(&join.member);
        let refused = |refusal: Refusal| NotJoined {
            refused: Refused::new(refusal.code, refusal.message),
            member: Arc::clone(&member),
        };
        let group = Arc::clone(&join.group);
        match self.call_group(&group, Command::Join(join), Wait::ForMembers).await {
            Ok(Reply::Joined(outcome)) => outcome,
            Ok(_) => Err(refused(ErrorCode::UNKNOWN_SERVER_ERROR.into())),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    /// SyncGroup: answers when the leader has assigned.
    pub async fn sync_group(&self, sync: Sync) -> Result<Synced, Refusal> {
        let group = Arc::clone(&sync.group);
        expect!(self.call_group(&group, Command::Sync(sync), Wait::ForMembers).await?, Reply::Synced)
    }

    /// Heartbeat.
    pub async fn heartbeat(&self, beat: Heartbeat) -> Result<(), Refusal> {
        let group = Arc::clone(&beat.group);
        expect!(self.call_group(&group, Command::Heartbeat(beat), Wait::ForTheLog).await?, Reply::Heartbeat)
    }

    /// LeaveGroup.
    pub async fn leave_group(&self, leave: Leave) -> Result<Vec<Left>, Refusal> {
        let group = Arc::clone(&leave.group);
        expect!(self.call_group(&group, Command::Leave(leave), Wait::ForTheLog).await?, Reply::Left)
    }

    /// ConsumerGroupHeartbeat.
    pub async fn consumer_heartbeat(
        &self,
        beat: ConsumerHeartbeat,
    ) -> Result<ConsumerHeartbeatAnswer, Refusal> {
        let group = Arc::clone(&beat.group);
        let command = Command::ConsumerHeartbeat(beat);
        expect!(self.call_group(&group, command, Wait::ForTheLog).await?, Reply::ConsumerHeartbeat)
    }

    /// OffsetCommit: a code for each partition, in order.
    pub async fn commit_offsets(&self, commit: Commit) -> Result<Vec<ErrorCode>, Refusal> {
        let group = Arc::clone(&commit.group);
        expect!(self.call_group(&group, Command::Commit(commit), Wait::ForTheLog).await?, Reply::Committed)
    }

    /// OffsetFetch.
    pub async fn committed_offsets(&self, fetch: FetchOffsets) -> Result<Vec<TopicOffsets>, Refusal> {
        let group = Arc::clone(&fetch.group);
        expect!(self.call_group(&group, Command::FetchOffsets(fetch), Wait::ForTheLog).await?, Reply::Offsets)
    }

    /// OffsetDelete: a code for each partition, in order.
    pub async fn delete_offsets(&self, delete: DeleteOffsets) -> Result<Vec<ErrorCode>, Refusal> {
        let group = Arc::clone(&delete.group);
        let command = Command::DeleteOffsets(delete);
        expect!(self.call_group(&group, command, Wait::ForTheLog).await?, Reply::OffsetsDeleted)
    }

    /// DescribeGroups of one group.
    pub async fn describe_classic_group(&self, group: Arc<str>) -> Result<ClassicDescribed, Refusal> {
        let command = Command::DescribeClassic(Arc::clone(&group));
        expect!(self.call_group(&group, command, Wait::ForTheLog).await?, Reply::ClassicDescribed)
    }

    /// ConsumerGroupDescribe of one group.
    pub async fn describe_consumer_group(&self, group: Arc<str>) -> Result<ConsumerDescribed, Refusal> {
        let command = Command::DescribeConsumer(Arc::clone(&group));
        expect!(self.call_group(&group, command, Wait::ForTheLog).await?, Reply::ConsumerDescribed)
    }

    /// DeleteGroups of one group.
    pub async fn delete_group(&self, group: Arc<str>) -> Result<(), Refusal> {
        let command = Command::Delete(Arc::clone(&group));
        expect!(self.call_group(&group, command, Wait::ForTheLog).await?, Reply::Deleted)
    }

    /// ListGroups: all groups, or an error if not all can be told.
    pub async fn list_groups(&self, list: &List) -> Result<Vec<Listed>, Refusal> {
        let mut all = Vec::new();
        for (shard, partition) in self.groups.all().into_iter().zip(0..) {
            // Nobody coordinates those, as nobody leads the partition.
            if self.groups_offline(partition) {
                continue;
            }
            let shard = shard.ok_or(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)?;
            let call = shard.call(Command::List(list.clone()));
            match self.group_reply(call, Wait::ForTheLog).await? {
                Reply::Listed(listed) => all.extend(listed),
                _ => return Err(ErrorCode::UNKNOWN_SERVER_ERROR.into()),
            }
        }
        Ok(all)
    }

    async fn call_group(&self, group: &str, command: Command, wait: Wait) -> Result<Reply, Refusal> {
        self.prepare_groups().await?;
        if self.groups_offline(self.groups.partition_of(group)) {
            let why = "the log directory that the group is kept in is offline";
            return Err(Refusal::new(ErrorCode::COORDINATOR_NOT_AVAILABLE, why));
        }
        let shard = self.groups.of(group).ok_or(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)?;
        self.group_reply(shard.call(command), wait).await
    }

    /// The reply, or what Kafka's coordinator makes of a log that fails (`GroupCoordinatorService`): clients look for
    /// the coordinator anew and try again.
    async fn group_reply(
        &self,
        call: impl Future<Output = Result<Reply, CallError>>,
        wait: Wait,
    ) -> Result<Reply, Refusal> {
        let time = self.settings.load().groups.commit_timeout;
        let over = async {
            match wait {
                Wait::ForTheLog => self.clock.sleep(time).await,
                Wait::ForMembers => std::future::pending().await,
            }
        };
        let reply = tokio::select! {
            biased;
            reply = call => reply,
            // Who waits for other members would hold up the stop.
            () = self.stop.cancelled(), if wait == Wait::ForMembers => Err(CallError::Stopped),
            () = over => Err(CallError::MayHaveHappened),
        };
        match reply {
            Ok(Reply::Loading) | Err(CallError::Loading) => {
                Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.into())
            }
            Ok(reply) => Ok(reply),
            Err(error @ CallError::MayHaveHappened) => {
                Err(Refusal::new(ErrorCode::COORDINATOR_NOT_AVAILABLE, error.to_string()))
            }
            Err(error @ (CallError::DidNotHappen | CallError::Stopped)) => {
                Err(Refusal::new(ErrorCode::NOT_COORDINATOR, error.to_string()))
            }
        }
    }
}
