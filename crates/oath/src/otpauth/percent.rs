//! Percent-encoding (RFC 3986 section 2.1).

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::KeyUriError;

/// Appends the text with everything but RFC 3986's unreserved characters encoded.
pub(super) fn encode_into(text: &str, uri: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                uri.push('%');
                uri.push(hex_digit(byte >> 4));
                uri.push(hex_digit(byte & 0x0f));
            }
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

/// Decodes; a raw `#` is refused because it would begin a fragment, and `+` stands for itself,
/// since a key URI is not a web form. Raw non-ASCII characters pass: issuers do write them.
pub(super) fn decode(text: &str) -> Result<Zeroizing<String>, KeyUriError> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'#' => return Err(KeyUriError::Encoding),
            b'%' => {
                let high = hex_value(bytes.next())?;
                let low = hex_value(bytes.next())?;
                high << 4 | low
            }
            byte => byte,
        });
    }
    let text = core::str::from_utf8(&decoded).map_err(|_| KeyUriError::Encoding)?;
    Ok(Zeroizing::new(text.into()))
}

fn hex_value(byte: Option<u8>) -> Result<u8, KeyUriError> {
    byte.and_then(|byte| char::from(byte).to_digit(16))
        .and_then(|value| u8::try_from(value).ok())
        .ok_or(KeyUriError::Encoding)
}
