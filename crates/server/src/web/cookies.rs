//! Cookies: all `__Host-`, so that no other host and no other path can set or read them (ASVS 5.0 3.3.1–3.3.4).

use axum::http::{HeaderMap, HeaderValue, header};

/// The session of the bank.
pub const SESSION: &str = "__Host-warifu";
/// The session of a wizard of the login page.
pub const WIZARD: &str = "__Host-warifu-wizard";
/// The session of the staff.
pub const STAFF: &str = "__Host-warifu-staff";
/// What a form's token is made of.
pub const FORM: &str = "__Host-warifu-form";
/// What tells a browser in which a customer signed in from a stranger's (B17).
pub const BROWSER: &str = "__Host-warifu-browser";
/// Says that the token was opened in this browser from the bank's own page (T7).
pub const TOKEN_HERE: &str = "__Host-warifu-token-here";
/// The chosen language.
pub const LANGUAGE: &str = "__Host-warifu-language";

/// The value of a cookie; none when it came twice, or has bytes that none of ours has. Those of others, which a browser sends in the
/// same line, may have any.
#[must_use]
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            pair.trim_ascii()
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")
        });
    match (found.next(), found.next()) {
        (Some(value), None) => std::str::from_utf8(value)
            .ok()
            .filter(|value| value.is_ascii()),
        _ => None,
    }
}

/// Sets a cookie until the browser is closed. `value` is hexadecimal digits or a plain word.
#[must_use]
pub fn set(name: &str, value: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict");
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// Sets a cookie for a year.
#[must_use]
pub fn keep(name: &str, value: &str) -> HeaderValue {
    let text =
        format!("{name}={value}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Strict");
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// Takes a cookie away.
#[must_use]
pub fn clear(name: &str) -> HeaderValue {
    set(name, "; Max-Age=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_if_it_came_once() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "__Host-warifu=a; x__Host-warifu-form=b".parse().unwrap(),
        );
        assert_eq!(get(&headers, SESSION), Some("a"));
        assert_eq!(get(&headers, FORM), None);
        headers.append(header::COOKIE, "__Host-warifu=c".parse().unwrap());
        assert_eq!(get(&headers, SESSION), None);
    }

    /// One of another site of the same domain may have any bytes; who has it can sign in all the same.
    #[test]
    fn a_strange_cookie_of_others_is_not_in_the_way() {
        let mut headers = HeaderMap::new();
        let line = "shop=caf\u{e9}; __Host-warifu=a; __Host-warifu-form=\u{e9}";
        headers.append(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
        assert_eq!(get(&headers, SESSION), Some("a"));
        assert_eq!(get(&headers, FORM), None);
        let line = "x=\u{e9}; __Host-warifu=b";
        headers.append(
            header::COOKIE,
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
        assert_eq!(get(&headers, SESSION), None);
    }

    #[test]
    fn a_cookie_goes_nowhere_but_home() {
        let header = set(SESSION, "00");
        let text = header.to_str().unwrap();
        for word in [
            "__Host-warifu=00",
            "Path=/",
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
        ] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("Domain"));
    }
}
