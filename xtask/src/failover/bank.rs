//! Two copies of `warifu serve` over the cluster, each with a configuration and a folder of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::browser::{Addresses, Http};
use super::place::{Place, Process};
use super::sample::Sample;
use crate::{ports, run};

/// How many copies.
pub(super) const COPIES: usize = 2;

/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The copies.
pub(super) struct Bank<'a> {
    place: &'a Place,
    program: PathBuf,
    configs: Vec<PathBuf>,
    checkpoints: Vec<PathBuf>,
    addresses: Vec<Addresses>,
    copies: [Option<Process>; COPIES],
    http: Http,
}

impl<'a> Bank<'a> {
    /// Writes the configurations of `program`, whose databases are behind this port of loopback.
    pub(super) fn new(place: &'a Place, program: PathBuf, database: u16) -> Result<Self> {
        let mut bank = Self {
            place,
            program,
            configs: Vec::new(),
            checkpoints: Vec::new(),
            addresses: Vec::new(),
            copies: [const { None }; COPIES],
            http: Http::new(),
        };
        let first = place.file("copy1").join("master.key");
        let ports = ports::free::<{ COPIES * 4 }>()?;
        let (ports, _) = ports.as_chunks();
        for (number, [tokens, customers, staff, metrics]) in (1..).zip(ports) {
            let data = place.file(&format!("copy{number}"));
            let url = |name: &str| format!("postgres://warifu@127.0.0.1:{database}/{name}");
            let text = format!(
                "data_dir = '{}'\n[token_service]\nlisten = '127.0.0.1:{tokens}'\ndatabase = '{}'\n\
                 [metrics]\nlisten = '127.0.0.1:{metrics}'\n\
                 [bank]\nlisten = '127.0.0.1:{customers}'\nstaff_listen = '127.0.0.1:{staff}'\ndatabase = '{}'\n\
                 [keys]\nfile = '{}'\n[log]\nformat = 'json'\n",
                data.display(),
                url("warifu_tokens"),
                url("warifu_bank"),
                first.display(),
            );
            let config = place.file(&format!("copy{number}.toml"));
            std::fs::write(&config, text)?;
            bank.configs.push(config);
            bank.checkpoints.push(data.join("audit-checkpoints.jsonl"));
            bank.addresses.push(Addresses {
                bank: format!("http://127.0.0.1:{customers}"),
                tokens: format!("http://127.0.0.1:{tokens}"),
            });
        }
        Ok(bank)
    }

    /// Where the copies are reached.
    pub(super) fn addresses(&self) -> &[Addresses] {
        &self.addresses
    }

    /// Brings the schema up and fills it with so many credentials and contracts.
    pub(super) fn prepare(&self, credentials: u32, contracts: u32) -> Result<Sample> {
        let secrets = self.place.file("bench-secrets.json");
        self.say(&["migrate"])?;
        let mut prepare = self.command(0)?;
        prepare
            .args(["bench", "prepare", "--credentials"])
            .arg(credentials.to_string())
            .arg("--contracts")
            .arg(contracts.to_string())
            .arg("--secrets")
            .arg(&secrets);
        run::captured(&mut prepare)?;
        Sample::read(&secrets)
    }

    fn command(&self, number: usize) -> Result<Command> {
        let mut command = run::program(&self.program);
        command
            .arg("--config")
            .arg(self.configs.get(number).context("no such copy")?)
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1");
        Ok(command)
    }

    /// Runs a command of the first copy to its end.
    pub(super) fn say(&self, words: &[&str]) -> Result<String> {
        run::captured(self.command(0)?.args(words))
    }

    /// `warifu audit verify` with the checkpoints of every copy.
    pub(super) fn audit_verify(&self) -> Result<String> {
        let mut command = self.command(0)?;
        command.args(["audit", "verify"]);
        for path in &self.checkpoints {
            command.arg("--checkpoints").arg(path);
        }
        run::captured(&mut command)
    }

    /// Starts a copy; it serves once [`Self::wait_until_ready`] has returned.
    pub(super) fn start(&mut self, number: usize) -> Result<()> {
        let mut command = self.command(number)?;
        command.args(["serve", "--empty"]);
        let process = self
            .place
            .start(&format!("warifu-copy{}", number + 1), command)?;
        if let Some(copy) = self.copies.get_mut(number) {
            *copy = Some(process);
        }
        Ok(())
    }

    /// Starts whatever copy does not run.
    pub(super) fn restore(&mut self) -> Result<()> {
        for number in 0..COPIES {
            if self.copies.get(number).is_some_and(Option::is_none) {
                self.start(number)?;
            }
        }
        Ok(())
    }

    /// Ends a copy at once.
    pub(super) fn kill(&mut self, number: usize) -> Result<()> {
        let copy = self.copies.get_mut(number).and_then(Option::take);
        copy.context("no such copy runs")?.kill()
    }

    /// Waits until every copy says that it can work.
    pub(super) fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.addresses.iter().all(|copy| self.http.is_ready(copy)) {
                return Ok(());
            }
            for copy in self.copies.iter_mut().flatten() {
                copy.check()?;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("a copy of warifu is not ready")
    }
}
