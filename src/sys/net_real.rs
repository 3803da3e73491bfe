//! TCP of the machine, through tokio.

use super::net::{Conn, Listener, Net, NetFuture, PeerAddr};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

/// Connections that the kernel keeps for us while we are busy; a burst of reconnecting clients must fit.
const BACKLOG: u32 = 1024;

/// TCP of the machine.
#[derive(Default)]
pub struct RealNet;

struct RealListener(TcpListener, SocketAddr);

struct RealConn(TcpStream, PeerAddr);

impl Net for RealNet {
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async move {
            let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
            for target in lookup_host(address).await? {
                match listen(target) {
                    Ok(listener) => return Ok(Box::new(listener) as Box<dyn Listener>),
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Conn>> {
        Box::pin(async move { Ok(Box::new(wrap(TcpStream::connect(address).await?)?) as Box<dyn Conn>) })
    }
}

fn listen(address: SocketAddr) -> io::Result<RealListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted broker must get its port back while old connections are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let local = listener.local_addr()?;
    Ok(RealListener(listener, local))
}

fn wrap(stream: TcpStream) -> io::Result<RealConn> {
    // Answers are written whole; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    let addr = PeerAddr { local: stream.local_addr()?, peer: stream.peer_addr()? };
    Ok(RealConn(stream, addr))
}

impl Listener for RealListener {
    fn accept(&self) -> NetFuture<'_, Box<dyn Conn>> {
        Box::pin(async move {
            let (stream, _) = self.0.accept().await?;
            Ok(Box::new(wrap(stream)?) as Box<dyn Conn>)
        })
    }

    fn local(&self) -> SocketAddr {
        self.1
    }
}

impl Conn for RealConn {
    fn addr(&self) -> PeerAddr {
        self.1
    }
}

impl AsyncRead for RealConn {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl AsyncWrite for RealConn {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
