//! Base32 (RFC 4648 section 6): forgiving to what people type, strict in what it writes.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use data_encoding::{BASE32_NOPAD, DecodeKind};
use thiserror::Error;
use zeroize::Zeroizing;

/// The canonical form: upper case, no padding, no separators. Wiped when dropped.
#[must_use]
pub fn encode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE32_NOPAD.encode(bytes))
}

/// Decodes base32 with any letter case, with spaces and hyphens anywhere, and with any number
/// of `=` at the end. The result is wiped when dropped.
///
/// Leniency ends where bits would be lost: unused bits in the last character must be zero, so
/// two texts of one value differ only in case, separators and padding.
///
/// # Errors
/// [`Base32Error`], naming the byte position in `text` where there is one.
pub fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Base32Error> {
    let symbols = symbols(text)?;
    let len = BASE32_NOPAD
        .decode_len(symbols.len())
        .map_err(|_| Base32Error::Length)?;
    let mut bytes = Zeroizing::new(vec![0; len]);
    let written = BASE32_NOPAD
        .decode_mut(&symbols, &mut bytes)
        .map_err(|partial| match partial.error.kind {
            DecodeKind::Trailing => Base32Error::TrailingBits,
            DecodeKind::Length | DecodeKind::Symbol | DecodeKind::Padding => Base32Error::Length,
        })?;
    // A wrong tail would become part of a secret; here `written` always equals `len`.
    bytes.truncate(written);
    Ok(bytes)
}

/// The characters that carry bits, in upper case.
fn symbols(text: &str) -> Result<Zeroizing<Vec<u8>>, Base32Error> {
    // Full capacity from the start: growing would leave unwiped copies behind.
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut padding = None;
    for (at, character) in text.char_indices() {
        let upper = character.to_ascii_uppercase();
        match upper {
            ' ' | '-' => {}
            '=' => padding = Some(at),
            'A'..='Z' | '2'..='7' => {
                if let Some(at) = padding {
                    return Err(Base32Error::PaddingInside(at));
                }
                symbols.push(upper as u8);
            }
            _ => return Err(Base32Error::Character(at)),
        }
    }
    Ok(symbols)
}

/// A text that is not base32. It never carries the text itself, which may be most of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Base32Error {
    /// A character outside the alphabet, at this byte position.
    #[error("unexpected character at byte {0}: expected A to Z, 2 to 7, space, `-` or final `=`")]
    Character(usize),
    /// Characters follow the padding, whose last `=` is at this byte position.
    #[error("padding inside the text at byte {0}: expected `=` only at the end")]
    PaddingInside(usize),
    /// No byte sequence has this many base32 characters.
    #[error("impossible length: expected a number of characters that makes whole bytes")]
    Length,
    /// The last character has bits set that belong to no byte: a typing error or a cut text.
    #[error("stray bits in the last character: expected them to be zero")]
    TrailingBits,
}
