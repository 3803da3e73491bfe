"""Builds and reads record batches, magic 2 (and the dead 0 and 1), without any Kafka library.

It must be able to build wrong batches as easily as right ones: every header field can be set.
"""
import struct
import time
import zlib

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def castagnoli():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
        table.append(byte)
    return table


TABLE = castagnoli()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def zigzag(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def blob(data):
    return zigzag(-1) if data is None else zigzag(len(data)) + data


def record(delta, key, value, headers=(), time_delta=0):
    body = b"\0" + zigzag(time_delta) + zigzag(delta) + blob(key) + blob(value) + zigzag(len(headers))
    for name, data in headers:
        body += blob(name) + blob(data)
    return zigzag(len(body)) + body


def batch(records, *, base=0, magic=2, attributes=0, codec="none", producer=-1, epoch=-1, sequence=-1,
          timestamp=None, max_timestamp=None, count=None, last_delta=None, payload=None, leader_epoch=-1,
          crc=None, length=None):
    """A batch of (key, value) or (key, value, headers); any field may be forced."""
    timestamp = int(time.time() * 1000) if timestamp is None else timestamp
    if payload is None:
        payload = b"".join(record(i, *parts) for i, parts in enumerate(records))
    if codec == "gzip":
        wrap = zlib.compressobj(wbits=31)
        payload = wrap.compress(payload) + wrap.flush()
    attributes |= CODECS[codec]
    count = len(records) if count is None else count
    last_delta = count - 1 if last_delta is None else last_delta
    tail = struct.pack(">hiqqqhii", attributes, last_delta, timestamp,
                       timestamp if max_timestamp is None else max_timestamp,
                       producer, epoch, sequence, count) + payload
    crc = crc32c(tail) if crc is None else crc
    body = struct.pack(">ibI", leader_epoch, magic, crc) + tail
    return struct.pack(">qi", base, len(body) if length is None else length) + body


def old_message(magic, key, value):
    """A message set of one message in format 0 or 1."""
    stamp = struct.pack(">q", 1) if magic == 1 else b""
    parts = b"".join(struct.pack(">i", -1) if p is None else struct.pack(">i", len(p)) + p for p in (key, value))
    body = struct.pack(">bb", magic, 0) + stamp + parts
    body = struct.pack(">I", zlib.crc32(body)) + body
    return struct.pack(">qi", 0, len(body)) + body


def headers_of(data):
    """The headers of the whole batches in `data`, as dictionaries; a cut last batch is left out."""
    found, at = [], 0
    while at + 61 <= len(data):
        base, length, leader_epoch, magic, crc = struct.unpack_from(">qiibI", data, at)
        if at + 12 + length > len(data):
            break
        names = ("attributes", "last_delta", "timestamp", "max_timestamp", "producer", "epoch", "sequence", "count")
        head = dict(zip(names, struct.unpack_from(">hiqqqhii", data, at + 21)))
        head.update(base=base, leader_epoch=leader_epoch, magic=magic, size=12 + length,
                    crc_ok=crc == crc32c(data[at + 21:at + 12 + length]))
        found.append(head)
        at += 12 + length
    return found
