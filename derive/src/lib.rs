//! `#[derive(Message)]`: the codec of a wire message out of the versions its fields carry. It only lists fields;
//! the rules are in `wire::field` and `wire::value` of Logboom, so that what is expanded stays short.
//!
//! On a struct: `#[message(name = "ProduceRequest", versions = "3-13", flexible = "9+")]`, with `request`,
//! `key = 0` and `response = ProduceResponse` for a request, `record = 2` for a metadata record, and `part` alone
//! for a struct that only occurs inside messages. On a field: `#[field(versions = "3+")]` with `nullable`,
//! `tagged`, `flexible` (ranges), `tag` (a number), `default` (text, `"null"` for null), `ignorable`, and `name`
//! where Kafka's spelling cannot be made from the Rust name.

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `wire::value::Value` and `Default` for a struct, and `wire::Message` unless it is only a part.
#[proc_macro_derive(Message, attributes(message, field))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::message(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
