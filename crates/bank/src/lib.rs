//! The rules of the internet bank.
//!
//! Time and random bytes are arguments; there is no HTTP, no SQL and no clock in here. The bank reaches the token
//! service only by what `warifu-wire` says, and sees no token secret: it does not compile.

pub mod account;
pub mod contract;
pub mod directory;
pub mod fee;
pub mod first_password;
pub mod jst;
pub mod kana;
pub mod ledger;
pub mod limit;
pub mod mail_address;
pub mod mail_retry;
pub mod notice;
pub mod operation;
pub mod otp_policy;
pub mod password;
pub mod receipt;
pub mod session;
pub mod sign_in;
pub mod staff;
pub mod token_id;
pub mod transfer;
pub mod uid;
pub mod written;
pub mod yen;
