use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use warifu::ambient::stopwatch;

use super::{Client, Engine, Party, Place};

/// A place with a configuration for the real program.
pub(crate) struct Site {
    pub(crate) config: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) place: Place,
}

/// What a command of the program came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn require_success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Exit code 1, and all of these words on standard error.
    pub(crate) fn require_failure(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word} is not in {}",
                self.stderr
            );
        }
    }
}

impl Site {
    pub(crate) fn new(engine: Engine) -> Self {
        Self::with(engine, "", "info", "")
    }

    /// With more lines in `[token_service]`, a log filter, and more sections.
    pub(crate) fn with(engine: Engine, service: &str, filter: &str, sections: &str) -> Self {
        let place = match engine {
            // The program makes an SQLite schema itself.
            Engine::Sqlite => Place::empty(engine),
            Engine::Postgres => Place::new(engine),
        };
        Self::on(place, service, filter, sections)
    }

    pub(crate) fn on(place: Place, service: &str, filter: &str, sections: &str) -> Self {
        let data = place.data();
        let config = place.folder.path().join("warifu.toml");
        write_config(&config, &data, &place, service, filter, sections);
        Self {
            config,
            data,
            place,
        }
    }

    /// The same database for another copy of the service: another configuration and data directory, the same keys.
    pub(crate) fn another_copy(&self, name: &str) -> (PathBuf, PathBuf) {
        let data = self.place.folder.path().join(name);
        let config = self.place.folder.path().join(format!("{name}.toml"));
        let keys = format!("[keys]\nfile = '{}'\n", self.key_file().display());
        write_config(&config, &data, &self.place, "", "info", &keys);
        (config, data)
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("master.key")
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.data.join("audit-checkpoints.jsonl")
    }

    pub(crate) fn warifu(&self, arguments: &[&str]) -> Outcome {
        run_program(self.command().args(arguments))
    }

    /// The program with this configuration, for more to be set.
    pub(crate) fn command(&self) -> Command {
        program(&self.config)
    }

    /// Adds a relying party and gives its API key.
    pub(crate) fn add_party(&self, name: &str) -> String {
        let added = self.warifu(&["relying-party", "add", name]);
        added.require_success().stdout.trim_end().to_owned()
    }

    pub(crate) fn serve(&self) -> Server {
        Server::start(&self.config)
    }

    pub(crate) fn require_whole(&self) {
        let verified = self.warifu(&["audit", "verify"]).require_success();
        assert!(verified.stdout.contains("is whole"), "{verified:?}");
    }
}

fn write_config(
    config: &Path,
    data: &Path,
    place: &Place,
    service: &str,
    filter: &str,
    sections: &str,
) {
    let database = match place.engine {
        Engine::Sqlite => String::new(),
        Engine::Postgres => format!("database = '{}'", place.url()),
    };
    let burst = if service.contains("provision_burst") {
        ""
    } else {
        "provision_burst = 1000000"
    };
    let text = format!(
        "data_dir = '{}'\n[token_service]\nlisten = '127.0.0.1:0'\n{database}\n{burst}\n{service}\n\
         [metrics]\nlisten = '127.0.0.1:0'\n[bank]\nenabled = false\n[log]\nformat = 'json'\nfilter = '{filter}'\n{sections}",
        data.display()
    );
    std::fs::write(config, text).unwrap();
}

fn program(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warifu"));
    command.arg("--config").arg(config).stdin(Stdio::null());
    command
}

pub(crate) fn run_program(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// The customers' pages, where the bank is served.
    pub(crate) bank: Option<SocketAddr>,
    log: PathBuf,
}

impl Server {
    pub(crate) fn start(config: &Path) -> Self {
        Self::spawn(program(config), &config.with_extension("log"))
    }

    /// Starts `serve` with a command that has its configuration; its log goes on in the file `log`.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut child = command
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut text, mut address, mut metrics) = (String::new(), None, None);
        let mut bank = None;
        while address.is_none() || metrics.is_none() {
            text.clear();
            if lines.read_line(&mut text).unwrap() == 0 {
                let status = child.wait().unwrap();
                let log = std::fs::read_to_string(log).unwrap();
                panic!("the server did not start ({status}): {log}");
            }
            let found = |name| text.strip_prefix(name).map(address_in);
            bank = bank.or_else(|| found("Internet bank "));
            address = address.or_else(|| found("Token service "));
            metrics = metrics.or_else(|| found("Metrics "));
        }
        // The rest of the text is read so that nobody waits for room in the pipe.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        Self {
            child,
            address: address.unwrap(),
            metrics: metrics.unwrap(),
            bank,
            log: log.to_owned(),
        }
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    pub(crate) fn party(&self, key: &str) -> Party {
        Party::new(self.address, key)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal_to_stop(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops it as an operating system does and waits for the end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal_to_stop();
        let begun = stopwatch();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `http://ADDRESS/…` somewhere in a line.
fn address_in(text: &str) -> SocketAddr {
    let (_, rest) = text.split_once("http://").unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    address.parse().unwrap()
}
