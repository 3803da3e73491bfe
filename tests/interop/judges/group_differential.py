"""The same scripts of group requests to both brokers: answers, error codes and states must be equal.

Scripts have several members each, on connections of their own, and run side by side, each on groups of its own.
Kafka's answers are kept in group-answers-4.4.0.json; a run with `--broker kafka` asks Kafka again and writes the file.
"""
import json
import time
from concurrent.futures import ThreadPoolExecutor

from kit import topics
from kit.paths import HERE
from kit.play import Play
from judges.allowed import GROUPS
from judges.differential import as_lines, differ
from steps.group import (commits, joining, lives, migrating, modern, modern_offsets, moving, restarts, static, syncing,
                         timeouts, tools, walks)

ANSWERS = HERE / "group-answers-4.4.0.json"
SUBJECTS = (timeouts, modern_offsets, migrating, tools, lives, joining, syncing, static, commits, modern, moving, walks)
SIDE_BY_SIDE = 12
# The smallest times and sizes, so that nothing waits long; alike on both brokers.
SETTINGS = {
    "group.initial.rebalance.delay.ms": 0, "group.min.session.timeout.ms": 1000, "group.max.session.timeout.ms": 60000,
    "group.max.size": 3, "group.consumer.max.size": 3, "group.consumer.assignment.interval.ms": 0,
    "group.consumer.min.session.timeout.ms": 1000, "group.consumer.min.heartbeat.interval.ms": 100,
    "group.consumer.heartbeat.interval.ms": 5000, "group.consumer.session.timeout.ms": 45000,
    "offsets.topic.num.partitions": 5, "offset.metadata.max.bytes": 64,
}
# An assignor in the background makes it a matter of time which heartbeat carries a new assignment.
KAFKA_ONLY = {"group.consumer.assignor.offload.enable": "false"}
TOPICS = {"group-four": 4, "group-two": 2, "group-one": 1, "group-three": 3, "group-six": 6, "group-eight": 8}


def run(court):
    settings = dict(SETTINGS, **(KAFKA_ONLY if court.kind == "kafka" else {}))
    broker = court.broker(**{key.replace(".", "__"): str(value) for key, value in settings.items()})
    known = {}
    with court.connect(broker) as conn:
        for name, partitions in TOPICS.items():
            known[name] = topics.create(conn, name, partitions)
        wait_for_coordinator(conn)
    scripts = [script for subject in SUBJECTS for script in subject.SCRIPTS]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        played = list(pool.map(lambda script: play(court, broker, dict(known), script), scripts))
    court.check(broker.alive(), "the broker ended")
    played += crash(court, broker, known)
    steps = []
    for one, stopped in played:
        steps += one.steps
        if stopped:
            last = one.steps[-1]["step"] if one.steps else "nothing"
            court.check(False, f"{one.name} stopped after {last!r}: {stopped}")
    for step in steps:
        silent = str(step["answer"]).startswith(("not decodable", "no answer"))
        court.check(not silent, f"{step['step']}: {step['answer']}")
    (court.home / "answers.json").write_text(as_lines(steps))
    court.note(f"{len(steps)} steps in {len(scripts)} scripts")
    if ANSWERS.exists():
        compare(court, steps)
    if court.kind == "kafka" and not court.failures:
        ANSWERS.write_text(as_lines(steps))


def play(court, broker, known, script):
    """Plays one script; returns it and what stopped it, if something did."""
    scene = Play(script.__name__.replace("_", "-"), court.spec(), broker, known)
    try:
        script(scene)
        return scene, None
    except Exception as error:  # one broken script must not hide the others
        return scene, repr(error)
    finally:
        scene.close()


def crash(court, broker, known):
    """Plays the scripts of restarts up to where they yield, kills the broker, starts it and plays the rest."""
    scenes = [Play(script.__name__.replace("_", "-"), court.spec(), broker, dict(known))
              for script in restarts.SCRIPTS]
    running = [script(scene) for script, scene in zip(restarts.SCRIPTS, scenes)]
    stopped = [resumed(script) for script in running]
    broker.kill()
    for scene in scenes:
        scene.close()
    broker.start()
    with court.connect(broker) as conn:
        wait_for_coordinator(conn)
    stopped = [before or resumed(script) for before, script in zip(stopped, running)]
    for scene in scenes:
        scene.close()
    return list(zip(scenes, stopped))


def resumed(script):
    """Plays a script to its next stop; returns what stopped it otherwise."""
    try:
        next(script, None)
    except Exception as error:
        return repr(error)
    return None


def wait_for_coordinator(conn):
    """The first question makes the topic of offsets; groups can be asked for when its partitions have leaders."""
    def error():
        return conn.call("FindCoordinator", 4, {"CoordinatorKeys": ["warm-up"]})["Coordinators"][0]["ErrorCode"]
    wait_for(lambda: error() == 0, "a coordinator")
    for at in range(40):
        wait_for(lambda: conn.call("DeleteGroups", 2, {"GroupsNames": [f"warm-up-{at}"]})
                 ["Results"][0]["ErrorCode"] == 69, "a loaded coordinator")


def wait_for(ready, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.05)


def compare(court, steps):
    """Every step of Kafka's file against this run."""
    wanted = {step["step"]: step["answer"] for step in json.loads(ANSWERS.read_text())}
    found = {step["step"]: json.loads(json.dumps(step["answer"])) for step in steps}
    used, equal = set(), 0
    for name, want in wanted.items():
        if name not in found:
            court.check(court.kind == "kafka", f"{name}: not asked")
            continue
        differences = list(differ("", want, found[name]))
        reason = next((why for pattern, why in GROUPS if pattern in name), None)
        if differences and reason and court.kind != "kafka":
            used.add(name)
            continue
        equal += not differences
        court.check(not differences, f"{name}: " + "; ".join(differences[:6]))
    court.note(f"{len(wanted)} steps in Kafka's table, {equal} equal, {len(used)} differ as allowed; "
               f"{len(set(found) - set(wanted))} are new")
