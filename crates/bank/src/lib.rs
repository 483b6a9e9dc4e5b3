//! The rules of the internet bank.
//!
//! Time and random bytes are arguments; there is no HTTP, no SQL and no clock in here. The bank reaches the token
//! service only by what `warifu-wire` says, and sees no token secret: it does not compile.

pub mod jst;
pub mod uid;
pub mod yen;
