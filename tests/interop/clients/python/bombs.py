"""Writes record payloads that grow when they are unpacked, one file per codec, and some that lie about their size.

bombs.py FOLDER MEGABYTES
"""
import sys
import zlib
from pathlib import Path

import cramjam
import lz4.frame
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from kit.batch import blob, zigzag  # noqa: E402


def main(folder, megabytes):
    size = int(megabytes) << 20
    head = b"\0" + zigzag(0) + zigzag(0) + blob(b"k") + zigzag(size)
    body = zigzag(len(head) + size + 1) + head
    chunk = bytes(1 << 20)

    def stream(packer, flush):
        parts = [packer(body)]
        parts += [packer(chunk) for _ in range(size >> 20)]
        return b"".join([*parts, packer(b"\0"), flush()])
    gzip = zlib.compressobj(9, wbits=31)
    zstd = zstandard.ZstdCompressor(level=3).compressobj()
    frame = lz4.frame.LZ4FrameCompressor(block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    small = min(size, 16 << 20)
    raw = bytes(cramjam.snappy.compress_raw(bytes(small)))
    xerial = b"\x82SNAPPY\0" + (1).to_bytes(4, "big") * 2
    bombs = {
        "gzip": stream(gzip.compress, gzip.flush),
        "zstd": stream(zstd.compress, zstd.flush),
        "lz4": frame.begin() + stream(frame.compress, frame.flush),
        "snappy": xerial + len(raw).to_bytes(4, "big") + raw,
        "snappy-claim": xerial + (8).to_bytes(4, "big") + b"\xff\xff\xff\xff\x0f\0\0\0",
        "snappy-raw-claim": b"\xff\xff\xff\xff\x0f\0\0\0\0",
        "zstd-window": b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x01\x00\x00" + bytes(8),
        "zstd-claim": b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"\x01\x00\x00",
    }
    for name, data in bombs.items():
        Path(folder, name + ".bomb").write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
