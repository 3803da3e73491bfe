//! Values whose size is on the wire before them: text, bytes, records, arrays; and null, which takes the place of
//! that size.

use super::reader::{DecodeError, Reader};
use super::text::Str;
use super::value::{Form, Preset, Value};
use super::writer::{EncodeError, Part, Writer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value as Json;

/// The bytes of a `records` field: whole record batches, not looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// These bytes; decoding always gives them, shared with the frame.
    Bytes(Bytes),
    /// So many bytes that the sender of an encoded message puts in from elsewhere.
    Hole(usize),
}

impl Records {
    /// Bytes on the wire.
    pub fn len(&self) -> usize {
        match self {
            Records::Bytes(bytes) => bytes.len(),
            Records::Hole(len) => *len,
        }
    }

    /// True if there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Records {
        Records::Bytes(bytes)
    }
}

impl Value for Str {
    fn read(r: &mut Reader, form: Form) -> Result<Str, DecodeError> {
        r.string(form.flexible)
    }

    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
        w.string(self, form.flexible)
    }

    fn json(&self, _: Form) -> Json {
        Json::String(self.as_str().to_owned())
    }

    fn size_min(form: Form) -> usize {
        if form.flexible { 1 } else { 2 }
    }

    fn preset(preset: Preset) -> Str {
        match preset {
            Preset::Text(text) => Str::from_static(text),
            _ => Str::EMPTY,
        }
    }
}

impl Value for Bytes {
    fn read(r: &mut Reader, form: Form) -> Result<Bytes, DecodeError> {
        r.byte_string(form.flexible)
    }

    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
        w.byte_string(self, form.flexible)
    }

    fn json(&self, _: Form) -> Json {
        Json::String(STANDARD.encode(self))
    }

    fn size_min(form: Form) -> usize {
        length_size(form)
    }

    fn preset(_: Preset) -> Bytes {
        Bytes::new()
    }
}

impl Value for Records {
    fn read(r: &mut Reader, form: Form) -> Result<Records, DecodeError> {
        r.byte_string(form.flexible).map(Records::Bytes)
    }

    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
        w.length(Some(self.len()), form.flexible)?;
        w.cut_in(match self {
            Records::Bytes(bytes) => Part::Bytes(bytes.clone()),
            Records::Hole(len) => Part::Hole(*len),
        });
        Ok(())
    }

    fn json(&self, form: Form) -> Json {
        match self {
            Records::Bytes(bytes) if !form.records_as_sizes => Json::String(STANDARD.encode(bytes)),
            _ => Json::from(self.len()),
        }
    }

    fn size_min(form: Form) -> usize {
        length_size(form)
    }

    fn preset(_: Preset) -> Records {
        Records::Bytes(Bytes::new())
    }

    fn name_suffix(&self, form: Form) -> &'static str {
        if form.records_as_sizes { "SizeInBytes" } else { "" }
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(r: &mut Reader, form: Form) -> Result<Vec<T>, DecodeError> {
        let place = r.place();
        match elements(r, form)? {
            Some(all) => Ok(all),
            None => Err(DecodeError::Null { place }),
        }
    }

    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
        w.length(Some(self.len()), form.flexible)?;
        let form = Form { nullable: false, ..form };
        self.iter().try_for_each(|each| each.write(w, form))
    }

    fn json(&self, form: Form) -> Json {
        Json::Array(self.iter().map(|each| each.json(form)).collect())
    }

    fn size_min(form: Form) -> usize {
        length_size(form)
    }

    fn preset(_: Preset) -> Vec<T> {
        Vec::new()
    }
}

/// The elements of an array, or `None` for null. Memory is taken only for what the bytes left can hold.
fn elements<T: Value>(r: &mut Reader, form: Form) -> Result<Option<Vec<T>>, DecodeError> {
    let form = Form { nullable: false, ..form };
    let Some(count) = r.count(form.flexible, T::size_min(form))? else { return Ok(None) };
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(T::read(r, form)?);
    }
    Ok(Some(all))
}

fn length_size(form: Form) -> usize {
    if form.flexible { 1 } else { 4 }
}

/// A type that can be null. As it stands, null is told by a byte before the value, as for structs.
pub trait Nullable: Value {
    /// Reads one or null.
    ///
    /// # Errors
    /// As [`Value::read`].
    fn decode_nullable(r: &mut Reader, form: Form) -> Result<Option<Self>, DecodeError> {
        let place = r.place();
        match r.i8()? {
            1 => Self::read(r, form).map(Some),
            0 if form.in_tags => Ok(None),
            -1 if !form.in_tags => Ok(None),
            marker => Err(DecodeError::BadMarker { marker, place }),
        }
    }

    /// Writes null: -1, but 0 in the tag section.
    fn encode_null(w: &mut Writer, form: Form) {
        w.i8(if form.in_tags { 0 } else { -1 });
    }

    /// Writes what precedes a value where null is possible.
    fn encode_presence(w: &mut Writer) {
        w.i8(1);
    }

    /// A lower bound of the bytes of a value or null.
    fn nullable_size_min(_: Form) -> usize {
        1
    }
}

impl Nullable for Str {
    fn decode_nullable(r: &mut Reader, form: Form) -> Result<Option<Str>, DecodeError> {
        r.nullable_string(form.flexible)
    }

    fn encode_null(w: &mut Writer, form: Form) {
        if form.flexible { w.uvarint(0) } else { w.i16(-1) }
    }

    fn encode_presence(_: &mut Writer) {}
}

impl Nullable for Bytes {
    fn decode_nullable(r: &mut Reader, form: Form) -> Result<Option<Bytes>, DecodeError> {
        r.nullable_bytes(form.flexible)
    }

    fn encode_null(w: &mut Writer, form: Form) {
        null_length(w, form);
    }

    fn encode_presence(_: &mut Writer) {}
}

impl Nullable for Records {
    fn decode_nullable(r: &mut Reader, form: Form) -> Result<Option<Records>, DecodeError> {
        Ok(r.nullable_bytes(form.flexible)?.map(Records::Bytes))
    }

    fn encode_null(w: &mut Writer, form: Form) {
        null_length(w, form);
    }

    fn encode_presence(_: &mut Writer) {}
}

impl<T: Value> Nullable for Vec<T> {
    fn decode_nullable(r: &mut Reader, form: Form) -> Result<Option<Vec<T>>, DecodeError> {
        elements(r, form)
    }

    fn encode_null(w: &mut Writer, form: Form) {
        null_length(w, form);
    }

    fn encode_presence(_: &mut Writer) {}
}

fn null_length(w: &mut Writer, form: Form) {
    if form.flexible { w.uvarint(0) } else { w.i32(-1) }
}

impl<T: Nullable> Value for Option<T> {
    fn read(r: &mut Reader, form: Form) -> Result<Option<T>, DecodeError> {
        if form.nullable { T::decode_nullable(r, form) } else { T::read(r, form).map(Some) }
    }

    fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
        match self {
            Some(value) => {
                if form.nullable {
                    T::encode_presence(w);
                }
                value.write(w, form)
            }
            None if form.nullable => {
                T::encode_null(w, form);
                Ok(())
            }
            None => Err(EncodeError::Null { field: "", version: form.version }),
        }
    }

    fn json(&self, form: Form) -> Json {
        self.as_ref().map_or(Json::Null, |value| value.json(form))
    }

    fn size_min(form: Form) -> usize {
        if form.nullable { T::nullable_size_min(form) } else { T::size_min(form) }
    }

    fn preset(preset: Preset) -> Option<T> {
        if preset == Preset::Null { None } else { Some(T::preset(preset)) }
    }

    fn name_suffix(&self, form: Form) -> &'static str {
        self.as_ref().map_or("", |value| value.name_suffix(form))
    }
}
