//! A customer's computer: a home of its own, a screen that nobody sees, with or without a key store.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::child::{PATIENCE, Running, free_port, wait_for};
use crate::window::Window;

pub(crate) struct Machine {
    home: TempDir,
    display: String,
    bus: String,
    // In the order in which they end.
    _keyring: Option<Running>,
    _bus: Option<Running>,
    _screen: Running,
}

impl Machine {
    /// Without a session bus there is no key store either.
    pub(crate) fn without_key_store() -> Self {
        Self::new()
    }

    /// With a session bus and GNOME Keyring, unlocked.
    pub(crate) fn with_key_store() -> Self {
        let mut machine = Self::new();
        machine.start_bus();
        machine.start_keyring(Some("login password"));
        machine
    }

    /// With GNOME Keyring, which stays locked: nobody is there to answer its question.
    pub(crate) fn with_a_locked_key_store() -> Self {
        let mut machine = Self::new();
        machine.start_bus();
        machine.start_keyring(None);
        machine
    }

    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let mut xvfb = Command::new("Xvfb");
        xvfb.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x1024x24",
            "-nolisten",
            "tcp",
        ])
        .stderr(Stdio::null());
        let (screen, number) = Running::with_first_line(&mut xvfb);
        Self {
            home,
            display: format!(":{number}"),
            bus: "disabled:".to_owned(),
            _keyring: None,
            _bus: None,
            _screen: screen,
        }
    }

    fn start_bus(&mut self) {
        let mut daemon = self.command("dbus-daemon");
        daemon
            .args(["--session", "--nofork", "--print-address=1"])
            .stderr(Stdio::null());
        let (bus, address) = Running::with_first_line(&mut daemon);
        self.bus = address;
        self._bus = Some(bus);
    }

    fn start_keyring(&mut self, password: Option<&str>) {
        let mut keyring = self.command("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets"]);
        if password.is_some() {
            keyring.arg("--unlock");
        }
        keyring
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut keyring = keyring.spawn().unwrap();
        // The password of the login keyring, to the end of the input.
        let mut input = keyring.stdin.take().unwrap();
        input
            .write_all(password.unwrap_or_default().as_bytes())
            .unwrap();
        drop(input);
        self._keyring = Some(Running::from(keyring));
        wait_for("the key store", || {
            let mut names = self.command("busctl");
            let said = names
                .args(["--user", "list", "--no-legend"])
                .output()
                .ok()?;
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            said.contains("org.freedesktop.secrets").then_some(())
        });
    }

    /// A program on this computer.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.made("run"))
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("LANG", "ja_JP.UTF-8")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .current_dir(self.home());
        command
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    fn made(&self, name: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Where program and command line keep the token.
    pub(crate) fn vault(&self) -> PathBuf {
        self.home().join(".local/share/warifu-token/token.vault")
    }

    /// The address that a customer would have entered.
    pub(crate) fn set_service(&self, address: &str) {
        let folder = self.made(".local/share/warifu-token");
        let settings = json!({"service": address}).to_string();
        fs::write(folder.join("desktop.json"), settings).unwrap();
    }

    /// Starts the program with a driver around it.
    pub(crate) fn open(&self) -> Window {
        let port = free_port();
        let mut driver = self.command("WebKitWebDriver");
        let driver = Running::start(driver.arg(format!("--port={port}")));
        Window::open(driver, port, &Self::program())
    }

    /// The program as it was just built, or an installed one.
    pub(crate) fn program() -> String {
        let built = env!("CARGO_BIN_EXE_warifu-desktop");
        std::env::var("WARIFU_DESKTOP_BIN").unwrap_or_else(|_| built.to_owned())
    }

    /// Starts the program once more, undriven, and waits for its end.
    pub(crate) fn start_again(&self) -> Output {
        let mut command = self.command(&Self::program());
        command
            .env_remove("TAURI_AUTOMATION")
            .env_remove("TAURI_WEBVIEW_AUTOMATION");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("a second start does not end");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        child.wait_with_output().unwrap()
    }

    /// What lies on the clipboard.
    pub(crate) fn clipboard(&self) -> String {
        let mut xclip = self.command("xclip");
        let output = xclip
            .args(["-selection", "clipboard", "-out"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
