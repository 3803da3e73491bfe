"""Starts, kills and measures a broker: real Kafka 4.4.0 or ours. It must know nothing about judges.

Both have the same face: start, stop, kill, address, pid, data (a directory to look for partition files in).
"""
import os
import shutil
import signal
import socket
import subprocess
import time

from kit import install, wire
from kit.paths import JAVA44, ROOT

KAFKA_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={logs}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """A broker process on a fixed loopback port, so that clients find it again after a kill."""

    def __init__(self, home, settings=None):
        self.home, self.settings, self.process = home, settings or {}, None
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = home / "data"

    def command(self):
        raise NotImplementedError

    def prepare(self):
        """What must happen once before the first start."""

    def start(self, timeout=60):
        """Starts the process; returns the seconds from exec to the first metadata answer."""
        self.prepare()
        output = open(self.home / "output.log", "ab")
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=subprocess.STDOUT, env=self.environment(), start_new_session=True)
        output.close()
        self.wait_ready(begun + timeout)
        return time.monotonic() - begun

    def environment(self):
        return dict(os.environ)

    def wait_ready(self, deadline):
        """Until Metadata names a broker and a controller."""
        spec = shared_spec()
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.kind} ended with {self.process.returncode}: {self.last_output()}")
            try:
                with wire.Conn(spec, self.address, 5) as conn:
                    answer = conn.call("Metadata", 12, {"Topics": []})
                    if answer["Brokers"] and answer["ControllerId"] >= 0:
                        return
            except (OSError, wire.Closed):
                pass
            time.sleep(self.poll_seconds)
        raise RuntimeError(f"{self.kind} was not ready in time: {self.last_output()}")

    def last_output(self):
        return (self.home / "output.log").read_text(errors="replace")[-2000:]

    def kill(self):
        """kill -9, and waits until the process is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait(30)

    def stop(self):
        """SIGTERM; kill -9 if that takes longer than 20 s."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def rss(self):
        """Resident bytes now."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


class Kafka(Broker):
    """Apache Kafka 4.4.0, one KRaft node that is broker and controller.

    Eligible leader replicas are off: they mean nothing on one node, and Kafka would show min.insync.replicas as a
    setting that somebody made.
    """

    kind, poll_seconds = "kafka", 0.05
    heap = ["-Xms256m", "-Xmx1g", "-XX:TieredStopAtLevel=1"]

    def java(self, *arguments):
        return ["java", *self.heap, "-XX:+UseG1GC", "-cp", f"{JAVA44}/*", *arguments]

    def prepare(self):
        if (self.data / "meta.properties").exists():
            return
        install.kafka()
        properties = KAFKA_PROPERTIES.format(port=self.port, controller=free_port(), logs=self.data)
        properties += "".join(f"{key}={value}\n" for key, value in self.settings.items())
        (self.home / "server.properties").write_text(properties)
        shutil.rmtree(self.data, ignore_errors=True)
        install.run_quietly(self.java("kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw",
                                      "--feature", "eligible.leader.replicas.version=0",
                                      "-c", self.home / "server.properties"), timeout=60)

    def command(self):
        return self.java("kafka.Kafka", self.home / "server.properties")


class Logboom(Broker):
    """Our broker: the newest of the built binaries, or the one that LOGBOOM_BIN names."""

    kind, poll_seconds = "logboom", 0.002

    @staticmethod
    def binary():
        if named := os.environ.get("LOGBOOM_BIN"):
            return named
        built = [path for profile in ("release", "debug") if (path := ROOT / "target" / profile / "logboom").exists()]
        if not built:
            raise RuntimeError("no logboom binary: build it, or set LOGBOOM_BIN")
        return str(max(built, key=lambda path: path.stat().st_mtime))

    def environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith("LOGBOOM_")}

    def command(self):
        chosen = [part for key, value in self.settings.items() for part in ("--set", f"{key}={value}")]
        return [self.binary(), "serve", "--data", str(self.data), "--listen", self.address, *chosen]


KINDS = {"kafka": Kafka, "logboom": Logboom}
SPEC = []


def shared_spec():
    """The specs are read once per process, after the jars are there."""
    if not SPEC:
        install.kafka()
        SPEC.append(wire.Spec())
    return SPEC[0]
