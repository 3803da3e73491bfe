//! Sockets as traits, so that the whole broker can run on a simulated network.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// What an asynchronous call of this module returns.
pub type NetFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr {
    /// The address by which the other side reached us, or we left.
    pub local: SocketAddr,
    /// The other side.
    pub peer: SocketAddr,
}

/// A connected byte stream.
pub trait Conn: AsyncRead + AsyncWrite + Send + Unpin {
    /// Both ends.
    fn addr(&self) -> PeerAddr;
}

/// A bound socket that hands out connections.
pub trait Listener: Send + Sync {
    /// The next connection.
    fn accept(&self) -> NetFuture<'_, Box<dyn Conn>>;
    /// Where it listens, with the port that the system chose for port 0.
    fn local(&self) -> SocketAddr;
}

/// A network.
pub trait Net: Send + Sync + 'static {
    /// Listens on `host:port`.
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>>;
    /// Connects to `host:port`.
    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Conn>>;
}
