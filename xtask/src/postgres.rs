//! A PostgreSQL cluster of its own: on a free port, in a temporary folder, gone at the end.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{packages, ports, run};

/// The oldest PostgreSQL that Warifu supports.
const OLDEST: u32 = 15;

/// The variable by which tests find a PostgreSQL to make their databases in.
const VARIABLE: &str = "WARIFU_TEST_POSTGRES";

/// Durable as in production: a test that passes with fsync off proves nothing about a crash.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 200
fsync = on
synchronous_commit = on
";

/// Waits until xtask is gone, however it went: its end of the pipe closes even on `kill -9`.
/// Then it stops the cluster at once and removes the folder.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$@" >/dev/null 2>&1
rm -rf -- "$FOLDER"
"#;

/// `cargo xtask postgres`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The command and its arguments; `WARIFU_TEST_POSTGRES` is set for it.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs a command with a private cluster.
pub(crate) fn run(args: &Args) -> Result<()> {
    let cluster = Cluster::start()?;
    let (program, words) = args.command.split_first().context("no command")?;
    let mut command = run::program(program);
    command.args(words);
    run::checked(cluster.announce(&mut command))
}

/// A running cluster; dropping it stops it and removes its files.
pub(crate) struct Cluster {
    url: String,
    watchdog: Child,
}

impl Cluster {
    /// Makes and starts a cluster.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs()?;
        // As root PostgreSQL refuses to run, so it runs as the user that its package made.
        let user = packages::is_root()?.then_some("postgres");
        let folder = tempfile::Builder::new().prefix("warifu-pg-").tempdir()?;
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700))?;
        if let Some(user) = user {
            let mut chown = run::program("chown");
            run::captured(chown.arg(user).arg(folder.path()))?;
        }
        let server = Server {
            programs,
            user,
            folder: folder.path().to_path_buf(),
        };
        server.create()?;
        // From here on the watchdog owns the folder.
        let watchdog = server.watch()?;
        drop(folder.keep());
        let mut cluster = Self {
            url: String::new(),
            watchdog,
        };
        let port = server.start()?;
        cluster.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        println!("PostgreSQL at {}", cluster.url);
        Ok(cluster)
    }

    /// The address of the cluster's `postgres` database, for a super-user.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Tells a command of the cluster.
    pub(crate) fn announce<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(VARIABLE, self.url())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // Nothing is left to do about a watchdog that cannot be waited for.
        let _ = self.watchdog.wait();
    }
}

struct Server {
    programs: PathBuf,
    user: Option<&'static str>,
    folder: PathBuf,
}

impl Server {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The words that run one of PostgreSQL's programs as the right user.
    fn words(&self, program: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(user) = self.user {
            words.extend(["runuser", "-u", user, "--"].map(OsString::from));
        }
        words.push(self.programs.join(program).into_os_string());
        words
    }

    fn command(&self, program: &str) -> Result<Command> {
        let words = self.words(program);
        let (first, rest) = words.split_first().context("no program")?;
        let mut command = run::program(first);
        // The user who runs it may not be allowed into the repository's folder.
        command.args(rest).current_dir(&self.folder);
        Ok(command)
    }

    fn create(&self) -> Result<()> {
        let mut initdb = self.command("initdb")?;
        initdb
            .args(["--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust"])
            .args(["--username=postgres", "--no-instructions", "--pgdata"])
            .arg(self.data());
        run::captured(&mut initdb)?;
        let mut settings = std::fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))?;
        settings.write_all(SETTINGS.as_bytes())?;
        let sockets = self.folder.display();
        writeln!(settings, "unix_socket_directories = '{sockets}'")?;
        Ok(())
    }

    fn watch(&self) -> Result<Child> {
        let mut words = self.words("pg_ctl");
        words.extend(["stop", "--mode=immediate", "--pgdata"].map(OsString::from));
        words.push(self.data().into_os_string());
        Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .args(words)
            .env("FOLDER", &self.folder)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's foreground group, so that Ctrl-C does not end it with us.
            .process_group(0)
            .spawn()
            .context("the watchdog of the cluster")
    }

    /// Starts on a free port; another program may take it in between, so it tries a few.
    fn start(&self) -> Result<u16> {
        let mut trouble = None;
        for _ in 0..5 {
            let [port] = ports::free()?;
            let log = self.folder.join("log");
            let mut start = self.command("pg_ctl")?;
            start
                .args(["start", "--wait", "--timeout=60", "--pgdata"])
                .arg(self.data())
                .arg("--log")
                .arg(&log)
                .arg(format!("--options=-p {port}"))
                // The server keeps what it inherits open for as long as it lives.
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            match run::checked(&mut start) {
                Ok(()) => return Ok(port),
                Err(error) => trouble = Some(error.context(tail(&log))),
            }
        }
        Err(trouble.unwrap_or_else(|| anyhow::anyhow!("PostgreSQL was not tried")))
    }
}

fn tail(log: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut file) = std::fs::File::open(log) {
        // A log that cannot be read leaves the status alone to tell.
        let _ = file.read_to_string(&mut text);
    }
    let lines: Vec<&str> = text.lines().rev().take(10).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    format!("PostgreSQL did not start:\n{}", lines.join("\n"))
}

/// The folder of PostgreSQL's programs: the newest that Debian installed, or else the path's.
pub(crate) fn programs() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    if let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") {
        for entry in entries.flatten() {
            let version = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let programs = entry.path().join("bin");
            if let Some(version) = version
                && programs.join("initdb").is_file()
            {
                found.push((version, programs));
            }
        }
    }
    if let Some(initdb) = run::find("initdb")
        && let Some(folder) = initdb.parent()
    {
        let said = run::captured(Command::new(&initdb).arg("--version"))?;
        found.push((major(&said).unwrap_or(0), folder.to_path_buf()));
    }
    found.sort();
    match found.pop() {
        Some((version, folder)) if version >= OLDEST => Ok(folder),
        Some((version, _)) => bail!("PostgreSQL {version} is older than {OLDEST}"),
        None => bail!("PostgreSQL (initdb, pg_ctl) is not installed"),
    }
}

/// The major version in what `initdb --version` prints.
fn major(said: &str) -> Option<u32> {
    let number = said
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let end = number
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(
            major("initdb (PostgreSQL) 15.18 (Debian 15.18-0)"),
            Some(15)
        );
        assert_eq!(major("initdb (PostgreSQL) 17beta2"), Some(17));
        assert_eq!(major("initdb (PostgreSQL)"), None);
    }

    #[test]
    fn a_log_that_is_missing_is_no_trouble() {
        assert!(tail(Path::new("no/such/log")).starts_with("PostgreSQL did not start"));
    }
}
