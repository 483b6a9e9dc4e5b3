//! The server's integration tests: rules S1 to S9, each on both engines, in process and over real processes.
//!
//! Run them with `cargo xtask test`, or with `cargo xtask postgres -- cargo test -p warifu --test it`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests fail by panicking and tell their progress"
)]

#[macro_use]
mod harness;

mod attacker;
mod audit;
mod audit_file;
mod bank;
mod bench;
mod cli;
mod crash;
mod fail_over;
mod faults;
mod fold;
mod fuzz;
mod hsm;
mod keys;
mod lan;
mod letter;
mod life_cycle;
mod logs;
mod model;
mod overload;
mod problem;
mod provision;
mod race;
mod request;
mod resync;
mod soak;
mod store;
mod validate;
