"""Idempotent producers of Java and librdkafka while the broker is killed (kill -9) again and again.

At the end every acknowledged record is there exactly once, at the offset that was acknowledged, in order per
partition and producer; nothing is there twice.
"""
import json
import random
import statistics
import subprocess
import time

from kit import clients, crate, topics
from kit.paths import HERE, VENV

PARTITIONS = 4
TOPIC = "kill-loop"


def run(court):
    programs = clients.programs()
    broker = court.broker()
    rounds = 2 if court.kind == "kafka" else 5 if court.quick else 50
    with court.connect(broker) as conn:
        topics.create(conn, TOPIC, PARTITIONS)
    commands = {"java": clients.java("KillLoop"),
                "librdkafka": [VENV / "bin/python", HERE / "clients/python/kill_loop.py"]}
    producers, files = {}, {}
    for name, command in commands.items():
        files[name] = court.home / f"{name}.acks"
        files[name].touch()
        errors = open(court.home / f"{name}.errors", "wb")
        producers[name] = subprocess.Popen(
            [str(part) for part in [*command, broker.address, TOPIC, PARTITIONS, files[name]]],
            stdin=subprocess.PIPE, stdout=errors, stderr=errors)
        errors.close()
    try:
        kill_rounds(court, broker, files, rounds)
        for name, producer in producers.items():
            producer.stdin.close()
            court.check(producer.wait(150) == 0, f"{name} ended with {producer.returncode}")
    finally:
        for producer in producers.values():
            if producer.poll() is None:
                producer.kill()
                producer.wait()
    court.check(broker.alive(), "the broker ended")
    verify(court, broker, programs, files)


def kill_rounds(court, broker, files, rounds):
    """Kills when both producers had acknowledgements since the last start."""
    chance = random.Random(court.kind)
    ready, first = [], []
    for turn in range(rounds):
        sizes = {name: path.stat().st_size for name, path in files.items()}
        begun = time.monotonic()
        waiting = set(files)
        while waiting:
            waiting = {name for name in waiting if files[name].stat().st_size <= sizes[name]}
            if len(waiting) < len(files) and turn and len(first) < turn:
                first.append(time.monotonic() - begun + ready[-1])  # counted from the exec of the broker
            if time.monotonic() - begun > 30:
                court.check(False, f"round {turn}: no acknowledgement to {', '.join(sorted(waiting))} in 30 s")
                return
            time.sleep(0.005)
        time.sleep(chance.uniform(0.05, 0.9))
        broker.kill()
        ready.append(broker.start())
    court.check(True, "rounds")
    if first:
        numbers = {"rounds": rounds, "ready_s": spread(ready), "first_ack_s": spread(first)}
        court.note(f"{rounds} kills; from exec to metadata {numbers['ready_s']} s, to the first ack "
                   f"{numbers['first_ack_s']} s (median, worst)")
        (court.home / "numbers.json").write_text(json.dumps(numbers))


def spread(values):
    return [round(statistics.median(values), 3), round(max(values), 3)]


def verify(court, broker, programs, files):
    """Compares what was acknowledged with what a consumer reads."""
    with court.connect(broker) as conn:
        ends = topics.offsets(conn, TOPIC, PARTITIONS)
    out = court.home / "all.out"
    if court.run([*programs["confluent"], "consume", broker.address, TOPIC, ",".join(map(str, ends)), out],
                 timeout=180) is None:
        return
    place, last, twice, disorder = {}, {}, 0, 0
    for partition, offset, (_, value, _) in crate.read(out, placed=True):
        if value in place:
            twice += 1
            if twice <= 5:
                court.check(False, f"{value} stands at {place[value]} and at {(partition, offset)}")
        place[value] = (partition, offset)
        name, number = value.rsplit(b"-", 1)
        if last.get((partition, name), -1) >= int(number):
            disorder += 1
            if disorder <= 5:
                court.check(False, f"{value} stands at {(partition, offset)} after {last[partition, name]}")
        last[partition, name] = int(number)
    out.unlink()
    court.check(twice == 0, f"{twice} records stand twice")
    court.check(disorder == 0, f"{disorder} records are out of order")
    for name, path in files.items():
        acknowledged, failed, lost, moved = 0, [], [], []
        for line in path.read_text().splitlines():
            first, second, value = line.split(" ", 2)
            if first == "failed":
                failed.append(line)
                continue
            acknowledged += 1
            found = place.get(value.encode())
            if found is None:
                lost.append(line)
            elif found[0] != int(first) or int(second) not in (found[1], -1):
                moved.append(f"{line} is at {found}")
        court.note(f"{name}: {acknowledged} acknowledged, {len(failed)} failed")
        court.check(acknowledged > 0, f"{name}: nothing was acknowledged")
        court.check(not lost, f"{name}: {len(lost)} acknowledged records are lost: {lost[:3]}")
        court.check(not moved, f"{name}: {len(moved)} are not where they were acknowledged: {moved[:3]}")
        court.check(not failed, f"{name}: {len(failed)} sends failed: {failed[:3]}")
    produced = {f"{TOPIC}-{partition}": end for partition, end in enumerate(ends)}
    (court.home / "produced.json").write_text(json.dumps(produced))
