use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

/// Whose requests are counted together: an IPv4 address, or the /64 that one IPv6 customer has, by its first address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Whose address this is.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }

    /// The client of a request: the peer, or, behind trusted proxies, the last address in `X-Forwarded-For` that none
    /// of them added. A proxy adds to what the client sent, whatever that is, in a line of its own or at the end of his.
    #[must_use]
    pub fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let mut address = peer.ip().to_canonical();
        let forwarded: Vec<_> = headers
            .get_all("x-forwarded-for")
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .collect();
        for hop in forwarded.iter().rev() {
            if !trusted.contains(&address) {
                break;
            }
            let hop = std::str::from_utf8(hop.trim_ascii()).ok();
            match hop.and_then(|hop| hop.parse::<IpAddr>().ok()) {
                Some(hop) => address = hop.to_canonical(),
                // What a trusted proxy passes on but does not understand is not the client's address.
                None => break,
            }
        }
        Self::new(address)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            let value = HeaderValue::from_bytes(value.as_bytes());
            headers.append("x-forwarded-for", value.unwrap());
        }
        let trusted: Vec<IpAddr> = trusted
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        ClientAddress::of(
            SocketAddr::new(peer.parse().unwrap(), 1),
            &headers,
            &trusted,
        )
        .to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_his_address() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(
            client("192.0.2.1", &["198.51.100.7"], &["192.0.2.9"]),
            "192.0.2.1"
        );
        assert_eq!(
            client("192.0.2.9", &["203.0.113.5, 198.51.100.7"], &["192.0.2.9"]),
            "198.51.100.7"
        );
    }

    /// A proxy that adds at the end of the client's own line must be heard, whatever stands before it there.
    #[test]
    fn strange_bytes_of_a_stranger_do_not_hide_what_a_proxy_says() {
        let proxy = &["192.0.2.9"];
        let lines = ["203.0.113.5", "\u{e9}\u{3042}, 198.51.100.7"];
        assert_eq!(client("192.0.2.9", &lines, proxy), "198.51.100.7");
        let lines = ["203.0.113.5", "\u{e9}"];
        assert_eq!(client("192.0.2.9", &lines, proxy), "192.0.2.9");
    }

    #[test]
    fn trusted_proxies_in_a_row_are_looked_through() {
        assert_eq!(
            client(
                "192.0.2.9",
                &["203.0.113.5", "198.51.100.7, 192.0.2.8"],
                &["192.0.2.9", "192.0.2.8"]
            ),
            "198.51.100.7"
        );
        assert_eq!(
            client("192.0.2.9", &["nonsense"], &["192.0.2.9"]),
            "192.0.2.9"
        );
    }

    #[test]
    fn an_ipv6_customer_is_one_network_and_a_mapped_address_its_ipv4() {
        assert_eq!(
            client("2001:db8:1:2:3:4:5:6", &[], &[]),
            "2001:db8:1:2::/64"
        );
        assert_eq!(client("::ffff:192.0.2.1", &[], &[]), "192.0.2.1");
        let new = |address: &str| ClientAddress::new(address.parse().unwrap());
        assert_eq!(new("2001:db8:1:2::7"), new("2001:db8:1:2:3:4:5:6"));
        assert_ne!(new("2001:db8:1:2::7"), new("2001:db8:1:3::7"));
    }
}
