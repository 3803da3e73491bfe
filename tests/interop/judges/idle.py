"""A table, not a test: start-up on an empty directory, idle memory, memory per idle connection.

Kafka is measured on the same machine (once; its numbers are kept under target/), and needs a formatted directory,
which is not counted.
"""
import json
import os
import platform
import resource
import statistics
import time

from kit import brokers
from kit.paths import TARGET

CONNECTIONS = 1000
SOFTWARE = {"ClientSoftwareName": "judge", "ClientSoftwareVersion": "1"}


def run(court):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 16), hard))
    kinds = ["kafka"] if court.kind == "kafka" else ["logboom", "kafka"]
    rows = {}
    for kind in kinds:
        kept = TARGET / f"idle-{kind}.json"
        if kind == "kafka" and court.kind != "kafka" and kept.exists():
            rows[kind] = json.loads(kept.read_text())
            continue
        rows[kind] = measure(court, kind)
        kept.write_text(json.dumps(rows[kind], indent=1) + "\n")
    table(rows)
    (TARGET / "idle.json").write_text(json.dumps(rows, indent=1) + "\n")
    court.check(bool(rows), "nothing was measured")


def measure(court, kind):
    """Starts a broker several times on empty directories and keeps the last one for the memory."""
    brokers.Kafka.heap = ["-Xms1g", "-Xmx1g"]  # what Kafka's own start script gives
    rounds = 10 if kind == "logboom" else 3
    starts = []
    for turn in range(rounds):
        broker = court.broker(f"{kind}-{turn}", kind, start=False)
        starts.append(broker.start())
        if turn + 1 < rounds:
            broker.kill()
    time.sleep(5)
    idle = broker.rss()
    open_ = []
    try:
        for _ in range(CONNECTIONS):
            conn = court.connect(broker)
            conn.call("ApiVersions", 3, SOFTWARE)
            open_.append(conn)
        time.sleep(2)
        loaded = broker.rss()
    finally:
        for conn in open_:
            conn.close()
    broker.kill()
    program = brokers.Logboom.binary() if kind == "logboom" else "4.4.0, -Xms1g -Xmx1g"
    return {"program": "/".join(str(program).split("/")[-2:]), "cpus": os.cpu_count(), "machine": platform.platform(),
            "start_ms_median": round(statistics.median(starts) * 1000, 1),
            "start_ms_worst": round(max(starts) * 1000, 1), "idle_rss_mib": round(idle / 2**20, 1),
            "rss_per_connection_kib": round((loaded - idle) / CONNECTIONS / 1024, 1)}


def table(rows):
    columns = ["program", "start_ms_median", "start_ms_worst", "idle_rss_mib", "rss_per_connection_kib"]
    print("  " + "".join(f"{name:>24}" for name in ["", *columns]))
    for kind, row in rows.items():
        print("  " + "".join(f"{str(value):>24}" for value in [kind, *(row[name] for name in columns)]))
