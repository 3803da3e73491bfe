"""A disk that fills up, and gets room again: a small ext4 image on a loop device with the broker's data on it.

While it is full records are refused with the retriable error, and everything else goes on: reads, new topics, deleted
records, deleted topics, and a start after kill -9. Within 5 s of room a producer goes on by itself; and at the end
every record that was ever acknowledged is there, once. The image needs root and a loop device.
"""
import json
import os
import shutil
import subprocess
import time

from kit import batch, install, topics
from kit.paths import HERE, VENV

IMAGE, FILLER, BALLAST = 128 << 20, 40 << 20, 30 << 20
STREAM, PARTITIONS = "stream", 2
STORAGE_ERROR, RESUME_SECONDS = 56, 5.0
LOAD = b"\xa5" * (192 << 10)


def run(court):
    if court.kind == "kafka":
        court.note("Kafka takes a full log directory out of use; there is nothing to compare")
        return
    if os.geteuid() != 0 or not shutil.which("losetup"):
        court.note("skipped: a loop device needs root")
        return
    install.python()
    install.kcat()
    with Disk(court) as disk:
        broker = court.broker(start=False)
        broker.data = disk.mount / "data"
        try:
            broker.start()
            judge(court, broker, disk)
        finally:
            broker.stop()


def judge(court, broker, disk):
    load = batch.batch([(None, LOAD)])  # made once: the checksum takes longer than the broker
    with court.connect(broker) as conn:
        topics.create(conn, STREAM, PARTITIONS)
        for name in ("bulk", "filler", "cut"):
            topics.create(conn, name)
        for name, size in (("filler", FILLER), ("cut", 1 << 20)):
            for _ in range(size // len(load)):
                court.check(produce(conn, name, load)[0] == 0, f"{name} was not filled")
    numbers = {}
    with Stream(court, broker) as stream:
        court.check(stream.grows(10), "librdkafka got no acknowledgement")
        with court.connect(broker) as conn:
            bulk = fill(court, conn, load, [])
            serves(court, conn, broker, load, bulk)
            numbers["after a deleted topic"] = resumes(court, broker, conn, stream, load, bulk, disk,
                                                       lambda: delete(court, conn, "filler"))
        disk.ballast()
        with court.connect(broker) as conn:
            bulk = fill(court, conn, load, bulk)
        broker.kill()
        numbers["start on a full disk"] = round(broker.start(), 2)
        with court.connect(broker) as conn:
            serves(court, conn, broker, load, bulk)
            numbers["after a removed file"] = resumes(court, broker, conn, stream, load, bulk, disk, disk.lighten)
    with court.connect(broker) as conn:
        verify(court, conn, broker, stream, bulk)
    court.note(f"seconds until records are taken again: {numbers}")
    (court.home / "numbers.json").write_text(json.dumps(numbers))


def produce(conn, topic, load):
    """Error code and offset of one batch."""
    answer = conn.call("Produce", 9, {"Acks": -1, "TimeoutMs": 10000, "TransactionalId": None, "TopicData": [
        {"Name": topic, "PartitionData": [{"Index": 0, "Records": load}]}]})
    part = answer["Responses"][0]["PartitionResponses"][0]
    return part["ErrorCode"], part["BaseOffset"]


def fill(court, conn, load, bulk):
    """Produces until the disk is full; the offsets acknowledged so far."""
    bulk = list(bulk)
    for _ in range(2 * IMAGE // len(load)):
        error, offset = produce(conn, "bulk", load)
        if error:
            court.check(error == STORAGE_ERROR, f"a full disk is answered with {error}")
            return bulk
        bulk.append(offset)
    court.check(False, "the disk does not fill up")
    return bulk


def serves(court, conn, broker, load, bulk):
    """What goes on while the disk is full, and what does not."""
    errors = {produce(conn, "bulk", load)[0] for _ in range(5)}
    court.check(errors == {STORAGE_ERROR}, f"on a full disk five batches are answered with {errors}")
    for offset in (bulk[0], bulk[-1]):
        read = kcat(court, broker, "bulk", 0, offset, count=1)
        court.check(read == [(offset, len(LOAD))], f"the record at {offset} reads as {read}")
    name = f"made-{time.monotonic_ns()}"
    topics.create(conn, name)
    start = topics.offsets(conn, "cut", 1, topics.EARLIEST)[0]
    answer = conn.call("DeleteRecords", 2, {"TimeoutMs": 10000, "Topics": [
        {"Name": "cut", "Partitions": [{"PartitionIndex": 0, "Offset": start + 1}]}]})
    error = answer["Topics"][0]["Partitions"][0]["ErrorCode"]
    court.check(error == 0, f"DeleteRecords on a full disk is answered with {error}")
    court.check(topics.offsets(conn, "cut", 1, topics.EARLIEST)[0] == start + 1, "the start did not move")
    delete(court, conn, name)


def delete(court, conn, topic):
    begun = time.monotonic()
    answer = conn.call("DeleteTopics", 6, {"TimeoutMs": 10000, "Topics": [
        {"Name": topic, "TopicId": bytes(16).hex()}]})
    error = answer["Responses"][0]["ErrorCode"]
    court.check(error == 0, f"DeleteTopics of {topic} on a full disk is answered with {error}")
    court.check(time.monotonic() - begun < 5, f"DeleteTopics took {time.monotonic() - begun:.1f} s")


def resumes(court, broker, conn, stream, load, bulk, disk, free):
    """Makes room; the seconds from there until both producers were acknowledged."""
    before = stream.count()
    free()
    deadline = time.monotonic() + 70
    while disk.room() < (8 << 20) and time.monotonic() < deadline:
        time.sleep(0.02)
    begun = time.monotonic()
    error = STORAGE_ERROR
    while error == STORAGE_ERROR and time.monotonic() < begun + 20:
        error, offset = produce(conn, "bulk", load)
        time.sleep(0.02)
    took = time.monotonic() - begun
    if court.check(error == 0, f"after there was room a batch is answered with {error} for {took:.1f} s"):
        court.check(offset == bulk[-1] + 1, f"refused records took offsets: {bulk[-1]} is followed by {offset}")
        bulk.append(offset)
    court.check(took < RESUME_SECONDS, f"records are taken {took:.1f} s after there is room")
    court.check(stream.grows(RESUME_SECONDS, before), "librdkafka was not acknowledged again in time")
    return [round(took, 2), round(time.monotonic() - begun, 2)]


def verify(court, conn, broker, stream, bulk):
    """Everything acknowledged is there, once."""
    court.check(not stream.failed, f"{len(stream.failed)} sends failed: {stream.failed[:2]}")
    found, twice = {}, 0
    for partition in range(PARTITIONS):
        for offset, value in kcat(court, broker, STREAM, partition, 0, values=True):
            twice += value in found
            found[value] = (partition, offset)
    lost = [line for line in stream.acknowledged if line[2] not in found]
    moved = [line for line in stream.acknowledged if line[2] in found and line[1] not in (found[line[2]][1], -1)]
    court.check(len(stream.acknowledged) > 1000, f"only {len(stream.acknowledged)} records were acknowledged")
    court.check(not lost, f"{len(lost)} acknowledged records are lost: {lost[:3]}")
    court.check(not moved, f"{len(moved)} are not where they were acknowledged: {moved[:3]}")
    court.check(twice == 0, f"{twice} records stand twice")
    there = {offset for offset, size in kcat(court, broker, "bulk", 0, 0) if size == len(LOAD)}
    court.check(set(bulk) <= there, f"{len(set(bulk) - there)} of {len(bulk)} large records are lost")
    court.note(f"{len(stream.acknowledged)} small and {len(bulk)} large records acknowledged")


def kcat(court, broker, topic, partition, offset, count=None, values=False):
    """Offset and length, or value, of the records from an offset on."""
    shape = r"%o %s\n" if values else r"%o %S\n"
    text = court.run(["kcat", "-C", "-q", "-b", broker.address, "-t", topic, "-p", partition, "-o", offset, "-e",
                      "-f", shape, *(["-c", count] if count else [])], timeout=60)
    pairs = (line.split(" ", 1) for line in (text or "").splitlines())
    return [(int(offset), rest if values else int(rest)) for offset, rest in pairs]


class Stream:
    """librdkafka's idempotent producer with small records, which must never see a final error."""

    def __init__(self, court, broker):
        self.path = court.home / "stream.acks"
        self.path.touch()
        command = [VENV / "bin/python", HERE / "clients/python/kill_loop.py", broker.address, STREAM, PARTITIONS,
                   self.path]
        with open(court.home / "stream.errors", "wb") as errors:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=errors,
                                            stderr=errors)
        self.acknowledged, self.failed = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for line in self.path.read_text().splitlines():
            first, second, value = line.split(" ", 2)
            if first == "failed":
                self.failed.append(line)
            else:
                self.acknowledged.append((int(first), int(second), value))

    def count(self):
        return self.path.stat().st_size

    def grows(self, seconds, before=None):
        before = self.count() if before is None else before
        deadline = time.monotonic() + seconds
        while self.count() <= before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


class Disk:
    """The image, mounted; unmounted and removed at the end."""

    def __init__(self, court):
        self.image, self.mount = court.home / "disk.ext4", court.home / "disk"

    def __enter__(self):
        self.mount.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(IMAGE)
        install.run_quietly(["mkfs.ext4", "-q", "-F", "-m", "0", self.image])
        install.run_quietly(["mount", "-o", "loop", self.image, self.mount])
        return self

    def __exit__(self, *_):
        for options in ([], ["-l"]):
            if subprocess.run(["umount", *options, self.mount]).returncode == 0:
                break
            time.sleep(0.5)
        self.image.unlink()

    def room(self):
        space = os.statvfs(self.mount)
        return space.f_bavail * space.f_frsize

    def ballast(self):
        """Takes room away, leaving some to be filled by records."""
        size = max(0, min(BALLAST, self.room() - (8 << 20)))
        install.run_quietly(["fallocate", "-l", str(size), self.mount / "ballast"])

    def lighten(self):
        (self.mount / "ballast").unlink()
