use std::process::ExitCode;

use super::output::say;
use crate::ambient::{Clock as _, SystemClock};
use crate::config::Config;
use crate::database::{Connection, migrate};
use crate::startup::{StartupError, make_private_dir};
use crate::store::MIGRATIONS;

pub(super) fn run(config: &Config) -> Result<ExitCode, StartupError> {
    make_private_dir(&config.data_dir)?;
    let mut connection = Connection::open(&config.tokens()?, 2048)?;
    let applied = migrate(&mut connection, MIGRATIONS, SystemClock.now())?;
    say(&match applied {
        0 => "The schema is this program's already.".to_owned(),
        count => format!("{count} migration(s) applied."),
    });
    Ok(ExitCode::SUCCESS)
}
