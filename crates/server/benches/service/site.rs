//! A folder that the `warifu` program runs in: master key, configuration and, for SQLite, the database.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use warifu::ambient::environment;
use warifu::database::{Location, PostgresUrl};
use warifu_credentials::api_key::ApiKey;
use warifu_credentials::keyring::Keyring;

use crate::database::{self, Prepared};
use crate::{Result, machine};

/// Names another build of the program than the one that Cargo made for the benchmark.
const BINARY: &str = "WARIFU_BIN";

/// Where the program runs, and the key of its one relying party.
pub(crate) struct Site {
    folder: PathBuf,
    postgres: Option<PostgresUrl>,
    /// The key of its relying party.
    pub(crate) api_key: ApiKey,
}

/// The program as a server; dropping it ends it.
pub(crate) struct Serving {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Site {
    /// Makes the folder and fills a database: an SQLite file in it, unless it is to be elsewhere.
    pub(crate) fn prepare(
        folder: &Path,
        postgres: Option<PostgresUrl>,
        credentials: u32,
    ) -> Result<(Self, Prepared)> {
        std::fs::create_dir(folder)?;
        let source = database::new_key();
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(folder.join("master.key"))?
            .write_all(source.as_bytes())?;
        let api_key = database::new_api_key();
        let location = match &postgres {
            Some(url) => Location::Postgres(url.clone()),
            None => database::sqlite(folder, "tokens"),
        };
        let keyring = Keyring::parse(&source)?;
        let prepared = Prepared::new(location, keyring, &api_key, credentials)?;
        let site = Self {
            folder: folder.to_owned(),
            postgres,
            api_key,
        };
        Ok((site, prepared))
    }

    /// Where the program keeps the signed heads of its audit trail.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.folder.join("audit-checkpoints.jsonl")
    }

    /// Removes the folder.
    pub(crate) fn remove(self) -> Result<()> {
        Ok(std::fs::remove_dir_all(self.folder)?)
    }

    /// Starts the program on free addresses, and waits until it listens.
    pub(crate) fn serve(&self) -> Result<Serving> {
        let address = free_address()?;
        self.configure(address)?;
        let log = File::create(self.folder.join("log"))?;
        let child = self
            .program()
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut serving = Serving { address, child };
        serving.wait(&self.folder)?;
        Ok(serving)
    }

    /// The program with its configuration; what it shall do is to be added.
    pub(crate) fn program(&self) -> Command {
        let binary = environment(BINARY).unwrap_or_else(|| env!("CARGO_BIN_EXE_warifu").into());
        let mut command = Command::new(binary);
        command.arg("--config").arg(self.folder.join("warifu.toml"));
        command
    }

    fn configure(&self, address: SocketAddr) -> Result<()> {
        let metrics = free_address()?;
        let path = self
            .folder
            .to_str()
            .ok_or("the target folder's name is not text")?;
        let database = self
            .postgres
            .as_ref()
            .map(|url| format!("database = '{}'\n", url.0))
            .unwrap_or_default();
        std::fs::write(
            self.folder.join("warifu.toml"),
            format!(
                "data_dir = '{path}'\n[token_service]\nlisten = '{address}'\n{database}[metrics]\nlisten = '{metrics}'\n[bank]\nenabled = false\n"
            ),
        )?;
        Ok(())
    }
}

impl Serving {
    fn wait(&mut self, folder: &Path) -> Result<()> {
        for _ in 0..30_000 {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(folder.join("log"))?;
                return Err(format!("the server ended with {status}:\n{log}").into());
            }
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the server did not listen within 30 s".into())
    }

    /// Its number.
    pub(crate) fn process(&self) -> String {
        self.child.id().to_string()
    }

    /// Its resident memory, KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        machine::resident_kib(&self.process())
    }

    /// Ends it without a warning: what it answered must be on the disk already.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
