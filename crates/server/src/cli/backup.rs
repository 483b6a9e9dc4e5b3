use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use super::output::{note, problem, say};
use crate::config::Config;
use crate::database::{DatabaseError, Location, copy_sqlite};
use crate::startup::{StartupError, make_private_dir};

pub(super) fn run(config: &Config, to: &Path) -> Result<ExitCode, StartupError> {
    let Location::Sqlite(database) = config.tokens()? else {
        problem(
            "PostgreSQL has its own backups (pg_basebackup, WAL archive, pg_dump); docs/operating.md says how they fit",
        );
        return Ok(ExitCode::FAILURE);
    };
    if to.exists() {
        problem(&format!(
            "{} exists already; name a directory that does not",
            to.display()
        ));
        return Ok(ExitCode::FAILURE);
    }
    if !database.exists() {
        return Err(
            DatabaseError::Schema(format!("there is no database {}", database.display())).into(),
        );
    }
    make_private_dir(to)?;
    // The checkpoints first: whatever they name is then in the copy of the database.
    let checkpoints = config.checkpoints();
    if checkpoints.exists() {
        let copy = to.join("audit-checkpoints.jsonl");
        let failed = |error| StartupError::File {
            doing: "cannot copy",
            path: checkpoints.display().to_string(),
            error,
        };
        std::fs::copy(&checkpoints, &copy).map_err(failed)?;
        File::open(&copy)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
    }
    copy_sqlite(&database, &to.join("tokens.db"))?;
    // The bank after the token service: a code that the bank knows as spent is spent in the copy of the service too, or
    // older than any that is shown by then.
    if let Location::Sqlite(bank) = config.bank_database()?
        && bank.exists()
    {
        copy_sqlite(&bank, &to.join("bank.db"))?;
    }
    say(&format!("The copy is in {}.", to.display()));
    note(
        "The master key is not in it. Keep a copy of that somewhere else: without it the backup opens for nobody.",
    );
    Ok(ExitCode::SUCCESS)
}
