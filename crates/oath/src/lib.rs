//! One-time passwords of the OATH family: HOTP (RFC 4226), TOTP (RFC 6238), OCRA (RFC 6287), and
//! the `otpauth://` key URI that carries a secret into an app.
//!
//! The crate computes and compares; it reads no clock, draws no random bytes and does no I/O.
//! Time comes in as unix seconds, turned into a [`TimeStep`] by a [`Period`]. Secrets, codes,
//! responses and PIN hashes are wiped when dropped and print redacted under `{:?}`; those that
//! can be compared compare in constant time.
//!
//! ```
//! use warifu_oath::{Algorithm, Code, Digits, Generator, Period, Secret, TimeStep};
//!
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
//! let generator = Generator::new(&secret, Algorithm::Sha1, Digits::SIX);
//!
//! let now = TimeStep::from_unix_seconds(59, Period::DEFAULT);
//! assert_eq!(generator.totp(now).to_string(), "287082");
//!
//! let typed: Code = "287082".parse()?;
//! assert_eq!(generator.find_step(&typed, now.window(1, 1)), Some(now));
//! # Ok(())
//! # }
//! ```

#![no_std]

extern crate alloc;

mod algorithm;
pub mod base32;
mod code;
mod generator;
mod mac;
pub mod ocra;
pub mod otpauth;
mod secret;
mod time;

pub use algorithm::{Algorithm, AlgorithmError};
pub use code::{Code, CodeError, Digits, DigitsError};
pub use generator::Generator;
pub use secret::{Secret, SecretError};
pub use time::{Period, PeriodError, TimeStep};
