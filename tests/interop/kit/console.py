"""Kafka's own console tools: ConsoleProducer, ConsoleConsumer by partition, ProducerPerformance.

They read and write lines, so a newline inside a value is sent as byte 30.
"""
import base64
import subprocess

from kit import clients, topics
from kit.paths import JAVA44, TOOL_CLASSES, TOOLS43


def tool(name, *arguments, mixed=False):
    """A tool of 4.3.1 on its own jars or, `mixed`, on the clients of 4.4.0."""
    # A few classes that the tools need have moved in 4.4.0; the old ones fill in at the end of the path.
    path = f"{JAVA44}/*:{TOOLS43}/*" if mixed else f"{TOOLS43}/*"
    return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
            "-cp", path, f"org.apache.kafka.tools.{name}", *map(str, arguments)]


class Tools:
    """Many tools of 4.3.1 one after another in one Java process."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["timeout", "600", "java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
             f"{TOOL_CLASSES}:{TOOLS43}/*", "ToolRun"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def run(self, name, *arguments):
        """Exit code and output (both streams) of one tool."""
        self.process.stdin.write("\t".join([name, *map(str, arguments)]) + "\n")
        self.process.stdin.flush()
        code, text = self.process.stdout.readline().rstrip("\n").split("\t")
        return int(code), base64.b64decode(text).decode(errors="replace")


def round_trips(court, broker, records):
    """Each codec once; half of them on the clients of 4.4.0, half on the tool's own 4.3.1."""
    for turn, codec in enumerate(clients.CODECS):
        trip(court, broker, codec, records[:1000], mixed=turn % 2 == 0)
    performance(court, broker)


def encode(value):
    return value.replace(b"\t", b"\x1f").replace(b"\n", b"\x1e")


def trip(court, broker, codec, records, mixed):
    """Lines with headers, keys and values go in, and come out equal and in order; a tombstone among them."""
    topic = f"console-{codec}"
    with court.connect(broker) as conn:
        topics.create(conn, topic, 2)
    sent = [b"source:apt,turn:%d\t%s\t%s" % (at, key, encode(value)) for at, (key, value, _) in enumerate(records)]
    sent.append(b"source:apt\ttomb\tNULL")
    lines = court.home / f"{topic}.lines"
    lines.write_bytes(b"\n".join(sent) + b"\n")
    command = tool("ConsoleProducer", "--bootstrap-server", broker.address, "--topic", topic,
                   "--compression-codec", codec, "--reader-property", "parse.key=true",
                   "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NULL",
                   "--command-property", "enable.idempotence=true", mixed=mixed)
    with open(lines, "rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, timeout=60)
    lines.unlink()
    errors = done.stderr.replace(b"SLF4J", b"").decode(errors="replace")
    if not court.check(done.returncode == 0 and "ERROR" not in errors and "Exception" not in errors,
                       f"{topic}: ConsoleProducer exit {done.returncode}: {errors[-600:]}"):
        return
    with court.connect(broker) as conn:
        ends = topics.offsets(conn, topic, 2)
    court.produced.update({f"{topic}-{partition}": end for partition, end in enumerate(ends)})
    court.check(sum(ends) == len(sent), f"{topic}: {sum(ends)} records of {len(sent)}")
    places = {line.replace(b"\tNULL", b"\tnull"): at for at, line in enumerate(sent)}
    for partition, end in enumerate(ends):
        out = court.run(tool("consumer.ConsoleConsumer", "--bootstrap-server", broker.address, "--topic", topic,
                             "--partition", partition, "--offset", "earliest", "--max-messages", end,
                             "--timeout-ms", "20000", "--formatter-property", "print.key=true",
                             "--formatter-property", "print.headers=true", mixed=mixed), timeout=60) if end else ""
        if out is None:
            continue
        got = [places.pop(line.encode(), None) for line in out.split("\n")[:-1]] if out else []
        court.check(len(got) == end and None not in got and got == sorted(got),
                    f"{topic}-{partition}: {len(got)} lines of {end}, {got.count(None)} unknown")
    court.check(not places, f"{topic}: {len(places)} lines were not read")


def performance(court, broker):
    """ProducerPerformance says what it sent; the offsets must agree."""
    count = 20_000 if court.quick else 100_000
    with court.connect(broker) as conn:
        topics.create(conn, "performance", 3)
    out = court.run(tool("ProducerPerformance", "--topic", "performance", "--num-records", count,
                         "--record-size", "500", "--throughput", "-1", "--bootstrap-server", broker.address,
                         "--command-property", "acks=all", mixed=True), timeout=120)
    with court.connect(broker) as conn:
        ends = topics.offsets(conn, "performance", 3)
    court.produced.update({f"performance-{partition}": end for partition, end in enumerate(ends)})
    court.check(sum(ends) == count, f"ProducerPerformance: {sum(ends)} records of {count}")
    if out:
        court.note("ProducerPerformance: " + out.strip().splitlines()[-1][:120])
