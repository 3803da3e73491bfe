//! Listener addresses: `name://host:port`, `host:port` or `:port`, and what clients are told instead.

use super::BadSetting;
use std::fmt;

/// An address with the name of its listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Listener name, upper case as Kafka's.
    pub name: String,
    /// Host without brackets; empty for every address of the machine.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
}

impl Endpoint {
    /// `host:port` for a socket, `0.0.0.0` where no host is named.
    pub fn address(&self) -> String {
        match self.host.as_str() {
            "" => format!("0.0.0.0:{}", self.port),
            host if host.contains(':') => format!("[{host}]:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    /// Reads one address; without a name it is the PLAINTEXT listener.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let (name, address) = text.split_once("://").unwrap_or(("PLAINTEXT", text));
        let (host, port) =
            address.rsplit_once(':').ok_or_else(|| format!("`{text}` has no port; write host:port"))?;
        let port = port.parse().map_err(|_| format!("`{port}` in `{text}` is not a port"))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match bare {
            None if host.contains(':') => Err(format!("`{text}`: write an IPv6 address as [address]:port")),
            _ => {
                Ok(Endpoint { name: name.to_ascii_uppercase(), host: bare.unwrap_or(host).to_owned(), port })
            }
        }
    }

    /// Reads a list of addresses with different names.
    pub(super) fn parse_list(list: &str) -> Result<Vec<Endpoint>, String> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for item in list.split(',').filter(|item| !item.is_empty()) {
            let endpoint = Endpoint::parse(item)?;
            if endpoints.iter().any(|known| known.name == endpoint.name) {
                return Err(format!("two listeners are called {}", endpoint.name));
            }
            endpoints.push(endpoint);
        }
        Ok(endpoints)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "{}://[{}]:{}", self.name, self.host, self.port),
            false => write!(f, "{}://{}:{}", self.name, self.host, self.port),
        }
    }
}

/// What clients are told to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advertised {
    /// The address by which each came.
    Auto,
    /// These, by listener name.
    Fixed(Vec<Endpoint>),
}

/// Reads `listeners` and checks that each speaks a protocol that is offered, by `listener.security.protocol.map`.
pub(super) fn parse_listeners(listeners: &str, protocols: &str) -> Result<Vec<Endpoint>, BadSetting> {
    let bad = |message: String| BadSetting {
        key: "listeners".to_owned(),
        message: format!("listeners: {message}"),
    };
    let endpoints = Endpoint::parse_list(listeners).map_err(bad)?;
    if endpoints.is_empty() {
        return Err(bad("at least one address is needed".to_owned()));
    }
    for endpoint in &endpoints {
        let pairs = protocols.split(',').filter_map(|pair| pair.trim().split_once(':'));
        let protocol = pairs
            .filter(|(name, _)| name.eq_ignore_ascii_case(&endpoint.name))
            .map(|(_, protocol)| protocol)
            .next();
        match protocol {
            Some("PLAINTEXT") => {}
            Some(other) => {
                return Err(bad(format!("{} speaks {other}, which is not offered", endpoint.name)));
            }
            None => {
                return Err(bad(format!("{} is not in listener.security.protocol.map", endpoint.name)));
            }
        }
    }
    Ok(endpoints)
}

/// Reads `advertised.listeners`: `auto`, or an address for listeners that exist.
pub(super) fn parse_advertised(
    value: Option<&str>,
    listeners: &[Endpoint],
) -> Result<Advertised, BadSetting> {
    let bad = |message: String| BadSetting {
        key: "advertised.listeners".to_owned(),
        message: format!("advertised.listeners: {message}"),
    };
    let value = value.unwrap_or("auto");
    if value.is_empty() || value == "auto" {
        return Ok(Advertised::Auto);
    }
    let endpoints = Endpoint::parse_list(value).map_err(bad)?;
    for endpoint in &endpoints {
        if !listeners.iter().any(|listener| listener.name == endpoint.name) {
            return Err(bad(format!("there is no listener {}", endpoint.name)));
        }
        if matches!(endpoint.host.as_str(), "" | "0.0.0.0" | "::") {
            return Err(bad(format!("`{endpoint}` cannot be connected to; name a host, or write auto")));
        }
    }
    Ok(Advertised::Fixed(endpoints))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,SSL:SSL";

    #[test]
    fn addresses_are_read_with_and_without_a_name() {
        let check = |text: &str, expect: &str, address: &str| {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.address().as_str()), (expect, address));
        };
        check("127.0.0.1:9092", "PLAINTEXT://127.0.0.1:9092", "127.0.0.1:9092");
        check("PLAINTEXT://:9092", "PLAINTEXT://:9092", "0.0.0.0:9092");
        check("inside://[::1]:0", "INSIDE://[::1]:0", "[::1]:0");
        for wrong in ["localhost", "::1:9092", "h:99999", "h:"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_listener_needs_a_protocol_that_is_offered() {
        assert_eq!(parse_listeners("PLAINTEXT://a:1,INSIDE://b:2", MAP).unwrap().len(), 2);
        for wrong in ["SSL://a:1", "OUTSIDE://a:1", "", "a:1,b:2"] {
            assert!(parse_listeners(wrong, MAP).is_err(), "{wrong}");
        }
    }

    #[test]
    fn clients_are_told_only_addresses_that_can_be_connected_to() {
        let listeners = parse_listeners("0.0.0.0:9092", MAP).unwrap();
        assert_eq!(parse_advertised(None, &listeners), Ok(Advertised::Auto));
        assert_eq!(parse_advertised(Some("auto"), &listeners), Ok(Advertised::Auto));
        assert!(matches!(
            parse_advertised(Some("broker.example:9092"), &listeners),
            Ok(Advertised::Fixed(_))
        ));
        assert!(parse_advertised(Some("0.0.0.0:9092"), &listeners).is_err());
        assert!(parse_advertised(Some("INSIDE://broker.example:9092"), &listeners).is_err());
    }
}
