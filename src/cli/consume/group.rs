//! `logboom consume --group`: reading as a member of a group. Positions are committed only after their records were
//! written, so that a record is printed at least once whatever ends this program.

use super::positions::resolve;
use super::{BUFFER_BYTES, Form, say_end};
use crate::cli::args::ConsumeArgs;
use crate::cli::client::{
    Client, ClientError, EARLIEST, LATEST, Member, Membership, Owned, RecordReader, Span, Topic,
};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::signals::Signals;
use crate::sys::Clock;
use crate::types::{ErrorCode, MonoNs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause between commits: what is printed again after a crash.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// Pause before asking again what the group has not settled yet.
const SETTLING: Duration = Duration::from_millis(100);
/// Tries of a commit whose member epoch moved on meanwhile.
const COMMIT_TRIES: u32 = 20;

/// Prints what the group has not read yet of the partitions that it gives us.
pub async fn run_in_group(
    args: ConsumeArgs,
    client: &Arc<Client>,
    output: Output,
    clock: &dyn Clock,
) -> Result<(), Failure> {
    if args.range.to.is_some() {
        return Err(Failure::new(
            "LB0101",
            "a group reads on without an end; --from takes no range with --group",
        )
        .help("say where to begin without a commit:  --from start, --from end, --from @-1h")
        .usage());
    }
    let group = args.group.clone().unwrap_or_default();
    let topic = client.topic(&args.topic, false).await?;
    let stop = stop_at_signal()?;
    let mut reading = Reading {
        form: Form::choose(&args, output),
        group: &group,
        topic: &args.topic,
        client,
        output,
        clock,
        member: Member::join(client, &group, std::slice::from_ref(&args.topic)),
        reader: RecordReader::new(client, topic, Vec::new()).patient(),
        held: Owned::new(),
        life: 0,
        committed: BTreeMap::new(),
        commit_at: clock.mono().after(COMMIT_EVERY),
        count: 0,
        args: &args,
    };
    let read = reading.read(&stop).await;
    let ended = match read {
        Ok(()) => reading.commit().await,
        failed => failed,
    };
    let count = reading.count;
    reading.member.leave().await;
    if ended.is_ok() && !stop.is_cancelled() && args.count.is_none_or(|most| count < most) {
        say_end(&args.topic, count, output);
    }
    ended
}

/// Cancelled at the first signal; at the second the program ends at once, as writing may be what holds it up.
fn stop_at_signal() -> Result<CancellationToken, Failure> {
    // What a shell shows for a program that an interrupt ended.
    const INTERRUPTED: i32 = 130;
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new("LB0105", format!("cannot listen for signals: {error}")))?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        signals.first().await;
        told.cancel();
        signals.first().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(stop)
}

struct Reading<'a> {
    args: &'a ConsumeArgs,
    group: &'a str,
    topic: &'a str,
    client: &'a Client,
    output: Output,
    clock: &'a dyn Clock,
    form: Form,
    member: Member,
    reader: RecordReader<'a>,
    /// Partitions we read, in the life of the membership in which we got them.
    held: Owned,
    life: u32,
    /// What the coordinator knows of them.
    committed: BTreeMap<i32, i64>,
    commit_at: MonoNs,
    count: u64,
}

impl Reading<'_> {
    async fn read(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let mut settled = false;
        while !stop.is_cancelled() {
            if !settled {
                settled = self.reconcile().await?;
            }
            self.print()?;
            if self.is_enough() {
                return Ok(());
            }
            if self.clock.mono() >= self.commit_at {
                self.commit_in_passing().await?;
            }
            if !self.reader.would_wait() {
                continue;
            }
            if settled && !self.args.follow && self.reader.is_done() && self.is_stable().await? {
                return Ok(());
            }
            // Also when nothing happens: that the member is alive has to be shown, and commits fall due.
            let rest = if settled { COMMIT_EVERY } else { SETTLING };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.member.changed() => settled = false,
                filled = self.reader.fill(), if !self.reader.is_done() => self.filled(filled).await?,
                () = self.clock.sleep(rest) => {}
            }
        }
        Ok(())
    }

    /// Writes records that are here already, at most a buffer of them.
    fn print(&mut self) -> Result<(), Failure> {
        let mut buffer = Vec::new();
        while buffer.len() < BUFFER_BYTES && !self.is_enough() {
            let Some((partition, record)) = self.reader.pop() else { break };
            self.form.write(self.topic, partition, &record, &mut buffer);
            self.count += 1;
        }
        self.member.show_life();
        if buffer.is_empty() { Ok(()) } else { self.output.bytes(&buffer) }
    }

    fn is_enough(&self) -> bool {
        self.args.count.is_some_and(|most| self.count >= most)
    }

    /// Lets go what is no longer ours and takes what is. False if it has to be asked again.
    async fn reconcile(&mut self) -> Result<bool, Failure> {
        let now = self.member.now()?;
        if now.life != self.life {
            self.life = now.life;
            if !self.held.is_empty() {
                self.say("lost the membership; joining again, some records may be printed a second time");
            }
            self.let_go(&Owned::new());
        }
        if !self.held.is_subset(&now.target) {
            match self.try_commit().await {
                Ok(()) => {}
                // They are ours until we let them go.
                Err(error) if error.may_heal() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            let kept = self.held.intersection(&now.target).copied().collect();
            self.let_go(&kept);
            self.member.hold(self.life, &self.held);
        }
        let new: Owned = now.target.difference(&self.held).copied().collect();
        if new.is_empty() {
            return Ok(now.epoch != 0);
        }
        self.take(&now, &new).await
    }

    fn let_go(&mut self, kept: &Owned) {
        let kept_partitions: BTreeSet<i32> = kept.iter().map(|(_, partition)| *partition).collect();
        self.reader.drop_partitions(|partition| !kept_partitions.contains(&partition));
        self.committed.retain(|partition, _| kept_partitions.contains(partition));
        self.held.clone_from(kept);
    }

    /// Begins to read partitions. False if that is not possible yet: the heart of the member knows when to give up.
    async fn take(&mut self, now: &Membership, new: &Owned) -> Result<bool, Failure> {
        let taken = match self.try_take(now, new).await {
            Err(error) if error.may_heal() => false,
            Err(error) => self.passing(now, error).map(|()| false)?,
            Ok(taken) => taken,
        };
        if !taken {
            self.clock.sleep(SETTLING).await;
        }
        Ok(taken)
    }

    async fn try_take(&mut self, now: &Membership, new: &Owned) -> Result<bool, ClientError> {
        let topic = self.client.topic(self.topic, false).await?;
        // The topic was deleted and made again, and the assignment is of the other one.
        if new.iter().any(|(id, partition)| *id != topic.id || !topic.leaders.contains_key(partition)) {
            return Ok(false);
        }
        let committed = self.client.group_offsets(self.group, Some((&now.id, now.epoch))).await?;
        let partitions: Vec<i32> = new.iter().map(|(_, partition)| *partition).collect();
        let of_topic = |partition: &i32| committed.get(&(self.topic.to_owned(), *partition)).copied();
        let known =
            partitions.iter().filter_map(|partition| Some((*partition, of_topic(partition)?))).collect();
        let spans = self.spans(&topic, &partitions, &known).await?;
        self.committed.extend(known);
        self.reader.add(topic, spans);
        self.held.extend(new.iter().copied());
        self.member.hold(self.life, &self.held);
        let list: Vec<String> = self.held.iter().map(|(_, partition)| partition.to_string()).collect();
        if self.output.talks_to_person() && !self.output.json {
            self.say(&format!("reading {} partition {}", self.topic, list.join(", ")));
        }
        Ok(true)
    }

    /// From the committed offset where there is one and its record is still there, else from what --from says.
    async fn spans(
        &self,
        topic: &Topic,
        partitions: &[i32],
        known: &BTreeMap<i32, i64>,
    ) -> Result<Vec<Span>, ClientError> {
        let starts = self.client.offsets(topic, partitions, EARLIEST).await?;
        let ends = self.client.offsets(topic, partitions, LATEST).await?;
        let from = resolve(self.args.range.from, self.client, topic, partitions, self.clock.wall()).await?;
        let at = |offsets: &BTreeMap<i32, i64>, partition| offsets.get(&partition).copied().unwrap_or(0);
        let mut spans = Vec::new();
        for partition in partitions.iter().copied() {
            let (start, end) = (at(&starts, partition), at(&ends, partition).max(at(&starts, partition)));
            let first = at(&from, partition).clamp(start, end);
            let next = match known.get(&partition).copied() {
                Some(offset) if (start..=end).contains(&offset) => offset,
                Some(offset) => {
                    self.say(&format!(
                        "{}-{partition} has offsets {start} to {end}, and {offset} was committed; going on at {first}",
                        self.topic
                    ));
                    first
                }
                None => first,
            };
            spans.push(Span { partition, next, until: (!self.args.follow).then_some(end) });
        }
        Ok(spans)
    }

    /// Looks at how a fetch went; where records went away before they were read, reading begins anew.
    async fn filled(&mut self, filled: Result<(), ClientError>) -> Result<(), Failure> {
        match filled {
            Err(error) if error.code() == ErrorCode::OFFSET_OUT_OF_RANGE => match self.begin_anew().await {
                // The next fetch fails as this one did.
                Err(error) if error.may_heal() => Ok(()),
                other => Ok(other?),
            },
            // The group will give us the partitions of the new topic.
            Err(error) if error.code() == ErrorCode::UNKNOWN_TOPIC_ID => {
                self.clock.sleep(SETTLING).await;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    async fn begin_anew(&mut self) -> Result<(), ClientError> {
        let positions = self.reader.positions();
        let partitions: Vec<i32> = positions.keys().copied().collect();
        let topic = self.client.topic(self.topic, false).await?;
        let spans = self.spans(&topic, &partitions, &positions).await?;
        self.reader.drop_partitions(|_| true);
        self.reader.add(topic, spans);
        Ok(())
    }

    /// Whether what we have is what the group wants us to have, for now.
    async fn is_stable(&self) -> Result<bool, Failure> {
        let now = self.member.now()?;
        if now.epoch == 0 || now.life != self.life || now.target != self.held {
            return Ok(false);
        }
        let is_stable = match self.client.describe_group(self.group).await {
            Ok(view) => view.state == "Stable",
            Err(error) if error.may_heal() => false,
            Err(error) => return Err(error.into()),
        };
        if !is_stable {
            self.clock.sleep(SETTLING).await;
        }
        // What it decided while we asked will be heard with the next heartbeat.
        Ok(is_stable && self.member.now()? == now)
    }

    /// As [`Self::commit`], but a coordinator that is away now is asked again later.
    async fn commit_in_passing(&mut self) -> Result<(), Failure> {
        let committed = self.try_commit().await;
        self.commit_at = self.clock.mono().after(COMMIT_EVERY);
        match committed {
            Err(error) if error.may_heal() => Ok(()),
            other => Ok(other?),
        }
    }

    /// Commits how far records were written.
    async fn commit(&mut self) -> Result<(), Failure> {
        Ok(self.try_commit().await?)
    }

    async fn try_commit(&mut self) -> Result<(), ClientError> {
        let mut positions = self.reader.positions();
        positions.retain(|partition, offset| self.committed.get(partition) != Some(offset));
        if positions.is_empty() {
            return Ok(());
        }
        let offsets = [(self.reader.topic(), positions)];
        for _ in 0..COMMIT_TRIES {
            let now = self.member.now()?;
            if now.life != self.life {
                return Ok(());
            }
            let codes = self.client.commit_offsets(self.group, Some((&now.id, now.epoch)), &offsets).await?;
            let bad = codes.iter().find(|(_, code)| !code.is_none());
            match bad.map(|((_, partition), code)| (*partition, *code)) {
                // Of a topic that is gone nothing is to be kept.
                None | Some((_, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID)) => {
                    let [(_, positions)] = offsets;
                    self.committed.extend(positions);
                    return Ok(());
                }
                Some((_, ErrorCode::STALE_MEMBER_EPOCH)) => self.clock.sleep(SETTLING).await,
                Some((partition, code)) => {
                    let what = format!("cannot commit the offset of {}-{partition}", self.topic);
                    return self.passing(&now, ClientError::Refused { code, what, message: None });
                }
            }
        }
        // The epoch moves on with every heartbeat: the next commit will be in time.
        Ok(())
    }

    /// Errors of a member whose epoch moved on, or who is none any more, heal by themselves.
    fn passing(&self, now: &Membership, error: ClientError) -> Result<(), ClientError> {
        match error.code() {
            ErrorCode::STALE_MEMBER_EPOCH => Ok(()),
            ErrorCode::FENCED_MEMBER_EPOCH
            | ErrorCode::UNKNOWN_MEMBER_ID
            | ErrorCode::ILLEGAL_GENERATION
            | ErrorCode::GROUP_ID_NOT_FOUND => {
                self.member.was_fenced(now.life);
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn say(&self, what: &str) {
        self.output.say(&format!("group {}: {what}", self.group));
    }
}
