//! The internet bank, in process: rules B1 to B18, F1 to F5 and M1 to M5, each on both engines.

mod alike;
mod crash;
mod mail;
mod operation;
mod soak;
mod staff;
mod token;
mod transfer;
mod verify;
