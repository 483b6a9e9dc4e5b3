//! `cargo xtask load`: right codes, as fast as the answers come, against several servers in turns.
//!
//! A closed loop: every connection sends a code, waits for the answer, and sends the next, of
//! another credential, since a credential has one code in a period. Rounds are interleaved, server
//! by server, so that a change of the machine's mood meets all of them.

mod cpu;
mod credentials;
mod enrol;
mod plan;
mod round;
mod table;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use credentials::Credentials;
use plan::{Plan, Server};
use round::Outcome;
use table::Table;

/// Every server is loaded for so long before the first round that counts.
const WARM_UP: Duration = Duration::from_secs(2);

/// `cargo xtask load`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The plan: the servers, how to talk to them, their credentials and processes (see
    /// docs/comparison/load.toml).
    plan: PathBuf,
    /// Enrol the credentials that the plan asks for and that are not yet in its files; measure
    /// nothing.
    #[arg(long)]
    enrol: bool,
    /// Only the servers whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Connections, one table row each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    connections: Vec<usize>,
    /// The length of a round; it ends earlier when every credential has given its code.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds of each server and number of connections; the table has their medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Enrols or measures, and fails when a right code was not accepted.
pub(crate) fn run(args: &Args) -> Result<()> {
    let plan = Plan::read(&args.plan)?;
    let servers: Vec<Server> = plan.servers(&args.only)?;
    if servers.is_empty() || args.connections.contains(&0) {
        bail!("no server, or no connection");
    }
    if args.enrol {
        return servers.iter().try_for_each(enrol::enrol);
    }
    if let Some(server) = servers.first() {
        // Codes of this period may have been spent by an earlier call.
        credentials::wait_for_next_step(&server.adapter.totp)?;
    }
    let table = measure(args, &servers, WARM_UP)?;
    println!("\n{table}");
    table.verdict()
}

fn measure(args: &Args, servers: &[Server], warm_up: Duration) -> Result<Table> {
    let lists: Vec<Credentials> = servers
        .iter()
        .map(|server| Credentials::read(&server.credentials))
        .collect::<Result<_>>()?;
    let mut table = Table::default();
    let most = args.connections.iter().max().copied().unwrap_or(1);
    for (server, list) in servers.iter().zip(&lists) {
        let outcome = round::run(server, list, most, warm_up)?;
        said("warm-up", server, most, &outcome);
    }
    for number in 1..=args.rounds {
        for connections in &args.connections {
            for (server, list) in servers.iter().zip(&lists) {
                let length = Duration::from_secs(args.seconds);
                let outcome = round::run(server, list, *connections, length)?;
                said(&format!("round {number}"), server, *connections, &outcome);
                table.add(&server.name, *connections, outcome);
            }
        }
    }
    Ok(table)
}

fn said(what: &str, server: &Server, connections: usize, outcome: &Outcome) {
    println!("{what}, {}, {connections}: {outcome}", server.name);
}

/// The process ID that stands first in a file.
fn process_id(path: &Path) -> Result<u32> {
    use anyhow::Context as _;
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let first = text.split_whitespace().next().context("an empty file")?;
    first
        .parse()
        .with_context(|| format!("{} holds no process ID", path.display()))
}
