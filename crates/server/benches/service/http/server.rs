//! The server: the release build of `warifu` with its own folder, database and ports.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use warifu::ambient::environment;
use warifu_credentials::api_key::ApiKey;
use warifu_credentials::keyring::Keyring;

use crate::database::{self, Prepared};
use crate::{Result, machine};

/// Names another build of the program than the one that Cargo made for the benchmark.
const BINARY: &str = "WARIFU_BIN";

/// A running server; dropping it ends it.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The key of its relying party.
    pub(crate) api_key: ApiKey,
    prepared: Option<Prepared>,
    child: Child,
}

impl Server {
    /// Fills a database and starts the server on it.
    pub(crate) fn start(folder: &Path, credentials: u32) -> Result<Self> {
        let data = folder.join("http");
        std::fs::create_dir(&data)?;
        let source = database::new_key();
        OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(data.join("master.key"))?
            .write_all(source.as_bytes())?;
        let api_key = database::new_api_key();
        let location = database::sqlite(&data, "tokens");
        let keyring = Keyring::parse(&source)?;
        let prepared = Prepared::new(location, keyring, &api_key, credentials)?;

        let (address, metrics) = (free_address()?, free_address()?);
        let config = data.join("warifu.toml");
        let path = data
            .to_str()
            .ok_or("the target folder's name is not text")?;
        std::fs::write(
            &config,
            format!(
                "data_dir = '{path}'\n[token_service]\nlisten = '{address}'\n[metrics]\nlisten = '{metrics}'\n[bank]\nenabled = false\n"
            ),
        )?;
        let binary = environment(BINARY).unwrap_or_else(|| env!("CARGO_BIN_EXE_warifu").into());
        let log = File::create(data.join("log"))?;
        let child = Command::new(binary)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Self {
            address,
            api_key,
            prepared: Some(prepared),
            child,
        };
        server.wait(&data)?;
        Ok(server)
    }

    fn wait(&mut self, data: &Path) -> Result<()> {
        for _ in 0..300 {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(data.join("log"))?;
                return Err(format!("the server ended with {status}:\n{log}").into());
            }
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
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
    pub(crate) fn kill(mut self) -> Result<Prepared> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(self.prepared.take().ok_or("the server was ended before")?)
    }
}

impl Drop for Server {
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
