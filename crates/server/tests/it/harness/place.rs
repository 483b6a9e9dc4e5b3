use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use postgres::{Client, NoTls};
use tempfile::TempDir;
use warifu::ambient::{Clock as _, SystemClock, environment};
use warifu::bank_store::MIGRATIONS as BANK_MIGRATIONS;
use warifu::database::{Connection, Location, PostgresUrl, migrate};
use warifu::startup::make_private_dir;
use warifu::store::MIGRATIONS;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// An empty folder and an empty database, both gone at the end.
pub(crate) struct Place {
    pub(crate) engine: Engine,
    pub(crate) location: Location,
    pub(crate) folder: TempDir,
}

static DATABASES: AtomicU64 = AtomicU64::new(1);

impl Place {
    /// With the newest schema.
    pub(crate) fn new(engine: Engine) -> Self {
        let place = Self::empty(engine);
        place
            .with(|connection| migrate(connection, MIGRATIONS, SystemClock.now()))
            .unwrap();
        place
    }

    /// With the newest schema of the bank.
    pub(crate) fn of_bank(engine: Engine) -> Self {
        let place = Self::empty(engine);
        place
            .with(|connection| migrate(connection, BANK_MIGRATIONS, SystemClock.now()))
            .unwrap();
        place
    }

    /// Without a schema.
    pub(crate) fn empty(engine: Engine) -> Self {
        let folder = TempDir::with_prefix("warifu-it-").unwrap();
        let location = match engine {
            Engine::Sqlite => Location::Sqlite(folder.path().join("data/tokens.db")),
            Engine::Postgres => Location::Postgres(make_database()),
        };
        Self {
            engine,
            location,
            folder,
        }
    }

    /// What stands in for a place that was given away.
    pub(crate) fn nowhere() -> Self {
        Self::empty(Engine::Sqlite)
    }

    /// The data directory of a service here.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Works with a connection of its own.
    pub(crate) fn with<T: Send>(&self, work: impl FnOnce(&mut Connection) -> T + Send) -> T {
        make_private_dir(&self.data()).unwrap();
        apart(|| work(&mut Connection::open(&self.location, 2048).unwrap()))
    }

    /// Where the data is, for a PostgreSQL place.
    pub(crate) fn url(&self) -> &str {
        match &self.location {
            Location::Postgres(url) => &url.0,
            Location::Sqlite(path) => path.to_str().unwrap(),
        }
    }

    /// Statements of a stranger who has got at the database.
    pub(crate) fn meddle(&self, sql: &str) {
        self.try_to_meddle(sql).unwrap();
    }

    pub(crate) fn try_to_meddle(&self, sql: &str) -> Result<(), warifu::database::DatabaseError> {
        self.with(|connection| connection.transaction(|tx| tx.batch(sql)))
    }

    /// One number.
    pub(crate) fn count(&self, sql: &'static str) -> i64 {
        self.with(|connection| {
            connection
                .read(|tx| tx.query_one(sql, &[], |row| row.int(0)))
                .unwrap()
                .unwrap()
        })
    }

    /// What the triggers of the audit table would refuse is possible after this.
    pub(crate) fn disarm(&self) {
        self.meddle(match self.engine {
            Engine::Sqlite => "DROP TRIGGER audit_rows_stay; DROP TRIGGER audit_rows_hold",
            Engine::Postgres => "DROP TRIGGER audit_rows_stay ON audit",
        });
    }

    /// Bytes of the audit trail and its indexes; on SQLite of everything.
    pub(crate) fn bytes(&self) -> i64 {
        self.count(match self.engine {
            Engine::Sqlite => {
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            }
            Engine::Postgres => "SELECT pg_total_relation_size('audit')",
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Location::Postgres(url) = &self.location
            && let Some((_, name)) = url.0.rsplit_once('/')
        {
            // A database that stays is gone with its cluster.
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = apart(|| Client::connect(&cluster(), NoTls)?.batch_execute(&drop));
        }
    }
}

fn make_database() -> PostgresUrl {
    let cluster = cluster();
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("warifu_it_{}_{number}", std::process::id());
    apart(|| {
        let mut client = Client::connect(&cluster, NoTls).unwrap();
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            client.batch_execute(&statement).unwrap();
        }
    });
    let (server, _) = cluster.rsplit_once('/').unwrap();
    PostgresUrl(format!("{server}/{name}"))
}

fn cluster() -> String {
    environment("WARIFU_TEST_POSTGRES")
        .expect("run cargo xtask test, or cargo xtask postgres -- cargo test")
}

/// On a thread of its own: the synchronous PostgreSQL client may not run inside a story's runtime.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
