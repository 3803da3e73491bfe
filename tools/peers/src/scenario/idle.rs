//! What a connection costs that does nothing: resident memory of the process. What the kernel holds for a socket is
//! nobody's resident memory.

use super::{Settings, put};
use crate::load::{Load, Sent, Wire};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less, more};
use anyhow::{Result, ensure};
use bytes::Bytes;
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::metadata::MetadataRequest;
use std::time::Duration;

pub const METRICS: &[Metric] = &[more("connections"), less("KiB each").charted()];

/// After the last answer, until memory is looked at.
const REST: Duration = Duration::from_secs(1);
const VERSION: i16 = 12;

/// Asks once on each connection.
struct Once(usize);

impl Load for Once {
    fn start(&mut self, wire: &mut Wire) -> Result<()> {
        let request = MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() };
        let frame = encode_request(&request, VERSION, 0, Some("peers"))?.to_bytes()?;
        for conn in 0..wire.len() {
            wire.push(conn, &frame, Sent { at: 0, tag: 0 });
        }
        Ok(())
    }

    fn tick(&mut self, _wire: &mut Wire) -> Result<Option<u64>> {
        Ok(None)
    }

    fn answer(&mut self, _: &mut Wire, _: usize, _: Sent, frame: Bytes, _: u64) -> Result<()> {
        decode_response::<MetadataRequest>(frame, VERSION)?;
        self.0 += 1;
        Ok(())
    }

    fn stop(&mut self) {}
}

/// Opens them and looks.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let before = peer.resident()?;
    let mut wire = Wire::connect(peer.address, settings.connections)?;
    let mut once = Once(0);
    once.start(&mut wire)?;
    wire.drain(&mut once)?;
    ensure!(once.0 == settings.connections, "{} of {} connections answered", once.0, settings.connections);
    std::thread::sleep(REST);
    let after = peer.resident()?;
    let mut sample = Sample::new();
    sample.insert("connections", settings.connections as f64);
    let each = after.zip(before).map(|(after, before)| after as f64 - before as f64);
    // Memory that is free already is used first; a heap that shrinks meanwhile says nothing.
    put(&mut sample, "KiB each", each.map(|each| each.max(0.0) / 1024.0 / settings.connections as f64));
    Ok(sample)
}
