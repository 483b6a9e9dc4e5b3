use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ureq::http::Uri;

/// Where the token service answers: `https://host[:port][/path]`, or `http://` on this very machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceAddress(String);

/// Why a text is no service address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not `https://host[:port][/path]`.
    #[error("a service address looks like https://token.example.com")]
    Malformed,
    /// `http://` to another machine: everyone on the way could take the token's place.
    #[error("http:// is only for this machine; use https://")]
    NotHttps,
}

impl ServiceAddress {
    /// The address with no slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether requests stay on this machine, unencrypted.
    #[must_use]
    pub fn is_plain_loopback(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// The full URL of `path`, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl FromStr for ServiceAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| AddressError::Malformed)?;
        let authority = uri.authority().ok_or(AddressError::Malformed)?;
        let scheme = uri.scheme_str().ok_or(AddressError::Malformed)?;
        // A name and password in the address would end up on screens and in logs.
        let extras =
            authority.as_str().contains('@') || uri.query().is_some() || text.contains('#');
        let host = authority.host().to_ascii_lowercase();
        if extras || host.is_empty() {
            return Err(AddressError::Malformed);
        }
        let default_port = match scheme {
            "https" => 443,
            "http" if is_loopback(&host) => 80,
            "http" => return Err(AddressError::NotHttps),
            _ => return Err(AddressError::Malformed),
        };
        // A port that is no number of a port is a slip, not the default.
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.is_empty() && !digits.ends_with(']') => {
                authority.port_u16().ok_or(AddressError::Malformed)?
            }
            _ => default_port,
        };
        let port = if port == default_port {
            String::new()
        } else {
            format!(":{port}")
        };
        let path = uri.path().trim_end_matches('/');
        Ok(Self(format!("{scheme}://{host}{port}{path}")))
    }
}

impl TryFrom<String> for ServiceAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServiceAddress> for String {
    fn from(address: ServiceAddress) -> Self {
        address.0
    }
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, AddressError> {
        text.parse()
            .map(|address: ServiceAddress| address.to_string())
    }

    #[test]
    fn one_service_has_one_spelling() {
        for text in [
            "https://token.example.com",
            "https://token.example.com/",
            "HTTPS://Token.Example.COM:443/",
        ] {
            assert_eq!(
                parsed(text).as_deref(),
                Ok("https://token.example.com"),
                "{text}"
            );
        }
        assert_eq!(
            parsed("https://bank.example/token/").as_deref(),
            Ok("https://bank.example/token")
        );
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for text in [
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "http://localhost:1",
        ] {
            assert!(parsed(text).is_ok(), "{text}");
        }
        for text in [
            "http://token.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://192.168.0.1",
        ] {
            assert_eq!(parsed(text), Err(AddressError::NotHttps), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_address() {
        for text in [
            "",
            "token.example.com",
            "ftp://token.example.com",
            "https://",
            "https://user:word@token.example.com",
            "https://token.example.com/?a=b",
            "https://token.example.com/#top",
            "https://token.example.com:99999",
            "https://token.example.com:8o80",
            "/v1",
        ] {
            assert_eq!(parsed(text), Err(AddressError::Malformed), "{text}");
        }
    }
}
