//! The vectors of the RFCs, and the rules their text states.

mod ocra_rules;
mod rfc4226;
mod rfc6238;
mod rfc6287;

/// The secrets of RFC 6238 and RFC 6287: the digits 1 to 0 repeated to the hash's length.
const KEY_20: &[u8] = b"12345678901234567890";
const KEY_32: &[u8] = b"12345678901234567890123456789012";
const KEY_64: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";
