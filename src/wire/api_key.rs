//! The keys of the protocol's APIs with what every connection must know of each: name, versions, headers. It
//! knows nothing of what is in the messages.

use super::messages::keys::APIS;
use std::fmt;

/// The number of an API as it travels in a request header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiKey(pub i16);

/// What the specs of Kafka 4.4.0 say of one API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Api {
    /// Its number.
    pub key: ApiKey,
    /// Its name, as `Produce`.
    pub name: &'static str,
    /// First version that is not removed.
    pub version_min: i16,
    /// Last stable version.
    pub version_max: i16,
    /// First version with tag sections; `i16::MAX` if none has.
    pub flexible_from: i16,
    /// Served on the listeners of brokers; the others are spoken among controllers.
    pub broker: bool,
}

impl ApiKey {
    /// The facts of the API, or `None` for a number Kafka 4.4.0 does not use.
    pub fn api(self) -> Option<&'static Api> {
        let at = APIS.binary_search_by_key(&self, |api| api.key).ok()?;
        APIS.get(at)
    }

    /// Kafka's name of the API, such as `Produce`; `Unknown` for a number it does not use.
    pub fn name(self) -> &'static str {
        self.api().map_or("Unknown", |api| api.name)
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.api() {
            Some(api) => f.write_str(api.name),
            None => write!(f, "api key {}", self.0),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Version of the header before a request: 2 with a tag section, else 1. An API we do not know has 1.
pub fn request_header_version(key: ApiKey, version: i16) -> i16 {
    if is_flexible(key, version) { 2 } else { 1 }
}

/// Version of the header before a response: 1 with a tag section, else 0. That of ApiVersions is always 0, since a
/// client that asks does not know yet what the broker speaks (KIP-511).
pub fn response_header_version(key: ApiKey, version: i16) -> i16 {
    if key != ApiKey::API_VERSIONS && is_flexible(key, version) { 1 } else { 0 }
}

fn is_flexible(key: ApiKey, version: i16) -> bool {
    key.api().is_some_and(|api| version >= api.flexible_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flexible_version_has_headers_with_tags_except_the_answer_to_api_versions() {
        assert_eq!(request_header_version(ApiKey::PRODUCE, 8), 1);
        assert_eq!(request_header_version(ApiKey::PRODUCE, 9), 2);
        assert_eq!(response_header_version(ApiKey::PRODUCE, 8), 0);
        assert_eq!(response_header_version(ApiKey::PRODUCE, 9), 1);
        assert_eq!(request_header_version(ApiKey::API_VERSIONS, 3), 2);
        assert_eq!(response_header_version(ApiKey::API_VERSIONS, 3), 0);
        assert_eq!(request_header_version(ApiKey::SASL_HANDSHAKE, 1), 1);
    }

    #[test]
    fn every_key_is_found_by_number() {
        for api in APIS {
            assert_eq!(api.key.api(), Some(api));
        }
        assert_eq!(ApiKey(7000).name(), "Unknown");
    }
}
