"""The Debian package index as records: key = package name, value = its stanza.

It takes what the machine's own apt has; it downloads nothing itself but by `apt-get update`.
"""
import glob
import os
import random
import subprocess

LISTS = "/var/lib/apt/lists/*_Packages*"
BIG = 900_000


def index():
    """About 66,000 stanzas in index order; some names come more than once."""
    if not glob.glob(LISTS):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*sudo, "apt-get", "update"], check=True, timeout=300, stdout=subprocess.DEVNULL)
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", *sorted(glob.glob(LISTS))], check=True,
                          timeout=120, stdout=subprocess.PIPE).stdout
    records = []
    for stanza in text.split(b"\n\n"):
        stanza = stanza.strip(b"\n")
        if stanza.startswith(b"Package: "):
            records.append((stanza[9:stanza.index(b"\n")], stanza, ()))
    return records


def part(records, count=5000):
    """A slice that keeps names which come more than once, so that order per key is tested."""
    seen, repeated = set(), set()
    for key, _, _ in records:
        (repeated if key in seen else seen).add(key)
    chosen, left = [], count // 2
    for at, record in enumerate(records):
        if record[0] in repeated and left > 0:
            left -= 1
            chosen.append(at)
    others = [at for at, record in enumerate(records) if record[0] not in repeated]
    chosen += others[::max(1, len(others) // (count - len(chosen)))][:count - len(chosen)]
    return [records[at] for at in sorted(chosen)]


def specials():
    """Null keys, tombstones, empty parts, headers of every kind, values of 900 KB."""
    noise = random.Random(4).randbytes(BIG)
    every = bytes(range(256))
    found = [(None, b"null key %d" % n, ()) for n in range(5)]
    found += [(b"tomb", b"before", ()), (b"tomb", None, ()), (b"tomb", b"after", ()), (b"tomb", None, ())]
    found += [(b"empty value", b"", ()), (b"", b"empty key", ()), (every, every, ())]
    found += [(b"headers", b"v", ((b"trace", every), (b"empty", b""), ("gr\u00f6\u00dfe".encode(), b"x"))),
              (b"headers", b"w", ((b"twice", b"1"), (b"twice", b"2")))]
    found += [(b"big noise", noise, ()), (b"big zeros", b"\0" * BIG, ()), (b"big noise", noise[::-1], ())]
    return found


def plain_specials():
    """What kcat can say: one set of headers per call, nulls for empty parts."""
    return [(b"tomb", b"before", ()), (b"tomb", None, ()), (b"empty value", b"", ()),
            (b"headers", b"v", ((b"trace", b"abc"), (b"twice", b"1"))), (b"big", b"\x07" * BIG, ())]
