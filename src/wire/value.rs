//! The types a field can have, each with its encoding, its JSON and the fewest bytes it takes. Versions are
//! already decided here: a value is told its form and does not ask why. Types of fixed size are in this file, the
//! others in `variable`.

use super::reader::{DecodeError, Reader};
use super::writer::{EncodeError, Writer};
use crate::types::{ErrorCode, Uuid};
use serde_json::Value as Json;

/// How a value is written in one field of one version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Version of the message.
    pub version: i16,
    /// Compact lengths and a tag section after each struct (KIP-482).
    pub flexible: bool,
    /// Null has an encoding here.
    pub nullable: bool,
    /// The value stands in the tag section, where the byte that tells a struct from null has other numbers.
    pub in_tags: bool,
    /// JSON shows the size of record bytes in their place, as Kafka's request log does (KIP-673).
    pub records_as_sizes: bool,
}

/// What a field holds when nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset {
    /// The type's own: zero, false, empty, all fields preset.
    Own,
    /// Null.
    Null,
    /// This number.
    Int(i64),
    /// This text.
    Text(&'static str),
}

/// A type a field can have.
pub trait Value: Sized + PartialEq {
    /// Reads one.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    fn read(r: &mut Reader, form: Form) -> Result<Self, DecodeError>;

    /// Writes this one.
    ///
    /// # Errors
    /// A value this form has no encoding for.
    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError>;

    /// This one as Kafka's JSON converters show it.
    fn json(&self, form: Form) -> Json;

    /// A lower bound of the bytes any value takes in this form.
    fn size_min(form: Form) -> usize;

    /// The default value of a field.
    fn preset(preset: Preset) -> Self;

    /// What is added to the name of the field in JSON.
    fn name_suffix(&self, _form: Form) -> &'static str {
        ""
    }
}

macro_rules! ints {
    ($($kind:ident $size:literal)*) => {$(
        impl Value for $kind {
            #[inline]
            fn read(r: &mut Reader, _: Form) -> Result<$kind, DecodeError> {
                r.$kind()
            }

            #[inline]
            fn write(&self, w: &mut Writer, _: Form) -> Result<(), EncodeError> {
                w.$kind(*self);
                Ok(())
            }

            fn json(&self, _: Form) -> Json {
                Json::from(*self)
            }

            fn size_min(_: Form) -> usize {
                $size
            }

            #[inline]
            fn preset(preset: Preset) -> $kind {
                match preset {
                    Preset::Int(number) => number as $kind,
                    _ => $kind::default(),
                }
            }
        }
    )*};
}

ints!(i8 1 i16 2 i32 4 i64 8 u16 2 u32 4 f64 8);

impl Value for bool {
    #[inline]
    fn read(r: &mut Reader, _: Form) -> Result<bool, DecodeError> {
        // Any byte but zero is true, as Kafka reads it.
        Ok(r.i8()? != 0)
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: Form) -> Result<(), EncodeError> {
        w.i8(i8::from(*self));
        Ok(())
    }

    fn json(&self, _: Form) -> Json {
        Json::Bool(*self)
    }

    fn size_min(_: Form) -> usize {
        1
    }

    #[inline]
    fn preset(preset: Preset) -> bool {
        preset == Preset::Int(1)
    }
}

impl Value for ErrorCode {
    #[inline]
    fn read(r: &mut Reader, _: Form) -> Result<ErrorCode, DecodeError> {
        r.i16().map(ErrorCode)
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: Form) -> Result<(), EncodeError> {
        w.i16(self.0);
        Ok(())
    }

    fn json(&self, _: Form) -> Json {
        Json::from(self.0)
    }

    fn size_min(_: Form) -> usize {
        2
    }

    #[inline]
    fn preset(preset: Preset) -> ErrorCode {
        ErrorCode(i16::preset(preset))
    }
}

impl Value for Uuid {
    #[inline]
    fn read(r: &mut Reader, _: Form) -> Result<Uuid, DecodeError> {
        r.uuid()
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: Form) -> Result<(), EncodeError> {
        w.uuid(*self);
        Ok(())
    }

    fn json(&self, _: Form) -> Json {
        Json::String(self.to_string())
    }

    fn size_min(_: Form) -> usize {
        16
    }

    #[inline]
    fn preset(_: Preset) -> Uuid {
        Uuid::ZERO
    }
}
