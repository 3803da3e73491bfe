"""The broker in a cgroup of 256 MiB, under all the load that a client can make: it lives, and serves the others.

At once: producers with many megabytes in flight, readers of large fetches, readers that ask and never read, a thousand
connections that each begin a large frame and leave it there. A modest client goes on all the while, with small records
and with large ones. The kernel must not have ended anything, and the most anonymous memory is measured and bounded;
the page cache counts too in such a group, but the kernel takes it back.
"""
import json
import os
import resource
import selectors
import shutil
import socket
import struct
import threading
import time
from pathlib import Path

from kit import batch, topics, wire

LIMIT = 256 << 20
# What is left for pages of files, without which the kernel would grow slow before it ends anything.
ANONYMOUS_MAX = 224 << 20
SECONDS = 20
STRANGERS, BEGINNING = 1000, 256 << 10
PRODUCERS, LARGE, PARTITIONS = 64, 960 << 10, 6
FETCHERS, DEAF = 16, 100
# Whoever shares the machine counts in this as well.
WORST = 10.0
# So that the disk does not fill up while nobody counts.
TIDY = {"log__segment__bytes": 32 << 20, "log__retention__bytes": 64 << 20,
        "log__retention__check__interval__ms": 1000, "log__segment__delete__delay__ms": 1000}


def run(court):
    if court.kind == "kafka":
        court.note("Kafka's memory is that of its heap; there is nothing to compare")
        return
    group = Group.make()
    if not group:
        court.note("skipped: no cgroup with the controller of memory can be written")
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 16), hard))
    with group:
        broker = court.broker(start=False, **TIDY)
        plain = broker.command()
        broker.command = lambda: group.entering(plain)
        try:
            broker.start()
            judge(court, broker, group)
        finally:
            # At once: a thousand partitions and what was written to six are nobody's to read.
            broker.kill()
            shutil.rmtree(broker.data, ignore_errors=True)


def judge(court, broker, group):
    frames = prepare(court, broker)
    loads = {
        "producers": Flood(broker, PRODUCERS, [frames["large"]] * 3 + [frames["huge"]], window=2),
        "fetchers": Flood(broker, FETCHERS, [frames["fetch"]], window=2),
        "deaf fetchers": Flood(broker, DEAF, [frames["fetch"]]),
        "deaf askers": Flood(broker, DEAF, [frames["metadata"]]),
        "strangers": Flood(broker, STRANGERS, [frames["beginning"]], once=True),
    }
    modest = [Modest(court, broker, "small", b"v" * 100), Modest(court, broker, "bulk", b"v" * (LARGE // 2))]
    threads = [group, *loads.values(), *modest]
    rest = group.anonymous()
    for thread in threads:
        thread.start()
    ended = time.monotonic() + SECONDS
    while time.monotonic() < ended and broker.alive():
        time.sleep(0.2)
    for thread in reversed(threads):
        thread.ended.set()
    for thread in threads:
        thread.join(30)
    court.check(broker.alive(), f"the broker ended: {broker.last_output()}")
    court.check(group.killed() == 0, f"the kernel ended {group.killed()} processes for their memory")
    court.check(group.peak <= ANONYMOUS_MAX, f"{group.peak >> 20} MiB of anonymous memory at its worst")
    for client in modest:
        court.check(client.error is None, f"the modest client of {client.topic}: {client.error}")
        court.check(client.rounds > 5 and client.worst < WORST,
                    f"{client.rounds} rounds of {client.topic}, the worst {client.worst:.1f} s")
    for name in ("producers", "fetchers"):
        load = loads[name]
        court.check(load.error is None, f"{name}: {load.error}")
        court.check(min(link.answered for link in load.links) > 0, f"some of the {name} got no answer")
    numbers = {"at rest MiB": rest >> 20, "peak MiB": group.peak >> 20, "seconds": SECONDS,
               "cgroup": group.version, "produced MiB": loads["producers"].sent >> 20,
               "fetched MiB": loads["fetchers"].received >> 20,
               "closed": {name: load.closed for name, load in loads.items()},
               **{f"{client.topic}: rounds, worst s": [client.rounds, round(client.worst, 2)] for client in modest}}
    court.note(json.dumps(numbers))
    (court.home / "numbers.json").write_text(json.dumps(numbers))


def prepare(court, broker):
    """Topics, and the frames of the load."""
    spec = court.spec()
    large = batch.batch([(None, b"\xa5" * LARGE)])

    def produce(partitions):
        return framed(spec.request("Produce", 9, {
            "Acks": -1, "TimeoutMs": 30000, "TransactionalId": None, "TopicData": [{
                "Name": "load", "PartitionData": [{"Index": p, "Records": large} for p in partitions]}]}, 1))

    with court.connect(broker) as conn:
        for topic, partitions in (("small", 1), ("bulk", 1), ("load", PARTITIONS), ("wide", 1000)):
            topics.create(conn, topic, partitions)
        for _ in range(8):
            conn.send_frame(produce(range(PARTITIONS))[4:])
            conn.receive_frame()
    fetch = {"ReplicaId": -1, "MaxWaitMs": 500, "MinBytes": 1, "MaxBytes": 50 << 20, "IsolationLevel": 0, "SessionId": 0,
             "SessionEpoch": -1, "Topics": [{"Topic": "load", "Partitions": [
                 {"Partition": p, "FetchOffset": 0, "PartitionMaxBytes": 50 << 20} for p in range(PARTITIONS)]}],
             "ForgottenTopicsData": [], "RackId": ""}
    return {"large": produce([0]), "huge": produce(range(PARTITIONS)),
            "fetch": framed(spec.request("Fetch", 11, fetch, 1)),
            "metadata": framed(spec.request("Metadata", 12, {"Topics": None, "AllowAutoTopicCreation": False}, 1)),
            "beginning": struct.pack(">i", 90 << 20) + produce([0])[4:BEGINNING]}


def framed(frame):
    return struct.pack(">i", len(frame)) + frame


class Link:
    """One connection that sends its frame again and again, `window` unanswered at most; deaf without a window."""

    def __init__(self, address, frame, window):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 20)
        self.socket.setblocking(False)
        self.frame, self.window = memoryview(frame), window
        self.at, self.owed, self.answered = 0, 0, 0
        self.head, self.left = b"", 0

    def events(self):
        if self.window is None:
            return selectors.EVENT_WRITE
        more = self.at > 0 or self.owed < self.window
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if more else 0)

    def write(self):
        count = self.socket.send(self.frame[self.at:self.at + (256 << 10)])
        self.at += count
        if self.at == len(self.frame):
            self.at, self.owed = 0, self.owed + 1
        return count

    def read(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise wire.Closed()
        at = 0
        while at < len(data):
            if self.left == 0:
                part = data[at:at + 4 - len(self.head)]
                self.head, at = self.head + part, at + len(part)
                if len(self.head) < 4:
                    break
                (self.left,), self.head = struct.unpack(">i", self.head), b""
            step = min(self.left, len(data) - at)
            self.left, at = self.left - step, at + step
            if self.left == 0:
                self.owed, self.answered = self.owed - 1, self.answered + 1
        return len(data)


class Flood(threading.Thread):
    """Many such connections, in one thread. Those that the broker closes come again, unless they are well-behaved."""

    def __init__(self, broker, count, frames, window=None, once=False):
        super().__init__(daemon=True)
        self.broker, self.count, self.frames, self.window, self.once = broker, count, frames, window, once
        self.ended, self.links, self.error = threading.Event(), [], None
        self.sent, self.received, self.closed = 0, 0, 0
        self.selector = selectors.DefaultSelector()

    def run(self):
        try:
            for number in range(self.count):
                self.open(number)
            while not self.ended.is_set():
                for key, events in self.selector.select(0.2):
                    self.turn(key.data, events)
        except Exception as error:
            self.error = repr(error)
        finally:
            for link in self.links:
                link.socket.close()
            self.selector.close()

    def open(self, number):
        link = Link(self.broker.address, self.frames[number % len(self.frames)], self.window)
        self.links[number:number + 1] = [link]
        self.selector.register(link.socket, link.events(), number)

    def turn(self, number, events):
        link = self.links[number]
        try:
            if events & selectors.EVENT_READ:
                # A stranger is told nothing; what can be read is the end.
                self.received += link.read()
            if events & selectors.EVENT_WRITE:
                self.sent += link.write()
        except BlockingIOError:
            pass
        except (OSError, wire.Closed) as error:
            self.selector.unregister(link.socket)
            link.socket.close()
            self.closed += 1
            if self.window is not None:
                raise RuntimeError(f"closed after {link.answered} answers: {error!r}") from error
            self.open(number)
            return
        wanted = link.events()
        if self.once and link.owed:
            wanted = selectors.EVENT_READ
        self.selector.modify(link.socket, wanted, number)


class Modest(threading.Thread):
    """A client that sends a record and asks for the end, over and over; keeps its worst round."""

    def __init__(self, court, broker, topic, value):
        super().__init__(daemon=True)
        self.court, self.broker, self.topic, self.value = court, broker, topic, value
        self.ended, self.rounds, self.worst, self.error = threading.Event(), 0, 0.0, None
        self.data = batch.batch([(b"k", value)])

    def run(self):
        try:
            with self.court.connect(self.broker, 40) as conn:
                while not self.ended.wait(0.05):
                    begun = time.monotonic()
                    answer = conn.call("Produce", 9, {
                        "Acks": -1, "TimeoutMs": 30000, "TransactionalId": None, "TopicData": [{
                            "Name": self.topic, "PartitionData": [{"Index": 0, "Records": self.data}]}]})
                    part = answer["Responses"][0]["PartitionResponses"][0]
                    end = topics.offsets(conn, self.topic, 1)[0]
                    if part["ErrorCode"] or end != part["BaseOffset"] + 1:
                        raise RuntimeError(f"{part}, the end is {end}")
                    self.worst = max(self.worst, time.monotonic() - begun)
                    self.rounds += 1
        except Exception as error:
            self.error = repr(error)


class Group(threading.Thread):
    """A cgroup of our own with a bound on memory, of either version; looks at its anonymous memory all the time."""

    def __init__(self, path, version):
        super().__init__(daemon=True)
        self.path, self.version, self.ended, self.peak = path, version, threading.Event(), 0

    @staticmethod
    def make():
        """In the hierarchy that has the controller of memory; none if there is none that is ours to change."""
        for line in Path("/proc/mounts").read_text().splitlines():
            _, mount, kind, options, *_ = line.split()
            name = f"logboom-memory-{os.getpid()}"
            if not kind.startswith("cgroup") or not os.access(mount, os.W_OK):
                continue
            if kind == "cgroup" and "memory" in options.split(","):
                return Group(Path(mount) / name, 1)
            if kind == "cgroup2" and "memory" in (Path(mount) / "cgroup.controllers").read_text().split():
                (Path(mount) / "cgroup.subtree_control").write_text("+memory")
                return Group(Path(mount) / name, 2)
        return None

    def __enter__(self):
        self.path.mkdir()
        files = {1: ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), 2: ("memory.max", "memory.swap.max")}
        limit, swap = (self.path / name for name in files[self.version])
        limit.write_text(str(LIMIT))
        if swap.exists():
            # With the memory in version 1, alone in version 2.
            swap.write_text(str(LIMIT if self.version == 1 else 0))
        return self

    def __exit__(self, *_):
        self.ended.set()
        for _ in range(100):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.path} is still in use")

    def entering(self, command):
        """A command that runs another one inside, under the same process id."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.path / "cgroup.procs"), *command]

    def numbers(self, name):
        lines = (self.path / name).read_text().splitlines()
        return {key: int(value) for key, value in (line.split() for line in lines)}

    def anonymous(self):
        return self.numbers("memory.stat")["rss" if self.version == 1 else "anon"]

    def killed(self):
        return self.numbers("memory.oom_control" if self.version == 1 else "memory.events")["oom_kill"]

    def run(self):
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, self.anonymous())
