"""The Debian package index through every client in every compression: byte-identical, in order per key.

Each client writes topics of its own; each topic is read back by that client and by another one.
"""
import json
from concurrent.futures import ThreadPoolExecutor

from kit import clients, console, crate, debian, topics

PARTITIONS = 3


def run(court):
    programs = clients.programs()
    everything = debian.index()
    slice_ = debian.part(everything)
    court.check(len(everything) > 50_000, f"the index has only {len(everything)} stanzas")
    files = {}
    for size, records in (("full", everything), ("slice", slice_)):
        for kind, extra in (("rich", debian.specials()), ("plain", debian.plain_specials())):
            files[size, kind] = (court.home / f"{size}-{kind}.crate", records + extra)
            crate.write(*files[size, kind])
    court.note(f"{len(everything)} stanzas, {sum(len(r[1]) for r in everything) >> 20} MiB; slice of {len(slice_)}")
    broker = court.broker()
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(one_client, court, broker, programs, at, files) for at in range(len(programs))]
        jobs.append(pool.submit(console.round_trips, court, broker, slice_))
        for job in jobs:
            job.result()
    court.check(broker.alive(), "the broker ended")
    (court.home / "produced.json").write_text(json.dumps(court.produced))
    for path, _ in files.values():
        path.unlink()


def one_client(court, broker, programs, at, files):
    """All codecs of one client: the full index in one, a slice in the others."""
    names = list(programs)
    name = names[at]
    kind = "plain" if name == "kcat" else "rich"
    spent = []
    for turn, codec in enumerate(clients.CODECS):
        full = turn == at % len(clients.CODECS) and not court.quick
        path, records = files["full" if full else "slice", kind]
        other = names[(at + 1 + turn) % len(names)]
        if other == name or (other == "kcat" and kind == "rich" and not full):
            other = names[(at + 2 + turn) % len(names)]
        topic = f"debian-{name}-{codec}"
        begun = court.seconds()
        trip(court, broker, topic, programs[name], [(reader, programs[reader]) for reader in (name, other)],
             codec, path, records)
        spent.append(f"{codec}{' (full)' if full else ''} {court.seconds() - begun:.1f}")
    court.note(f"{name}: {', '.join(spent)} s")


def trip(court, broker, topic, writer, readers, codec, path, records):
    """Writes one topic and reads it with each reader."""
    with court.connect(broker) as conn:
        topics.create(conn, topic, PARTITIONS)
    if court.run([*writer, "produce", broker.address, topic, codec, path], timeout=240) is None:
        return
    with court.connect(broker) as conn:
        ends = topics.offsets(conn, topic, PARTITIONS)
    court.produced.update({f"{topic}-{partition}": end for partition, end in enumerate(ends)})
    court.check(sum(ends) == len(records), f"{topic}: {sum(ends)} records of {len(records)}")
    for reader, program in readers:
        out = court.home / f"{topic}-{reader}.out"
        detail = ",".join(map(str, ends))
        if court.run([*program, "consume", broker.address, topic, detail, out], timeout=240) is not None:
            compare(court, f"{topic} read by {reader}", records, crate.read(out, placed=True), reader)
        out.unlink(missing_ok=True)


def compare(court, name, sent, got, reader="java"):
    """Every record once, bytes equal; order as sent within each partition; each key in one partition."""
    if not court.check(len(got) == len(sent), f"{name}: {len(got)} records of {len(sent)}"):
        return
    places = {}
    for at, record in enumerate(sent):
        places.setdefault(readable(record, reader), []).append(at)
    for found in places.values():
        found.reverse()
    last, offsets, homes = {}, {}, {}
    for partition, offset, record in sorted(got, key=lambda item: item[:2]):
        waiting = places.get(readable(record, reader))
        if not court.check(bool(waiting), f"{name}: {partition}/{offset} is no record that was sent: "
                                          f"{str(record)[:200]}"):
            return
        at = waiting.pop()
        if at < last.get(partition, -1):
            court.check(False, f"{name}: {partition}/{offset} is out of order")
            return
        last[partition] = at
        if offset != offsets.get(partition, -1) + 1:
            court.check(False, f"{name}: {partition} jumps from {offsets.get(partition, -1)} to {offset}")
            return
        offsets[partition] = offset
        if record[0] is not None and homes.setdefault(record[0], partition) != partition:
            court.check(False, f"{name}: key {record[0][:40]!r} is in two partitions")
            return


def readable(record, reader):
    """A record as a reader can show it: kcat prints headers as text, so only their names are compared there."""
    if reader != "kcat":
        return record
    key, value, headers = record
    return key, value, len(headers) > 0
