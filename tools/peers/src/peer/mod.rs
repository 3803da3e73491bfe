//! The brokers that are compared: how each is started, where it is reached, which process it is. It must not know
//! what is asked of them.

mod command;

use crate::account;
use crate::call::Caller;
use crate::floor::Sync;
use anyhow::{Context, Result, bail, ensure};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

pub use command::{KAFKA_JVM, KAFKA_PROPERTIES, OURS, RELAXED};

/// A start that takes longer than this failed; ten thousand partitions take Kafka minutes.
const START_MAX: Duration = Duration::from_secs(300);
/// A process that does not end when it is told to is killed after this.
const STOP_MAX: Duration = Duration::from_secs(60);

/// What a broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The floor of this package.
    Floor {
        /// When it syncs.
        sync: Sync,
        /// Answers what came together by one write.
        together: bool,
    },
    /// Ours, as it is, or with `flush.messages` as Kafka's default.
    Logboom {
        /// Without a sync before the acknowledgement.
        relaxed: bool,
    },
    /// Apache Kafka 4.4.0.
    Kafka,
    /// Something that listens at an address.
    Other,
}

/// A broker that can be started, or is there.
#[derive(Clone, Debug)]
pub struct Spec {
    /// As it stands in the table.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Address and process of one that is there.
    pub there: Option<(SocketAddr, Option<i32>)>,
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Install {
    /// `logboom`.
    pub logboom: PathBuf,
    /// The folder with the jars of Kafka.
    pub kafka: Option<PathBuf>,
    /// The directory for all data, removed at the end.
    pub work: PathBuf,
}

/// A broker that runs. What was started is killed when dropped, and its data removed.
pub struct Peer {
    /// What it is.
    pub spec: Spec,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, if it is known.
    pub pid: Option<i32>,
    /// Seconds from the start of the process to the first answer to Metadata.
    pub start_seconds: f64,
    home: Option<PathBuf>,
    child: Option<Child>,
}

impl Spec {
    /// The one of this name that can be started.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Spec> {
        let kind = match name {
            "floor" => Kind::Floor { sync: Sync::None, together: false },
            "floor-together" => Kind::Floor { sync: Sync::None, together: true },
            "floor-round" => Kind::Floor { sync: Sync::Round, together: true },
            "floor-each" => Kind::Floor { sync: Sync::Each, together: false },
            "logboom" => Kind::Logboom { relaxed: false },
            "logboom-relaxed" => Kind::Logboom { relaxed: true },
            "kafka" => Kind::Kafka,
            other => bail!("no broker {other}; there are {}", Spec::NAMES.join(", ")),
        };
        Ok(Spec { name: name.to_owned(), kind, there: None })
    }

    /// All that can be started.
    pub const NAMES: [&str; 7] =
        ["floor", "floor-together", "floor-round", "floor-each", "logboom", "logboom-relaxed", "kafka"];

    /// A broker that is there: `name=host:port[,pid]`.
    ///
    /// # Errors
    /// It is written otherwise.
    pub fn also(text: &str) -> Result<Spec> {
        let (name, place) = text.split_once('=').context("name=host:port[,pid]")?;
        let (address, pid) = match place.split_once(',') {
            Some((address, pid)) => (address, Some(pid.parse().context("the process id")?)),
            None => (place, None),
        };
        let address = std::net::ToSocketAddrs::to_socket_addrs(address)?.next().context("no such address")?;
        Ok(Spec { name: name.to_owned(), kind: Kind::Other, there: Some((address, pid)) })
    }

    /// Starts it in a new directory, or reaches it where it is.
    ///
    /// # Errors
    /// It ends, or is not ready in time; with the end of its output.
    pub fn start(&self, install: &Install, label: &str) -> Result<Peer> {
        if let Some((address, pid)) = self.there {
            ensure!(Caller::connect(address)?.ready()?, "{} is not ready", self.name);
            return Ok(Peer {
                spec: self.clone(),
                address,
                pid,
                start_seconds: 0.0,
                home: None,
                child: None,
            });
        }
        let home = install.work.join(format!("{}-{label}", self.name));
        fs::create_dir_all(&home)?;
        let mut peer = Peer {
            spec: self.clone(),
            address: free_address()?,
            pid: None,
            start_seconds: 0.0,
            home: Some(home),
            child: None,
        };
        peer.prepare(install)?;
        peer.launch(install)?;
        Ok(peer)
    }
}

impl Peer {
    /// Stops the process in good order and starts it again on what it stored; the seconds until it had ended. Those
    /// until it answered again are its new `start_seconds`.
    ///
    /// # Errors
    /// As [`Spec::start`].
    pub fn restart(&mut self, install: &Install) -> Result<f64> {
        let begun = Instant::now();
        self.stop()?;
        let ended = begun.elapsed().as_secs_f64();
        self.launch(install)?;
        Ok(ended)
    }

    /// Processor seconds since its start; none if its process is not known.
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu(&self) -> Result<Option<f64>> {
        self.pid.map(account::cpu_seconds).transpose()
    }

    /// Resident bytes; none if its process is not known.
    ///
    /// # Errors
    /// It has ended.
    pub fn resident(&self) -> Result<Option<u64>> {
        self.pid.map(account::resident).transpose()
    }

    /// The directory of its data, if it is ours.
    pub fn data(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join("data"))
    }

    fn launch(&mut self, install: &Install) -> Result<()> {
        let home = self.home.clone().context("a broker that is not ours")?;
        let output = fs::OpenOptions::new().create(true).append(true).open(home.join("output.log"))?;
        let mut command = self.command(install, &home)?;
        // Settings of ours by environment would change what is compared.
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"LOGBOOM_")) {
            command.env_remove(name);
        }
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
        self.pid = Some(i32::try_from(child.id())?);
        self.child = Some(child);
        loop {
            let ready = Caller::connect(self.address).and_then(|mut caller| caller.ready());
            if ready.unwrap_or(false) {
                self.start_seconds = begun.elapsed().as_secs_f64();
                return Ok(());
            }
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            ensure!(ended.is_none(), "{} ended: {}", self.spec.name, self.last_output());
            ensure!(
                begun.elapsed() < START_MAX,
                "{} was not ready in time: {}",
                self.spec.name,
                self.last_output()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The end of what it printed.
    pub fn last_output(&self) -> String {
        let path = self.home.as_ref().map(|home| home.join("output.log"));
        let text = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(3000)..]).into_owned()
    }

    fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        let begun = Instant::now();
        while child.try_wait()?.is_none() {
            if begun.elapsed() > STOP_MAX {
                child.kill()?;
                child.wait()?;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(home) = &self.home
            && let Err(error) = remove(home)
        {
            eprintln!("peers: {} stays: {error}", home.display());
        }
    }
}

fn remove(home: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(home) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A port of the loopback that nobody listens on now.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_broker_is_given_by_name_address_and_process() {
        let spec = Spec::also("krabka=127.0.0.1:9092,17").unwrap();
        assert_eq!(
            (spec.name.as_str(), spec.there),
            ("krabka", Some(("127.0.0.1:9092".parse().unwrap(), Some(17))))
        );
        assert_eq!(Spec::also("a=127.0.0.1:1").unwrap().there, Some(("127.0.0.1:1".parse().unwrap(), None)));
        assert!(Spec::also("127.0.0.1:1").is_err());
    }
}
