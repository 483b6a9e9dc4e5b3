//! Databases for the benchmark: made, filled and measured on both engines.

use std::path::Path;
use std::sync::Arc;

use warifu::ambient::{Clock as _, SystemClock, SystemEntropy, environment, stopwatch};
use warifu::bench::sample;
use warifu::database::{Connection, DatabaseError, Location, PostgresUrl, Tx, migrate};
use warifu::service::secrets::ServiceSecrets;
use warifu::store::{self, party};
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::Chain;
use warifu_credentials::keyring::{KeyVersion, Keyring, source_line};
use warifu_credentials::party::PartyId;
use warifu_credentials::request::RequestDigester;
use zeroize::Zeroizing;

use crate::Result;
use crate::credentials;
use crate::round::real;

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
        let mut told = 0;
        let loaded = |loaded: usize| {
            if loaded >= told + ids.len() / 4 {
                told = loaded;
                println!(
                    "  loaded {loaded} of {count} credentials in {:.1} s",
                    start.elapsed().as_secs_f64()
                );
            }
        };
        let seed = credentials::seed();
        sample::load(&mut connection, &keyring, &seed, &ids, now, loaded)?;
        Ok(Self {
            location,
            party: party.ok_or("the relying party is there already")?,
            chain: secrets.chain,
            digester: secrets.digester,
            keyring: Arc::new(keyring),
        })
    }
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

/// Removes a database from the cluster.
pub(crate) fn drop_postgres(url: &PostgresUrl) -> Result<()> {
    let (_, name) = url.0.rsplit_once('/').ok_or("the database has no name")?;
    let cluster = environment(CLUSTER).ok_or("no PostgreSQL")?;
    let mut client = ::postgres::Client::connect(&cluster, ::postgres::NoTls)?;
    Ok(client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))?)
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
    let index = count(
        "SELECT SUM(pgsize) FROM dbstat WHERE aggregate = 1 AND name IN ('request_blocks', 'request_filters')",
    )?;
    // The newest requests are not folded into the index yet, so it has its own number of rows.
    let folded =
        count("SELECT COALESCE(SUM(LENGTH(entries)), 0) / 24 FROM request_blocks")?.max(1.0);
    Ok(audit / rows + index / folded)
}
