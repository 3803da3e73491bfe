"""Files of records, the common tongue of all client programs. All integers big-endian.

One record: blob key, blob value, int32 count of headers, per header blob name, blob value.
A blob is an int32 length (-1 for null) and its bytes. A consumer writes int32 partition and int64 offset first.
"""
import struct


def blob(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def pack(record):
    key, value, headers = record
    return blob(key) + blob(value) + struct.pack(">i", len(headers)) + b"".join(
        blob(name) + blob(data) for name, data in headers)


def write(path, records):
    with open(path, "wb") as out:
        for record in records:
            out.write(pack(record))


def take_blob(data, at):
    (size,) = struct.unpack_from(">i", data, at)
    if size < 0:
        return None, at + 4
    return data[at + 4:at + 4 + size], at + 4 + size


def read(path, placed=False):
    """Records as (key, value, headers); with `placed`, as (partition, offset, record)."""
    with open(path, "rb") as source:
        data = source.read()
    found, at = [], 0
    while at < len(data):
        if placed:
            partition, offset = struct.unpack_from(">iq", data, at)
            at += 12
        key, at = take_blob(data, at)
        value, at = take_blob(data, at)
        (count,) = struct.unpack_from(">i", data, at)
        at += 4
        headers = []
        for _ in range(count):
            name, at = take_blob(data, at)
            part, at = take_blob(data, at)
            headers.append((name, part))
        record = (key, value, tuple(headers))
        found.append((partition, offset, record) if placed else record)
    return found
