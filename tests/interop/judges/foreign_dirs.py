"""Directories of a real Kafka under our tools, and ours under Kafka's: both must say the same of every record.

A broker is filled with one of everything (clients/java/ForeignLog.java) and stopped. `logboom segment dump` and
DumpLogSegments are compared line by line over all of its files, `verify` must find nothing, and `compact` of it must
keep the newest value of each key: in both dumps, and for a client once the broker runs on the compacted files.
"""
import base64
import json
import shutil
import subprocess
import time

from kit import clients, install
from kit.brokers import Logboom
from kit.console import tool

SETTINGS = {"log__cleaner__backoff__ms": 200, "log__initial__task__delay__ms": 500, "offsets__topic__num__partitions": 3,
            "transaction__state__log__num__partitions": 2, "log__cleaner__dedupe__buffer__size": 4 << 20}
CLEANED = ["cleaned", "cleaned-transactions"]
# The last one is not for Kafka's cleaner: ours meets transactions that nobody cleaned before.
COMPACTED = [*CLEANED, "transactions"]
WRONG = ("Mismatch", "Exception", "isvalid: false", "not monotonically", "out of order", "timestamp mismatch", "Corrupt")


def run(court):
    install.java()
    settings = SETTINGS if court.kind == "kafka" else {}
    broker = court.broker(**settings)
    court.run(clients.java("ForeignLog", "fill", broker.address, "true" if court.kind == "kafka" else "false"))
    if court.kind == "kafka":
        wait_cleaned(court, broker.data)
    beside_running(court, broker)
    newest = {topic: newest_by_client(court, broker, topic) for topic in COMPACTED}
    broker.stop()
    for path in broker.data.rglob("*.deleted"):
        path.unlink()
    compare(court, broker.data, "as it was left")
    sound(court, broker.data)
    compact(court, broker, newest)


def segment(court, *arguments, code=0):
    """Our tool; its standard output, or nothing if it did not end as it should."""
    done = subprocess.run([Logboom.binary(), "segment", *map(str, arguments)], capture_output=True, timeout=120)
    good = court.check(done.returncode == code,
                       f"segment {' '.join(map(str, arguments))}: exit {done.returncode}: {done.stderr[-600:].decode()}")
    return done.stdout.decode() if good else ""


def wait_cleaned(court, data):
    """Until Kafka's cleaner has been at both compacted topics."""
    checkpoint, deadline = data / "cleaner-offset-checkpoint", time.monotonic() + 30
    while time.monotonic() < deadline:
        text = checkpoint.read_text() if checkpoint.exists() else ""
        if all(f"{topic} 0 " in text for topic in CLEANED):
            return
        time.sleep(0.2)
    court.check(False, "Kafka did not clean its compacted topics in 30 s")


def beside_running(court, broker):
    """Reading works beside a running broker and finds nothing; changing files is refused."""
    segment(court, "verify", broker.data)
    segment(court, "dump", broker.data, "--batches")
    segment(court, "compact", broker.data / "cleaned-0", code=1)
    segment(court, "repair", broker.data / "cleaned-0", "--apply", code=1)


def sound(court, data):
    """`verify` says that nothing is wrong, and has seen every partition."""
    lines = [json.loads(line) for line in segment(court, "verify", data, "--json").splitlines()]
    summary = lines[-1] if lines else {}
    found = [finding for line in lines for finding in line["findings"] if finding["grade"] != "note"]
    court.check(summary.get("damage") == 0 and summary.get("rebuildable") == 0, f"verify of {data}: {found[:5]}")
    partitions = sum(1 for path in data.iterdir() if path.is_dir())
    court.check(summary.get("partitions") == partitions, f"{summary.get('partitions')} partitions of {partitions}")


def compare(court, data, when):
    """Both dumps of every file, line by line."""
    logs = sorted(path for path in data.rglob("*.log") if path.stem.isdigit())
    own = [path for path in logs if path.parent.name.startswith("__")]
    others = [path for path in logs if path not in own]
    sides = [path for suffix in ("index", "timeindex", "txnindex") for path in sorted(data.rglob(f"*.{suffix}"))
             if path.stem.isdigit() and path.stat().st_size and path.with_suffix(".log").exists()
             and path.parent.name != "__cluster_metadata-0"]
    if court.kind == "kafka":
        # Ours hold up to five batches of a producer, of which Kafka's reader keeps the last.
        sides += [path for path in sorted(data.rglob("*.snapshot")) if path.stem.isdigit()]
    count = compare_files(court, others, ["--deep-iteration", "--print-data-log"], payload=True)
    count += compare_files(court, own, ["--deep-iteration"], payload=False)
    count += compare_files(court, sides, [], payload=False)
    court.note(f"{when}: {count} lines of {len(logs)} logs and {len(sides)} files beside them are the same in both dumps")


def compare_files(court, files, how, payload):
    """Returns how many lines were compared."""
    if not files:
        return 0
    text = court.run(tool("DumpLogSegments", *how, "--files", ",".join(map(str, files))), timeout=100)
    for word in WRONG:
        court.check(text is None or word not in text, f"DumpLogSegments says {word}")
    theirs, place = {}, None
    for line in (text or "").splitlines():
        if line.startswith("Dumping "):
            place = theirs.setdefault(line[8:].strip(), [])
        elif place is not None and not line.startswith("Log starting offset"):
            place.append(sorted_json(line.rstrip()))
    ours = {str(path): [] for path in files}
    for line in segment(court, "dump", *files, "--json").splitlines():
        event = json.loads(line)
        ours[event["file"]].append(kafka_line(event, payload).rstrip())
    for path, lines in ours.items():
        if lines != theirs.get(path, []):
            pairs = zip(lines + [None] * len(theirs.get(path, [])), theirs.get(path, []) + [None] * len(lines))
            first = next(pair for pair in pairs if pair[0] != pair[1])
            court.check(False, f"{path}: ours {first[0]!r}, Kafka's {first[1]!r}")
    court.check(any(ours.values()), f"nothing was compared of {len(files)} files")
    return sum(map(len, ours.values()))


def optional(number):
    return "OptionalLong.empty" if number is None or number == -1 else f"OptionalLong[{number}]"


def boolean(value):
    return "true" if value else "false"


def kafka_line(event, payload):
    """Our event as DumpLogSegments prints it."""
    kind = event["kind"]
    if kind == "batch":
        kafka_line.time = event["timestamp_type"]
        return (f"baseOffset: {event['base_offset']} lastOffset: {event['last_offset']} count: {event['count']} "
                f"baseSequence: {event['base_sequence']} lastSequence: {event['last_sequence']} "
                f"producerId: {event['producer_id']} producerEpoch: {event['producer_epoch']} "
                f"partitionLeaderEpoch: {event['leader_epoch']} isTransactional: {boolean(event['transactional'])} "
                f"isControl: {boolean(event['control'])} deleteHorizonMs: {optional(event['delete_horizon'])} "
                f"position: {event['position']} {event['timestamp_type']}: {event['max_timestamp']} "
                f"size: {event['size']} magic: {event['magic']} compresscodec: {event['codec']} crc: {event['crc']} "
                "isvalid: true")
    if kind == "record":
        return record_line(event, payload)
    if kind == "offset-index":
        return f"offset: {event['offset']} position: {event['position']}"
    if kind == "time-index":
        return f"timestamp: {event['timestamp']} offset: {event['offset']}"
    if kind == "aborted-transaction":
        return (f"version: {event['version']} producerId: {event['producer_id']} firstOffset: {event['first_offset']} "
                f"lastOffset: {event['last_offset']} lastStableOffset: {event['last_stable_offset']}")
    if kind == "producer":
        line = (f"producerId: {event['producer_id']} producerEpoch: {event['producer_epoch']} "
                f"coordinatorEpoch: {event['coordinator_epoch']} "
                f"currentTxnFirstOffset: {optional(event['current_txn_first_offset'])} "
                f"lastTimestamp: {event['last_timestamp']} ")
        if event["last_offset"] >= 0:
            line += (f"firstSequence: {event['last_sequence'] - event['offset_delta']} "
                     f"lastSequence: {event['last_sequence']} lastOffset: {event['last_offset']} "
                     f"offsetDelta: {event['offset_delta']} timestamp: {event['last_timestamp']}")
        return line
    return f"? {event}"


def text_of(event, name):
    return event[name] if name in event else base64.b64decode(event[f"{name}_base64"]).decode(errors="replace")


def record_line(event, payload):
    keys = ",".join(header["key"] for header in event["headers"])
    line = (f"| offset: {event['offset']} {kafka_line.time}: {event['timestamp']} keySize: {event['key_size']} "
            f"valueSize: {event['value_size']} sequence: {event['sequence']} headerKeys: [{keys}]")
    control = event.get("control")
    if control and control["type"] in ("COMMIT", "ABORT"):
        return f"{line} endTxnMarker: {control['type']} coordinatorEpoch: {control['coordinator_epoch']}"
    if control:
        return control_line(line, control)
    if payload and event["key_size"] >= 0:
        line += f" key: {text_of(event, 'key')}"
    if payload and event["value_size"] >= 0:
        line += f" payload: {text_of(event, 'value')}"
    return line


def control_line(line, control):
    """Records of Raft; the tool prints them as Java objects or as JSON, so only what both can say is compared."""
    if control["type"] == "LEADER_CHANGE":
        return sorted_json(f"{line} LeaderChange: {json.dumps(control['data'])}")
    return line


def sorted_json(line):
    """A line with JSON in it, its fields in one order."""
    head, mark, data = line.partition(" LeaderChange: ")
    return f"{head}{mark}{json.dumps(json.loads(data), sort_keys=True)}" if mark else line


def newest(court, partition):
    """The newest committed value of each key by our dump; a tombstone is no value."""
    pending, values, header = {}, {}, {}
    for line in segment(court, "dump", partition, "--json", "--bytes", "base64").splitlines():
        event = json.loads(line)
        if event["kind"] == "batch":
            header = event
        elif event["kind"] == "record":
            producer = header["producer_id"]
            if header["control"]:
                done = pending.pop(producer, [])
                if event["control"]["type"] == "COMMIT":
                    values.update({key: record for key, record in done if record[0] > values.get(key, (-1,))[0]})
                continue
            record = (event["offset"], event.get("value_base64"))
            if header["transactional"]:
                pending.setdefault(producer, []).append((event["key_base64"], record))
            else:
                values[event["key_base64"]] = record
    # Compaction keeps records of a transaction whose marker has gone: they were committed.
    for done in pending.values():
        values.update({key: record for key, record in done if record[0] > values.get(key, (-1,))[0]})
    return {key: value for key, (_, value) in values.items() if value is not None}


def newest_by_client(court, broker, topic):
    """The same as a consumer sees it."""
    text = court.run(clients.java("ForeignLog", "newest", broker.address, topic), timeout=40) or ""
    return {key: value for _, key, value in (line.split(" ") for line in text.splitlines() if line.count(" ") == 2)}


def compact(court, broker, seen):
    """In place, on the directory of the stopped broker, which then runs on it again."""
    for topic in COMPACTED:
        partition = broker.data / f"{topic}-0"
        before = newest(court, partition)
        court.check(before == seen[topic], f"{topic}: {len(before)} keys by our dump, {len(seen[topic])} by a consumer")
        dry = json.loads(segment(court, "compact", partition, "--dry-run", "--json") or "{}")
        size = sum(path.stat().st_size for path in partition.glob("*.log"))
        court.check(dry and dry["partitions"][0]["bytes_before"] == size, f"{topic}: a dry run changed files: {dry}")
        done = json.loads(segment(court, "compact", partition, "--json") or "{}")
        after = newest(court, partition)
        court.check(before == after, f"{topic}: {len(before)} keys before compaction, {len(after)} after")
        left = sum(path.stat().st_size for path in partition.glob("*.log"))
        court.check(done and left == done["partitions"][0]["bytes_after"], f"{topic}: {left} bytes are left: {done}")
        court.note(f"{topic}: {size} bytes before compaction, {left} after, {len(after)} keys")
    sound(court, broker.data)
    compare(court, broker.data, "compacted by our tool")
    shutil.rmtree(court.home / "compacted", ignore_errors=True)
    shutil.copytree(broker.data, court.home / "compacted")
    broker.start()
    for topic in COMPACTED:
        served = newest_by_client(court, broker, topic)
        court.check(served == seen[topic], f"{topic}: {len(served)} keys after compaction, {len(seen[topic])} before")
    broker.stop()
    sound(court, broker.data)
