//! The five codecs of Kafka record batches, with a cap on what comes out. Must not know what is compressed.

mod decoder;
mod lz4;
mod snappy;
mod zstd;

use bytes::Bytes;
pub(super) use decoder::Decoder;
use std::io::Write;

/// How the records of a batch are compressed; the codes are those of attribute bits 0 to 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Codec {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952; several members count as one stream.
    Gzip,
    /// Blocks in the framing of snappy-java; one raw block is read as well.
    Snappy,
    /// One LZ4 frame of independent blocks.
    Lz4,
    /// Zstandard frames (KIP-110).
    Zstd,
}

impl Codec {
    /// Every codec, in the order of the codes.
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    /// Code in the attributes of a batch.
    pub fn code(self) -> u8 {
        match self {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        }
    }

    /// Codec of a code; `None` for those that do not exist.
    pub fn from_code(code: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.code() == code)
    }

    /// Name of the codec in Kafka's tools; `compression.type` writes `uncompressed` for `none`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }
}

/// Why compressed bytes did not give their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The bytes are not what the codec writes, or end too early.
    #[error("the {} stream is damaged", .0.name())]
    Damaged(Codec),
    /// Bytes follow the end of the stream. Java consumers skip them, others fail on them.
    #[error("bytes follow the end of the {} stream", .0.name())]
    Trailing(Codec),
    /// LZ4 blocks that refer to earlier blocks: no Kafka broker and no Java client reads them.
    #[error("lz4 frames with dependent blocks are not read by Kafka clients")]
    Lz4Dependent,
    /// More comes out than the caller allows; reading stopped there.
    #[error("more than {0} bytes come out of the compressed stream")]
    TooLarge(usize),
}

/// Compresses `input` as Kafka's producers do. `level` counts for gzip (1 to 9) and zstd (-131072 to 22) and is
/// clamped to what the codec has; the rest, and [`Codec::DEFAULT_LEVEL`], mean the codec's own choice.
pub fn compress(codec: Codec, level: i32, input: &[u8]) -> Bytes {
    match codec {
        Codec::None => Bytes::copy_from_slice(input),
        Codec::Gzip => gzip(level, input),
        Codec::Snappy => snappy::compress(input),
        Codec::Lz4 => lz4::compress(input),
        Codec::Zstd => zstd::compress(level, input),
    }
}

impl Codec {
    /// Stands for the level that Kafka's table of settings has as default (gzip -1, zstd 3).
    pub const DEFAULT_LEVEL: i32 = i32::MIN;
}

#[expect(clippy::expect_used, reason = "a Vec takes every write")]
fn gzip(level: i32, input: &[u8]) -> Bytes {
    let level = match u32::try_from(level) {
        Ok(level @ 1..=9) => flate2::Compression::new(level),
        _ => flate2::Compression::default(),
    };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(input).expect("a Vec takes every write");
    encoder.finish().expect("a Vec takes every write").into()
}

/// Decompresses all of `input`, at most `cap_bytes` of output. Memory grows with what really comes out: a bomb
/// costs the cap and one block (64 KiB of gzip and zstd, 4 MiB at most of lz4), whatever sizes it claims.
pub fn decompress(codec: Codec, input: &[u8], cap_bytes: usize) -> Result<Bytes, DecompressError> {
    if codec == Codec::None {
        return match input.len() <= cap_bytes {
            true => Ok(Bytes::copy_from_slice(input)),
            false => Err(DecompressError::TooLarge(cap_bytes)),
        };
    }
    let mut decoder = Decoder::new(codec, input, cap_bytes)?;
    let mut output = Vec::new();
    while decoder.read_more(&mut output)? {}
    Ok(output.into())
}
