//! Guards around every page: who may send a form, and what a browser may do with an answer (ASVS 5.0 V3).

use axum::http::{HeaderMap, HeaderValue, Method, header};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::http::Said;

/// Scripts, styles and pictures come from here alone; nothing is framed; no page hands its text to a script as code.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The form token of a browser: made of a cookie that no other site and no script can read.
#[must_use]
pub fn form_token(cookie: &str) -> String {
    let hash = Sha256::new()
        .chain_update(b"warifu form 1")
        .chain_update(cookie)
        .finalize();
    HEXLOWER.encode(hash.get(..16).unwrap_or_default())
}

/// Whether a form's token fits the browser's cookie.
#[must_use]
pub fn token_fits(cookie: Option<&str>, token: &str) -> bool {
    cookie.is_some_and(|cookie| {
        let expected = form_token(cookie);
        expected.as_bytes().ct_eq(token.as_bytes()).into()
    })
}

/// Whether a request may have come from one of our own pages, or is a harmless look at one. A form must say that it did:
/// by `Sec-Fetch-Site`, or where a browser is too old for that, by its `Origin`.
#[must_use]
pub fn from_own_page(method: &Method, headers: &HeaderMap) -> bool {
    match Said::of(headers, "sec-fetch-dest") {
        Said::Once("iframe" | "frame" | "object" | "embed") | Said::Unclear => return false,
        Said::Once(_) | Said::Nothing => {}
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    match Said::of(headers, "sec-fetch-site") {
        Said::Once(site) => site == "same-origin",
        Said::Unclear => false,
        Said::Nothing => match (Said::of(headers, "origin"), Said::of(headers, "host")) {
            (Said::Once(origin), Said::Once(host)) => origin
                .split_once("://")
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
            _ => false,
        },
    }
}

/// Headers of every page.
pub fn add_headers(headers: &mut HeaderMap) {
    // `same-origin`, not `no-referrer`: under the latter browsers send `Origin: null` with our own forms.
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
        (
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(method: Method, pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        from_own_page(&method, &headers)
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        assert!(allowed(Method::POST, &[("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(
                !allowed(Method::POST, &[("sec-fetch-site", site)]),
                "{site}"
            );
        }
        let host = ("host", "bank.example:8080");
        assert!(allowed(
            Method::POST,
            &[host, ("origin", "https://bank.example:8080")]
        ));
        for origin in [
            "https://bank.example",
            "https://evil.example:8080",
            "null",
            "",
        ] {
            assert!(
                !allowed(Method::POST, &[host, ("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!allowed(Method::POST, &[host]));
    }

    /// Found by the fuzz target `api_head`: a `Sec-Fetch-Site` with other bytes counted as none, and the `Origin` was asked.
    #[test]
    fn what_a_form_says_unclearly_of_where_it_comes_from_is_not_left_out() {
        let host = ("host", "bank.example");
        let origin = ("origin", "https://bank.example");
        assert!(allowed(Method::POST, &[host, origin]));
        let own = ("sec-fetch-site", "same-origin");
        assert!(allowed(Method::POST, &[host, origin, own]));
        let strange = ("sec-fetch-site", "same-orig\u{e9}n");
        assert!(!allowed(Method::POST, &[host, origin, strange]));
        let other = ("sec-fetch-site", "cross-site");
        assert!(!allowed(Method::POST, &[host, origin, own, other]));
        let evil = ("origin", "https://evil.example");
        assert!(!allowed(Method::POST, &[host, origin, evil]));
        for dest in [&["document", "iframe"][..], &["\u{e9}"]] {
            let pairs: Vec<_> = dest.iter().map(|dest| ("sec-fetch-dest", *dest)).collect();
            assert!(!allowed(Method::GET, &pairs), "{dest:?}");
        }
    }

    #[test]
    fn no_page_is_framed() {
        assert!(allowed(
            Method::GET,
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "document")
            ]
        ));
        for dest in ["iframe", "frame", "object", "embed"] {
            assert!(!allowed(Method::GET, &[("sec-fetch-dest", dest)]), "{dest}");
        }
    }

    #[test]
    fn a_token_fits_its_own_cookie_only() {
        assert!(token_fits(Some("a"), &form_token("a")));
        assert!(!token_fits(Some("b"), &form_token("a")));
        assert!(!token_fits(None, &form_token("a")));
        assert!(!token_fits(Some("a"), ""));
    }
}
