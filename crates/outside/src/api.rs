//! `/v1` of the token service: bodies and heads.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use warifu::ambient::SystemEntropy;
use warifu::http::{ClientAddress, RequestId};
use warifu::token_api::{Language, read_body, request_key, sent_key};
use warifu::web::{cookies, guard, texts};
use warifu_bank::session::{BrowserSecret, SessionSecret};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::party::PartyId;
use warifu_credentials::purpose::Purpose;
use warifu_credentials::request::{RequestDigest, RequestDigester};

use crate::first_line;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The first line names the route, the rest is the body: it is understood, or told what is wrong in a 4xx.
pub(crate) fn body(bytes: &[u8]) {
    let (verb, body) = first_line(bytes);
    let verb = std::str::from_utf8(verb).unwrap_or_default();
    if let Err(problem) = read_body(verb, body) {
        assert!(problem.status().is_client_error(), "{problem:?}");
        assert!(
            problem.cause.is_none(),
            "a client's mistake is no fault of ours"
        );
    } else {
        assert!(
            serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|body| body.is_object())
        );
    }
}

/// The first line is a path's `{id}`, each other one a header: everything that is ever read of a head is read.
pub(crate) fn head(bytes: &[u8]) {
    let (path, rest) = first_line(bytes);
    credential_id(&String::from_utf8_lossy(path));
    let headers = headers(rest);
    if let Some(key) = request_key(&headers) {
        let sent = headers.get(warifu_wire::IDEMPOTENCY_KEY);
        let length = sent.map_or(0, HeaderValue::len);
        assert!((1..=64).contains(&length));
        let request = RequestDigester::new([0; 32].into()).digest(PartyId(1), &key);
        let stored = request.to_stored();
        assert_eq!(RequestDigest::from_stored(stored.as_bytes()), Some(request));
        // A UUID has 32 digits, of which the 13th is its version.
        assert!(request.second().is_none() || length >= 32);
        assert_eq!(Some(key), request_key(&headers));
    }
    if sent_key(&headers).is_some() {
        let sent = headers.get(header::AUTHORIZATION).map(HeaderValue::len);
        assert!(sent.is_some_and(|length| length >= "bearer warifu_".len() + 43));
    }
    let name = RequestId::of(&headers, &SystemEntropy).to_string();
    assert!((1..=RequestId::MAX_LENGTH).contains(&name.len()));
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic()));
    client_address(&headers);
    page(&headers);
}

fn headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let Some((name, value)) = line.split_at_checked(colon) else {
            continue;
        };
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers
}

fn credential_id(text: &str) {
    if let Ok(id) = text.parse::<CredentialId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.grouped().parse(), Ok(id));
        assert_eq!(CredentialId::from_stored(id.to_stored()), Some(id));
    }
    if let Ok(purpose) = text.parse::<Purpose>() {
        assert_eq!(purpose.as_str(), text);
    }
}

/// Nobody but a named proxy chooses the address that a request is counted under.
fn client_address(headers: &HeaderMap) {
    let peer = SocketAddr::from(([192, 0, 2, 1], 1));
    let alone = ClientAddress::of(peer, headers, &[]);
    assert_eq!(alone.to_string(), "192.0.2.1");
    let proxies = [
        IpAddr::from([192, 0, 2, 1]),
        IpAddr::from([192, 0, 2, 2]),
        IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]),
    ];
    let told = ClientAddress::of(peer, headers, &proxies).to_string();
    let address = told.strip_suffix("/64").unwrap_or(&told);
    assert!(address.parse::<IpAddr>().is_ok(), "{told}");
    // A proxy adds whom it speaks for in a line of its own, or at the end of the last one.
    for joined in [false, true] {
        let mut lines: Vec<_> = headers
            .get_all(FORWARDED)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let last = lines.pop_if(|_| joined).unwrap_or_default();
        let last = [last, b", 198.51.100.7"].concat();
        lines.push(&last);
        let lines = lines
            .into_iter()
            .filter_map(|line| HeaderValue::from_bytes(line).ok());
        let headers = lines.map(|line| (FORWARDED, line)).collect();
        let told = ClientAddress::of(peer, &headers, &proxies);
        assert_eq!(told.to_string(), "198.51.100.7");
    }
}

/// What a page reads of a head: language, cookies, where a form comes from.
fn page(headers: &HeaderMap) {
    let _ = Language::of(headers);
    let chosen = cookies::get(headers, cookies::LANGUAGE);
    let _ = texts::language(headers, chosen);
    for name in [cookies::SESSION, cookies::WIZARD, cookies::STAFF] {
        let Some(text) = cookies::get(headers, name) else {
            continue;
        };
        if let Some(secret) = SessionSecret::from_cookie(text) {
            assert!(secret.to_cookie().eq_ignore_ascii_case(text));
        }
    }
    let _ = cookies::get(headers, cookies::BROWSER).and_then(BrowserSecret::from_cookie);
    let form = cookies::get(headers, cookies::FORM);
    assert!(!guard::token_fits(form, ""));
    let own = guard::from_own_page(&Method::POST, headers);
    let site = headers.get("sec-fetch-site");
    if own && site.is_some() {
        assert!(site.is_some_and(|site| site == "same-origin"));
    }
    assert!(!own || guard::from_own_page(&Method::GET, headers));
}
