use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};
use tempfile::TempDir;
use warifu::database::{Location, PostgresUrl, migrate};
use warifu::store::MIGRATIONS;

use super::disk::{Disk, open_to_all};
use crate::harness::{Engine, Place, apart};

/// A PostgreSQL of one story's own: one whose disk fails, or which is held, would be every other story's trouble.
pub(super) struct Cluster {
    folder: PathBuf,
    port: u16,
    watchdog: Child,
}

/// Waits until the test is gone, however it went, and ends what it left.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
kill -CONT $(cat "$FOLDER"/data/postmaster.pid | head -1) 2>/dev/null
"$@" >/dev/null 2>&1
rm -rf -- "$FOLDER"
"#;

impl Cluster {
    /// Makes and starts one whose files lie on a disk that fails on command.
    pub(super) fn start() -> (Self, Disk) {
        let folder = TempDir::with_prefix("warifu-pg-fault-").unwrap().keep();
        open_to_all(&folder);
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder));
        }
        let data = folder.join("data");
        run(program(&folder, "initdb")
            .args([
                "--locale=C.UTF-8",
                "--encoding=UTF8",
                "--auth=trust",
                "--username=postgres",
            ])
            .args(["--no-instructions", "--pgdata"])
            .arg(&data));
        let sockets = folder.display();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nmax_connections = 50\nshared_buffers = '16MB'\n\
             unix_socket_directories = '{sockets}'\nfsync = on\nsynchronous_commit = on\n"
        );
        let file = data.join("postgresql.conf");
        let written = std::fs::read_to_string(&file).unwrap() + &settings;
        std::fs::write(&file, written).unwrap();
        let watchdog = watch(&folder);
        let disk = Disk::under(&data, &folder);
        let port = start(&folder, &disk);
        let cluster = Self {
            folder,
            port,
            watchdog,
        };
        (cluster, disk)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// An empty database here, with the newest schema of the token service.
    pub(super) fn place(&self) -> Place {
        let name = "warifu_fault_tokens";
        let (url, make) = (self.url("postgres"), format!("CREATE DATABASE {name}"));
        apart(|| {
            Client::connect(&url, NoTls)
                .unwrap()
                .batch_execute(&make)
                .unwrap()
        });
        let place = Place {
            engine: Engine::Postgres,
            location: Location::Postgres(PostgresUrl(self.url(name))),
            folder: TempDir::with_prefix("warifu-it-").unwrap(),
        };
        let now = jiff::Timestamp::from_second(crate::harness::START).unwrap();
        place
            .with(|connection| migrate(connection, MIGRATIONS, now))
            .unwrap();
        place
    }

    /// Ends it without a chance to write, and starts it on what it left.
    pub(super) fn start_again(&self, disk: &Disk) {
        let mut stop = program(&self.folder, "pg_ctl");
        stop.args(["stop", "--mode=immediate", "--pgdata"])
            .arg(self.folder.join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // It may have ended by itself.
        let _ = stop.status().unwrap();
        assert!(
            begin(&self.folder, disk, self.port),
            "{}",
            log(&self.folder)
        );
    }

    /// Holds every process of it, as a machine that hangs does: connections stay, nothing answers.
    pub(super) fn hang(&self) {
        self.signal("-STOP");
    }

    pub(super) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid_file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(pid_file).unwrap();
        let postmaster = text.lines().next().unwrap();
        // The postmaster first: while it is held it starts no more.
        for process in std::iter::once(postmaster.to_owned()).chain(children(postmaster)) {
            let sent = Command::new("kill").args([signal, &process]).output();
            // A process that has just ended needs no signal.
            sent.unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal("-CONT");
        drop(self.watchdog.stdin.take());
        // Nothing is left to do about a watchdog that cannot be waited for.
        let _ = self.watchdog.wait();
    }
}

fn children(of: &str) -> Vec<String> {
    let listed = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
    listed.split_whitespace().map(str::to_owned).collect()
}

fn start(folder: &Path, disk: &Disk) -> u16 {
    for _ in 0..5 {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        if begin(folder, disk, port) {
            return port;
        }
    }
    panic!("{}", log(folder));
}

fn begin(folder: &Path, disk: &Disk, port: u16) -> bool {
    let mut start = program(folder, "pg_ctl");
    start
        .args(["start", "--wait", "--timeout=60", "--pgdata"])
        .arg(folder.join("data"))
        .arg("--log")
        .arg(folder.join("log"))
        .arg(format!("--options=-p {port}"))
        // The server keeps what it inherits open for as long as it lives.
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    disk.arm(&mut start);
    start.status().unwrap().success()
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

fn watch(folder: &Path) -> Child {
    let mut words = words("pg_ctl");
    words.extend(["stop", "--mode=immediate", "--pgdata"].map(OsString::from));
    words.push(folder.join("data").into());
    Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog"])
        .args(words)
        .env("FOLDER", folder)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The words that run one of PostgreSQL's programs; as root it refuses to run, so it runs as the user of its package.
fn words(name: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if is_root() {
        words.extend(["runuser", "-u", "postgres", "--"].map(OsString::from));
    }
    words.push(programs().join(name).into());
    words
}

fn program(folder: &Path, name: &str) -> Command {
    let words = words(name);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// The newest that Debian installed, or else the path's, as `cargo xtask postgres` finds them.
fn programs() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql");
    let mut found: Vec<(u32, PathBuf)> = installed
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .collect();
    found.sort();
    let of_the_path = || PathBuf::from("");
    found
        .pop()
        .map_or_else(of_the_path, |(_, programs)| programs)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
