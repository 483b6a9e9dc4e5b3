//! `cargo xtask race`: the race test, against any server that checks one-time passwords.
//!
//! Two questions, asked many times with a fresh credential each:
//! 1. Many callers send the same right code at once. How many are told "accepted"? It must be one.
//! 2. Many wrong codes arrive at once. How many are evaluated before the lock? As many as the
//!    server says, however they arrive; and after that the right code must be refused too.
//!
//! What a server's requests and answers look like is told by an adapter, a TOML file.

mod adapter;
mod answer;
mod callers;
mod credential;
mod http;
pub(crate) mod load;
mod provision;
mod report;
mod rounds;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;
mod totp;

use std::path::PathBuf;

use anyhow::{Result, bail};

use adapter::Adapter;

pub(crate) use adapter::Totp;
pub(crate) use http::percent_encoded;
pub(crate) use totp::{Algorithm, code as totp_code};

/// `cargo xtask race`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The adapter: how to talk to this kind of server (see xtask/adapters).
    #[arg(long)]
    adapter: PathBuf,
    /// Addresses of the server's copies; the callers are spread over them.
    #[arg(required = true)]
    urls: Vec<String>,
    /// Callers that send the same right code at once.
    #[arg(long, default_value_t = 32)]
    callers: usize,
    /// Rounds with a right code.
    #[arg(long, default_value_t = 1000)]
    rounds: usize,
    /// Rounds with wrong codes.
    #[arg(long, default_value_t = 20)]
    lock_rounds: usize,
    /// Wrong codes in such a round.
    #[arg(long, default_value_t = 60)]
    wrong_codes: usize,
    /// Wrong codes under way at once.
    #[arg(long, default_value_t = 16)]
    at_once: usize,
}

/// Runs both parts, prints the table, and fails when the server did.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.callers < 2 || args.at_once < 2 {
        bail!("a race needs two callers at least");
    }
    let adapter = Adapter::read(&args.adapter)?;
    let result = rounds::run(args, &adapter)?;
    println!("{}", result.table());
    result.verdict()
}
