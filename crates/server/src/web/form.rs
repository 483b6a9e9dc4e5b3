//! Forms: `application/x-www-form-urlencoded`, small, each field once.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes of a form at most.
pub const LONGEST: usize = 16 * 1024;

/// Fields of a form at most.
const FIELDS: usize = 64;

/// Why a body is no form: nothing that one of our pages sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// Another media type.
    MediaType,
    /// Not as forms are, a field twice, too many fields, or bytes that are no text.
    Malformed,
}

/// The fields of a form. Forgotten with their bytes.
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, FormError> {
        let media_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        if media_type.as_deref() != Some("application/x-www-form-urlencoded") {
            return Err(FormError::MediaType);
        }
        Self::parse(body)
    }

    /// Reads the fields of a body or of a query.
    ///
    /// # Errors
    /// [`FormError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            // Bytes that are no UTF-8 came out as U+FFFD.
            let strange =
                |text: &str| text.contains(['\u{fffd}', '\0']) || text.chars().any(is_control);
            if form.0.len() >= FIELDS || strange(&name) || strange(&value) || form.has(&name) {
                return Err(FormError::Malformed);
            }
            form.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(form)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// A field as it was typed, without white space around it; empty when it is missing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field byte for byte: a password.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// A secret field, forgotten when it is dropped.
    #[must_use]
    pub fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.raw(name).to_owned())
    }
}

/// A line break has no place in a field of one line.
fn is_control(letter: char) -> bool {
    letter.is_control()
}

impl Drop for Form {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_it_was_typed_and_no_value_is_ever_printed() {
        let form = Form::parse("a=%E5%89%B2%E7%AC%A6+1&p=+x+".as_bytes()).unwrap();
        assert_eq!(form.text("a"), "割符 1");
        assert_eq!(form.raw("p"), " x ");
        assert_eq!(form.text("missing"), "");
        assert_eq!(format!("{form:?}"), r#"["a", "p"]"#);
    }

    #[test]
    fn what_no_page_of_ours_sends_is_refused() {
        for body in [
            "a=1&a=2",
            "a=%ff",
            "a=%00",
            "a=%0d%0aSet-Cookie:",
            &"a1=&".repeat(65),
        ] {
            assert_eq!(
                Form::parse(body.as_bytes()).err(),
                Some(FormError::Malformed),
                "{body}"
            );
        }
    }
}
