//! A hardware security module made of software: SoftHSM (Debian packages softhsm2 and opensc).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, Server, Site, run_program};

/// The PIN of every token here, in no other text of the tests.
pub(crate) const PIN: &str = "geheim-7301";

const SECURITY_OFFICER: &str = "geheim-9944";

const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// A module with its tokens in a folder of its own.
pub(crate) struct SoftHsm {
    folder: PathBuf,
}

impl SoftHsm {
    /// A module with a token `warifu`.
    pub(crate) fn new(folder: &Path) -> Self {
        let hsm = Self {
            folder: folder.to_owned(),
        };
        fs::create_dir_all(hsm.tokens()).unwrap();
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            hsm.tokens().display()
        );
        fs::write(hsm.settings(), settings).unwrap();
        write_private(&hsm.pin_file(), &format!("{PIN}\n"));
        hsm.add_token("warifu");
        hsm
    }

    pub(crate) fn module() -> &'static str {
        let found = MODULES.into_iter().find(|path| Path::new(path).is_file());
        found.expect("SoftHSM is installed: cargo xtask test installs softhsm2")
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("hsm-tokens")
    }

    pub(crate) fn pin_file(&self) -> PathBuf {
        self.folder.join("hsm-pin")
    }

    pub(crate) fn add_token(&self, label: &str) {
        let mut command = Command::new("softhsm2-util");
        command.args(["--init-token", "--free", "--label", label]);
        command.args(["--pin", PIN, "--so-pin", SECURITY_OFFICER]);
        self.with(&mut command);
        run_program(&mut command).require_success();
    }

    /// OpenSC's tool, for what Warifu does not do.
    pub(crate) fn tool(&self, arguments: &[&str]) {
        let mut command = Command::new("pkcs11-tool");
        command.args(["--module", Self::module(), "--login", "--pin", PIN]);
        command.args(["--token-label", "warifu"]).args(arguments);
        self.with(&mut command);
        run_program(&mut command).require_success();
    }

    /// Takes the tokens away, or brings them back.
    pub(crate) fn unplug(&self, unplugged: bool) {
        let (here, away) = (self.tokens(), self.folder.join("hsm-unplugged"));
        if unplugged {
            fs::rename(&here, &away).unwrap();
            fs::create_dir(&here).unwrap();
        } else {
            fs::remove_dir_all(&here).unwrap();
            fs::rename(&away, &here).unwrap();
        }
    }

    /// `[keys.pkcs11]`
    pub(crate) fn section(&self) -> String {
        format!(
            "[keys.pkcs11]\nmodule = '{}'\ntoken = 'warifu'\nkey = 'master'\npin_file = '{}'\n",
            Self::module(),
            self.pin_file().display()
        )
    }

    /// A command that finds these tokens.
    pub(crate) fn with<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SOFTHSM2_CONF", self.settings())
    }

    pub(crate) fn warifu(&self, site: &Site, arguments: &[&str]) -> Outcome {
        run_program(self.with(site.command().args(arguments)))
    }

    pub(crate) fn serve(&self, site: &Site) -> Server {
        let mut command = site.command();
        self.with(&mut command);
        Server::spawn(command, &site.config.with_extension("log"))
    }
}

/// A file for the owner alone.
pub(crate) fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
