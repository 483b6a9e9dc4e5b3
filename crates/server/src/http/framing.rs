//! What two readers of one byte stream could take differently, a proxy and we: it is not answered as a request (RFC 9112
//! §3.2, §6.1). The HTTP library has refused the worst by then, such as lengths that differ.

use axum::http::uri::Authority;
use axum::http::{Request, Version, header};

/// Whether a request names its host as it must: once and rightly, and a target with a host of its own the same. HTTP/1.0
/// may name none.
pub(super) fn names_its_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => return request.version() == Version::HTTP_10,
        (Some(_), Some(_)) => return false,
        (Some(host), None) => host.to_str().ok().filter(|host| !host.contains('@')),
    };
    let host: Option<Authority> = host.and_then(|host| host.parse().ok());
    host.is_some_and(|host| {
        request
            .uri()
            .authority()
            .is_none_or(|target| *target == host)
    })
}

/// Whether its connection must end with its answer. A body in chunks may have come with a length too, which the library drops
/// in silence; whoever read the other of the two would take the rest for a request. So nothing after it is read. Browsers
/// send none.
pub(super) fn ends_its_connection<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(header::TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(target: &str, version: Version, hosts: &[&str]) -> bool {
        let mut request = Request::get(target).version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        names_its_host(&request.body(()).unwrap())
    }

    #[test]
    fn a_host_is_named_once_and_rightly() {
        for host in ["bank.example", "bank.example:8080", "[2001:db8::1]:8080"] {
            assert!(named("/", Version::HTTP_11, &[host]), "{host}");
        }
        for hosts in [
            &[][..],
            &[""],
            &["a.example", "a.example"],
            &["a.example/x"],
            &["user@a.example"],
            &["a.example, b.example"],
            &["a b"],
        ] {
            assert!(!named("/", Version::HTTP_11, hosts), "{hosts:?}");
        }
        assert!(named("/", Version::HTTP_10, &[]));
        assert!(!named("/", Version::HTTP_10, &["a.example", "b.example"]));
    }

    #[test]
    fn a_target_with_a_host_of_its_own_names_the_same() {
        let at = |host| named("http://bank.example/top", Version::HTTP_11, &[host]);
        assert!(at("bank.example") && at("BANK.example"));
        assert!(!at("evil.example") && !at("bank.example:81"));
    }
}
