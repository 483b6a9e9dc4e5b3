use std::process::ExitCode;

use clap::Subcommand;
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::{Event, Kind};
use warifu_credentials::party::{PartyId, PartyName};

use super::output::{note, problem, say};
use crate::ambient::{Clock as _, SystemClock, SystemEntropy, random};
use crate::config::Config;
use crate::startup::{self, StartupError};
use crate::store::{audit, party};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a relying party and print its API key, once
    Add {
        /// Its name for staff
        name: PartyName,
    },
    /// List the relying parties
    List,
    /// Revoke the API key of a relying party, at once
    Revoke {
        /// Its name
        name: PartyName,
    },
}

pub(super) fn run(command: Command, config: &Config) -> Result<ExitCode, StartupError> {
    let mut opened = startup::open(config, &SystemClock, &SystemEntropy)?;
    let now = SystemClock.now();
    let chain = &opened.secrets.chain;
    let event = |kind, id: PartyId| Event {
        party: Some(id),
        ..Event::new(now, kind)
    };
    match command {
        Command::Add { name } => {
            let key = ApiKey::from_random(&random(&SystemEntropy));
            let Some(hash) = ApiKeyHash::of_sent(key.expose()) else {
                return Ok(ExitCode::FAILURE);
            };
            let added = opened.connection.transaction(|tx| {
                let added = party::insert(tx, &name, hash, now)?;
                if let Some(id) = added {
                    audit::append(tx, chain, &[event(Kind::PartyAdded, id)])?;
                }
                Ok(added)
            })?;
            if added.is_none() {
                problem(&format!(
                    "a relying party named {name} exists already; names are not used twice"
                ));
                return Ok(ExitCode::FAILURE);
            }
            // The key alone, so that a script can take it.
            say(key.expose());
            note("This key is shown once. Keep it as you keep a password.");
        }
        Command::List => {
            for party in opened.connection.read(party::list)? {
                let state = party
                    .revoked_at
                    .map_or("in force".to_owned(), |at| format!("revoked {at}"));
                say(&format!(
                    "{}\t{}\tadded {}\t{state}",
                    party.id.0, party.name, party.added_at
                ));
            }
        }
        Command::Revoke { name } => {
            let revoked = opened.connection.transaction(|tx| {
                let revoked = party::revoke(tx, &name, now)?;
                if let Some(id) = revoked {
                    audit::append(tx, chain, &[event(Kind::PartyRevoked, id)])?;
                }
                Ok(revoked)
            })?;
            if revoked.is_none() {
                problem(&format!("no relying party named {name} has a key in force"));
                return Ok(ExitCode::FAILURE);
            }
            say(&format!("The key of {name} is revoked."));
        }
    }
    Ok(ExitCode::SUCCESS)
}
