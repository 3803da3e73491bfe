//! Takes connections, within the limits on their number, and hands each to a task of its own.

use super::{Advertised, ConnCx, Door, conn};
use crate::sys::{Conn, Listener};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Pause after a failed accept: out of descriptors is the usual cause, and trying at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Counts a connection for as long as it lives.
struct Counted {
    door: Arc<Door>,
    ip: IpAddr,
}

/// Serves connections until the door is told to stop, then until the last connection has ended.
pub async fn listen(listener: Box<dyn Listener>, advertised: Advertised, door: Arc<Door>) {
    let advertised = Arc::new(advertised);
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = door.stop.cancelled() => break,
            Some(ended) = tasks.join_next() => {
                report_panic(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) => take(stream, &advertised, &door, &mut tasks),
            Err(error) => {
                if let Some(held_back) = door.quiet.allow(door.clock.mono()) {
                    tracing::warn!(%error, held_back, "cannot accept a connection");
                }
                door.clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while let Some(ended) = tasks.join_next().await {
        report_panic(ended);
    }
}

fn take(stream: Box<dyn Conn>, advertised: &Arc<Advertised>, door: &Arc<Door>, tasks: &mut JoinSet<()>) {
    let addr = stream.addr();
    let Some(counted) = Counted::admit(door, addr.peer.ip()) else {
        if let Some(held_back) = door.quiet.allow(door.clock.mono()) {
            tracing::warn!(peer = %addr.peer, held_back, "connection refused: too many");
        }
        return;
    };
    let cx = ConnCx {
        addr,
        advertised: Arc::clone(advertised),
        client_id: Arc::default(),
        door: Arc::clone(door),
    };
    tasks.spawn(async move {
        conn::serve(stream, cx).await;
        drop(counted);
    });
}

fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed; its connection is closed");
    }
}

impl Counted {
    fn admit(door: &Arc<Door>, ip: IpAddr) -> Option<Counted> {
        let mut connections = door.connections.lock();
        let total: usize = connections.total;
        let here = connections.by_ip.get(&ip).copied().unwrap_or(0);
        let settings = door.engine.settings();
        let override_here = settings.connections_per_ip_overrides.get(&ip);
        let here_max = override_here.copied().unwrap_or(settings.connections_per_ip_max);
        if total >= settings.connections_max || here >= here_max {
            return None;
        }
        connections.total = total + 1;
        connections.by_ip.insert(ip, here + 1);
        Some(Counted { door: Arc::clone(door), ip })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut connections = self.door.connections.lock();
        connections.total = connections.total.saturating_sub(1);
        let left = connections.by_ip.get(&self.ip).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            connections.by_ip.remove(&self.ip);
        } else {
            connections.by_ip.insert(self.ip, left);
        }
    }
}
