"""Members of groups, each a process of a real client, and a crew of them that must read every record once.

Every member program takes one argument of JSON: address, group, client, topic or pattern, protocol (classic, consumer),
assignor, instance (or null) and session (milliseconds, classic only). It commits only when it is told to. It reads
`commit` and `close` as lines, and prints one JSON line per event: assigned, revoked and lost with what was added to
or taken from its partitions, records (first, last and count of one partition), committed with offsets, failed, closed.
"""
import json
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from kit import clients, topics
from kit.paths import GO, HERE, NODE, VENV

# The shortest that Kafka allows in the classic protocol. In the other the broker sets it for all; a start of Java on
# a busy machine must fit in, so that a static member is back in time.
SESSION_MS = {"classic": 6000, "consumer": 10_000}


@dataclass(frozen=True)
class Kind:
    """A client and how it takes part in groups."""
    name: str
    command: tuple
    protocol: str
    assignor: str
    static: bool = True
    pattern: bool = False

    @property
    def session(self):
        """Seconds after which a member that is silent is given up."""
        return SESSION_MS[self.protocol] / 1000


def kinds():
    """Every way of taking part that we judge, by name."""
    java = tuple(clients.java("GroupMember"))
    python = (VENV / "bin/python", HERE / "clients/python/group_member.py")
    confluent, franz = (*python, "confluent"), (GO / "roundtrip", "member")
    table = [
        Kind("java-range", java, "classic", "range"),
        Kind("java-cooperative", java, "classic", "cooperative-sticky"),
        Kind("java-uniform", java, "consumer", "uniform"),
        Kind("java-pattern", java, "consumer", "range", pattern=True),
        Kind("librdkafka-range", confluent, "classic", "range"),
        Kind("librdkafka-cooperative", confluent, "classic", "cooperative-sticky"),
        Kind("librdkafka-uniform", confluent, "consumer", "uniform"),
        Kind("librdkafka-pattern", confluent, "consumer", "range", pattern=True),
        Kind("kafka-python", (*python, "kafka_python"), "classic", "range"),
        Kind("kafka-python-cooperative", (*python, "kafka_python"), "classic", "cooperative-sticky"),
        Kind("aiokafka", (*python, "aiokafka"), "classic", "range"),
        Kind("kafkajs", ("node", NODE / "group_member.js"), "classic", "range", static=False),
        Kind("franz-range", franz, "classic", "range"),
        Kind("franz-cooperative", franz, "classic", "cooperative-sticky"),
        # franz-go 1.22.2 leaves without naming its instance, which Kafka refuses: it cannot come back in time.
        Kind("franz-uniform", franz, "consumer", "uniform", static=False),
        Kind("franz-pattern", franz, "consumer", "range", pattern=True),
    ]
    return {kind.name: kind for kind in table}


def until(ready, seconds):
    """Waits for a condition; whether it came."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return bool(ready())
        time.sleep(0.02)
    return True


class Broken(Exception):
    """A check failed on which the rest of the scenario rests; it is reported already."""


class Member:
    """One process; what it owns, what it committed and how often its partitions changed."""

    def __init__(self, crew, kind, name, instance):
        settings = {"address": crew.broker.address, "group": crew.group, "client": name, "topic": crew.topic,
                    "pattern": f"^{crew.topic[:-1]}.$" if kind.pattern else None, "protocol": kind.protocol,
                    "assignor": kind.assignor, "instance": instance,
                    "session": 20_000 if instance else SESSION_MS[kind.protocol]}
        self.crew, self.kind, self.name = crew, kind, name
        self.owned, self.changes, self.commits, self.failed, self.closed = set(), 0, 0, [], False
        self.errors = crew.court.home / f"{name}.errors"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen([*map(str, kind.command), json.dumps(settings)], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors, text=True)
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            getattr(self, "on_" + event.pop("event"))(**event)

    def on_assigned(self, partitions):
        self.changes += bool(partitions)
        self.owned |= {tuple(part) for part in partitions}

    def on_revoked(self, partitions):
        self.changes += bool(partitions)
        self.owned -= {tuple(part) for part in partitions}

    on_lost = on_revoked

    def on_records(self, topic, partition, first, last, count):
        self.crew.runs.append((self.name, (topic, partition), first, last, count))

    def on_committed(self, offsets):
        for topic, partition, offset in offsets:
            self.crew.committed[topic, partition] = offset
        self.commits += 1

    def on_failed(self, what, error):
        self.failed.append(f"{what}: {error}")

    def on_closed(self):
        self.owned, self.closed = set(), True

    def tell(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except OSError as error:
            self.failed.append(f"{command}: {error}")

    def commit(self):
        """Commits where it stands and waits for the answer."""
        before = self.commits
        self.tell("commit")
        good = until(lambda: self.commits > before, 15)
        self.crew.check(good, f"{self.name} did not commit: {self.story()}")

    def close(self):
        """Leaves and ends."""
        self.tell("close")
        good = until(lambda: self.closed, 15)
        self.crew.check(good, f"{self.name} did not close: {self.story()}")
        self.end()

    def kill(self):
        """kill -9; what it had printed is read before this returns."""
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        if self.process.poll() is None and not self.closed:
            self.process.kill()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        if self in self.crew.members:
            self.crew.members.remove(self)

    def story(self):
        """For people: what it last complained of."""
        text = self.errors.read_text(errors="replace")
        lines = [line for line in text.splitlines() if line.strip() and "SLF4J" not in line]
        ended = "" if self.process.poll() is None else f"ended {self.process.returncode} "
        return f"{ended}owns {sorted(self.owned)} {self.failed[-2:]} {' / '.join(lines[-3:])[-500:]}"


class Crew:
    """The members of one group on one topic. `cursor` is the next offset that the group must get, by partition."""

    def __init__(self, court, broker, group, topic, partitions):
        self.court, self.broker, self.group, self.topic = court, broker, group, topic
        self.members, self.runs, self.committed, self.names = [], [], {}, 0
        self.parts = {(topic, number) for number in range(partitions)}
        self.cursor = dict.fromkeys(self.parts, 0)
        self.ends = dict.fromkeys(self.parts, 0)
        self.checked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in list(self.members):
            member.kill()

    def check(self, good, text):
        return self.court.check(good, f"{self.group}: {text}")

    def start(self, kind, instance=None):
        self.names += 1
        member = Member(self, kind, f"{self.group}-{self.names}-{kind.name}", instance)
        self.members.append(member)
        return member

    def produce(self, conn, count):
        """So many records for each partition."""
        for part in sorted(self.parts):
            topics.produce(conn, part[0], [(b"k", b"v%d" % at) for at in range(count)], part[1])
            self.ends[part] += count

    def balanced(self):
        """Every partition has one owner, and shares differ by one at most."""
        sizes = [len(member.owned) for member in self.members]
        owned = [part for member in self.members for part in member.owned]
        return len(owned) == len(self.parts) and set(owned) == self.parts and max(sizes) - min(sizes) <= 1

    def settle(self, why, seconds=20):
        """Waits for balance; returns the seconds that it took."""
        begun = time.monotonic()
        good = until(self.balanced, seconds)
        took = time.monotonic() - begun
        self.check(good, f"no balance {why} in {seconds} s: "
                         + "; ".join(f"{member.name} {member.story()}" for member in self.members))
        if not good:
            raise Broken
        return took

    def follow(self):
        """Moves the cursor over what has arrived; each run must begin where the group stands."""
        while self.checked < len(self.runs):
            name, part, first, last, count = self.runs[self.checked]
            self.checked += 1
            self.check(first == self.cursor.get(part) and count == last - first + 1,
                       f"{name} got {count} records {first} to {last} of {part}, wanted from {self.cursor.get(part)}")
            self.cursor[part] = last + 1
        return self.cursor == self.ends

    def read(self, why, seconds=20):
        """Waits until the group has got every record, once."""
        good = until(self.follow, seconds)
        late = {part: (at, self.ends[part]) for part, at in self.cursor.items() if at != self.ends[part]}
        self.check(good, f"{why}: not all was read in {seconds} s; stands at, end: {late}; "
                         + "; ".join(f"{member.name} {member.story()}" for member in self.members))
        if not good:
            raise Broken

    def commit(self, *members):
        for member in members or list(self.members):
            member.commit()

    def crash(self, member):
        """kill -9; what it had read and not committed comes again."""
        owned = set(member.owned)
        member.kill()
        self.follow()
        for part in owned:
            self.cursor[part] = self.committed.get(part, 0)

    def stored(self, conn):
        """Checks that the coordinator holds what the members committed."""
        numbers = sorted(number for _, number in self.parts)
        answer = conn.call("OffsetFetch", 8, {"RequireStable": True, "Groups": [{
            "GroupId": self.group, "Topics": [{"Name": self.topic, "PartitionIndexes": numbers}]}]})
        group = answer["Groups"][0]
        found = {(topic["Name"], part["PartitionIndex"]): part["CommittedOffset"]
                 for topic in group["Topics"] for part in topic["Partitions"]}
        self.check(group["ErrorCode"] == 0 and found == self.committed,
                   f"the coordinator has {found} (error {group['ErrorCode']}), committed was {self.committed}")


def stand(conn, group):
    """Type and state of a group as ListGroups tells them."""
    answer = conn.call("ListGroups", 5, {})
    for listed in answer["Groups"]:
        if listed["GroupId"] == group:
            return listed["GroupType"], listed["GroupState"]
    return None
