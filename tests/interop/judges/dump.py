"""Kafka's own DumpLogSegments over every file that the other judges of this run left behind.

It must find nothing to complain about, and as many records as were produced. The brokers are stopped by then.
"""
import json
import re
import subprocess
import threading
from pathlib import Path

from kit import install
from kit.console import tool
from kit.paths import RUNS

# Judged at the start of a line: the payload of a record may hold any text.
COMPLAINTS = re.compile(
    rb"(Mismatches in|Found timestamp mismatch|Found out of order timestamp|Misaligned|Corrupt|Unexpected|"
    rb"Exception|Index .* is not|Time index .* )")
BATCH = re.compile(rb"baseOffset: (-?\d+) lastOffset: (-?\d+) count: (-?\d+) ")
GAPS_IN = b"Non-consecutive offsets in "
GAP = re.compile(rb"  (-?\d+) is followed by \d+$")

# Where records were removed in between.
COMPACTED = b"/log_compaction/cleaned/"

# What malformed and differential have written on purpose: records of 200 MB, and offset deltas with a gap.
LEFT_OUT = {"bomb-0", *(f"rec-bad-{partition}" for partition in range(100))}


def run(court):
    install.java()
    found = 0
    for data in sorted(RUNS.joinpath(court.kind).glob("*/*/data")):
        judge = data.parent.parent.name
        if judge == "idle":
            continue
        logs = [path for path in sorted(data.rglob("*.log")) if path.stat().st_size and path.stem.isdigit()
                and kept(path)]
        found += len(logs)
        dump_logs(court, judge, data, logs)
        dump_indexes(court, data)
        dump_states(court, data)
    court.check(found > 0, "no judge of this run left a log: run others first")


def kept(path):
    """Not of a topic that is being deleted, whose indexes stay preallocated, and not left out on purpose."""
    name = path.parent.name
    return not name.endswith("-delete") and name not in LEFT_OUT


def dump_logs(court, judge, data, logs):
    """Every record of every log, and the counts."""
    ours = [path for path in logs if path.parent.name != "__cluster_metadata-0"]
    metadata = [path for path in logs if path.parent.name == "__cluster_metadata-0"]
    counts = dump(court, ours, "--deep-iteration", "--print-data-log")
    dump(court, metadata, "--deep-iteration", "--cluster-metadata-decoder")
    groups = [path for path in ours if path.parent.name.startswith("__consumer_offsets-")]
    dump(court, groups, "--deep-iteration", "--offsets-decoder")
    expected = data.parent.parent / "produced.json"
    wanted = json.loads(expected.read_text()) if expected.exists() else {}
    for partition, count in wanted.items():
        court.check(counts.get(partition, 0) == count,
                    f"{judge}: {partition} has {counts.get(partition, 0)} records of {count}")
    court.note(f"{judge}: {sum(counts.values())} records in {len(ours)} logs, {len(wanted)} partitions counted")


def dump_indexes(court, data):
    """Each index against its log, in the three ways that the tool knows.

    Kafka's metadata log is left out: its indexes stay preallocated at a stop, and the tool fails on that.
    """
    indexes = [path for path in sorted(data.rglob("*.index")) + sorted(data.rglob("*.timeindex"))
               if path.stem.isdigit() and path.with_suffix(".log").exists() and path.stat().st_size
               and kept(path) and path.parent.name != "__cluster_metadata-0"]
    dump(court, indexes, "--index-sanity-check")
    dump(court, indexes, "--verify-index-only")
    dump(court, indexes)


def dump_states(court, data):
    """Producer snapshots and lists of aborted transactions."""
    names = [path for pattern in ("*.snapshot", "*.txnindex") for path in sorted(data.rglob(pattern))
             if path.stem.isdigit() and path.stat().st_size]
    dump(court, names)


def dump(court, files, *how, batch=150):
    """Runs the tool over many files; returns the records by partition directory."""
    counts = {}
    for start in range(0, len(files), batch):
        part = files[start:start + batch]
        command = tool("DumpLogSegments", *how, "--files", ",".join(map(str, part)))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            guard = threading.Timer(240, process.kill)
            guard.start()
            errors = []
            reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
            reader.start()
            complaints, last = read_dump(process.stdout, counts)
            reader.join()
            guard.cancel()
        text = b"\n".join(unexplained(errors[0].splitlines()))
        court.check(process.returncode == 0 and not text,
                    f"DumpLogSegments {' '.join(how)}: exit {process.returncode} at {last}: "
                    f"{text[-600:].decode(errors='replace')}")
        court.check(not complaints, f"DumpLogSegments {' '.join(how)}: {len(complaints)} complaints: {complaints[:4]}")
    return counts


def unexplained(lines):
    """What the tool says on stderr, without gaps between offsets that there have to be."""
    place, left = b"", []
    for line in lines:
        gap = GAP.match(line)
        if line.startswith(GAPS_IN):
            place = line
        elif gap and (gap[1] == b"-1" or COMPACTED in place):
            # It counts from -1 in every file, also in one that begins at a later offset.
            pass
        elif not line.startswith(b"SLF4J"):
            left += [place, line] if gap else [line]
    return left


def read_dump(lines, counts):
    """Counts records in the tool's output; returns its complaints with their files, and the last file."""
    complaints, place, current = [], "", ""
    for line in lines:
        if line.startswith(b"Dumping "):
            path = Path(line[8:].strip().decode())
            place = path.parent.name
            current = str(path)
        elif line.startswith(b"baseOffset: "):
            if match := BATCH.match(line):
                counts[place] = counts.get(place, 0) + int(match[3])
            if b" isvalid: true" not in line:
                complaints.append((current, line[:200]))
        elif COMPLAINTS.match(line):
            complaints.append((current, line[:200]))
    return complaints, current
