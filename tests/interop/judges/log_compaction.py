"""Kafka's own LogCompactionTester (kafka-tools 4.3.1): keys with many values and deletions go into compacted topics, all
is read again, and the last value of each key has to be the one that was sent last.

The tester is content with a broker that never compacts. So a second broker gets the same messages with its cleaner off:
nothing may be missing there, and of the first, which gets twice as many, fewer bytes must be left.
"""
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor

from kit import install
from kit.console import tool

# Of each topic; compressed too, so many are more than a segment.
MESSAGES = 300_000
TOPICS, DUPLICATES, PERCENT_DELETES = 2, 10, 10
# Tombstones go as soon as they may; removed files are gone when the sizes are looked at.
SETTINGS = {"log__segment__bytes": 1 << 20, "log__cleaner__backoff__ms": 100,
            "log__cleaner__min__cleanable__ratio": 0.01, "log__cleaner__delete__retention__ms": 100,
            "log__segment__delete__delay__ms": 100}
ROWS = re.compile(r"(\d+) rows of data produced, (\d+) rows of data consumed")
VALIDATED = re.compile(r"Validated (\d+) values, 0 mismatches")


def run(court):
    install.java()
    cleaned = court.broker("cleaned", **SETTINGS)
    whole = court.broker("whole", **SETTINGS, log__cleaner__enable="false")
    # The tester reads until nothing comes for 20 s: most of it is waiting.
    asks = [(cleaned, "none"), (whole, "none"), (cleaned, "zstd")]
    with ThreadPoolExecutor(len(asks)) as pool:
        rows = list(pool.map(lambda ask: torture(court, *ask), asks))
    sizes = {}
    for broker in (cleaned, whole):
        court.check(broker.alive(), f"the broker {broker.home.name} ended")
        broker.stop()
        sizes[broker] = log_bytes(broker)
    if None in rows:
        return
    for (broker, codec), (produced, consumed) in zip(asks, rows):
        court.note(f"{broker.home.name}, {codec}: {produced} rows sent, {consumed} left")
        court.check(produced == MESSAGES * TOPICS, f"{broker.home.name}, {codec}: only {produced} rows sent")
    court.note(f"{sizes[whole] >> 10} KiB with the cleaner off, {sizes[cleaned] >> 10} KiB for twice as many messages with it on")
    court.check(rows[1][0] == rows[1][1], f"{rows[1][1]} of {rows[1][0]} rows are left though the cleaner is off")
    # What is in the active segments stays.
    court.check(rows[0][1] * 2 < rows[0][0], f"{rows[0][1]} of {rows[0][0]} rows are left: hardly compacted")
    court.check(rows[2][1] < rows[2][0], f"{rows[2][1]} of {rows[2][0]} compressed rows are left: not compacted")
    court.check(sizes[cleaned] < sizes[whole], f"{sizes[cleaned]} bytes are left of {sizes[whole]}: hardly compacted")


def torture(court, broker, codec):
    """One run of the tester; the rows that it sent and that it read, or None."""
    with tempfile.TemporaryDirectory(dir=court.home) as scratch:
        command = tool("LogCompactionTester", "--bootstrap-server", broker.address, "--messages", MESSAGES,
                       "--topics", TOPICS, "--duplicates", DUPLICATES, "--percent-deletes", PERCENT_DELETES,
                       "--compression-type", codec, "--sleep", 2)
        command.insert(1, f"-Djava.io.tmpdir={scratch}")
        out = court.run(command, 90)
    if out is None:
        return None
    name = f"{broker.home.name}, {codec}"
    found = VALIDATED.search(out)
    court.check("Data verification is completed" in out and found and int(found[1]) > 0,
                f"{name}: not validated: {out[-600:]}")
    rows = ROWS.search(out)
    return (int(rows[1]), int(rows[2])) if court.check(rows, f"{name}: no rows: {out[-600:]}") else None


def log_bytes(broker):
    """Bytes of the batches of the tester's topics."""
    return sum(path.stat().st_size for path in broker.data.rglob("log-cleaner-test-*-*/*.log"))
