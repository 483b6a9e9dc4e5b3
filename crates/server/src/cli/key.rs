use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use warifu_credentials::keyring::{KeyVersion, source_line};

use super::output::{note, problem, say};
use crate::ambient::{SystemClock, SystemEntropy, random};
use crate::config::Config;
use crate::service::rotation::Rotation;
use crate::service::{KeySource, Keys};
use crate::startup::{self, Opened, StartupError};
use crate::store::seal_key;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a new master key: appended to the key file, or printed as a line for the source that you keep
    New,
    /// Take the newest master key into use and seal every secret again under it, beside a running service
    Rotate,
    /// List the versions at hand and those that the database knows
    List,
}

/// Between two batches, so that a running server finds the database free.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn run(command: Command, config: &Config) -> Result<ExitCode, StartupError> {
    match command {
        Command::New => new(config),
        Command::Rotate => rotate(config),
        Command::List => list(config),
    }
}

fn new(config: &Config) -> Result<ExitCode, StartupError> {
    match config.key_source()? {
        KeySource::File(path) => {
            startup::make_private_dir(&config.data_dir)?;
            let version = if path.exists() {
                KeyVersion(
                    Keys::load(KeySource::File(path.clone()))?
                        .current()
                        .newest()
                        .0
                        + 1,
                )
            } else {
                KeyVersion(1)
            };
            startup::write_key_file(&path, version, &SystemEntropy)?;
            say(&format!(
                "The master key {version} is in {}. Back it up, then run `warifu key rotate`.",
                path.display()
            ));
        }
        source => {
            let version = Keys::load(source).map_or(KeyVersion(1), |keys| {
                KeyVersion(keys.current().newest().0 + 1)
            });
            say(source_line(version, &random(&SystemEntropy)).trim_end());
            note("Add this line to your key source, back it up, then run `warifu key rotate`.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn rotate(config: &Config) -> Result<ExitCode, StartupError> {
    let Opened {
        mut connection,
        keys,
        secrets,
        ..
    } = startup::open(config, &SystemClock, &SystemEntropy)?;
    let keyring = keys.current();
    let rotation = Rotation {
        keyring: &keyring,
        secrets: &secrets,
        clock: &SystemClock,
        entropy: &SystemEntropy,
    };
    let (version, adopted) = rotation.adopt_newest(&mut connection)?;
    if adopted {
        note(&format!(
            "From now on new secrets are sealed under the master key {version}."
        ));
    }
    let mut total = 0;
    // Again until a whole round finds nothing: a provisioning may have been under way with the old key.
    loop {
        let mut round = 0;
        let mut after = -1;
        while let Some((last, count)) = rotation.batch(&mut connection, after)? {
            after = last;
            round += count;
            if (total + round) % 10_000 < count {
                note(&format!("{} secrets sealed again …", total + round));
            }
            std::thread::sleep(PAUSE);
        }
        total += round;
        if round == 0 {
            break;
        }
    }
    rotation.finish(&mut connection)?;
    say(&format!(
        "{total} secrets of tokens and the service's own are sealed under the master key {version}."
    ));
    note(
        "Older keys open older backups: keep them with those, and take them out of the key source when you like.",
    );
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config) -> Result<ExitCode, StartupError> {
    let Opened {
        mut connection,
        keys,
        ..
    } = startup::open(config, &SystemClock, &SystemEntropy)?;
    let keyring = keys.current();
    let known = connection.read(seal_key::list)?;
    for version in keyring.versions() {
        let used = known.iter().any(|(known, _)| *known == version);
        say(&format!(
            "{version}\tat hand\t{}",
            if used {
                "taken into use"
            } else {
                "not used yet"
            }
        ));
    }
    for (version, _) in known
        .iter()
        .filter(|(version, _)| keyring.sealer(*version).is_none())
    {
        say(&format!("{version}\tnot at hand\twas taken into use"));
    }
    if known
        .last()
        .is_some_and(|(version, _)| *version != keyring.newest())
    {
        problem("the newest key is not in use yet: run `warifu key rotate`");
    }
    Ok(ExitCode::SUCCESS)
}
