"""A hundred kinds of malformed input: each ends in an answer or a closed connection.

A healthy connection works all the while, and the broker's resident memory stays within 64 MiB of its start.
"""
import errno
import random
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kit import batch, install, topics, wire
from kit.paths import HERE, VENV
from steps.asks import create, fetch, new, offsets, produce

MEMORY = 64 << 20
PATIENCE = 6
SOFTWARE = {"ClientSoftwareName": "judge", "ClientSoftwareVersion": "1"}
# The broker may close before all is sent; then the sender sees one of these.
CLOSED = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}
PATTERNS = {"ff": b"\xff\xff\xff\xff", "max": b"\x7f\xff\xff\xff", "min": b"\x80\0\0\0", "zero": b"\0\0\0\0",
            "million": b"\0\x0f\x42\x40", "varint max": b"\xff\xff\xff\xff\x0f", "varint long": b"\xff" * 10 + b"\x01"}


class Ids:
    """What the request bodies of steps/ need: topic ids by name."""

    def __init__(self):
        self.ids = {}


class Health(threading.Thread):
    """A connection that produces and fetches while the others misbehave; keeps the worst delay and the worst memory."""

    def __init__(self, court, broker):
        super().__init__(daemon=True)
        self.court, self.broker, self.ended = court, broker, threading.Event()
        self.rounds, self.worst, self.error, self.memory = 0, 0.0, None, 0

    def run(self):
        try:
            with self.court.connect(self.broker, 20) as conn:
                while not self.ended.wait(0.05):
                    begun = time.monotonic()
                    answer = topics.produce(conn, "healthy", [(b"k", b"v")])
                    end = topics.offsets(conn, "healthy", 1)[0]
                    if answer["ErrorCode"] or end != answer["BaseOffset"] + 1:
                        raise RuntimeError(f"{answer}, the end is {end}")
                    self.worst = max(self.worst, time.monotonic() - begun)
                    self.memory = max(self.memory, self.broker.rss())
                    self.rounds += 1
        except Exception as error:
            self.error = repr(error)


class Judge:
    """The kinds that were tried, and what came of them."""

    def __init__(self, court, broker):
        self.court, self.broker, self.spec = court, broker, court.spec()
        self.kinds, self.inputs, self.silent = set(), 0, 0
        # A valid request behind each input: whoever skips the input, or answers nothing to it, answers this.
        frame = self.spec.request("ApiVersions", 0, {}, 99)
        self.after = struct.pack(">i", len(frame)) + frame

    def socket(self):
        host, port = self.broker.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), PATIENCE)

    def bytes(self, kind, data, half_close=True, after=b"", patience=PATIENCE):
        """Sends bytes; an answer or the end of the connection must come."""
        self.kinds.add(kind)
        self.inputs += 1
        try:
            with self.socket() as raw:
                raw.settimeout(patience)
                try:
                    raw.sendall(data + after)
                    if half_close:
                        raw.shutdown(socket.SHUT_WR)
                    raw.recv(1 << 16)
                except OSError as error:
                    if error.errno not in CLOSED:
                        raise
        except TimeoutError:
            self.silent += 1
            # Kafka itself never answers null records; everything else is a fault.
            self.court.check(self.court.kind == "kafka", f"{kind}: neither an answer nor a close: {data[:80].hex()}")
        except OSError as error:
            self.court.check(False, f"{kind}: {error!r}")

    def frame(self, kind, frame, **how):
        """A frame with a right length."""
        self.bytes(kind, struct.pack(">i", len(frame)) + frame, after=self.after, half_close=False, **how)


def run(court):
    install.python()
    broker = court.broker()
    ids = Ids()
    with court.connect(broker) as conn:
        for topic in ("healthy", "victim", "bomb"):
            ids.ids[topics.create(conn, topic, 1)] = topic
        for _ in range(200):
            topics.produce(conn, "victim", [(b"k", b"v" * 100)])
    time.sleep(0.5)
    base = broker.rss()
    health = Health(court, broker)
    health.start()
    judge = Judge(court, broker)
    try:
        for part in (lengths, strangers, truncations, overwrites, split, slow, pipelined, bombs):
            begun, inputs = court.seconds(), judge.inputs
            part(judge, ids)
            court.check(broker.alive(), f"the broker ended in {part.__name__}")
            court.note(f"{part.__name__}: {judge.inputs - inputs} inputs in {court.seconds() - begun:.1f} s, "
                       f"{(broker.rss() - base) >> 20} MiB above the start")
    finally:
        health.ended.set()
        health.join(30)
    court.check(health.error is None, f"the healthy connection: {health.error}")
    court.check(health.rounds > 5 and health.worst < 5, f"{health.rounds} healthy rounds, the worst {health.worst:.1f} s")
    court.check(len(judge.kinds) >= 100, f"only {len(judge.kinds)} kinds")
    grown = max(health.memory, broker.rss()) - base
    court.check(court.kind == "kafka" or grown <= MEMORY, f"memory grew by {grown >> 20} MiB at its worst")
    court.note(f"{len(judge.kinds)} kinds, {judge.inputs} inputs, {judge.silent} without an answer; {health.rounds} healthy "
               f"rounds, the slowest {health.worst * 1000:.0f} ms; memory {base >> 20} MiB + {grown >> 20} MiB")


def valid(judge, ids):
    """Valid requests to spoil: plain and flexible versions."""
    request = judge.spec.request
    data = batch.batch([(b"key", b"value", [(b"h", b"x")])] * 2)
    found = {}
    for version in (7, 9, 13):
        found[f"Produce v{version}"] = request("Produce", version, produce(ids, "victim", data), 1)
    for version in (11, 12, 13):
        found[f"Fetch v{version}"] = request("Fetch", version, fetch(ids, "victim", forgotten=[("victim", 0)]), 1)
    for version in (5, 12):
        found[f"Metadata v{version}"] = request("Metadata", version, {
            "Topics": [{"Name": "victim"}], "AllowAutoTopicCreation": False}, 1)
    for version in (4, 7):
        found[f"CreateTopics v{version}"] = request("CreateTopics", version, create(
            new("made", 2, assignments=[(0, [1])], retention_ms="5"), validate=True), 1)
    found["ListOffsets v7"] = request("ListOffsets", 7, offsets("victim", -1), 1)
    found["ApiVersions v3"] = request("ApiVersions", 3, SOFTWARE, 1)
    return found


def lengths(judge, _):
    """What stands in front of a frame."""
    for size in (-1, -2, -2147483648, 0, 1, 2, 3, 4, 7, 104_857_601, 1 << 30, 2147483647):
        judge.bytes(f"length {size}", struct.pack(">i", size))
        judge.bytes(f"length {size} and bytes", struct.pack(">i", size) + b"\0" * 64)
    for count in range(1, 4):
        judge.bytes(f"{count} bytes of a length", b"\0" * count)
    if judge.court.kind != "kafka":  # Kafka takes 100 MiB of heap for each of these at once
        held = [judge.socket() for _ in range(50)]
        for raw in held:
            raw.sendall(struct.pack(">i", 104_857_600) + b"\0\0")
        judge.kinds.add("50 announced frames of 100 MiB")
        time.sleep(1)
        for raw in held:
            raw.close()


def strangers(judge, _):
    """Other protocols, and noise."""
    chance = random.Random(7)
    judge.bytes("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    judge.bytes("TLS", bytes.fromhex("16030100d9010000d50303") + chance.randbytes(200))
    judge.bytes("SSH", b"SSH-2.0-x\r\n")
    judge.bytes("zeros", bytes(4096))
    judge.bytes("ones", b"\xff" * 4096)
    for turn in range(100):
        judge.bytes("noise", chance.randbytes(chance.randrange(1, 300)))
    for turn in range(200):
        key = chance.choice([0, 1, 2, 3, 18, 19, 20, 21, 22, 23, 32, 37, 44, 60, 75])
        low, high = judge.spec.range(judge.spec.requests[key]["name"].removesuffix("Request"))
        header = struct.pack(">hhi", key, chance.randrange(low, high + 1), 1) + b"\0\0\0"
        judge.bytes(f"noise in the body of api {key}", framed(header + chance.randbytes(chance.randrange(0, 120))))


def framed(frame):
    return struct.pack(">i", len(frame)) + frame


def truncations(judge, ids):
    """Each valid request cut at every byte: with a right length, and with the length of the whole."""
    for name, frame in valid(judge, ids).items():
        for cut in range(len(frame)):
            judge.frame(f"{name} cut", frame[:cut])
            if cut % 4 == 0:
                judge.bytes(f"{name} half sent", struct.pack(">i", len(frame)) + frame[:cut])
        judge.frame(f"{name} too long", frame + b"\0" * 9)


def overwrites(judge, ids):
    """Patterns laid over each place: counts, lengths, sizes and tags of every kind become wrong."""
    step = 3 if judge.court.quick or judge.court.kind == "kafka" else 1
    for name, frame in valid(judge, ids).items():
        # A fetch whose wait and minimum are overwritten may wait for days, and rightly so.
        allowed = [at for at in range(8, len(frame)) if not ("Fetch" in name and 10 <= at < 28)]
        for pattern, data in PATTERNS.items():
            for at in allowed[::step]:
                judge.frame(f"{name}, {pattern} inside", frame[:at] + data + frame[at + len(data):])


def split(judge, ids):
    """A valid request in two parts, split at every byte, is served."""
    for name, frame in valid(judge, ids).items():
        whole = framed(frame)
        judge.kinds.add(f"{name} split")
        with judge.socket() as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(1, len(whole)):
                judge.inputs += 1
                raw.sendall(whole[:at])
                time.sleep(0.0005)
                raw.sendall(whole[at:])
                (size,) = struct.unpack(">i", exactly(raw, 4))
                exactly(raw, size)


def exactly(raw, size):
    data = b""
    while len(data) < size:
        part = raw.recv(size - len(data))
        if not part:
            raise wire.Closed()
        data += part
    return data


def slow(judge, ids):
    """Many connections that send a byte now and then: the slow ones are served in the end, the others cost nothing."""
    whole = framed(valid(judge, ids)["Metadata v12"])
    stuck = [judge.socket() for _ in range(200)]
    for raw in stuck:
        raw.sendall(whole[:7])
    dribbling = [judge.socket() for _ in range(50)]
    judge.kinds.update({"slow", "stuck"})
    judge.inputs += 250
    try:
        for byte in whole:
            for raw in dribbling:
                raw.sendall(bytes([byte]))
            time.sleep(0.03)
        served = sum(1 for raw in dribbling if raw.recv(4))
        judge.court.check(served == 50, f"only {served} of 50 slow requests were served")
    finally:
        for raw in stuck + dribbling:
            raw.close()


def pipelined(judge, ids):
    """Thousands of requests without reading the answers: the broker must stop reading, not grow."""
    frame = framed(judge.spec.request("Fetch", 12, fetch(ids, "victim"), 1))
    count = 3000
    judge.kinds.add("answers that nobody reads")
    judge.inputs += count
    with judge.socket() as raw:
        raw.settimeout(60)
        raw.setblocking(False)
        sent = 0
        data = frame * count
        deadline = time.monotonic() + 5
        while sent < len(data) and time.monotonic() < deadline:
            try:
                sent += raw.send(data[sent:sent + 65536])
            except BlockingIOError:
                time.sleep(0.05)
        judge.court.note(f"{sent // len(frame)} of {count} unread fetches were taken")


def bombs(judge, ids):
    """Compressed records that grow or lie: an answer, and no memory."""
    home = judge.court.home
    judge.court.run([VENV / "bin/python", HERE / "clients/python/bombs.py", home, "200"])
    for path in sorted(home.glob("*.bomb")):
        codec = path.name.split("-")[0].split(".")[0]
        payload = path.read_bytes()
        for count in (1, 5):
            data = batch.batch([], payload=payload, count=count, attributes=batch.CODECS[codec])
            frame = judge.spec.request("Produce", 9, produce(ids, "bomb", data), 1)
            judge.frame(f"bomb {path.stem}, {count} records", frame, patience=30)
        if path.stem in ("zstd", "gzip"):
            with ThreadPoolExecutor(8) as pool:
                for done in [pool.submit(judge.frame, f"8 {path.stem} bombs at once", frame, patience=60)
                             for _ in range(8)]:
                    done.result()
        path.unlink()
