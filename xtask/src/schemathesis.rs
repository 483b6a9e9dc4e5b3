//! `cargo xtask schemathesis`: generated requests, right and malformed, by the server's own OpenAPI, held to every check that
//! schemathesis has.
//!
//! `/v1` of the token service is the only API: the bank and its staff have forms, which the tests in `bank/web_security` and
//! the fuzz target `bank_form` look at; health and metrics are texts for machines without an OpenAPI document.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::{ports, run, workspace};

const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// The configuration of the server, shared with the browser tests.
const CONFIG: &str = include_str!("../templates/warifu.toml");

/// What the command line of schemathesis cannot say.
const SETTINGS: &str = include_str!("../templates/schemathesis.toml");

/// A public key that is in order, X25519's base point: for a credential that is there.
const PUBLIC_KEY: &str = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Passes over the API at most, each with another seed.
const PASSES: usize = 20;

/// `cargo xtask schemathesis`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Generated requests at least.
    #[arg(long, default_value_t = 10_000)]
    requests: u64,
    /// Generated requests for each operation and pass.
    #[arg(long, default_value_t = 1500)]
    per_operation: u64,
    /// Seconds after which no new pass is begun.
    #[arg(long, default_value_t = 1800)]
    seconds: u64,
    /// A `warifu` binary to be used; by default it is built.
    #[arg(long, env = "WARIFU_BIN")]
    binary: Option<PathBuf>,
    /// Handed on to schemathesis.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Runs schemathesis until it has generated enough requests, or found a fault.
pub(crate) fn run(args: &Args) -> Result<()> {
    let target = workspace::target_dir()?;
    let schemathesis = install(&target.join("schemathesis"))?;
    let binary = match &args.binary {
        // It is run in another folder.
        Some(binary) => std::path::absolute(binary)?,
        None => build(&target)?,
    };
    let server = Server::start(&binary)?;
    let credential = server.credential()?;
    let (begun, mut generated) = (Instant::now(), 0);
    for pass in 1..=PASSES {
        // Every other pass asks about a credential that is there, so that the rules behind the door are reached too.
        let known = pass.is_multiple_of(2).then_some(credential.as_str());
        let whose = known.map_or("any credential", |_| "one that is there");
        println!("── pass {pass}: {whose}");
        generated += server.attack(&schemathesis, args, known)?;
        println!("generated requests so far: {generated}");
        if generated >= args.requests && pass > 1 {
            println!("{generated} requests, no fault");
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(args.seconds) {
            break;
        }
    }
    bail!(
        "{generated} requests in {} s, {} are wanted",
        begun.elapsed().as_secs(),
        args.requests
    )
}

/// Installs schemathesis into a Python environment of its own.
fn install(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    if !venv.join("bin/python").is_file() {
        println!("making a Python environment in {}", venv.display());
        run::checked(run::program("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let mut pip = run::program(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", SCHEMATHESIS])
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    run::checked(&mut pip)?;
    Ok(venv.join("bin/schemathesis"))
}

fn build(target: &Path) -> Result<PathBuf> {
    run::checked(run::cargo().args(["build", "--release", "--package", "warifu"]))?;
    Ok(target.join("release/warifu"))
}

/// A server in a temporary folder; dropping it ends it.
struct Server {
    folder: TempDir,
    port: u16,
    key: String,
    process: Child,
}

impl Server {
    fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("warifu-schemathesis-")
            .tempdir()?;
        let [port, metrics, bank, staff] = ports::free()?;
        let config = CONFIG
            .replace("{data_dir}", &folder.path().join("var").to_string_lossy())
            .replace("{port}", &port.to_string())
            .replace("{metrics_port}", &metrics.to_string())
            .replace("{bank_port}", &bank.to_string())
            .replace("{staff_port}", &staff.to_string());
        std::fs::write(folder.path().join("warifu.toml"), config)?;
        let warifu = |words: &[&str]| -> Command {
            let mut command = run::program(binary);
            command
                .args(words)
                .args(["--config", "warifu.toml"])
                .current_dir(folder.path());
            command
        };
        let key = run::captured(&mut warifu(&["relying-party", "add", "schemathesis"]))?;
        let mut serve = warifu(&["serve"]);
        let log = std::fs::File::create(folder.path().join("log"))?;
        serve.stdout(log.try_clone()?).stderr(log);
        let process = serve.spawn().context("starting warifu")?;
        let mut server = Self {
            port,
            key: key.trim().to_owned(),
            process,
            folder,
        };
        server.wait()?;
        Ok(server)
    }

    fn wait(&mut self) -> Result<()> {
        for _ in 0..300 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("warifu ended at once, {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("warifu does not listen: {}", self.log())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A credential that is there.
    fn credential(&self) -> Result<String> {
        let body = serde_json::json!({ "public_key": PUBLIC_KEY, "platform": "cli" });
        let address = format!("http://127.0.0.1:{}/v1/credentials", self.port);
        let mut answer = ureq::post(&address).send_json(&body)?;
        let answer: Value = answer.body_mut().read_json()?;
        let id = answer.get("credential_id").and_then(Value::as_str);
        id.map(str::to_owned)
            .context("a provisioning without credential_id")
    }

    /// One pass, over any credential or over one that is there; the count of generated requests, or an error when one found
    /// a fault.
    fn attack(&self, schemathesis: &Path, args: &Args, credential: Option<&str>) -> Result<u64> {
        let report = self.folder.path().join("report.json");
        let settings = self.folder.path().join("schemathesis.toml");
        std::fs::write(&settings, settings_for(credential))?;
        let mut command = run::program(schemathesis);
        command
            .arg("--config-file")
            .arg(&settings)
            .args(["--no-color", "run"])
            .arg(format!("http://127.0.0.1:{}/v1/openapi.json", self.port))
            .args(["--checks", "all", "--mode", "all", "--continue-on-failure"])
            // One worker: Python 3.11 builds syntax trees in two threads at once wrongly, and hypothesis builds them.
            .args(["--suppress-health-check", "all", "--workers", "1"])
            .args(["--request-timeout", "10", "--warnings", "off"])
            .args(["--max-examples", &args.per_operation.to_string()])
            .args(["--header", &format!("Authorization: Bearer {}", self.key)])
            .args(["--report", "json", "--report-json-path"])
            .arg(&report)
            .args(&args.rest)
            .current_dir(self.folder.path());
        let outcome = run::checked(&mut command);
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            bail!("warifu is gone: {}", self.log());
        }
        // Not the command's own words: the API key is among them.
        if outcome.is_err() {
            bail!("schemathesis found a fault, or could not run: see above");
        }
        generated(&std::fs::read_to_string(report)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that has ended already needs neither.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings_for(credential: Option<&str>) -> String {
    // Before the first table: what stands in one belongs to it.
    let parameters = credential.map(|id| format!("parameters = {{ \"path.id\" = \"{id}\" }}\n\n"));
    format!("{}{SETTINGS}", parameters.unwrap_or_default())
}

/// The count of generated requests in a report.
fn generated(report: &str) -> Result<u64> {
    let report: Value = serde_json::from_str(report).context("the report of schemathesis")?;
    report
        .pointer("/test_cases/generated")
        .and_then(Value::as_u64)
        .context("the report of schemathesis counts no test cases")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_a_report_is_read() {
        assert_eq!(generated(r#"{"test_cases":{"generated":12}}"#).unwrap(), 12);
        assert!(generated("{}").is_err());
    }

    #[test]
    fn the_settings_are_toml_with_and_without_a_credential() {
        for credential in [None, Some("WRCA12345671")] {
            let settings: toml::Table = settings_for(credential).parse().unwrap();
            assert!(settings.contains_key("checks"));
            assert_eq!(settings.contains_key("parameters"), credential.is_some());
        }
    }

    #[test]
    fn the_configuration_has_every_place_to_fill_in() {
        for place in [
            "{data_dir}",
            "{port}",
            "{metrics_port}",
            "{bank_port}",
            "{staff_port}",
        ] {
            assert!(CONFIG.contains(place), "{place}");
        }
    }
}
