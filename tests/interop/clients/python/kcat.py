"""kcat over files of records (see kit/crate.py): produce ADDRESS TOPIC CODEC FILE, or
consume ADDRESS TOPIC END,END,... FILE.

kcat reads records between delimiters, so keys and values must not hold bytes 1 and 2; headers are one set per call.
"""
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from kit import crate  # noqa: E402

FORMAT = "%o %K %S %h\\n%k%s"


def produce(address, topic, codec, path):
    """Runs of records with equal headers go in one call each, in order; -Z makes empty parts null."""
    runs = []
    for key, value, headers in crate.read(path):
        kind = (headers, key is None or value is None)
        if not runs or runs[-1][0] != kind:
            runs.append((kind, []))
        runs[-1][1].append((key or b"") + b"\1" + (value or b""))
    for (headers, nulls), lines in runs:
        command = ["kcat", "-P", "-b", address, "-t", topic, "-z", codec, "-K", "\\x01", "-D", "\\x02",
                   "-X", "enable.idempotence=true", "-X", "queue.buffering.max.kbytes=262144",
                   "-X", "message.max.bytes=1048588"]
        for name, value in headers:
            command += ["-H", f"{name.decode()}={value.decode()}"]
        subprocess.run(command + (["-Z"] if nulls else []), input=b"\2".join(lines), check=True, timeout=120)


def headers_of(text):
    if not text:
        return ()
    return tuple(tuple(part.split(b"=", 1)) for part in text.split(b","))


def consume(address, topic, ends, path):
    with open(path, "wb") as out:
        for partition, end in enumerate(int(part) for part in ends.split(",")):
            if end == 0:
                continue
            command = ["kcat", "-C", "-q", "-b", address, "-t", topic, "-p", str(partition), "-o", "beginning", "-e",
                       "-X", "check.crcs=true", "-f", FORMAT]
            data = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120).stdout
            at = 0
            while at < len(data):
                line = data.index(b"\n", at)
                offset, key_size, size, headers = data[at:line].split(b" ", 3)
                at = line + 1
                parts = []
                for length in (int(key_size), int(size)):
                    parts.append(None if length < 0 else data[at:at + length])
                    at += max(length, 0)
                out.write(partition.to_bytes(4, "big") + int(offset).to_bytes(8, "big"))
                out.write(crate.pack((*parts, headers_of(headers))))


if __name__ == "__main__":
    {"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
