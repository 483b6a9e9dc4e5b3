//! Databases for the benchmark: made, filled and measured on both engines.

use std::path::Path;
use std::sync::Arc;

use warifu::ambient::{Clock as _, SystemClock, SystemEntropy, environment, stopwatch};
use warifu::database::{Connection, DatabaseError, Location, PostgresUrl, Tx, Value, migrate};
use warifu::service::secrets::ServiceSecrets;
use warifu::store::{self, credential, party};
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::Chain;
use warifu_credentials::keyring::{KeyVersion, Keyring, source_line};
use warifu_credentials::party::PartyId;
use warifu_credentials::request::RequestDigester;
use zeroize::Zeroizing;

use crate::Result;
use crate::credentials;
use crate::round::real;

/// Rows of one transaction while loading.
const LOADED_AT_ONCE: usize = 10_000;

/// The variable by which `cargo xtask bench` names its cluster.
const CLUSTER: &str = "WARIFU_TEST_POSTGRES";

/// A database with so many credentials and one relying party.
pub(crate) struct Prepared {
    /// Where it is.
    pub(crate) location: Location,
    /// The relying party.
    pub(crate) party: PartyId,
    /// Chains its audit rows.
    pub(crate) chain: Chain,
    /// Digests its requests.
    pub(crate) digester: RequestDigester,
    /// The master key.
    pub(crate) keyring: Arc<Keyring>,
}

/// A new master key, as the line of a key source.
pub(crate) fn new_key() -> Zeroizing<String> {
    source_line(KeyVersion(1), &warifu::ambient::random(&SystemEntropy))
}

/// A new API key.
pub(crate) fn new_api_key() -> ApiKey {
    ApiKey::from_random(&warifu::ambient::random(&SystemEntropy))
}

impl Prepared {
    /// Makes a database and loads `count` credentials.
    pub(crate) fn new(
        location: Location,
        keyring: Keyring,
        api_key: &ApiKey,
        count: u32,
    ) -> Result<Self> {
        let start = stopwatch();
        let now = SystemClock.now();
        let mut connection = Connection::open(&location, 65_536)?;
        migrate(&mut connection, store::MIGRATIONS, now)?;
        let hash = ApiKeyHash::of_sent(api_key.expose()).ok_or("no API key")?;
        let name = "Benchmark".parse()?;
        let (secrets, party) = connection.transaction(|tx| {
            Ok((
                ServiceSecrets::open(tx, &keyring, &SystemEntropy, now)?,
                party::insert(tx, &name, hash, now)?,
            ))
        })?;
        let ids = credentials::ids(count);
        for (number, part) in ids.chunks(LOADED_AT_ONCE).enumerate() {
            let mut rows = Vec::with_capacity(part.len());
            for id in part {
                rows.push((*id, credentials::sealed(&keyring, *id)?));
            }
            let version = keyring.newest();
            connection.transaction(|tx| match tx {
                Tx::Sqlite(_) => rows.iter().try_for_each(|(id, sealed)| {
                    credential::insert(tx, *id, sealed, version, now).map(drop)
                }),
                Tx::Postgres(_) => copy(tx, &rows, version, now),
            })?;
            let loaded = number * LOADED_AT_ONCE + part.len();
            if loaded % (ids.len() / 4).max(1) < LOADED_AT_ONCE {
                println!(
                    "  loaded {loaded} of {count} credentials in {:.1} s",
                    start.elapsed().as_secs_f64()
                );
            }
        }
        Ok(Self {
            location,
            party: party.ok_or("the relying party is there already")?,
            chain: secrets.chain,
            digester: secrets.digester,
            keyring: Arc::new(keyring),
        })
    }
}

/// What the service inserts one by one, by arrays: a round trip a row would take minutes.
fn copy(
    tx: &mut Tx<'_>,
    rows: &[(
        warifu_credentials::credential_id::CredentialId,
        warifu_credentials::seal::Sealed,
    )],
    version: KeyVersion,
    now: jiff::Timestamp,
) -> std::result::Result<(), DatabaseError> {
    let ids: Vec<_> = rows.iter().map(|(id, _)| id.to_stored()).collect();
    let sealed: Vec<_> = rows
        .iter()
        .map(|(_, sealed)| Some(sealed.as_bytes()))
        .collect();
    tx.execute_exactly(
        rows.len(),
        "credentials of the benchmark",
        "INSERT INTO credentials (id, state, algorithm, digits, period, sealed, key_version, last_step, drift, provisioned_at)
         SELECT new.id, 0, 2, 6, 30, new.sealed, ?3::BIGINT, -1, 0, ?4::BIGINT FROM unnest(?1::BIGINT[], ?2::BYTEA[]) AS new (id, sealed)",
        &[
            Value::Ints(&ids),
            Value::ByteStrings(&sealed),
            Value::Int(i64::from(version.0)),
            Value::Int(now.as_microsecond()),
        ],
    )
}

/// A place for an SQLite database.
pub(crate) fn sqlite(folder: &Path, name: &str) -> Location {
    Location::Sqlite(folder.join(format!("{name}.db")))
}

/// Makes an empty database in the cluster; and says how the cluster keeps what it commits.
pub(crate) fn postgres(name: &str) -> Result<(Location, String)> {
    let url = environment(CLUSTER)
        .ok_or_else(|| format!("{CLUSTER} names no PostgreSQL: run cargo xtask bench"))?;
    let (cluster, _) = url
        .rsplit_once('/')
        .ok_or_else(|| format!("{CLUSTER} is not postgres://…/DATABASE"))?;
    let mut client = ::postgres::Client::connect(&url, ::postgres::NoTls)?;
    let mut settings = Vec::new();
    for setting in [
        "server_version",
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "wal_sync_method",
        "shared_buffers",
    ] {
        let row = client.query_one(&format!("SHOW {setting}"), &[])?;
        let value: String = row.try_get(0)?;
        if matches!(setting, "fsync" | "synchronous_commit") && value != "on" {
            return Err(format!("{setting} is {value}: nothing would be durable").into());
        }
        settings.push(format!("{setting}={value}"));
    }
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
    client.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let location = Location::Postgres(PostgresUrl(format!("{cluster}/{name}")));
    Ok((location, settings.join(" ")))
}

/// What autovacuum would do within the minute, done now, so that it falls into no round.
pub(crate) fn settle_postgres(location: &Location) -> Result<()> {
    if let Location::Postgres(url) = location {
        let mut client = ::postgres::Client::connect(&url.0, ::postgres::NoTls)?;
        client.batch_execute("VACUUM (ANALYZE) credentials")?;
        client.batch_execute("CHECKPOINT")?;
    }
    Ok(())
}

/// Bytes on the disk of one audit row, its place in the index of requests included.
pub(crate) fn audit_row_bytes(tx: &mut Tx<'_>) -> std::result::Result<f64, DatabaseError> {
    let postgres = matches!(tx, Tx::Postgres(_));
    let mut count = |sql| {
        tx.query_one(sql, &[], |row| row.int(0))
            .map(|count| real(count.unwrap_or_default()))
    };
    let rows = count("SELECT COUNT(*) FROM audit")?;
    if postgres {
        return Ok(count("SELECT pg_total_relation_size('audit')")? / rows);
    }
    let audit = count("SELECT SUM(pgsize) FROM dbstat WHERE aggregate = 1 AND name = 'audit'")?;
    let index =
        count("SELECT SUM(pgsize) FROM dbstat WHERE aggregate = 1 AND name = 'request_index'")?;
    // The newest requests are not folded into the index yet, so it has its own number of rows.
    let folded = count("SELECT COUNT(*) FROM request_index")?.max(1.0);
    Ok(audit / rows + index / folded)
}
