use std::process::ExitCode;

use super::output::say;
use crate::ambient::{Clock as _, SystemClock};
use crate::config::Config;
use crate::database::{Connection, migrate};
use crate::startup::{StartupError, make_private_dir};
use crate::{bank_store, store};

pub(super) fn run(config: &Config) -> Result<ExitCode, StartupError> {
    make_private_dir(&config.data_dir)?;
    let mut applied = 0;
    if config.token_service.enabled {
        let mut tokens = Connection::open(&config.tokens()?, 2048)?;
        applied += migrate(&mut tokens, store::MIGRATIONS, SystemClock.now())?;
    }
    if config.bank.enabled {
        let mut bank = Connection::open(&config.bank_database()?, 2048)?;
        applied += migrate(&mut bank, bank_store::MIGRATIONS, SystemClock.now())?;
    }
    say(&match applied {
        0 => "The schema is this program's already.".to_owned(),
        count => format!("{count} migration(s) applied."),
    });
    Ok(ExitCode::SUCCESS)
}
