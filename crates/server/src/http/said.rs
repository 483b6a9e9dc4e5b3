//! What a header says that is said once. What cannot be read, or came twice, was not left out: whoever must decide by it takes the
//! careful way.

use axum::http::HeaderMap;

/// What a request says in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// The header is not there.
    Nothing,
    /// It is there once, in visible ASCII.
    Once(&'a str),
    /// It is there more than once, or with other bytes.
    Unclear,
}

impl<'a> Said<'a> {
    /// What `headers` say under this name.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, name: &str) -> Self {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => value.to_str().map_or(Self::Unclear, Self::Once),
            (Some(_), Some(_)) => Self::Unclear,
        }
    }

    /// The text, if it is clear.
    #[must_use]
    pub fn once(self) -> Option<&'a str> {
        match self {
            Self::Once(text) => Some(text),
            Self::Nothing | Self::Unclear => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn what_came_twice_or_cannot_be_read_is_not_what_was_left_out() {
        let mut headers = HeaderMap::new();
        assert_eq!(Said::of(&headers, "origin"), Said::Nothing);
        headers.append("origin", HeaderValue::from_static("a"));
        assert_eq!(Said::of(&headers, "origin"), Said::Once("a"));
        headers.append("origin", HeaderValue::from_static("a"));
        assert_eq!(Said::of(&headers, "origin"), Said::Unclear);
        headers.insert("origin", HeaderValue::from_bytes(b"a\xff").unwrap());
        assert_eq!(Said::of(&headers, "origin"), Said::Unclear);
        assert_eq!(Said::of(&headers, "origin").once(), None);
    }
}
