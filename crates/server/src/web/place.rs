//! Addresses that hold on this machine alone: no phone gets there.

use axum::http::uri::Authority;

/// Whether a host, with or without a port, is this machine; none for what is no host.
#[must_use]
pub(crate) fn is_this_machine(host: &str) -> Option<bool> {
    let authority: Authority = host.parse().ok()?;
    if host.contains('@') {
        return None;
    }
    let name = authority.host().trim_matches(['[', ']']);
    Some(
        name == "localhost"
            || name.ends_with(".localhost")
            || name
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback()),
    )
}

/// The host of a web address, with its port: `https://HOST/…`.
#[must_use]
pub(crate) fn host_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty())
}
