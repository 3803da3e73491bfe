//! The Kafka door: bytes of a connection as a stranger sends them, to a whole broker on a simulated disk. Whatever
//! comes, answers are whole frames, and another client is served as if nothing had happened.
//!
//! Input: a byte that says how the rest is meant: the stream itself (even), or requests to be framed here, each after
//! its length in two bytes (odd), since a mutation seldom keeps a frame's length right.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logboom::config::BrokerSettings;
use logboom::log::local::LogDirOptions;
use logboom::server::{Parts, Server};
use logboom::sys::{Conn, Listener, Net, NetFuture, PeerAddr, SeededRng, SimClock, SimFs};
use logboom::types::TimestampMs;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, mpsc};

/// Bytes on the way in one direction.
const PIPE: usize = 64 << 10;
/// A broker that has nothing more to say is silent for so long; waiting longer finds no more and costs runs.
const SILENCE: Duration = Duration::from_millis(3);
/// For what must come.
const PATIENCE: Duration = Duration::from_secs(5);

type Stream = Box<dyn Conn>;

/// A network of one address, whose clients are in this process.
struct Wire {
    clients: mpsc::UnboundedSender<Stream>,
    arriving: Arc<Mutex<mpsc::UnboundedReceiver<Stream>>>,
}

struct Door(Arc<Mutex<mpsc::UnboundedReceiver<Stream>>>);

struct Pipe(DuplexStream);

fn here() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9092))
}

impl Wire {
    fn new() -> Wire {
        let (clients, arriving) = mpsc::unbounded_channel();
        Wire { clients, arriving: Arc::new(Mutex::new(arriving)) }
    }
}

impl Net for Wire {
    fn bind<'a>(&'a self, _: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async { Ok(Box::new(Door(Arc::clone(&self.arriving))) as Box<dyn Listener>) })
    }

    fn connect<'a>(&'a self, _: &'a str) -> NetFuture<'a, Stream> {
        Box::pin(async {
            let (near, far) = tokio::io::duplex(PIPE);
            self.clients.send(Box::new(Pipe(far))).map_err(|_| io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(Pipe(near)) as Stream)
        })
    }
}

impl Listener for Door {
    fn accept(&self) -> NetFuture<'_, Stream> {
        Box::pin(async { self.0.lock().await.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into()) })
    }

    fn local(&self) -> SocketAddr {
        here()
    }
}

impl Conn for Pipe {
    fn addr(&self) -> PeerAddr {
        PeerAddr { local: here(), peer: here() }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

async fn start(fs: &SimFs) -> (Server, Arc<Wire>) {
    let values = [("log.dirs", "/data"), ("listeners", "PLAINTEXT://127.0.0.1:9092")];
    let settings = BrokerSettings::with_values(&values).expect("the settings are right");
    let wire = Arc::new(Wire::new());
    let parts = Parts {
        fs: Arc::new(fs.clone()),
        clock: Arc::new(SimClock::new(TimestampMs(1_700_000_000_000))),
        rng: Arc::new(SeededRng::new(1)),
        net: Arc::clone(&wire) as Arc<dyn Net>,
    };
    let server = Server::start_with(Arc::new(settings), parts, LogDirOptions::default()).await;
    (server.expect("an empty disk takes a broker"), wire)
}

/// The bytes that the input means.
fn stream_of(data: &[u8]) -> Vec<u8> {
    let [how, rest @ ..] = data else { return Vec::new() };
    if how % 2 == 0 {
        return rest.to_vec();
    }
    let (mut stream, mut rest) = (Vec::new(), rest);
    while let Some((len, after)) = rest.split_first_chunk() {
        let (request, after) = after.split_at(after.len().min(usize::from(u16::from_be_bytes(*len))));
        stream.extend_from_slice(&(request.len() as u32).to_be_bytes());
        stream.extend_from_slice(request);
        rest = after;
    }
    stream
}

/// Sends the bytes, and takes what comes back until nothing does.
async fn exchange(client: Stream, bytes: &[u8]) -> Vec<u8> {
    let (mut answers, mut requests) = tokio::io::split(client);
    let send = async {
        // The broker may close at the first wrong byte.
        let _ = requests.write_all(bytes).await;
    };
    let receive = async {
        let mut all = Vec::new();
        while let Ok(Ok(1..)) = tokio::time::timeout(SILENCE, answers.read_buf(&mut all)).await {}
        all
    };
    let ((), all) = tokio::join!(async { tokio::time::timeout(PATIENCE, send).await.unwrap_or(()) }, receive);
    all
}

/// Answers are frames; the last may be cut only by our own impatience.
fn check_frames(answers: &[u8]) {
    let mut rest = answers;
    while let Some((len, after)) = rest.split_first_chunk() {
        let len = i32::from_be_bytes(*len);
        assert!((4..100 << 20).contains(&len), "an answer of {len} bytes");
        rest = after.get(len as usize..).unwrap_or_default();
    }
}

async fn check_served(wire: &Wire) {
    let mut client = wire.connect("").await.expect("the broker listens");
    // ApiVersions 0, correlation id 77, no client id.
    client.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 77, 0xff, 0xff]).await.expect("the broker reads");
    let mut head = [0; 10];
    let answer = tokio::time::timeout(PATIENCE, client.read_exact(&mut head)).await;
    answer.expect("the broker is stuck").expect("the broker answers");
    assert_eq!(head[4..], [0, 0, 0, 77, 0, 0]);
}

fuzz_target!(|data: &[u8]| {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    static EMPTY: OnceLock<SimFs> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let built = tokio::runtime::Builder::new_current_thread().enable_time().build();
        built.expect("the machine gives a runtime")
    });
    let empty = EMPTY.get_or_init(|| {
        let fs = SimFs::default();
        runtime.block_on(async { start(&fs).await.0.stop().await });
        fs.settle();
        fs
    });
    runtime.block_on(async {
        let (server, wire) = start(&empty.kill()).await;
        let client = wire.connect("").await.expect("the broker listens");
        check_frames(&exchange(client, &stream_of(data)).await);
        check_served(&wire).await;
        tokio::time::timeout(PATIENCE, server.stop()).await.expect("the broker does not stop");
    });
});
