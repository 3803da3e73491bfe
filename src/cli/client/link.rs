//! One connection: frames out, answers in, several calls under way. Answers come in the order of the calls, as Kafka
//! promises, so a queue of waiting callers is all the state there is.

use super::{ClientError, Reach};
use crate::sys::{Clock, Conn};
use crate::types::{ErrorCode, MonoNs};
use crate::wire::frame::{decode_response, encode_request};
use crate::wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::wire::{ApiKey, Encoded, Part, Request};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

/// Calls under way on one connection; more wait for their turn.
const CALLS_MAX: usize = 64;
/// Largest answer: twice the most that we ever ask to fetch, so that headers fit.
pub(super) const ANSWER_BYTES_MAX: usize = 128 << 20;
/// An answer grows in memory as it arrives, not as its length claims.
pub(super) const READ_STEP: usize = 1 << 20;
/// Longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Longest wait for an answer; above what we ask brokers to wait at most.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(40);

pub(super) const CLIENT_ID: &str = "logboom";

struct Outgoing {
    frame: Encoded,
    correlation: i32,
    reply: Reply,
}

enum Reply {
    /// The caller waits for the answer.
    Answer(oneshot::Sender<Bytes>),
    /// There is no answer (acks=0): the caller waits for the writing.
    Written(oneshot::Sender<()>),
}

type Expected = (i32, oneshot::Sender<Bytes>);

/// A connection with what the broker speaks.
pub(super) struct Link {
    address: String,
    outbox: mpsc::Sender<Outgoing>,
    versions: BTreeMap<ApiKey, (i16, i16)>,
    correlation: AtomicI32,
    clock: Arc<dyn Clock>,
}

/// An answer on its way.
pub(super) struct Pending<R> {
    reply: oneshot::Receiver<Bytes>,
    address: String,
    version: i16,
    deadline: MonoNs,
    clock: Arc<dyn Clock>,
    request: PhantomData<fn() -> R>,
}

impl Link {
    /// Connects and asks what the broker speaks.
    pub(super) async fn open(reach: &Reach, address: &str) -> Result<Arc<Link>, ClientError> {
        let conn = connect(reach, address).await?;
        let (reader, writer) = tokio::io::split(conn);
        let (outbox, inbox) = mpsc::channel(CALLS_MAX);
        // Every call written is expected; the bound is that of the calls under way.
        let (expect, expected) = mpsc::channel(CALLS_MAX);
        tokio::spawn(write_calls(writer, inbox, expect));
        tokio::spawn(read_answers(reader, expected));
        let mut link = Link {
            address: address.to_owned(),
            outbox,
            versions: BTreeMap::from([(ApiKey::API_VERSIONS, (0, 3))]),
            correlation: AtomicI32::new(0),
            clock: Arc::clone(&reach.clock),
        };
        link.versions = link.ask_versions().await?;
        Ok(Arc::new(link))
    }

    async fn ask_versions(&self) -> Result<BTreeMap<ApiKey, (i16, i16)>, ClientError> {
        let ask = ApiVersionsRequest {
            client_software_name: "logboom".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..ApiVersionsRequest::default()
        };
        let mut version = 3;
        let answer: ApiVersionsResponse = loop {
            let pending = self.begin_with(&ask, version).await?;
            // A broker that does not know the version answers in version 0 (KIP-511).
            match (pending.answer().await, version) {
                (Ok(answer), _) if answer.error_code.is_none() => break answer,
                (Ok(answer), 0) => {
                    let what = format!("{} would not say what it speaks", self.address);
                    return Err(ClientError::Refused { code: answer.error_code, what, message: None });
                }
                (Ok(answer), _) if answer.error_code != ErrorCode::UNSUPPORTED_VERSION => {
                    let what = format!("{} would not say what it speaks", self.address);
                    return Err(ClientError::Refused { code: answer.error_code, what, message: None });
                }
                (Err(error @ (ClientError::Lost { .. } | ClientError::TimedOut { .. })), _)
                | (Err(error), 0) => {
                    return Err(error);
                }
                _ => version = 0,
            }
        };
        let ranges =
            answer.api_keys.iter().map(|api| (ApiKey(api.api_key), (api.min_version, api.max_version)));
        Ok(ranges.collect())
    }

    /// Whether the connection broke.
    pub(super) fn is_lost(&self) -> bool {
        self.outbox.is_closed()
    }

    /// Whether the broker offers the API in some version that we speak.
    pub(super) fn offers<R: Request>(&self) -> bool {
        self.version_of::<R>().is_ok()
    }

    /// The newest version that both sides speak.
    pub(super) fn version_of<R: Request>(&self) -> Result<i16, ClientError> {
        // Later versions of these know topics by id alone; names are what our callers have.
        let ours = match R::KEY {
            ApiKey::PRODUCE | ApiKey::FETCH => 12,
            ApiKey::OFFSET_FETCH => 9,
            _ => *R::VERSIONS.end(),
        };
        self.version_within::<R>(ours)
    }

    /// The newest version up to this one that both sides speak.
    fn version_within<R: Request>(&self, most: i16) -> Result<i16, ClientError> {
        let unsupported = || ClientError::Unsupported { address: self.address.clone(), api: R::KEY.name() };
        let (low, high) = self.versions.get(&R::KEY).copied().ok_or_else(unsupported)?;
        let version = high.min(most);
        match version >= low && version >= *R::VERSIONS.start() {
            true => Ok(version),
            false => Err(unsupported()),
        }
    }

    /// Sends a request, in the order of the calls, and returns before its answer is there.
    pub(super) async fn begin<R: Request>(&self, request: &R) -> Result<Pending<R>, ClientError> {
        self.begin_with(request, self.version_of::<R>()?).await
    }

    async fn begin_with<R: Request>(&self, request: &R, version: i16) -> Result<Pending<R>, ClientError> {
        let (sender, reply) = oneshot::channel();
        self.post(request, version, Reply::Answer(sender)).await?;
        let clock = Arc::clone(&self.clock);
        let deadline = clock.mono().after(ANSWER_MAX);
        Ok(Pending { reply, address: self.address.clone(), version, deadline, clock, request: PhantomData })
    }

    /// Sends a request that has no answer, and returns once it is written.
    pub(super) async fn tell<R: Request>(&self, request: &R) -> Result<(), ClientError> {
        let (sender, written) = oneshot::channel();
        self.post(request, self.version_of::<R>()?, Reply::Written(sender)).await?;
        let lost = |_| ClientError::Lost { address: self.address.clone(), why: "it was closed".to_owned() };
        written.await.map_err(lost)
    }

    async fn post<R: Request>(&self, request: &R, version: i16, reply: Reply) -> Result<(), ClientError> {
        let correlation = self.correlation.fetch_add(1, Ordering::Relaxed);
        let frame = encode_request(request, version, correlation, Some(CLIENT_ID))
            .map_err(|why| ClientError::Unsayable { api: R::KEY.name(), why: why.to_string() })?;
        let lost = |_| ClientError::Lost { address: self.address.clone(), why: "it was closed".to_owned() };
        self.outbox.send(Outgoing { frame, correlation, reply }).await.map_err(lost)
    }

    /// As [`Link::call`], in a version up to this one.
    pub(super) async fn call_within<R: Request>(
        &self,
        request: &R,
        most: i16,
    ) -> Result<R::Response, ClientError> {
        self.begin_with(request, self.version_within::<R>(most)?).await?.answer().await
    }

    /// Sends a request and waits for its answer.
    pub(super) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        self.begin(request).await?.answer().await
    }
}

impl<R: Request> Pending<R> {
    /// The answer.
    pub(super) async fn answer(self) -> Result<R::Response, ClientError> {
        let api = R::KEY.name();
        let frame = tokio::select! {
            biased;
            frame = self.reply => frame,
            () = self.clock.sleep_until(self.deadline) => {
                return Err(ClientError::TimedOut { address: self.address, api, seconds: ANSWER_MAX.as_secs() });
            }
        };
        let frame = frame.map_err(|_| ClientError::Lost {
            address: self.address.clone(),
            why: format!("it was closed before the answer to {api}"),
        })?;
        match decode_response::<R>(frame, self.version) {
            Ok((_, answer)) => Ok(answer),
            Err(why) => Err(ClientError::Malformed { address: self.address, api, why: why.to_string() }),
        }
    }
}

/// A bare connection.
pub(super) async fn connect(reach: &Reach, address: &str) -> Result<Box<dyn Conn>, ClientError> {
    let failed = |source| ClientError::Connect { address: address.to_owned(), source };
    tokio::select! {
        biased;
        conn = reach.net.connect(address) => conn.map_err(failed),
        () = reach.clock.sleep(CONNECT_MAX) => {
            Err(failed(io::Error::new(io::ErrorKind::TimedOut, "no connection within 5 s")))
        }
    }
}

/// Ends, and with it the connection, when nobody can send any more or writing fails.
async fn write_calls(
    mut writer: WriteHalf<Box<dyn Conn>>,
    mut inbox: mpsc::Receiver<Outgoing>,
    expect: mpsc::Sender<Expected>,
) {
    while let Some(Outgoing { frame, correlation, reply }) = inbox.recv().await {
        let written = match reply {
            Reply::Answer(reply) => {
                if expect.send((correlation, reply)).await.is_err() {
                    break;
                }
                None
            }
            Reply::Written(written) => Some(written),
        };
        if write_frame(&mut writer, &frame).await.is_err() {
            break;
        }
        if let Some(written) = written {
            // A caller that gave up does not want to know.
            let _ = written.send(());
        }
    }
    // The other side may be waiting for more; an error here changes nothing.
    let _ = writer.shutdown().await;
}

async fn write_frame(writer: &mut WriteHalf<Box<dyn Conn>>, frame: &Encoded) -> io::Result<()> {
    for part in &frame.parts {
        match part {
            Part::Bytes(bytes) => writer.write_all(bytes).await?,
            Part::Hole(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    writer.flush().await
}

/// Ends when the connection does, or when an answer is not the one expected; dropping the queue tells the callers.
async fn read_answers(mut reader: ReadHalf<Box<dyn Conn>>, mut expected: mpsc::Receiver<Expected>) {
    while let Ok(frame) = read_frame(&mut reader).await {
        let Some((correlation, reply)) = expected.recv().await else { return };
        let id = frame.get(..4).and_then(|id| id.try_into().ok()).map(i32::from_be_bytes);
        if id != Some(correlation) {
            return;
        }
        // A caller that gave up does not want its answer.
        let _ = reply.send(frame);
    }
}

async fn read_frame(reader: &mut ReadHalf<Box<dyn Conn>>) -> io::Result<Bytes> {
    let len = usize::try_from(reader.read_i32().await?).map_err(|_| io::ErrorKind::InvalidData)?;
    if !(4..=ANSWER_BYTES_MAX).contains(&len) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = BytesMut::with_capacity(len.min(READ_STEP));
    while frame.len() < len {
        let want = (len - frame.len()).min(READ_STEP) as u64;
        if (&mut *reader).take(want).read_buf(&mut frame).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}
