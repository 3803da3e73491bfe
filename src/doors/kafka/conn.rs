//! One connection: frames in, answers out in the order of their requests, many in flight. It knows lengths and
//! limits; what a frame says is `dispatch`'s business.

use super::activity::{Activity, Overdue};
use super::answer::{Answer, Close, Frame};
use super::dispatch::{self, BadRequest};
use super::limits::{ANSWERS_BYTES_MAX, FRAME_FIRST_BYTES, Limits, WAITING_BYTES_MAX, WRITE_PARTS_MAX};
use super::line::Line;
use super::memory::Reserved;
use super::send::send;
use super::source::Source;
use super::{ConnCx, Door};
use crate::sys::{Clock, Conn};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{ReadHalf, WriteHalf};
use tokio_util::sync::CancellationToken;

type Stream = Box<dyn Conn>;

/// Why a connection came to its end.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("closed by the client")]
    Eof,
    #[error("shutting down")]
    Stopping,
    #[error("all is answered")]
    Drained,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a frame length of {0}")]
    BadLength(i32),
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    #[error(transparent)]
    Close(#[from] Close),
    #[error("{0:?}")]
    Overdue(Overdue),
}

/// An answer in line.
struct Queued {
    answer: Answer,
    /// The memory of its request.
    held: Option<Reserved>,
    /// Memory has to be there before it is made.
    long: bool,
}

/// The answers owed; nothing comes behind a `None`.
type Answers = Line<Option<Queued>>;

/// Serves a connection until either side ends it.
pub(super) async fn serve(stream: Stream, cx: ConnCx) {
    let door = &cx.door;
    let activity = Activity::new(door.clock.mono());
    let (source, sink) = tokio::io::split(stream);
    let answers = Line::new(door.limits.in_flight_max, WAITING_BYTES_MAX);
    // One of its own: what is asked at every request should not be locked by all connections.
    let stop = door.stop.child_token();
    let mut reading = pin!(read_requests(Source::new(source), &answers, &cx, &activity, &stop));
    let mut writing = pin!(write_answers(sink, &answers, door, &activity));
    let mut watching = pin!(activity.watch(&*door.clock, &door.limits));
    // Reading before writing, as the line between them wants it.
    let mut end = tokio::select! {
        biased;
        end = &mut reading => end,
        end = &mut writing => end,
        overdue = &mut watching => End::Overdue(overdue),
    };
    if matches!(end, End::Stopping) {
        answers.put(None, 0);
        end = tokio::select! {
            biased;
            end = &mut writing => end,
            overdue = &mut watching => End::Overdue(overdue),
        };
    }
    report(&end, &cx);
}

/// A stranger's mistake is worth a line, held to a rate; the ordinary end of a connection is not.
fn report(end: &End, cx: &ConnCx) {
    let peer = cx.addr.peer;
    match end {
        End::Eof | End::Stopping | End::Drained | End::Io(_) | End::Overdue(Overdue::Idle) => {
            tracing::debug!(%peer, %end, "connection ended");
        }
        _ => {
            if let Some(held_back) = cx.door.quiet.allow(cx.door.clock.mono()) {
                tracing::warn!(%peer, %end, held_back, "connection closed");
            }
        }
    }
}

async fn read_requests(
    mut source: Source<ReadHalf<Stream>>,
    answers: &Answers,
    cx: &ConnCx,
    activity: &Activity,
    stop: &CancellationToken,
) -> End {
    let mut stopped = pin!(stop.cancelled());
    loop {
        let step = async {
            // A place in line first: what cannot be answered soon stays in the socket.
            answers.room().await;
            read_frame(&mut source, cx, activity).await
        };
        let read = tokio::select! {
            biased;
            // Bytes that are here come first: whether to stop is asked where the connection would wait.
            read = step => read,
            () = &mut stopped => return End::Stopping,
        };
        let (frame, held) = match read {
            Ok(read) => read,
            Err(end) => return end,
        };
        let route = dispatch::route(&frame);
        let keeps_frame = route.is_none_or(dispatch::Route::keeps_frame);
        let long = route.is_some_and(dispatch::Route::long_answer);
        let mut answer = match dispatch::start(cx, frame) {
            Ok(answer) => answer,
            Err(bad) => return bad.into(),
        };
        activity.asked();
        while let Answer::First(wait) = answer {
            answer = match wait.await {
                Ok(next) => next,
                Err(close) => return close.into(),
            };
        }
        let held = keeps_frame.then_some(held);
        let bytes = held.as_ref().map_or(0, |held| held.bytes().saturating_add(answer.bytes()));
        answers.put(Some(Queued { answer, held, long }), bytes);
    }
}

/// Reads a whole frame, without its length. The memory is reserved before the body is read, and taken as the bytes
/// come.
async fn read_frame(
    source: &mut Source<ReadHalf<Stream>>,
    cx: &ConnCx,
    activity: &Activity,
) -> Result<(Bytes, Reserved), End> {
    let Door { clock, limits, requests, .. } = &*cx.door;
    let len = read_length(source, clock.as_ref(), limits, activity).await?;
    let held = requests.reserve(len).await;
    let mut frame = BytesMut::with_capacity(len.min(FRAME_FIRST_BYTES));
    source.take_into(&mut frame, len);
    if frame.len() < len {
        activity.frame_begins(clock.mono(), len, limits.stall);
    }
    while frame.len() < len {
        if frame.len() == frame.capacity() {
            // Four times what has come: a frame of a megabyte is moved twice at most, and nobody makes us allocate
            // much more than they sent.
            frame.reserve((len - frame.len()).min(frame.len() * 3));
        }
        let room = len - frame.len();
        let count = tokio::select! {
            biased;
            count = source.read_into(&mut frame, room) => count?,
            () = pressed(Some(&held), &**clock, || activity.silent_for(clock.mono())) => {
                return Err(End::Overdue(Overdue::HalfFrame));
            }
        };
        if count == 0 {
            return Err(End::Eof);
        }
        activity.got_bytes(clock.mono());
    }
    activity.frame_ends();
    Ok((frame.freeze(), held))
}

/// Done when others wait for the memory that is held and the holder does nothing.
async fn pressed(held: Option<&Reserved>, clock: &dyn Clock, idle: impl Fn() -> Duration) {
    match held.and_then(Reserved::pool) {
        Some(pool) => pool.pressed(clock, idle).await,
        None => std::future::pending().await,
    }
}

async fn read_length(
    source: &mut Source<ReadHalf<Stream>>,
    clock: &dyn Clock,
    limits: &Limits,
    activity: &Activity,
) -> Result<usize, End> {
    let mut head = [0; 4];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        if source.is_empty() {
            if source.refill().await? == 0 {
                return Err(End::Eof);
            }
            activity.got_bytes(clock.mono());
        }
        filled += source.take(rest);
        if filled < 4 {
            // Half a length must go on, too, even if it was read with the frame before it.
            activity.frame_begins(clock.mono(), 0, limits.stall);
        }
    }
    // Waiting for memory is not the client's fault.
    activity.frame_ends();
    let length = i32::from_be_bytes(head);
    match usize::try_from(length) {
        Ok(len) if len > 0 && len <= limits.frame_bytes_max => Ok(len),
        _ => Err(End::BadLength(length)),
    }
}

/// Sends answers in order. Those that are ready together, as those of one commit round are, share a write.
async fn write_answers(
    mut sink: WriteHalf<Stream>,
    answers: &Answers,
    door: &Door,
    activity: &Activity,
) -> End {
    let clock = &*door.clock;
    let mut next = None;
    loop {
        let queued = match next.take() {
            Some(queued) => Some(queued),
            None => answers.next().await,
        };
        let Some(Queued { answer, held, long }) = queued else { return End::Drained };
        let mut taken = match long {
            true => Some(door.long_answers.reserve().await),
            false => None,
        };
        let mut frame = match whole(answer).await {
            Ok(frame) => frame,
            Err(close) => return close.into(),
        };
        drop(held);
        if let Some(taken) = &mut taken {
            door.long_answers.made(taken, frame.len());
        }
        let mut count = 1;
        let mut end = None;
        let mut bytes = frame.len();
        // What is in memory ahead of the socket stays small.
        while frame.pieces.len() < WRITE_PARTS_MAX && bytes < ANSWERS_BYTES_MAX {
            let Some(queued) = answers.take() else { break };
            let Some(queued) = queued else {
                end = Some(End::Drained);
                break;
            };
            match ready(queued).await {
                Ready::Frame(more) => {
                    bytes += more.len();
                    frame.append(more);
                }
                Ready::NotYet(queued) => {
                    next = Some(queued);
                    break;
                }
                Ready::Close(close) => {
                    end = Some(close.into());
                    break;
                }
            }
            count += 1;
        }
        activity.answer_begins(clock.mono());
        let sent = tokio::select! {
            biased;
            sent = send(&mut sink, frame, clock, activity) => sent,
            () = pressed(taken.as_ref(), clock, || activity.not_taken_for(clock.mono())) => {
                return End::Overdue(Overdue::SlowReader);
            }
        };
        if let Err(error) = sent {
            return error.into();
        }
        activity.answered(count);
        if let Some(end) = end {
            return end;
        }
    }
}

/// Waits until an answer is made.
async fn whole(answer: Answer) -> Result<Frame, Close> {
    match answer {
        Answer::Now(frame) => Ok(frame),
        Answer::Later(later) => later.await,
        Answer::Silent | Answer::First(_) => Ok(Frame::default()),
    }
}

/// What a look at an answer found.
enum Ready {
    Frame(Frame),
    NotYet(Queued),
    Close(Close),
}

/// Looks at an answer without waiting for it.
async fn ready(queued: Queued) -> Ready {
    let Queued { answer, held, long } = queued;
    match answer {
        Answer::Now(frame) => Ready::Frame(frame),
        // There may be no memory for it yet.
        Answer::Later(_) if long => Ready::NotYet(Queued { answer, held, long }),
        Answer::Later(mut later) => match poll_fn(|cx| Poll::Ready(later.as_mut().poll(cx))).await {
            Poll::Ready(Ok(frame)) => Ready::Frame(frame),
            Poll::Ready(Err(close)) => Ready::Close(close),
            Poll::Pending => Ready::NotYet(Queued { answer: Answer::Later(later), held, long }),
        },
        Answer::Silent | Answer::First(_) => Ready::Frame(Frame::default()),
    }
}
