//! `warifu bench`: a day's load on a test installation.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use tokio::runtime::Runtime;

use super::output::{note, problem, say};
use crate::ambient::{Clock as _, SystemClock};
use crate::bench::capacity::{Search, Step};
use crate::bench::client::Sent;
use crate::bench::customers::Customer;
use crate::bench::given::GivenFile;
use crate::bench::operation::{Reach, Site};
use crate::bench::record::{Outcome, Recorder};
use crate::bench::report::{Frame, Report, Settings, html, live, summary};
use crate::bench::run::{Seen, drive};
use crate::bench::schedule::{Arrivals, Kind, Mix, Phase, Schedule};
use crate::bench::secrets::BenchSecrets;
use crate::bench::{BenchError, afterwards, prepare};
use crate::config::Config;
use crate::token_api::{Language, Text};

/// Logins under way at once while customers sign in before the load begins.
const SIGNING_IN: usize = 8;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    load: Load,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fill an EMPTY installation with sample credentials and contracts; refused where there is anything already
    Prepare {
        /// Sample credentials
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
        credentials: u32,
        /// How many of them are tokens of sample contracts
        #[arg(long, default_value_t = 10_000)]
        contracts: u32,
        /// Where the secrets go that the load needs (mode 0600) [default: DATA_DIR/bench-secrets.json]
        #[arg(long, value_name = "FILE")]
        secrets: Option<PathBuf>,
    },
}

/// The load.
#[derive(Debug, Args)]
struct Load {
    /// Operations a second
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    /// For how many seconds
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Several rates one after the other, instead: 300x60,900x30,300x60
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["rate", "seconds", "find_capacity"], value_name = "RATExSECONDS")]
    phases: Vec<Phase>,
    /// Raise the rate step by step, from --rate, until the answers bend
    #[arg(long)]
    find_capacity: bool,
    /// Seconds of each step of --find-capacity
    #[arg(long, default_value_t = 10.0)]
    step_seconds: f64,
    /// p99 in ms above which a step is too much; without it, five times that of the first step and at least 50
    #[arg(long, value_name = "MS")]
    p99_limit: Option<f64>,
    /// Parts of each kind of operation
    #[arg(long, default_value_t = Mix::default())]
    mix: Mix,
    /// How operations follow one another
    #[arg(long, value_enum, default_value_t)]
    arrivals: Arrivals,
    /// What the schedule is drawn from: the same number, the same schedule
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Connections at most, to the bank and to the token service each
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Customers who take part; they sign in before the load begins
    #[arg(long, default_value_t = 2_000)]
    customers: u32,
    /// Seconds after which an operation is given up
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// The customers' pages [default: [bank] listen of the configuration]
    #[arg(long, value_name = "http://HOST:PORT")]
    bank: Option<String>,
    /// The token service [default: [token_service] listen of the configuration]
    #[arg(long, value_name = "http://HOST:PORT")]
    tokens: Option<String>,
    /// What bench prepare wrote [default: DATA_DIR/bench-secrets.json]
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// The server's process on this machine: its memory and time are watched
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Do not ask afterwards whether what was acknowledged is there
    #[arg(long)]
    no_check: bool,
    /// The figures for programs
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The report for people, one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The language of the report and of what is printed [default: the terminal's]
    #[arg(long, value_enum)]
    lang: Option<Lang>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    Ja,
    En,
}

pub(super) fn run(arguments: Arguments, config: &Config) -> ExitCode {
    let done = match arguments.command {
        Some(Command::Prepare {
            credentials,
            contracts,
            secrets,
        }) => fill(config, (credentials, contracts), secrets),
        None => Bench::new(arguments.load, config).and_then(|bench| bench.run()),
    };
    done.unwrap_or_else(|error| {
        problem(&error.to_string());
        ExitCode::FAILURE
    })
}

fn secrets_file(given: Option<PathBuf>, config: &Config) -> PathBuf {
    given.unwrap_or_else(|| config.data_dir.join("bench-secrets.json"))
}

fn fill(
    config: &Config,
    counts: (u32, u32),
    secrets: Option<PathBuf>,
) -> Result<ExitCode, BenchError> {
    let path = secrets_file(secrets, config);
    let made = prepare::prepare(config, counts, &path, |line| note(&line))?;
    say(&format!(
        "{} sample credentials, {} sample contracts; their secrets are in {}: delete it with the installation",
        made.credentials,
        made.contracts,
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// A load that is about to be made.
struct Bench {
    load: Load,
    language: Language,
    site: Arc<Site>,
    settings: Settings,
    contracts: u32,
    runtime: Runtime,
    end: Arc<AtomicBool>,
    given: GivenFile,
}

/// Where a listener of the configuration is reached from this machine.
fn reached(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

impl Bench {
    fn new(load: Load, config: &Config) -> Result<Self, BenchError> {
        let language = match load.lang {
            Some(Lang::Ja) => Language::Japanese,
            Some(Lang::En) => Language::English,
            None => Language::of_environment(),
        };
        let path = secrets_file(load.secrets.clone(), config);
        let secrets = BenchSecrets::read(&path)?;
        let or = |given: &Option<String>, listen| given.clone().unwrap_or_else(|| reached(listen));
        let bank = or(&load.bank, config.bank.listen);
        let tokens = or(&load.tokens, config.token_service.listen);
        let customers = load.customers.min(secrets.contracts);
        let settings = Settings {
            mix: load.mix.to_string(),
            arrivals: match load.arrivals {
                Arrivals::Poisson => "poisson",
                Arrivals::Even => "even",
            },
            seed: load.seed,
            connections: usize::from(load.connections),
            customers,
            credentials: secrets.credentials,
            bank: bank.clone(),
            tokens: tokens.clone(),
        };
        let reach = Reach {
            bank: &bank,
            tokens: &tokens,
            connections: usize::from(load.connections),
            customers,
            patience: Duration::from_secs(load.patience.max(1)),
        };
        let contracts = secrets.contracts;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| BenchError::said(error.to_string()))?;
        let given = GivenFile::take(&path)?;
        Ok(Self {
            site: Arc::new(Site::new(secrets, given.given(), &reach)?),
            given,
            load,
            language,
            settings,
            contracts,
            runtime,
            end: Arc::new(AtomicBool::new(false)),
        })
    }

    fn say(&self, en: &'static str, ja: &'static str) -> &'static str {
        Text { en, ja }.of(self.language)
    }

    fn run(self) -> Result<ExitCode, BenchError> {
        let report = self.made();
        // However it ended: the tokens have shown what they have shown.
        let given = self.site.customers.given();
        self.given
            .put(given.into_iter().chain(self.site.codes.given()))?;
        report
    }

    /// Makes the load and tells what came of it.
    fn made(&self) -> Result<ExitCode, BenchError> {
        let phases = self.phases()?;
        self.check_counts(&phases)?;
        let began_at = SystemClock.now().to_string();
        let end = Arc::clone(&self.end);
        self.runtime.spawn(async move {
            // A second Ctrl-C finds nobody who listens, and ends the program.
            if tokio::signal::ctrl_c().await.is_ok() {
                end.store(true, Ordering::Release);
            }
        });
        self.sign_in()?;
        let frame = Frame {
            command: command_line(),
            began_at,
            settings: self.settings.clone(),
        };
        let mut report = if self.load.find_capacity {
            self.search(frame)?
        } else {
            let (recorder, seen) = self.phases_driven(&phases)?;
            Report::new(frame, &phases, &recorder.all(), &seen)
        };
        if !self.load.no_check {
            note(self.say(
                "Asking again for what was acknowledged …",
                "応答済みの取引を確認しています…",
            ));
            report.afterwards = Some(self.runtime.block_on(afterwards::ask(&self.site)));
        }
        say(&summary(&report, self.language));
        if let Some(path) = &self.load.json {
            let text = serde_json::to_vec_pretty(&report)
                .map_err(|error| BenchError::said(error.to_string()))?;
            write(path, &text)?;
        }
        if let Some(path) = &self.load.report {
            write(path, html(&report, self.language).as_bytes())?;
        }
        let lost = report.afterwards.is_some_and(|it| it.missing > 0);
        if lost {
            problem(self.say(
                "something that was acknowledged is not there",
                "応答済みの取引の一部が見つかりません",
            ));
        }
        Ok(if lost {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }

    fn phases(&self) -> Result<Vec<Phase>, BenchError> {
        let one = Phase {
            rate: self.load.rate,
            seconds: if self.load.find_capacity {
                self.load.step_seconds
            } else {
                self.load.seconds
            },
        };
        let phases = if self.load.phases.is_empty() {
            vec![one]
        } else {
            self.load.phases.clone()
        };
        let sound = phases.iter().all(Phase::is_sound);
        sound
            .then_some(phases)
            .ok_or_else(|| BenchError::said("--rate is 0.01 to 1000000, --seconds 0.1 to a week"))
    }

    /// A load that nobody could carry out is refused, one that runs short of codes is told beforehand.
    fn check_counts(&self, phases: &[Phase]) -> Result<(), BenchError> {
        let mix = &self.load.mix;
        let pages = [Kind::Login, Kind::Transfer, Kind::Statement];
        if pages.iter().any(|kind| mix.of(*kind) > 0) && self.settings.customers == 0 {
            return Err(BenchError::said(
                "the mix wants customers, and there is no sample contract: use --mix validation=1, or prepare --contracts",
            ));
        }
        if mix.of(Kind::Validation) > 0 && self.settings.credentials <= self.contracts {
            return Err(BenchError::said(
                "the mix wants validations of other relying parties: prepare more --credentials than --contracts, or leave them out of --mix",
            ));
        }
        let seconds: f64 = phases.iter().map(|phase| phase.seconds).sum();
        let operations: f64 = phases.iter().map(|phase| phase.rate * phase.seconds).sum();
        // Some ten codes at once, and one more each 30 seconds.
        let each = 8.0 + seconds / 30.0;
        let codes = mix.share(Kind::Login) + mix.share(Kind::Transfer);
        for (wanted, have, flag) in [
            (codes, self.settings.customers, "--customers"),
            (
                mix.share(Kind::Validation),
                self.settings.credentials - self.contracts,
                "prepare --credentials",
            ),
        ] {
            let needed = operations * wanted / each;
            if needed > f64::from(have) {
                note(&format!(
                    "{flag}: {have} {} {needed:.0}",
                    self.say(
                        "may run short of new codes; this load needs about",
                        "では新しいコードが足りなくなる可能性があります。必要数の目安は"
                    )
                ));
            }
        }
        Ok(())
    }

    /// Every customer signs in, some at a time.
    fn sign_in(&self) -> Result<(), BenchError> {
        let customers = self.site.customers.take_all();
        let all = customers.len();
        if all == 0 {
            return Ok(());
        }
        note(&format!(
            "{} {all}",
            self.say("Customers sign in:", "顧客のログイン:")
        ));
        let mut parts: Vec<Vec<Customer>> = Vec::new();
        parts.resize_with(SIGNING_IN, Vec::new);
        for (number, customer) in customers.into_iter().enumerate() {
            if let Some(part) = parts.get_mut(number % SIGNING_IN) {
                part.push(customer);
            }
        }
        let done = self.runtime.block_on(async {
            let mut signing_in = tokio::task::JoinSet::new();
            for part in parts {
                signing_in.spawn(sign_in(Arc::clone(&self.site), part, Arc::clone(&self.end)));
            }
            let mut done = 0;
            while let Some(part) = signing_in.join_next().await {
                done += part.unwrap_or_default();
            }
            done
        });
        if done < all {
            note(&format!("{done} / {all}"));
        }
        if done == 0 {
            return Err(BenchError::said(
                "no customer could sign in: does the server run, on the installation that was prepared?",
            ));
        }
        Ok(())
    }

    fn phases_driven(&self, phases: &[Phase]) -> Result<(Arc<Recorder>, Seen), BenchError> {
        let recorder = Arc::new(Recorder::new(phases)?);
        let load = &self.load;
        let schedule = Schedule::new(phases, load.mix, load.arrivals, load.seed);
        let site = Arc::clone(&self.site);
        let seen = drive(
            &self.runtime,
            schedule,
            &recorder,
            load.server_pid,
            &self.end,
            move |due| {
                let site = Arc::clone(&site);
                async move { site.perform(due.kind).await }
            },
            |tick| note(&live(tick, self.language)),
        )?;
        Ok((recorder, seen))
    }

    /// Looks for the capacity, and tells how the two runs are made that show what it is worth.
    fn search(&self, frame: Frame) -> Result<Report, BenchError> {
        let mut search = Search::new(self.load.rate, self.load.p99_limit);
        let mut last = None;
        while let Some(rate) = search.next_rate() {
            if self.end.load(Ordering::Acquire) {
                break;
            }
            let phases = vec![Phase {
                rate,
                seconds: self.load.step_seconds,
            }];
            note(&format!("{rate:.0}/s"));
            let (recorder, seen) = self.phases_driven(&phases)?;
            let report = Report::new(frame.clone(), &phases, &recorder.all(), &seen);
            if let Some(phase) = report.phases.first() {
                let done = phase.done.map_or(0, |done| done.count);
                search.note(Step {
                    rate,
                    done: done as f64 / (phase.offered.max(1)) as f64,
                    answered: done as f64 / seen.seconds.max(0.001),
                    p50: phase.done.map_or(0.0, |done| done.p50),
                    p99: phase.done.map_or(f64::MAX, |done| done.p99),
                    carried: false,
                });
            }
            last = Some(report);
            std::thread::sleep(Duration::from_secs(2));
        }
        let mut report = last.ok_or_else(|| BenchError::said("nothing was measured"))?;
        report.capacity = search.capacity();
        report.steps = search.steps;
        if let Some(capacity) = report.capacity {
            let (usual, over) = (0.6 * capacity, 3.0 * capacity);
            note(&format!(
                "warifu bench --rate {usual:.0} --seconds 600 …\nwarifu bench --phases {usual:.0}x60,{over:.0}x60,{usual:.0}x60 …"
            ));
        }
        Ok(report)
    }
}

/// Signs customers in one after the other; gives how many are.
async fn sign_in(site: Arc<Site>, customers: Vec<Customer>, end: Arc<AtomicBool>) -> usize {
    let mut done = 0;
    for mut customer in customers {
        for _ in 0..5 {
            if end.load(Ordering::Acquire) {
                break;
            }
            let outcome = site
                .as_customer(Kind::Login, &mut customer, &mut Sent::default())
                .await;
            if outcome == Outcome::Done {
                done += 1;
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        site.customers.put(customer);
    }
    done
}

/// The words that began this program.
fn command_line() -> String {
    let word = |word: String| {
        let plain = |letter: char| letter.is_alphanumeric() || "-_=,.:/".contains(letter);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let words = std::env::args().skip(1).map(word);
    std::iter::once("warifu".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BenchError> {
    std::fs::write(path, bytes).map_err(|error| BenchError::File {
        doing: "cannot write",
        path: path.display().to_string(),
        error,
    })
}
