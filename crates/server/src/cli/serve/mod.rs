//! `warifu serve`: everything that the configuration asks for, in one process, until it is told to stop.

mod announce;
mod bank;
mod clock;
mod numbers;

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ambient::{Clock, SystemEntropy};
use crate::audit_trail;
use crate::config::Config;
use crate::database::{DatabaseError, Location, PoolSettings, Waiting};
use crate::http::{Admission, Doors, Listener, let_go, serve};
use crate::lan::Lan;
use crate::logging;
use crate::metrics::{ListenerLabel, Metrics};
use crate::service::TokenService;
use crate::service::secrets::ServiceSecrets;
use crate::startup::{self, ServerLock, StartupError};
use crate::token_api::{Api, router};
use clock::ClockWatch;

/// How often the heads of the audit chains are signed: what a cut could hide at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// How often addresses that are clear again are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How long a caller waits for the database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections of a listener that few have business with, and of one client there.
const FEW: (usize, usize) = (64, 16);

/// What is wanted beside the configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// No sample contracts in a new bank.
    pub empty: bool,
    /// Every listener on the local network, over TLS.
    pub lan: bool,
}

/// The listeners, bound before anything is opened: a port that is taken is told at once.
struct Listeners {
    tokens: Option<Listener>,
    metrics: Listener,
    bank: Option<(Listener, Listener)>,
    trust: Option<Listener>,
}

impl Listeners {
    fn bind(config: &Config, runtime: &Runtime, lan: Option<&Lan>) -> Result<Self, StartupError> {
        let bind = |name, address| {
            runtime
                .block_on(Listener::bind(name, address))
                .map_err(|error| {
                    StartupError::Config(crate::config::ConfigError::Value(error.to_string()))
                })
        };
        let secured = |name, address| {
            let listener: Listener = bind(name, address)?;
            Ok::<_, StartupError>(match lan {
                Some(lan) => listener.over_tls(&lan.tls),
                None => listener,
            })
        };
        let mut listeners = Self {
            tokens: None,
            metrics: bind("metrics", config.metrics.listen)?,
            bank: None,
            trust: None,
        };
        if config.token_service.enabled {
            listeners.tokens = Some(secured("token_service", config.token_service.listen)?);
        }
        if config.bank.enabled {
            let pages = secured("bank", config.bank.listen)?;
            let staff = secured("bank (staff)", config.bank.staff_listen)?;
            listeners.bank = Some((pages, staff));
        }
        if lan.is_some() {
            let everywhere = (Ipv4Addr::UNSPECIFIED, config.lan.port);
            listeners.trust = Some(bind("lan", everywhere.into())?);
        }
        Ok(listeners)
    }
}

/// Serves until the process is told to stop.
///
/// # Errors
/// [`StartupError`] when it cannot start.
pub fn run(
    config: &Config,
    wanted: Wanted,
    clock: &Arc<dyn Clock>,
) -> Result<ExitCode, StartupError> {
    logging::start(&config.log)?;
    startup::make_private_dir(&config.data_dir)?;
    let embedded = (config.token_service.enabled
        && matches!(config.tokens()?, Location::Sqlite(_)))
        || (config.bank.enabled && matches!(config.bank_database()?, Location::Sqlite(_)));
    let _lock = embedded.then(|| ServerLock::take(config)).transpose()?;
    let failed = |error| StartupError::File {
        doing: "cannot start",
        path: "the runtime".into(),
        error,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let lan = wanted
        .lan
        .then(|| Lan::prepare(&config.data_dir, clock.now()))
        .transpose()?;
    let opened = lan.as_ref().map(|lan| lan.opened(config));
    let config = opened.as_ref().unwrap_or(config);
    let mut listeners = Listeners::bind(config, &runtime, lan.as_ref())?;
    let trust = listeners.trust.take();
    // Outside the runtime: a connection to PostgreSQL blocks, and brings a runtime of its own.
    let (running, made_key) = open(config, wanted, clock, &runtime)?;
    let announce = |listeners: &Listeners, running: &Running| {
        announce::announce(config, listeners, running, made_key, lan.as_ref());
    };
    let trusting = lan.as_ref().zip(trust).map(|(lan, listener)| {
        let page = lan.page(config);
        let doors = running.doors("lan", FEW, &[]);
        move |stopping| {
            tokio::spawn(serve(
                listener,
                page,
                doors,
                Duration::from_secs(1),
                stopping,
            ))
        }
    });
    let running = serve_until_stopped(running, listeners, trusting, announce);
    let running = runtime.block_on(running);
    drop(runtime);
    if let Some(running) = Arc::into_inner(running) {
        if let Some(bank) = running.bank {
            bank.close();
        }
        if let Some(service) = running
            .tokens
            .and_then(|tokens| Arc::into_inner(tokens.service))
        {
            service.close();
        }
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Opens what the configuration asks for, and tells whether a master key was made.
fn open(
    config: &Config,
    wanted: Wanted,
    clock: &Arc<dyn Clock>,
    runtime: &Runtime,
) -> Result<(Running, bool), StartupError> {
    let mut made_key = false;
    let mut party = None;
    let mut tokens = None;
    let metrics = Arc::new(Metrics::default());
    if config.token_service.enabled {
        let mut opened = startup::open(config, &**clock, &SystemEntropy)?;
        made_key = opened.made_key;
        if config.bank.enabled && config.bank.token_service.is_none() {
            party = Some(startup::bank_party(&mut opened, &**clock, &SystemEntropy)?);
        }
        let service = start_service(config, opened.keys, &opened.secrets, &metrics, clock)?;
        let (service, secrets) = (Arc::new(service), opened.secrets);
        tokens = Some(Tokens {
            service,
            secrets,
            metrics: Arc::clone(&metrics),
        });
    }
    let service = tokens
        .as_ref()
        .map(|tokens: &Tokens| Arc::clone(&tokens.service));
    let bank = if config.bank.enabled {
        Some(bank::start(
            config,
            runtime,
            service.zip(party),
            wanted,
            clock,
        )?)
    } else {
        None
    };
    let (config, clock) = (config.clone(), Arc::clone(clock));
    Ok((
        Running {
            config,
            clock,
            metrics,
            tokens,
            bank,
        },
        made_key,
    ))
}

/// What everything that runs shares.
struct Running {
    config: Config,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    tokens: Option<Tokens>,
    bank: Option<bank::RunningBank>,
}

/// The token service of this process.
struct Tokens {
    service: Arc<TokenService>,
    secrets: ServiceSecrets,
    metrics: Arc<Metrics>,
}

/// Serves every listener until the process is told to stop, and gives back what ran, with nothing under way.
async fn serve_until_stopped(
    running: Running,
    listeners: Listeners,
    trusting: Option<impl FnOnce(watch::Receiver<bool>) -> JoinHandle<()>>,
    announce: impl FnOnce(&Listeners, &Running),
) -> Arc<Running> {
    let running = Arc::new(running);
    // Whoever reads that it runs may stop it, or verify its trail, at once.
    let mut stop_signal = StopSignal::listen();
    running.checkpoint().await;
    running.compare_clock().await;
    announce(&listeners, &running);
    let (stop, stopping) = watch::channel(false);
    let (leave, leaving) = watch::channel(false);
    let mut serving: Vec<_> = trusting
        .map(|trusting| trusting(stopping.clone()))
        .into_iter()
        .collect();
    if let (Some(tokens), Some(listener)) = (&running.tokens, listeners.tokens) {
        let api = Arc::new(Api {
            service: Arc::clone(&tokens.service),
            metrics: Arc::clone(&tokens.metrics),
            entropy: Arc::new(SystemEntropy),
            trusted_proxies: running.config.token_service.trusted_proxies.clone(),
            admission: Admission::new(running.config.token_service.in_flight),
            stopping: leaving.clone(),
        });
        let settings = &running.config.token_service;
        let pages = let_go(router(api), leaving.clone());
        let most = (
            settings.max_connections,
            settings.max_connections_per_address,
        );
        let doors = running.doors("tokens", most, &settings.trusted_proxies);
        serving.push(tokio::spawn(serve(
            listener,
            pages,
            doors,
            settings.drain(),
            stopping.clone(),
        )));
    }
    let drain = running.config.token_service.drain();
    let pages = numbers::router(&running, &leaving);
    serving.push(tokio::spawn(serve(
        listeners.metrics,
        pages,
        running.doors("metrics", FEW, &[]),
        drain,
        stopping.clone(),
    )));
    let mut upkeep = vec![tokio::spawn(upkeep(Arc::clone(&running)))];
    if let (Some(bank), Some(listeners)) = (&running.bank, listeners.bank) {
        serving.extend(bank.serve(&running, listeners, &leaving, &stopping));
        upkeep.extend(bank.upkeep(&running.metrics, &stopping));
    }

    stop_signal.received().await;
    let _ = leave.send(true);
    give_notice(running.config.stop.notice_seconds, &mut stop_signal).await;
    tracing::info!("stopping: no new connections are taken, running requests end");
    let _ = stop.send(true);
    for served in serving {
        if let Err(error) = served.await {
            tracing::error!(%error, "a listener ended badly");
        }
    }
    if let Some(first) = upkeep.first() {
        first.abort();
    }
    for task in upkeep {
        let _ = task.await;
    }
    running.checkpoint().await;
    running
}

/// The seconds in which `/readyz` says that this process leaves, and every request is answered still.
async fn give_notice(seconds: u64, stop_signal: &mut StopSignal) {
    if seconds == 0 {
        return;
    }
    tracing::info!(
        notice = seconds,
        "about to stop: /readyz says so, requests are answered still; a second signal ends the notice"
    );
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        () = stop_signal.received() => {}
    }
}

fn start_service(
    config: &Config,
    keys: crate::service::Keys,
    secrets: &ServiceSecrets,
    metrics: &Arc<Metrics>,
    clock: &Arc<dyn Clock>,
) -> Result<TokenService, StartupError> {
    let settings = &config.token_service;
    let counted = Arc::clone(metrics);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a group has some hundred commands"
    )]
    let on_commit = Arc::new(move |size: usize| counted.commit_size.observe(size as f64));
    let pool = PoolSettings {
        location: config.tokens()?,
        queue: settings.queue,
        group: settings.group,
        connections: settings.connections,
        gatherers: settings.gatherers,
        cache_kib: settings.cache_mib.saturating_mul(1024),
        waiting: Waiting::default(),
        timeout: DATABASE_TIMEOUT,
        on_commit,
    };
    Ok(TokenService::start(
        &pool,
        keys,
        secrets,
        Arc::clone(clock),
        Arc::new(SystemEntropy),
        settings.provision_rate(),
    )?)
}

/// What runs beside the requests, at its own pace.
async fn upkeep(running: Arc<Running>) {
    let mut signing = tokio::time::interval(CHECKPOINT_EVERY);
    let mut tidying = tokio::time::interval(TIDY_EVERY);
    let mut watch = ClockWatch::begin(&*running.clock);
    signing.tick().await;
    loop {
        tokio::select! {
            _ = signing.tick() => {
                watch.look(&*running.clock, &running.metrics);
                running.checkpoint().await;
                let Some(tokens) = &running.tokens else { continue };
                // A store that has recovered is known as such though no balancer asks.
                if let Err(error) = tokens.service.ready().await {
                    tracing::warn!(%error, "the token service's database is still not to be used");
                }
            }
            _ = tidying.tick() => {
                let Some(tokens) = &running.tokens else { continue };
                if let Err(error) = tokens.service.tidy_up().await {
                    tracing::warn!(%error, "old throttles could not be forgotten; the next time will do");
                }
            }
        }
    }
}

impl Running {
    /// At start: a clock that was set back while nothing ran.
    async fn compare_clock(&self) {
        let Some(tokens) = &self.tokens else { return };
        match tokens.service.newest_audited().await {
            Ok(newest) => clock::compare_with_trail(self.clock.now(), newest),
            Err(error) => {
                tracing::warn!(%error, "the clock could not be compared with the audit trail");
            }
        }
    }

    /// The doors of a listener: so many connections at once, so many of one client.
    fn doors(
        &self,
        listener: &'static str,
        (most, most_of_one): (usize, usize),
        trusted: &[IpAddr],
    ) -> Doors {
        let label = ListenerLabel { listener };
        let refused = self.metrics.connections_refused.get_or_create(&label);
        Doors {
            exempt: trusted.to_vec(),
            refused: refused.clone(),
            ..Doors::new(most, most_of_one)
        }
    }

    /// Signs the heads of the audit chains into a file apart from the database.
    async fn checkpoint(&self) {
        let Some(tokens) = &self.tokens else { return };
        let now = self.clock.now();
        let written = async {
            let heads = tokens.service.audit_heads().await?;
            let path = self.config.checkpoints();
            let checkpoint = tokens.secrets.signer.sign(now, &heads);
            tokio::task::spawn_blocking(move || audit_trail::append_checkpoint(&path, &checkpoint))
                .await
                .map_err(|_| DatabaseError::Gone)?
                .map_err(|error| DatabaseError::Schema(error.to_string()))
        };
        match written.await {
            Ok(()) => {
                tokens.metrics.checkpoint_time.set(now.as_second());
            }
            Err(error) => {
                tracing::error!(%error, "the audit checkpoint could not be written: a cut tail may go unseen");
            }
        }
    }
}

/// SIGTERM and Ctrl-C.
struct StopSignal {
    #[cfg(unix)]
    terminate: std::io::Result<tokio::signal::unix::Signal>,
}

impl StopSignal {
    fn listen() -> Self {
        Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()),
        }
    }

    async fn received(&mut self) {
        #[cfg(unix)]
        match &mut self.terminate {
            Ok(terminate) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = tokio::signal::ctrl_c() => {}
                }
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be listened for; Ctrl-C stops the service")
            }
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
