"""Kafka's VerifiableProducer and VerifiableConsumer while brokers and members are killed and stopped.

A group of each protocol reads one topic. No record may be skipped, no committed offset may go back, no partition may
have two owners that live; kit/timeline.py holds the rules and proves itself on planted faults first.
"""
import json
import random
import signal
import subprocess
import threading
import time

from kit import install, topics, wire
from kit.console import tool
from kit.members import until
from kit.timeline import Timeline, proven

TOPIC, PARTITIONS, MEMBERS = "groups-kill", 6, 3
SESSION_MS = 6000
SETTINGS = {"group.consumer.min.session.timeout.ms": SESSION_MS, "group.consumer.session.timeout.ms": SESSION_MS,
            "group.consumer.min.heartbeat.interval.ms": 500, "group.consumer.heartbeat.interval.ms": 500,
            "offsets.topic.num.partitions": 4}
# Kafka's node waits until its registration from before the kill has run out, and sessions run out meanwhile.
KAFKA = {"broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500}
SHORT = "reconnect.backoff.max.ms=200\nretry.backoff.max.ms=200\nsocket.connection.setup.timeout.ms=2000\n"
CONFIGS = {"classic": SHORT + "heartbeat.interval.ms=500\n", "consumer": SHORT, "producer": SHORT + "retries=1000000\n"}
ROUNDS = {"kill the broker": 12, "kill a member": 8, "stop a member for a moment": 4,
          "stop a member beyond its session": 3, "stop the broker beyond the session": 3}
QUICK = ["kill the broker", "stop the broker beyond the session", "kill a member"]


def run(court):
    wrong = proven()
    if not court.check(not wrong, f"the rules are not proven: {wrong}"):
        return
    install.java()
    settings = SETTINGS | (KAFKA if court.kind == "kafka" else {})
    broker = court.broker(**{key.replace(".", "__"): value for key, value in settings.items()})
    for name, text in CONFIGS.items():
        (court.home / f"{name}.properties").write_text(text)
    with court.connect(broker) as conn:
        topics.create(conn, TOPIC, PARTITIONS)
    chance = random.Random(4)
    rounds = plan(chance, court)
    with Producer(court, broker) as producer, Group(court, broker, "classic") as classic, \
            Group(court, broker, "consumer") as modern:
        groups = [classic, modern]
        for group in groups:
            court.check(until(group.converged, 30), f"{group.name} did not begin: {group.story()}")
        for turn, fault in enumerate(rounds):
            begun = time.monotonic()
            FAULTS[fault](court, broker, groups, chance)
            if not settle(court, broker, groups, f"round {turn}, {fault}"):
                break
            print(f"    round {turn}: {fault}: {time.monotonic() - begun:.1f} s", flush=True)
            time.sleep(chance.uniform(0.1, 0.8))
        producer.stop()
        with court.connect(broker) as conn:
            ends = dict(enumerate(topics.offsets(conn, TOPIC, PARTITIONS)))
        for group in groups:
            court.check(until(lambda: group.read() >= sum(ends.values()), 20),
                        f"{group.name} has read {group.read()} of {sum(ends.values())}")
        time.sleep(1)
    verify(court, producer, groups, ends)


def plan(chance, court):
    """The faults in the order in which they come; one of each proves the judge on Kafka."""
    if court.quick or court.kind == "kafka":
        return QUICK if court.quick else list(ROUNDS)
    rounds = [fault for fault, count in ROUNDS.items() for _ in range(count)]
    chance.shuffle(rounds)
    return rounds


def settle(court, broker, groups, why):
    """After a fault each group shares its partitions and goes on reading; whether they did."""
    before, good = {group.name: group.read() for group in groups}, True
    for group in groups:
        went_on = until(lambda: group.converged() and group.read() > before[group.name], SESSION_MS / 1000 + 24)
        good &= court.check(went_on, f"{why}: {group.name} did not converge and go on: {group.story()}")
    return good & court.check(broker.alive(), f"{why}: the broker ended: {broker.last_output()[-600:]}")


def kill_broker(court, broker, groups, chance):
    broker.kill()
    time.sleep(chance.uniform(0, 0.5))
    broker.start()


def kill_member(court, broker, groups, chance):
    for group in groups:
        victim = chance.choice(group.members)
        victim.kill()
        group.start()


def stop_briefly(court, broker, groups, chance):
    """Nobody may notice a member that stands still for less than its session."""
    quiet(court, groups, "a member stood still for a moment", lambda: pause(
        [chance.choice(group.members).process for group in groups], 3))


def stop_beyond(court, broker, groups, chance):
    """The others take over meanwhile."""
    # One that still asks where to begin is told that it is unknown, and Java hands that to the program, which ends.
    for group in groups:
        court.check(until(group.reading, 15), f"{group.name} does not read all that it owns: {group.story()}")
    victims = [chance.choice(group.members) for group in groups]
    for victim in victims:
        victim.stop()
    time.sleep(SESSION_MS / 1000)
    for group, victim in zip(groups, victims, strict=True):
        court.check(until(lambda: group.converged(without=victim), 10),
                    f"{group.name} did not take over from {victim.name}: {group.story()}")
    for victim in victims:
        victim.process.send_signal(signal.SIGCONT)
    # Until it heartbeats again it believes that it owns what others have.
    for group, victim in zip(groups, victims, strict=True):
        court.check(until(lambda: victim.changed > victim.stopped_at, 15),
                    f"{victim.name} did not notice that it was given up: {group.story()}")


def stop_broker(court, broker, groups, chance):
    """Nobody may be fenced because the broker stood still. Kafka does fence now and then: its clock runs on."""
    seconds = SESSION_MS / 1000 + 2
    if court.kind == "kafka":
        for member in [member for group in groups for member in group.members]:
            member.happen("stopped", None)
        pause([broker.process], seconds)
        time.sleep(2)
    else:
        quiet(court, groups, "the broker stood still", lambda: pause([broker.process], seconds))


FAULTS = {"kill the broker": kill_broker, "kill a member": kill_member, "stop a member for a moment": stop_briefly,
          "stop a member beyond its session": stop_beyond, "stop the broker beyond the session": stop_broker}


def pause(processes, seconds):
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    for process in processes:
        process.send_signal(signal.SIGCONT)


def calm(court, groups):
    """Waits until no partition has changed its owner for two seconds.

    A Java leader that lost its only broker forgets the topic's partitions, and joins again once it knows them.
    """
    seen, since = None, time.monotonic()

    def unchanged():
        nonlocal seen, since
        now = [group.changes() for group in groups]
        if now != seen or not all(group.converged() for group in groups):
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 2

    told = "; ".join(group.story() for group in groups)
    court.check(until(unchanged, 30), f"the groups do not come to rest: {told}")


def quiet(court, groups, why, work):
    """Does the work and checks that no partition changed its owner by it."""
    calm(court, groups)
    before = {group.name: group.changes() for group in groups}
    work()
    time.sleep(2)
    for group in groups:
        court.check(group.changes() == before[group.name],
                    f"{group.name} was rebalanced though only {why}: {group.story()}")


def now_ms():
    return int(time.time() * 1000)


class Tool:
    """A verifiable tool and the events that it prints."""

    def __init__(self, court, name, command):
        self.name, self.errors = name, court.home / f"{name}.errors"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=errors, text=True)
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                event = json.loads(line)
                work = getattr(self, "on_" + event["name"], None)
                if work:
                    work(event)

    def kill(self):
        """kill -9, also of one that stands still; what it had printed is read before this returns."""
        self.process.kill()
        self.process.wait(20)
        self.reader.join(10)


class Producer(Tool):
    """Writes until it is stopped; `acknowledged` holds (partition, offset)."""

    def __init__(self, court, broker):
        self.acknowledged, self.failed = [], []
        super().__init__(court, "producer", tool(
            "VerifiableProducer", "--bootstrap-server", broker.address, "--topic", TOPIC, "--throughput", 300,
            "--repeating-keys", 100, "--command-config", court.home / "producer.properties", mixed=True))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def on_producer_send_success(self, event):
        self.acknowledged.append((event["partition"], event["offset"]))

    def on_producer_send_error(self, event):
        self.failed.append(event)

    def stop(self):
        """Ends it gently, so that all it has sent is acknowledged."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.failed.append("did not end")
        self.reader.join(10)


class Consumer(Tool):
    """A member; what it tells goes into the timeline of its group."""

    def __init__(self, group, name, instance):
        self.group, self.owned, self.changed, self.stopped_at, self.instance = group, set(), 0, 0, instance
        self.unread = set()
        protocol = ["--session-timeout", SESSION_MS] if group.protocol == "classic" else []
        static = ["--group-instance-id", instance] if instance else []
        super().__init__(group.court, name, tool(
            "VerifiableConsumer", "--bootstrap-server", group.broker.address, "--topic", TOPIC, "--group-id", group.name,
            "--group-protocol", group.protocol, *protocol, *static,
            "--command-config", group.court.home / f"{group.protocol}.properties", mixed=True))

    def happen(self, what, detail, at=None):
        self.group.happenings.append((at or now_ms(), what, self.name, detail))

    def on_partitions_assigned(self, event):
        parts = {part["partition"] for part in event["partitions"]}
        self.owned |= parts
        self.unread |= parts
        self.changed += 1
        self.happen("assigned", parts, event["timestamp"])

    def on_partitions_revoked(self, event):
        parts = {part["partition"] for part in event["partitions"]}
        self.owned -= parts
        self.unread -= parts
        self.changed += 1
        self.happen("revoked", parts, event["timestamp"])

    def on_records_consumed(self, event):
        for part in event["partitions"]:
            number, last = part["partition"], part["maxOffset"]
            self.unread.discard(number)
            self.group.reached[number] = max(self.group.reached.get(number, 0), last + 1)
            self.happen("consumed", (number, part["minOffset"], last, part["count"]), event["timestamp"])

    def on_offsets_committed(self, event):
        if event["success"]:
            self.happen("committed", {part["partition"]: part["offset"] for part in event["offsets"]},
                        event["timestamp"])

    def stop(self):
        """SIGSTOP for longer than its session."""
        self.stopped_at = self.changed
        self.process.send_signal(signal.SIGSTOP)
        self.happen("stopped", None)

    def kill(self):
        self.process.kill()
        at = now_ms()
        super().kill()
        self.happen("gone", None, at)
        self.group.members.remove(self)


class Group:
    """Members of one protocol, and a bystander that asks the coordinator for the committed offsets."""

    def __init__(self, court, broker, protocol):
        self.court, self.broker, self.protocol, self.name = court, broker, protocol, f"kill-{protocol}"
        self.members, self.happenings, self.reached, self.names, self.ended = [], [], {}, 0, threading.Event()
        for _ in range(MEMBERS):
            self.start()
        self.bystander = threading.Thread(target=self.ask, daemon=True)
        self.bystander.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.bystander.join(30)
        for member in list(self.members):
            member.kill()

    def start(self):
        """One member of the classic group is static; the other protocol keeps the name of a killed one for a session."""
        self.names += 1
        taken = {member.instance for member in self.members}
        instance = "static" if self.protocol == "classic" and "static" not in taken else None
        self.members.append(Consumer(self, f"{self.name}-{self.names}", instance))

    def converged(self, without=None):
        """Every partition has one owner among those that live."""
        owned = [part for member in self.members if member is not without for part in member.owned]
        idle = [member for member in self.members if member is not without and not member.owned]
        return sorted(owned) == list(range(PARTITIONS)) and not idle

    def reading(self):
        """Every member has read from each partition since it got it."""
        return self.converged() and not any(member.unread for member in self.members)

    def read(self):
        return sum(self.reached.values())

    def changes(self):
        return {member.name: member.changed for member in self.members}

    def ask(self):
        """Notes the committed offsets three times a second while the broker is there."""
        conn = None
        while not self.ended.wait(0.3):
            asked = now_ms()
            try:
                conn = conn or wire.Conn(self.court.spec(), self.broker.address, 20)
                answer = conn.call("OffsetFetch", 8, {"RequireStable": True, "Groups": [{
                    "GroupId": self.name, "Topics": [{"Name": TOPIC, "PartitionIndexes": list(range(PARTITIONS))}]}]})
            except (OSError, wire.Closed):
                conn = None
                continue
            group = answer["Groups"][0]
            if group["ErrorCode"] == 0:
                offsets = {part["PartitionIndex"]: max(part["CommittedOffset"], 0)
                           for part in group["Topics"][0]["Partitions"] if part["ErrorCode"] == 0}
                self.happenings.append((now_ms(), "fetched", None, (asked, offsets)))
        if conn:
            conn.close()

    def story(self):
        """For people: who owns what, and the last words of each."""
        said = []
        for member in self.members:
            lines = [line for line in member.errors.read_text(errors="replace").splitlines() if "SLF4J" not in line]
            ended = "" if member.process.poll() is None else f" ended {member.process.returncode}"
            said.append(f"{member.name}{ended} owns {sorted(member.owned)} {' / '.join(lines[-2:])[-200:]}")
        return "; ".join(said)


def verify(court, producer, groups, ends):
    """What happened, against the rules."""
    court.check(not producer.failed, f"{len(producer.failed)} sends failed: {producer.failed[:2]}")
    court.check(len(producer.acknowledged) > 0, "nothing was acknowledged")
    beyond = [pair for pair in producer.acknowledged if pair[1] >= ends[pair[0]]]
    court.check(not beyond, f"{len(beyond)} acknowledged records are lost: {beyond[:3]}")
    for group in groups:
        faults = Timeline(group.happenings).ended(producer.acknowledged)
        court.check(not faults, f"{group.name}: {len(faults)} faults: " + "\n      ".join(faults[:8]))
        asked = sum(what == "fetched" for _, what, *_ in group.happenings)
        court.check(asked > 10, f"{group.name}: the coordinator was asked only {asked} times")
        last = max((at, detail[1]) for at, what, _, detail in group.happenings if what == "fetched")[1]
        court.check(last == ends, f"{group.name} has committed {last} at the end, not {ends}")
        path = court.home / f"{group.name}.timeline"
        path.write_text("\n".join(map(repr, sorted(group.happenings, key=lambda one: one[0]))))
        court.note(f"{group.name}: {len(group.happenings)} happenings, {asked} questions, "
                   f"{len(producer.acknowledged)} records acknowledged")
