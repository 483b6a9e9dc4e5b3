//! The rules of the token service (flows.md §4): who a token is, when its code is good, what is kept of it.
//!
//! Pure: no clock, no randomness, no network, no HTTP and no SQL. Time and random bytes are arguments.
//! What a user can cause and be refused is a value; an error is for what should not happen.

pub mod api_key;
pub mod audit;
pub mod checkpoint;
pub mod credential;
pub mod credential_id;
mod damm;
mod kdf;
pub mod keyring;
pub mod life_cycle;
pub mod party;
pub mod provision;
pub mod purpose;
pub mod record;
pub mod request;
pub mod resync;
pub mod seal;
pub mod throttle;
pub mod validate;

// The words of RFC 6238 in which the rules are told, so that their callers need no second crate.
pub use warifu_oath::{Algorithm, Code, CodeError, Digits, Generator, Period, TimeStep};
