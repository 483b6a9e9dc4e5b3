//! The internet bank, in process: rules B1 to B18, F1 to F5 and M1 to M5, each on both engines.

mod access;
mod alike;
mod copies;
mod crash;
mod dated;
mod guide;
mod mail;
mod operation;
mod overload;
mod restore;
mod rolling;
pub(crate) mod sign_in;
mod soak;
mod staff;
mod statement;
mod token;
mod transfer;
mod verify;
mod web_security;
