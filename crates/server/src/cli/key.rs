use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use warifu_credentials::keyring::KeyVersion;

use super::output::{note, problem, say};
use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::{Config, ConfigError};
use crate::service::rotation::Rotation;
use crate::service::{Hsm, KeyPlace, KeySource, Keys};
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
    /// Make the key in the hardware security module of [keys.pkcs11] that wraps the master keys
    HsmNew,
    /// Wrap the master keys of a source that has them in the clear, by the key in the hardware security module
    Wrap,
}

/// Between two batches, so that a running server finds the database free.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn run(command: Command, config: &Config) -> Result<ExitCode, StartupError> {
    match command {
        Command::New => new(config),
        Command::Rotate => rotate(config),
        Command::List => list(config),
        Command::HsmNew => hsm_new(config),
        Command::Wrap => wrap(config),
    }
}

fn new(config: &Config) -> Result<ExitCode, StartupError> {
    let source = config.key_source()?;
    let next = |source: &KeySource| {
        let newest = Keys::load(source.clone()).map(|keys| keys.current().newest());
        newest.map(|newest| KeyVersion(newest.0.saturating_add(1)))
    };
    if let KeyPlace::File(path) = &source.place {
        startup::make_private_dir(&config.data_dir)?;
        let version = if path.exists() {
            next(&source)?
        } else {
            KeyVersion(1)
        };
        startup::append_key_line(path, &source.new_line(version, &SystemEntropy)?)?;
        say(&format!(
            "The master key {version} is in {}. Back it up, then run `warifu key rotate`.",
            path.display()
        ));
    } else {
        let version = next(&source).unwrap_or(KeyVersion(1));
        say(source.new_line(version, &SystemEntropy)?.trim_end());
        note("Add this line to your key source, back it up, then run `warifu key rotate`.");
    }
    Ok(ExitCode::SUCCESS)
}

fn hsm(source: &KeySource) -> Result<&Hsm, ConfigError> {
    let missing = "keys.pkcs11: say which hardware security module, token and PIN";
    source
        .hsm
        .as_ref()
        .ok_or_else(|| ConfigError::Value(missing.into()))
}

fn hsm_new(config: &Config) -> Result<ExitCode, StartupError> {
    let source = config.key_source()?;
    let hsm = hsm(&source)?;
    hsm.make_key()?;
    say(&format!(
        "The token `{}` has the AES-256 key `{}` now. Back the token up as its maker says: without it no master key opens.",
        hsm.token, hsm.key
    ));
    Ok(ExitCode::SUCCESS)
}

fn wrap(config: &Config) -> Result<ExitCode, StartupError> {
    let source = config.key_source()?;
    let Some(text) = source.wrapped(hsm(&source)?, &SystemEntropy)? else {
        say("Every master key is wrapped already.");
        return Ok(ExitCode::SUCCESS);
    };
    if let KeyPlace::File(path) = &source.place {
        startup::write_private(path, text.as_bytes()).map_err(|error| StartupError::File {
            doing: "cannot write the master key file",
            path: path.display().to_string(),
            error,
        })?;
        say(&format!(
            "The master keys in {} are wrapped.",
            path.display()
        ));
    } else {
        say(text.trim_end());
        note("Put this text in the place of your key source's.");
    }
    note(
        "They lay in the clear until now: make a new one with `warifu key new`, run `warifu key rotate`, and take the old out.",
    );
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
