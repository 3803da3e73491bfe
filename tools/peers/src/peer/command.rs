//! The command line of each broker, and every setting that is not its default.

use super::{Install, Kind, Peer, free_address};
use crate::floor::Sync;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What Kafka's own start script gives the virtual machine, with its default heap.
pub const KAFKA_JVM: [&str; 8] = [
    "-Xms1g",
    "-Xmx1g",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

/// One node that is broker and controller; the rest is Kafka's default but for when deleted files go.
pub const KAFKA_PROPERTIES: &str = "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.segment.delete.delay.ms=1000
";

/// Ours: room for ten thousand connections, and deleted files go as soon as with Kafka.
pub const OURS: [&str; 2] = ["max.connections=20000", "log.segment.delete.delay.ms=1000"];
/// What makes ours relaxed: Kafka's default.
pub const RELAXED: &str = "log.flush.interval.messages=9223372036854775807";

impl Peer {
    /// What must happen once before the first start.
    pub(super) fn prepare(&self, install: &Install) -> Result<()> {
        if self.spec.kind != Kind::Kafka {
            return Ok(());
        }
        let home = self.home.as_ref().context("a broker that is not ours")?;
        let properties = KAFKA_PROPERTIES
            .replace("{controller}", &free_address()?.port().to_string())
            .replace("{address}", &self.address.to_string())
            .replace("{data}", &home.join("data").to_string_lossy());
        fs::write(home.join("server.properties"), properties)?;
        let mut format = java(install)?;
        format.args(["kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"]);
        let done = format.arg(home.join("server.properties")).output().context("java")?;
        ensure!(done.status.success(), "format: {}", String::from_utf8_lossy(&done.stdout));
        Ok(())
    }

    /// Ends with this process, whatever happens to it: `exec` of this program asks the kernel for that.
    pub(super) fn command(&self, install: &Install, home: &Path) -> Result<Command> {
        let me = std::env::current_exe()?;
        let inner = match self.spec.kind {
            Kind::Floor { sync, together } => {
                let mut floor = Command::new(&me);
                let sync = match sync {
                    Sync::None => "none",
                    Sync::Round => "round",
                    Sync::Each => "each",
                };
                floor.args(["floor", "--sync", sync, "--listen", &self.address.to_string(), "--data"]);
                floor.arg(home.join("data")).args(together.then_some("--together"));
                floor
            }
            Kind::Logboom { relaxed } => {
                let mut ours = Command::new(&install.logboom);
                ours.arg("serve").arg("--data").arg(home.join("data"));
                ours.args(["--listen", &self.address.to_string()]);
                ours.args(
                    OURS.iter().copied().chain(relaxed.then_some(RELAXED)).flat_map(|set| ["--set", set]),
                );
                ours
            }
            Kind::Kafka => {
                let mut kafka = java(install)?;
                kafka.arg("kafka.Kafka").arg(home.join("server.properties"));
                kafka
            }
            Kind::Other => anyhow::bail!("a broker that is not ours"),
        };
        let mut outer = Command::new(me);
        outer.arg("exec").arg(inner.get_program()).args(inner.get_args());
        Ok(outer)
    }
}

fn java(install: &Install) -> Result<Command> {
    let jars = install.kafka.as_ref().context("no jars of Kafka: tools/peers/run installs them")?;
    let mut java = Command::new("java");
    java.args(KAFKA_JVM).arg("-cp").arg(jars.join("*"));
    Ok(java)
}
