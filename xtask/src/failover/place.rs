//! Where it all happens: a folder that goes at the end, programs as processes of their own, and whoever ends what is left.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{packages, run, workspace};

/// Waits until xtask is gone, however it went: its end of the pipe closes even on `kill -9`. Then it ends every process that
/// was noted, by its number, and the PostgreSQL servers that Patroni started in sessions of their own; then it removes the
/// folder.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for file in "$FOLDER"/pids/*; do
    [ -f "$file" ] && kill -s KILL -- "-$(cat "$file")"
done 2>/dev/null
for file in "$FOLDER"/node*/data/postmaster.pid; do
    [ -f "$file" ] && kill -s QUIT "$(head -n 1 "$file")" && kill -s CONT "$(head -n 1 "$file")"
done 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$FOLDER" 2>/dev/null && break
    sleep 0.5
done
"#;

/// The folder and what runs in it.
pub(super) struct Place {
    folder: PathBuf,
    logs: PathBuf,
    /// As root PostgreSQL refuses to run, so all but Warifu runs as the user that its package made.
    user: Option<&'static str>,
}

/// Ends everything when it is dropped, or when xtask ends in any other way.
pub(super) struct Watchdog(Child);

impl Watchdog {
    /// Makes the folder and watches over it.
    pub(super) fn over_a_new_folder() -> Result<(Self, PathBuf)> {
        let folder = tempfile::Builder::new()
            .prefix("warifu-failover-")
            .tempdir()?;
        let path = folder.path().to_path_buf();
        std::fs::create_dir(path.join("pids"))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG])
            .env("FOLDER", &path)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of the terminal's foreground group, so that Ctrl-C does not end it with us.
            .process_group(0)
            .spawn()
            .context("the watchdog")?;
        // From here on the watchdog owns the folder.
        drop(folder.keep());
        Ok((Self(watchdog), path))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Nothing is left to do about a watchdog that cannot be waited for.
        let _ = self.0.wait();
    }
}

impl Place {
    /// In a folder that a watchdog watches.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let user = packages::is_root()?.then_some("postgres");
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711))?;
        let logs = workspace::target_dir()?.join("failover");
        if logs.exists() {
            std::fs::remove_dir_all(&logs)?;
        }
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            logs,
            user,
        })
    }

    /// A folder in it that the database's user owns.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700))?;
        if let Some(user) = self.user {
            let mut chown = run::program("chown");
            run::captured(chown.arg(format!("{user}:{user}")).arg(&folder))?;
        }
        Ok(folder)
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the logs are; they stay when the folder goes.
    pub(super) fn logs(&self) -> &Path {
        &self.logs
    }

    /// A program as the database's user, behind `before` (words that lead into a network, say). Each word but the last
    /// replaces itself by the next program, so that the process that is started is the program's.
    pub(super) fn unprivileged(&self, before: &[String], program: impl AsRef<OsStr>) -> Command {
        let mut words: Vec<std::ffi::OsString> = before.iter().map(Into::into).collect();
        if let Some(user) = self.user {
            let user = [
                "setpriv".to_owned(),
                format!("--reuid={user}"),
                format!("--regid={user}"),
                "--clear-groups".to_owned(),
                "--".to_owned(),
            ];
            words.extend(user.iter().map(Into::into));
        }
        words.push(program.as_ref().to_owned());
        let mut words = words.into_iter();
        let mut command = run::program(words.next().unwrap_or_default());
        command.args(words).current_dir(&self.folder);
        command
    }

    /// Starts a program that goes on; what it says goes to its log.
    pub(super) fn start(&self, name: &str, mut command: Command) -> Result<Process> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.logs.join(format!("{name}.log")))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let note = self.note(name, child.id())?;
        Ok(Process {
            name: name.to_owned(),
            child,
            note,
        })
    }

    /// Notes a group of processes that must not outlive us.
    pub(super) fn note(&self, name: &str, group: u32) -> Result<PathBuf> {
        note(&self.folder, name, group)
    }
}

/// Notes in a watchdog's folder a group of processes that must not outlive us.
pub(super) fn note(folder: &Path, name: &str, group: u32) -> Result<PathBuf> {
    let note = folder.join("pids").join(name);
    std::fs::write(&note, group.to_string())?;
    Ok(note)
}

/// A program that runs; its process leads a group of its own.
pub(super) struct Process {
    name: String,
    child: Child,
    note: PathBuf,
}

impl Process {
    /// Sends a signal to its group.
    pub(super) fn signal(&self, signal: &str) -> Result<()> {
        signal_to(signal, &[format!("-{}", self.child.id())])
    }

    /// As if its machine lost its power.
    pub(super) fn kill(mut self) -> Result<()> {
        self.signal("KILL")?;
        self.child.wait()?;
        std::fs::remove_file(&self.note)?;
        Ok(())
    }

    /// An error when it has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}); see its log", self.name),
        }
    }
}

/// Sends a signal to processes, or to groups whose numbers have a minus before them.
pub(super) fn signal_to(signal: &str, numbers: &[String]) -> Result<()> {
    let mut kill = run::program("kill");
    kill.arg("-s").arg(signal).arg("--").args(numbers);
    run::captured(&mut kill).map(drop)
}

/// The children of a process.
pub(super) fn children(parent: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(number) = number else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // After the name in brackets, which may hold anything: the state and the parent.
        let parent_of = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        if parent_of == Some(parent) {
            found.push(number);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_ends_with_the_watchdog_and_its_folder_goes() {
        let (watchdog, folder) = Watchdog::over_a_new_folder().unwrap();
        let mut sleeper = Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .unwrap();
        note(&folder, "sleeper", sleeper.id()).unwrap();
        drop(watchdog);
        assert!(!sleeper.wait().unwrap().success());
        assert!(!folder.exists());
    }

    #[test]
    fn the_children_of_a_process_are_found() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let found = children(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&child.id()));
    }
}
