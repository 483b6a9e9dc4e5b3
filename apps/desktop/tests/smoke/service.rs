//! A real token service on this machine, with an empty data directory.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{Running, free_port, wait_for};

pub(crate) struct TokenService {
    folder: TempDir,
    pub(crate) address: String,
    running: Option<Running>,
    key: String,
}

fn warifu() -> PathBuf {
    let named = std::env::var_os("WARIFU_BIN");
    named
        .expect("WARIFU_BIN names no warifu: run `cargo xtask desktop test`")
        .into()
}

impl TokenService {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let template = include_str!("../../../../xtask/templates/warifu.toml");
        let mut config = template.replace("{port}", &port.to_string());
        for place in ["{metrics_port}", "{bank_port}", "{staff_port}"] {
            config = config.replace(place, &free_port().to_string());
        }
        let data = folder.path().join("var");
        config = config.replace("{data_dir}", data.to_str().unwrap());
        fs::write(folder.path().join("warifu.toml"), config).unwrap();
        let mut service = Self {
            folder,
            address: format!("http://127.0.0.1:{port}"),
            running: None,
            key: String::new(),
        };
        service.resume();
        service.key = service.add_party();
        service
    }

    /// Starts it again after [`TokenService::pause`].
    pub(crate) fn resume(&mut self) {
        let mut serve = self.command(&["serve"]);
        self.running = Some(Running::start(
            serve.stdout(Stdio::null()).stderr(Stdio::null()),
        ));
        let time = format!("{}/v1/time", self.address);
        wait_for("the token service", || ureq::get(&time).call().ok());
    }

    /// Ends it and keeps its data.
    pub(crate) fn pause(&mut self) {
        self.running = None;
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(warifu());
        command
            .args(words)
            .args(["--config", "warifu.toml"])
            .current_dir(self.folder.path());
        command
    }

    fn add_party(&self) -> String {
        let output = self
            .command(&["relying-party", "add", "example"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let key = said.split_whitespace().find(|word| word.len() >= 20);
        key.unwrap().to_owned()
    }

    /// What the service says of a code: it knows the secret by its own half of the exchange.
    pub(crate) fn verdict(&self, id: &str, code: &str) -> String {
        let id = id.replace(' ', "");
        let mut answer = ureq::post(format!("{}/v1/credentials/{id}/validate", self.address))
            .header("Authorization", format!("Bearer {}", self.key))
            .header("Idempotency-Key", format!("{id}-{code}"))
            .send_json(json!({"code": code, "purpose": "login"}))
            .unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        answer["result"].as_str().unwrap().to_owned()
    }
}
