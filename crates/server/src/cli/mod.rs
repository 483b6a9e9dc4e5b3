//! The command line.

mod audit;
mod backup;
mod bench;
mod key;
mod migrate;
mod output;
mod relying_party;
pub mod serve;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::ambient::{Clock, SystemClock};
use crate::config::Config;
use crate::startup::StartupError;
use output::{problem, say};

/// One-time passwords for internet banking, whole: the token service and what belongs to it.
///
/// Without a command, everything starts on an embedded database in ./var.
#[derive(Debug, Parser)]
#[command(name = "warifu", version, max_term_width = 100)]
struct Arguments {
    /// The configuration file (TOML); without one, the defaults hold
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the services
    Serve(ServeArguments),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Bring the database's schema up to this program's
    Migrate,
    /// Who may have codes checked
    #[command(subcommand)]
    RelyingParty(relying_party::Command),
    /// Recompute the bank's ledger, limits and trails from what was written down, and tell every difference
    Verify,
    /// The audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// The master keys
    #[command(subcommand)]
    Key(key::Command),
    /// Copy the embedded database and the audit checkpoints into a new directory, also beside a running server
    Backup {
        /// A directory that does not exist yet
        to: PathBuf,
    },
    /// Make a day's load on a test installation and report what came of it
    Bench(Box<bench::Arguments>),
    /// Print the completions of a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Default, clap::Args)]
struct ServeArguments {
    /// Begin a new bank without sample contracts, accounts and staff
    #[arg(long)]
    empty: bool,
    /// Serve phones on the local network too, over TLS with a certificate authority of this installation's own
    #[arg(long)]
    lan: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and say whether it can be used
    Check,
}

/// Runs the program.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let result = match arguments.command {
        Some(Command::Completions { shell }) => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "warifu",
                &mut std::io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
        command => Config::load(arguments.config.as_deref())
            .map_err(StartupError::from)
            .and_then(|config| {
                dispatch(command.unwrap_or(Command::Serve(arguments.serve)), &config)
            }),
    };
    result.unwrap_or_else(|error| {
        problem(&error.to_string());
        ExitCode::FAILURE
    })
}

fn dispatch(command: Command, config: &Config) -> Result<ExitCode, StartupError> {
    match command {
        Command::Serve(arguments) => {
            let wanted = serve::Wanted {
                empty: arguments.empty,
                lan: arguments.lan,
            };
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            serve::run(config, wanted, &clock)
        }
        Command::Config(ConfigCommand::Check) => {
            config.tokens()?;
            config.bank_database()?;
            say("The configuration can be used.");
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate => migrate::run(config),
        Command::RelyingParty(command) => relying_party::run(command, config),
        Command::Verify => verify::run(config),
        Command::Audit(command) => audit::run(command, config),
        Command::Key(command) => key::run(command, config),
        Command::Bench(arguments) => Ok(bench::run(*arguments, config)),
        Command::Backup { to } => backup::run(config, &to),
        Command::Completions { .. } => Ok(ExitCode::SUCCESS),
    }
}
