use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::test_service::{now, totp};

/// A customer's machine: one folder with a vault and a passphrase file, no desktop session.
pub(crate) struct Rig {
    pub(crate) folder: TempDir,
}

/// What a run left: exit code, standard output, standard error.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let rig = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::write(rig.path("passphrase"), "correct horse battery\n").unwrap();
        rig
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.path("data/token.vault")
    }

    /// The program with the vault's place in its environment, and no passphrase.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warifu-token"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("WARIFU_TOKEN_VAULT", self.vault())
            // No key store: the bus of this session is not there.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
            .stdin(Stdio::null());
        command
    }

    /// The same with the passphrase file.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command.env("WARIFU_TOKEN_PASSPHRASE_FILE", self.path("passphrase"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// `show --json`, which must succeed.
    pub(crate) fn shown(&self) -> serde_json::Value {
        let run = self.run(&["show", "--json"]);
        assert_eq!(run.code, 0, "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    }

    /// Runs `show --json` and holds its codes against the secret and a clock `ahead` seconds of this machine's.
    pub(crate) fn assert_right_codes(&self, id: &str, secret: &[u8], ahead: i64) {
        let before = now() + ahead;
        let shown = self.shown();
        let after = now() + ahead;
        assert_eq!(shown["credential_id"], id);
        // A second either way for the offset's rounding; the step may also have turned meanwhile.
        let steps: Vec<i64> = (before - 1..=after + 1).collect();
        let pairs: Vec<_> = steps
            .iter()
            .map(|at| (totp(secret, *at), totp(secret, at + 30)))
            .collect();
        let pair = (
            shown["code"].as_str().unwrap().to_owned(),
            shown["next_code"].as_str().unwrap().to_owned(),
        );
        assert!(pairs.contains(&pair), "{shown}");
        let seconds = shown["valid_for_seconds"].as_u64().unwrap();
        assert!((1..=30).contains(&seconds), "{shown}");
    }
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
