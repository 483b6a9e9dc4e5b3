use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::output::{problem, say};
use crate::audit_trail::{self, CheckpointFileError};
use crate::config::Config;
use crate::database::{Connection, DatabaseError};
use crate::service::Keys;
use crate::service::secrets::ServiceSecrets;
use crate::startup::StartupError;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Verify every row of the audit trail against its chain and the signed checkpoints
    Verify {
        /// Checkpoint files, of every copy of the service that wrote one; DATA_DIR/audit-checkpoints.jsonl if none is given
        #[arg(long = "checkpoints", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<ExitCode, StartupError> {
    let Command::Verify { mut checkpoints } = command;
    if checkpoints.is_empty() {
        checkpoints.push(config.checkpoints());
    }
    let mut read = Vec::new();
    for path in &checkpoints {
        match audit_trail::read_checkpoints(path) {
            Ok(found) => read.extend(found),
            Err(error) => {
                let what = match error {
                    CheckpointFileError::Io(_) => "cannot be read",
                    CheckpointFileError::Line { .. } => "was changed",
                };
                problem(&format!(
                    "the checkpoint file {} {what}: {error}",
                    path.display()
                ));
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let location = config.tokens()?;
    let mut connection = Connection::open_reader(&location)?;
    let keyring = Keys::load(config.key_source()?)?.current();
    let secrets = connection.read(|tx| ServiceSecrets::read(tx, &keyring))?;
    let report = match audit_trail::verify(&mut connection, &secrets, &read) {
        Ok(report) => report,
        // A value that nobody wrote is a fault of the trail, not of the reader.
        Err(error @ DatabaseError::Stored { .. }) => {
            problem(&format!("the audit trail is broken: {error}"));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    for fault in &report.faults {
        problem(fault);
    }
    let verdict = if report.faults.is_empty() {
        "whole"
    } else {
        "BROKEN"
    };
    say(&format!(
        "{} rows in {} stream(s), {} checkpoint(s): the audit trail is {verdict}.",
        report.rows, report.streams, report.checkpoints
    ));
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
