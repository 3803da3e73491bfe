"""The same raw requests to both brokers: error codes, values and shape of every answer must be equal.

Kafka's answers are kept in answers-4.4.0.json, so that a run against ours starts no Kafka; a run with
`--broker kafka` asks Kafka again and writes the file.
"""
import json

from kit.paths import HERE
from kit.scene import Scene
from judges.allowed import CONFIGS, WIRE
from steps import configs, reading, records, topics, versions

ANSWERS = HERE / "answers-4.4.0.json"


def run(court):
    broker = court.broker()
    scene = Scene(court.spec(), broker, CONFIGS)
    for subject in (versions, records, reading, configs, topics):
        try:
            subject.play(scene)
        except Exception as error:  # a broken broker must not hide the other subjects
            court.check(False, f"{subject.__name__} stopped after {scene.steps[-1]['step']!r}: {error!r}")
            scene.reconnect()
    court.check(len(scene.steps) >= 120, f"only {len(scene.steps)} steps")
    court.check(broker.alive(), "the broker ended")
    (court.home / "answers.json").write_text(as_lines(scene.steps))
    for step in scene.steps:
        answer = step["answer"]
        court.check(not str(answer).startswith("not decodable"), f"{step['step']}: {answer}")
    if court.kind == "kafka":
        compare(court, scene.steps) if ANSWERS.exists() else None
        if not court.failures:
            ANSWERS.write_text(as_lines(scene.steps))
        return
    compare(court, scene.steps)


def as_lines(steps):
    return "[\n" + ",\n".join(json.dumps(step, sort_keys=True, ensure_ascii=True) for step in steps) + "\n]\n"


def compare(court, steps):
    """Every step of Kafka's file against this run."""
    wanted = {step["step"]: step["answer"] for step in json.loads(ANSWERS.read_text())}
    found = {step["step"]: json.loads(json.dumps(step["answer"])) for step in steps}
    used = set()
    for name, want in wanted.items():
        if name not in found:
            court.check(False, f"{name}: not asked")
            continue
        differences = list(differ("", want, found[name]))
        reason = next((why for pattern, why in WIRE if pattern in name), None)
        if differences and reason and court.kind != "kafka":
            used.add(name)
            continue
        court.check(not differences, f"{name}: " + "; ".join(differences[:6]))
    if court.kind == "kafka":
        new = [name for name in found if name not in wanted]
        court.note(f"{len(new)} steps are new")
    else:
        court.note(f"{len(wanted)} steps compared, {len(used)} differ as allowed: " + ", ".join(sorted(used)))


def differ(path, want, got):
    """Each place where two answers differ, as `path: Kafka x, here y`."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            yield from differ(f"{path}.{key}" if path else key, want.get(key, "absent"), got.get(key, "absent"))
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for at, (one, two) in enumerate(zip(want, got)):
            yield from differ(f"{path}[{at}]", one, two)
    elif want != got:
        yield f"{path or 'answer'}: Kafka {brief(want)}, here {brief(got)}"


def brief(value):
    text = json.dumps(value)
    return text if len(text) < 160 else text[:160] + "..."
