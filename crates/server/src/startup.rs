//! From a configuration to an open database: directories, keys, schema.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::{Event, Kind};
use warifu_credentials::keyring::KeyVersion;
use warifu_credentials::party::{PartyId, PartyName};
use zeroize::Zeroizing;

use crate::ambient::{Clock, Entropy, random};
use crate::bank_store;
use crate::config::{Config, ConfigError};
use crate::database::{
    Connection, DatabaseError, Location, Migration, MigrationState, migrate, migration_state,
};
use crate::lan::LanError;
use crate::service::secrets::ServiceSecrets;
use crate::service::{KeyPlace, KeySourceError, Keys};
use crate::store::{MIGRATIONS, audit, party, seal_key};

/// The program cannot start its work.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The database.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The master keys.
    #[error("{0}")]
    Keys(#[from] KeySourceError),
    /// A file or directory.
    #[error("{doing} {path}: {error}")]
    File {
        /// What was done.
        doing: &'static str,
        /// With what.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// `--lan`
    #[error("{0}")]
    Lan(#[from] LanError),
    /// Another server has the database.
    #[error(
        "another warifu serves {0} already; SQLite is for one server: stop the other one, or use PostgreSQL"
    )]
    Served(String),
}

/// An open database with its keys and secrets.
pub struct Opened {
    /// The connection that opened it.
    pub connection: Connection,
    /// The master keys.
    pub keys: Keys,
    /// The service's secrets.
    pub secrets: ServiceSecrets,
    /// Whether the master key was made just now.
    pub made_key: bool,
}

/// Opens the token service's database: makes the data directory, brings an SQLite schema up to date, and makes the
/// master key of a database that has none. A database that was sealed is never given a new key.
///
/// # Errors
/// [`StartupError`] says what to do.
pub fn open(
    config: &Config,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Opened, StartupError> {
    make_private_dir(&config.data_dir)?;
    let location = config.tokens()?;
    let mut connection = Connection::open(&location, 2048)?;
    match location {
        Location::Sqlite(_) => {
            migrate(&mut connection, MIGRATIONS, clock.now())?;
        }
        Location::Postgres(_) => require_current(&mut connection, MIGRATIONS)?,
    }
    let source = config.key_source()?;
    let made_key = match &source.place {
        KeyPlace::File(path) if !path.exists() && connection.read(seal_key::list)?.is_empty() => {
            append_key_line(path, &source.new_line(KeyVersion(1), entropy)?)?;
            true
        }
        _ => false,
    };
    let keys = Keys::load(source)?;
    let keyring = keys.current();
    let secrets =
        connection.transaction(|tx| ServiceSecrets::open(tx, &keyring, entropy, clock.now()))?;
    Ok(Opened {
        connection,
        keys,
        secrets,
        made_key,
    })
}

/// Opens the bank's database and brings an SQLite schema up to date.
///
/// # Errors
/// [`StartupError`] says what to do.
pub fn open_bank(config: &Config, clock: &dyn Clock) -> Result<Connection, StartupError> {
    make_private_dir(&config.data_dir)?;
    let location = config.bank_database()?;
    let mut connection = Connection::open(&location, 2048)?;
    match location {
        Location::Sqlite(_) => {
            migrate(&mut connection, bank_store::MIGRATIONS, clock.now())?;
        }
        Location::Postgres(_) => require_current(&mut connection, bank_store::MIGRATIONS)?,
    }
    Ok(connection)
}

/// The bank as a relying party of the token service in this process. Nobody has its API key: it is not asked for there.
///
/// # Errors
/// [`StartupError`] when the service's database gives no answer.
pub fn bank_party(
    opened: &mut Opened,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<PartyId, StartupError> {
    let name: PartyName = "bank (in this process)"
        .parse()
        .map_err(|_| DatabaseError::Gone)?;
    let hash = ApiKeyHash::of_sent(ApiKey::from_random(&random(entropy)).expose())
        .ok_or(DatabaseError::Gone)?;
    let (now, chain) = (clock.now(), &opened.secrets.chain);
    loop {
        let added = opened.connection.transaction(|tx| {
            let known = party::list(tx)?
                .into_iter()
                .find(|known| known.name == name.as_str());
            if let Some(known) = known {
                return Ok(Some(known.id));
            }
            let Some(id) = party::insert(tx, &name, hash, now)? else {
                return Ok(None);
            };
            let event = Event {
                party: Some(id),
                ..Event::new(now, Kind::PartyAdded)
            };
            audit::append(tx, chain, &[event])?;
            Ok(Some(id))
        });
        match added {
            Ok(Some(id)) => return Ok(id),
            // Another copy that starts in this moment was faster, or another party took the number: it is there now.
            Ok(None) => {}
            Err(error) if error.unique_violation() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Refuses a PostgreSQL schema that is not this program's: several copies may run, so none changes it by itself.
fn require_current(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<(), DatabaseError> {
    match migration_state(connection, migrations)? {
        MigrationState::Current => Ok(()),
        MigrationState::Behind { found, wanted } => Err(DatabaseError::Schema(format!(
            "the database has schema {found}, this program wants {wanted}: run `warifu migrate` first"
        ))),
        MigrationState::Ahead { found, wanted } => Err(DatabaseError::Schema(format!(
            "the database has schema {found}, newer than this program's {wanted}: run the newer program"
        ))),
    }
}

/// Appends the line of a new master key to a key file, which is replaced as a whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn append_key_line(path: &Path, line: &str) -> Result<(), StartupError> {
    let failed = |error| StartupError::File {
        doing: "cannot write the master key file",
        path: path.display().to_string(),
        error,
    };
    let mut text = Zeroizing::new(match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    });
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    write_private(path, text.as_bytes()).map_err(failed)
}

/// Puts a file that nobody else can read in place, as a whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.to_owned();
    temporary.as_mut_os_string().push(".new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| sync_dir(path));
    if written.is_err() {
        // Half a key file would stand in the way of the next try.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Makes a rename durable.
fn sync_dir(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Makes a directory that nobody else can look into.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_dir(path: &Path) -> Result<(), StartupError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StartupError::File {
        doing: "cannot make the data directory",
        path: path.display().to_string(),
        error,
    })
}

/// Holds off a second server on one SQLite file for as long as it lives.
#[derive(Debug)]
pub struct ServerLock(#[expect(dead_code, reason = "the lock goes with the file")] File);

impl ServerLock {
    /// Takes the lock of a data directory.
    ///
    /// # Errors
    /// [`StartupError::Served`] when another server has it.
    pub fn take(config: &Config) -> Result<Self, StartupError> {
        let path = config.data_dir.join("serve.lock");
        let failed = |error| StartupError::File {
            doing: "cannot lock",
            path: path.display().to_string(),
            error,
        };
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(StartupError::Served(config.data_dir.display().to_string()))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
