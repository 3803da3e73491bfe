//! What the specs say about one field, and what follows from it for decoding, encoding and JSON. The derive
//! writes one [`Field`] per struct field and calls these; all rules about versions are here and nowhere else.

use super::primitives::TAGS_MAX;
use super::reader::{DecodeError, Reader};
use super::value::{Form, Preset, Value};
use super::writer::{EncodeError, Writer};
use serde_json::{Map, Value as Json};

/// A range of versions, both ends included; empty if the first is the greater.
#[derive(Debug, Clone, Copy)]
pub struct Versions(pub i16, pub i16);

impl Versions {
    /// No version.
    pub const NONE: Versions = Versions(1, 0);

    /// Whether `version` is one of them.
    #[inline]
    pub const fn contain(self, version: i16) -> bool {
        self.0 <= version && version <= self.1
    }
}

/// The facts of one field.
#[derive(Debug)]
pub struct Field {
    /// Kafka's name of it, in camelCase.
    pub name: &'static str,
    /// Versions that have it.
    pub versions: Versions,
    /// Versions in which it may be null.
    pub nullable: Versions,
    /// Versions in which it stands in the tag section.
    pub tagged: Versions,
    /// Its tag there.
    pub tag: u32,
    /// Versions with compact lengths, if they are not those of the message.
    pub flexible: Option<Versions>,
    /// A version without it drops a value silently; otherwise only the preset value may be dropped.
    pub ignorable: bool,
    /// The value nobody sets.
    pub preset: Preset,
}

impl Field {
    /// A field that is in no version yet; the derive overrides what the attributes say.
    pub const BLANK: Field = Field {
        name: "",
        versions: Versions::NONE,
        nullable: Versions::NONE,
        tagged: Versions::NONE,
        tag: 0,
        flexible: None,
        ignorable: false,
        preset: Preset::Own,
    };

    #[inline]
    fn in_tags(&self, version: i16) -> bool {
        self.tagged.contain(version) && self.versions.contain(version)
    }

    #[inline]
    fn in_line(&self, version: i16) -> bool {
        self.versions.contain(version) && !self.tagged.contain(version)
    }

    #[inline]
    fn form(&self, form: Form) -> Form {
        let flexible = self.flexible.map_or(form.flexible, |own| own.contain(form.version));
        Form { nullable: self.nullable.contain(form.version), in_tags: false, flexible, ..form }
    }

    /// Reads the field into `slot` if this version has it outside the tag section.
    ///
    /// # Errors
    /// As [`Value::read`].
    #[inline]
    pub fn read<T: Value>(&self, r: &mut Reader, form: Form, slot: &mut T) -> Result<(), DecodeError> {
        if self.in_line(form.version) {
            r.enter(self.name);
            *slot = T::read(r, self.form(form))?;
        }
        Ok(())
    }

    /// Reads the field into `slot` out of the tag section.
    ///
    /// # Errors
    /// `TagNotInVersion` if its tag is of later versions only, and as [`Value::read`].
    pub fn read_tag<T: Value>(&self, r: &mut Reader, form: Form, slot: &mut T) -> Result<bool, DecodeError> {
        if !self.in_tags(form.version) {
            let (tag, version) = (self.tag, form.version);
            return Err(DecodeError::TagNotInVersion { tag, version, place: r.place() });
        }
        r.enter(self.name);
        *slot = T::read(r, Form { in_tags: true, ..self.form(form) })?;
        Ok(true)
    }

    /// Writes the field if this version has it outside the tag section.
    ///
    /// # Errors
    /// `NotInVersion` if it may not be dropped, and as [`Value::write`].
    #[inline]
    pub fn write<T: Value>(&self, w: &mut Writer, form: Form, value: &T) -> Result<(), EncodeError> {
        if self.in_line(form.version) {
            value.write(w, self.form(form)).map_err(|error| self.named(error))
        } else if self.ignorable || self.versions.contain(form.version) || *value == T::preset(self.preset) {
            Ok(())
        } else {
            Err(EncodeError::NotInVersion { field: self.name, version: form.version })
        }
    }

    /// Adds the field to the tag section if this version has it there and it is not the preset value.
    ///
    /// # Errors
    /// As [`Value::write`].
    pub fn write_tag<T: Value>(&self, tags: &mut Tags, form: Form, value: &T) -> Result<(), EncodeError> {
        if !self.in_tags(form.version) || *value == T::preset(self.preset) {
            return Ok(());
        }
        let mut body = Writer::new();
        let form = Form { in_tags: true, ..self.form(form) };
        value.write(&mut body, form).map_err(|error| self.named(error))?;
        tags.push(self.tag, body)
    }

    /// Adds the field to a JSON object as Kafka's converters do: what the version lacks is left out, and so is a
    /// tagged field with its preset value.
    pub fn show<T: Value>(&self, object: &mut Map<String, Json>, form: Form, value: &T) {
        let shown =
            self.in_line(form.version) || (self.in_tags(form.version) && *value != T::preset(self.preset));
        if shown {
            let form = self.form(form);
            object.insert(format!("{}{}", self.name, value.name_suffix(form)), value.json(form));
        }
    }

    /// The fewest bytes the field takes outside the tag section.
    pub fn size_min<T: Value>(&self, form: Form) -> usize {
        if self.in_line(form.version) { T::size_min(self.form(form)) } else { 0 }
    }

    fn named(&self, error: EncodeError) -> EncodeError {
        match error {
            EncodeError::Null { field: "", version } => EncodeError::Null { field: self.name, version },
            other => other,
        }
    }
}

/// The tag section of a struct while it is collected: the count comes first on the wire.
#[derive(Debug, Default)]
pub struct Tags {
    count: u32,
    body: Writer,
}

impl Tags {
    fn push(&mut self, tag: u32, field: Writer) -> Result<(), EncodeError> {
        let length = field.len();
        let size = u32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        self.count = self.count.saturating_add(1);
        self.body.uvarint(tag);
        self.body.uvarint(size);
        self.body.append(field);
        Ok(())
    }

    /// Writes the section, if the version has one.
    pub fn end(self, w: &mut Writer, form: Form) {
        if form.flexible {
            w.uvarint(self.count);
            w.append(self.body);
        }
    }
}

/// Takes one tagged field into a struct; false if no version we know has such a tag.
pub type TakeTag<'a> = dyn FnMut(u32, &mut Reader) -> Result<bool, DecodeError> + 'a;

/// Reads the tag section of a struct, if the version has one. Order and repetition are not judged, as Kafka does
/// not; a tag nobody knows is passed over.
///
/// # Errors
/// `TooMany` beyond [`TAGS_MAX`], `TagSize` if a field does not fill its stated size, and whatever is wrong inside it.
pub fn read_tags(r: &mut Reader, form: Form, take: &mut TakeTag<'_>) -> Result<(), DecodeError> {
    if !form.flexible {
        return Ok(());
    }
    r.enter("tags");
    let place = r.place();
    let count = r.uvarint()?;
    if count > TAGS_MAX {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        return Err(DecodeError::TooMany { count, max: TAGS_MAX as usize, place });
    }
    for _ in 0..count {
        r.enter("tags");
        let tag = r.uvarint()?;
        let size = usize::try_from(r.uvarint()?).unwrap_or(usize::MAX);
        let before = r.position();
        let place = r.place();
        if size > r.left() {
            return Err(DecodeError::Short { need: size, left: r.left(), place });
        }
        if !take(tag, r)? {
            r.skip_tag(size)?;
        }
        let used = r.position().saturating_sub(before);
        if used != size {
            return Err(DecodeError::TagSize { size, used, place });
        }
    }
    Ok(())
}
