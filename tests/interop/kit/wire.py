"""Encodes and decodes any Kafka message of any version from the specs inside the kafka-clients jar.

A second codec, written from the specs alone: it must share nothing with the broker's own. Values are plain:
dictionaries with the field names of the specs, uuids as 32 hex digits, bytes and records as bytes.
"""
import json
import re
import socket
import struct
import zipfile

from kit.paths import JAVA44

ZERO_UUID = "0" * 32
INTS = {"int8": ">b", "uint8": ">B", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I",
        "int64": ">q", "float64": ">d"}


class Closed(Exception):
    """The broker closed the connection."""


def versions(text):
    """'3-13', '9+', '4' or 'none' as an inclusive range."""
    if text == "none":
        return (0, -1)
    if text.endswith("+"):
        return (int(text[:-1]), 1 << 15)
    low, _, high = text.partition("-")
    return (int(low), int(high or low))


def within(text, version):
    low, high = versions(text)
    return low <= version <= high


class Spec:
    """The specs of one jar: messages by name and the pairs of request and response by api key."""

    def __init__(self, jar=None):
        jar = jar or next(JAVA44.glob("kafka-clients-*.jar"))
        self.messages, self.requests, self.responses = {}, {}, {}
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if not re.fullmatch(r"common/message/\w+\.json", name):
                    continue
                text = re.sub(r"(?m)^\s*//.*$", "", archive.read(name).decode())
                spec = json.loads(text)
                self.messages[spec["name"]] = spec
                if spec["type"] == "request":
                    self.requests[spec["apiKey"]] = spec
                elif spec["type"] == "response":
                    self.responses[spec["apiKey"]] = spec

    def key(self, name):
        return self.messages[name + "Request"]["apiKey"]

    def range(self, name):
        """The stable versions of an API."""
        spec = self.messages[name + "Request"]
        low, high = versions(spec["validVersions"])
        return low, high - 1 if spec.get("latestVersionUnstable") else high

    def flexible(self, name, version):
        return within(self.messages[name]["flexibleVersions"], version)

    def encode(self, name, version, value):
        out = bytearray()
        Writer(out, self.messages[name], version).fields(self.messages[name]["fields"], value)
        return bytes(out)

    def decode(self, name, version, data):
        """The value and how many bytes were left over."""
        reader = Reader(data, self.messages[name], version)
        return reader.fields(self.messages[name]["fields"]), len(data) - reader.at

    def request(self, name, version, value, correlation, client="judge"):
        """A whole frame without its length."""
        flexible = self.flexible(name + "Request", version)
        header = {"RequestApiKey": self.key(name), "RequestApiVersion": version,
                  "CorrelationId": correlation, "ClientId": client}
        return (self.encode("RequestHeader", 2 if flexible else 1, header)
                + self.encode(name + "Request", version, value))

    def response(self, name, version, data):
        """Correlation id, body and left-over bytes of an answer without its length."""
        flexible = name != "ApiVersions" and self.flexible(name + "Response", version)
        (correlation,) = struct.unpack_from(">i", data)
        at = 4
        if flexible:
            reader = Reader(data, self.messages["ResponseHeader"], 1)
            reader.at = 4
            reader.tags([])
            at = reader.at
        body, left = self.decode(name + "Response", version, data[at:])
        return correlation, body, left


class Coder:
    """What reading and writing share: which fields exist in a version and how they are laid out."""

    def __init__(self, spec, version):
        self.version = version
        self.flexible = within(spec["flexibleVersions"], version)
        self.structs = {part["name"]: part["fields"] for part in spec.get("commonStructs", [])}

    def present(self, fields):
        """Fields of this version: the plain ones, and the tagged ones by tag."""
        here = [field for field in fields if within(field["versions"], self.version)]
        plain = [f for f in here if not within(f.get("taggedVersions", "none"), self.version)]
        tagged = sorted((f for f in here if f not in plain), key=lambda f: f["tag"])
        return plain, tagged

    def nullable(self, field):
        return within(field.get("nullableVersions", "none"), self.version)

    def compact(self, field):
        return self.flexible and field.get("flexibleVersions") != "none"

    def inner(self, field, kind):
        return field.get("fields") or self.structs.get(kind, [])

    def default(self, field):
        kind, text = field["type"], field.get("default")
        if text == "null":
            return None
        if kind in INTS:
            return int(str(text), 0) if text not in (None, "") else 0
        if kind == "bool":
            return str(text).lower() == "true"
        if kind == "uuid":
            return ZERO_UUID
        if kind == "string":
            return text or ""
        if kind in ("bytes", "records"):
            return b""
        if kind.startswith("[]"):
            return []
        plain, tagged = self.present(self.inner(field, kind))
        return {part["name"]: self.default(part) for part in plain + tagged}


class Writer(Coder):
    def __init__(self, out, spec, version):
        super().__init__(spec, version)
        self.out = out

    def varint(self, value):
        while value > 0x7F:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)

    def length(self, size, compact, short):
        """A length or count; None is null."""
        if compact:
            self.varint(0 if size is None else size + 1)
        else:
            self.out += struct.pack(">h" if short else ">i", -1 if size is None else size)

    def fields(self, fields, value):
        plain, tagged = self.present(fields)
        unknown = set(value) - {field["name"] for field in fields} - {"_tags"}
        if unknown:
            raise KeyError(f"no such fields: {unknown}")
        for field in plain:
            self.value(field, field["type"], value.get(field["name"], self.default(field)), self.nullable(field))
        if self.flexible:
            self.tags(tagged, value)

    def tags(self, tagged, value):
        chunks = []
        for field in tagged:
            if field["name"] in value and value[field["name"]] != self.default(field):
                outer, self.out = self.out, bytearray()
                self.value(field, field["type"], value[field["name"]], self.nullable(field))
                chunks.append((field["tag"], bytes(self.out)))
                self.out = outer
        chunks += value.get("_tags", [])
        self.varint(len(chunks))
        for tag, data in chunks:
            self.varint(tag)
            self.varint(len(data))
            self.out += data

    def value(self, field, kind, value, nullable):
        compact = self.compact(field)
        if kind in INTS:
            self.out += struct.pack(INTS[kind], value)
        elif kind == "bool":
            self.out.append(1 if value else 0)
        elif kind == "uuid":
            self.out += bytes.fromhex(value)
        elif kind in ("string", "bytes", "records"):
            data = value.encode() if isinstance(value, str) else value
            self.length(None if data is None else len(data), compact, kind == "string")
            self.out += data or b""
        elif kind.startswith("[]"):
            self.length(None if value is None else len(value), compact, False)
            for item in value or []:
                self.value(field, kind[2:], item, False)
        else:
            if nullable:
                self.out += b"\xff" if value is None else b"\x01"
            if value is not None:
                self.fields(self.inner(field, kind), value)


class Reader(Coder):
    def __init__(self, data, spec, version):
        super().__init__(spec, version)
        self.data, self.at = data, 0

    def take(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise ValueError(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def length(self, compact, short):
        if compact:
            size = self.varint()
            return None if size == 0 else size - 1
        size = struct.unpack(">h" if short else ">i", self.take(2 if short else 4))[0]
        return None if size < 0 else size

    def fields(self, fields):
        plain, tagged = self.present(fields)
        value = {f["name"]: self.value(f, f["type"], self.nullable(f)) for f in plain}
        if self.flexible:
            value.update(self.tags(tagged))
        return value

    def tags(self, tagged):
        known = {field["tag"]: field for field in tagged}
        value = {field["name"]: self.default(field) for field in tagged}
        for _ in range(self.varint()):
            tag, size = self.varint(), self.varint()
            end = self.at + size
            if tag in known:
                field = known[tag]
                value[field["name"]] = self.value(field, field["type"], self.nullable(field))
                if self.at != end:
                    raise ValueError(f"tag {tag} is {size} bytes, read to {self.at} of {end}")
            else:
                value.setdefault("_tags", []).append((tag, self.take(size).hex()))
        return value

    def value(self, field, kind, nullable):
        compact = self.compact(field)
        if kind in INTS:
            return struct.unpack(INTS[kind], self.take(struct.calcsize(INTS[kind])))[0]
        if kind == "bool":
            return self.take(1) != b"\0"
        if kind == "uuid":
            return self.take(16).hex()
        if kind in ("string", "bytes", "records"):
            size = self.length(compact, kind == "string")
            if size is None:
                if not nullable:
                    raise ValueError(f"null in {field['name']}")
                return None
            data = self.take(size)
            return data.decode() if kind == "string" else data
        if kind.startswith("[]"):
            count = self.length(compact, False)
            if count is None:
                if not nullable:
                    raise ValueError(f"null in {field['name']}")
                return None
            return [self.value(field, kind[2:], False) for _ in range(count)]
        if nullable and self.take(1) == b"\xff":
            return None
        return self.fields(self.inner(field, kind))


class Conn:
    """One connection; answers are matched by order and correlation id."""

    def __init__(self, spec, address, timeout=15):
        self.spec, self.correlation = spec, 0
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_frame(self, frame):
        try:
            self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed() from error

    def receive_exactly(self, size):
        parts = []
        while size:
            try:
                part = self.socket.recv(min(size, 1 << 20))
            except ConnectionResetError as error:
                raise Closed() from error
            if not part:
                raise Closed()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive_frame(self):
        return self.receive_exactly(struct.unpack(">i", self.receive_exactly(4))[0])

    def send(self, name, version, body):
        self.correlation += 1
        self.send_frame(self.spec.request(name, version, body, self.correlation))
        return self.correlation

    def receive(self, name, version, correlation=None):
        got, body, left = self.spec.response(name, version, self.receive_frame())
        if correlation is not None and got != correlation:
            raise ValueError(f"answer {got} to request {correlation}")
        if left:
            raise ValueError(f"{left} bytes after the answer {name} v{version}")
        return body

    def call(self, name, version, body=None):
        return self.receive(name, version, self.send(name, version, body or {}))
