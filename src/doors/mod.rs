//! Layer 7: protocols. A door turns the bytes of one protocol into commands of the engine and outcomes back into
//! bytes; nothing else of the program knows a protocol.

pub mod kafka;
