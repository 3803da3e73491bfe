//! The code of the derive: one constant per field, and per field one call each for reading, writing and showing.

use crate::attributes::{self, Field, Range, Struct};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, Ident, Result};

/// Everything the derive writes for one struct.
pub fn message(input: &DeriveInput) -> Result<TokenStream> {
    let own = attributes::of_struct(input)?;
    let fields = attributes::of_fields(input)?;
    let name = &input.ident;
    let facts = fields.iter().enumerate().map(|(at, field)| fact(at, field));
    let value = value(name, &fields);
    let whole = if own.part { TokenStream::new() } else { whole(name, &own)? };
    Ok(quote! {
        const _: () = {
            use crate::wire::field::{Field, Tags, Versions, read_tags};
            use crate::wire::value::{Form, Preset, Value};
            use crate::wire::variable::Nullable;
            use crate::wire::{DecodeError, EncodeError, Reader, Writer};
            use serde_json::{Map, Value as Json};
            #(#facts)*
            #value
            #whole
        };
    })
}

fn fact(at: usize, field: &Field) -> TokenStream {
    let constant = constant(at);
    let name = &field.name;
    let versions = range(field.versions);
    let nullable = field.nullable.map(|it| setting("nullable", range(it)));
    let tagged = field.tagged.map(|it| setting("tagged", range(it)));
    let flexible = field.flexible.map(|it| {
        let range = range(it);
        setting("flexible", quote!(Some(#range)))
    });
    let tag = (field.tag != 0).then(|| {
        let tag = field.tag;
        setting("tag", quote!(#tag))
    });
    let ignorable = field.ignorable.then(|| setting("ignorable", quote!(true)));
    let preset = field.default.as_deref().map(|text| setting("preset", preset(text)));
    quote! {
        const #constant: Field = Field {
            name: #name, versions: #versions, #nullable #tagged #tag #flexible #ignorable #preset ..Field::BLANK
        };
    }
}

fn setting(name: &str, value: TokenStream) -> TokenStream {
    let name = format_ident!("{name}");
    quote!(#name: #value,)
}

fn range((from, to): Range) -> TokenStream {
    quote!(Versions(#from, #to))
}

/// A default as the specs write it: a number in either base, a truth, null, or text.
fn preset(text: &str) -> TokenStream {
    let number = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse::<i64>().ok(),
    };
    match (text, number) {
        ("null", _) => quote!(Preset::Null),
        ("true", _) => quote!(Preset::Int(1)),
        ("false" | "", _) => quote!(Preset::Own),
        (_, Some(number)) => quote!(Preset::Int(#number)),
        (_, None) => quote!(Preset::Text(#text)),
    }
}

fn constant(at: usize) -> Ident {
    format_ident!("F{at}")
}

fn value(name: &Ident, fields: &[Field]) -> TokenStream {
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let kinds: Vec<_> = fields.iter().map(|field| &field.kind).collect();
    let constants: Vec<_> = (0..fields.len()).map(constant).collect();
    // Every field is asked in every version; `Field` knows which versions have it in line and which in tags.
    let mut tagged: Vec<_> = fields.iter().enumerate().filter(|(_, field)| field.tagged.is_some()).collect();
    tagged.sort_by_key(|(_, field)| field.tag);
    let tag_constants: Vec<_> = tagged.iter().map(|(at, _)| constant(*at)).collect();
    let tag_idents: Vec<_> = tagged.iter().map(|(_, field)| &field.ident).collect();
    let tag_numbers = tagged.iter().map(|(_, field)| field.tag);
    quote! {
        impl Default for #name {
            fn default() -> #name {
                #name { #(#idents: <#kinds as Value>::preset(#constants.preset)),* }
            }
        }

        impl Value for #name {
            fn read(r: &mut Reader, form: Form) -> Result<#name, DecodeError> {
                let mut it = #name::default();
                #(#constants.read(r, form, &mut it.#idents)?;)*
                read_tags(r, form, &mut |tag, r| match tag {
                    #(#tag_numbers => #tag_constants.read_tag(r, form, &mut it.#tag_idents),)*
                    _ => Ok(false),
                })?;
                Ok(it)
            }

            fn write(&self, w: &mut Writer, form: Form) -> Result<(), EncodeError> {
                #(#constants.write(w, form, &self.#idents)?;)*
                let mut tags = Tags::default();
                #(#tag_constants.write_tag(&mut tags, form, &self.#tag_idents)?;)*
                tags.end(w, form);
                Ok(())
            }

            fn json(&self, form: Form) -> Json {
                let mut object = Map::new();
                #(#constants.show(&mut object, form, &self.#idents);)*
                Json::Object(object)
            }

            fn size_min(form: Form) -> usize {
                usize::from(form.flexible) #(+ #constants.size_min::<#kinds>(form))*
            }

            fn preset(_: Preset) -> #name {
                #name::default()
            }
        }

        impl Nullable for #name {}
    }
}

fn whole(name: &Ident, own: &Struct) -> Result<TokenStream> {
    let label = own.name.clone().unwrap_or_else(|| name.to_string());
    let (first, last) = own.versions.unwrap_or_default();
    let flexible_from = own.flexible.map_or(i16::MAX, |(from, _)| from);
    let missing = |what: &str| Error::new_spanned(name, what);
    let request = if own.request {
        let key = own.key.ok_or_else(|| missing("a request has a `key`"))?;
        let response = own.response.as_ref().ok_or_else(|| missing("a request has a `response`"))?;
        quote! {
            impl crate::wire::Request for #name {
                const KEY: crate::wire::ApiKey = crate::wire::ApiKey(#key);
                const VERSIONS: std::ops::RangeInclusive<i16> = #first..=#last;
                const FLEXIBLE_FROM: i16 = #flexible_from;
                type Response = #response;
            }
        }
    } else {
        TokenStream::new()
    };
    let record = own.record.map(|key| {
        quote! {
            impl crate::wire::metadata::MetadataRecord for #name {
                const KEY: u32 = #key;
                const VERSIONS: std::ops::RangeInclusive<i16> = #first..=#last;
            }
        }
    });
    Ok(quote! {
        const KNOWN: Versions = Versions(#first, #last);

        impl crate::wire::Message for #name {
            fn decode(r: &mut Reader, version: i16) -> Result<#name, DecodeError> {
                if !KNOWN.contain(version) {
                    return Err(DecodeError::UnknownVersion { message: #label, version });
                }
                <#name as Value>::read(r, crate::wire::form_of(version, #flexible_from))
            }

            fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
                if !KNOWN.contain(version) {
                    return Err(EncodeError::UnknownVersion { message: #label, version });
                }
                Value::write(self, w, crate::wire::form_of(version, #flexible_from))
            }

            fn to_json(&self, version: i16) -> Json {
                Value::json(self, crate::wire::form_of(version, #flexible_from))
            }

            fn to_log_json(&self, version: i16) -> Json {
                let form = crate::wire::form_of(version, #flexible_from);
                Value::json(self, Form { records_as_sizes: true, ..form })
            }
        }
        #request
        #record
    })
}
