use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::output::say;
use crate::ambient::{Clock, SystemClock, SystemEntropy};
use crate::audit_trail;
use crate::config::Config;
use crate::database::{DatabaseError, Location, PoolSettings};
use crate::http::{Listener, serve};
use crate::logging;
use crate::metrics::Metrics;
use crate::service::TokenService;
use crate::service::secrets::ServiceSecrets;
use crate::startup::{self, ServerLock, StartupError};
use crate::token_api::{Api, Language, metrics_router, router};

/// How often the heads of the audit chains are signed: what a cut could hide at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// How often addresses that are clear again are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How long a caller waits for the database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(config: &Config) -> Result<ExitCode, StartupError> {
    logging::start(&config.log)?;
    startup::make_private_dir(&config.data_dir)?;
    let _lock = match config.tokens()? {
        Location::Sqlite(_) => Some(ServerLock::take(config)?),
        Location::Postgres(_) => None,
    };
    let failed = |error| StartupError::File {
        doing: "cannot start",
        path: "the runtime".into(),
        error,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let listening = |error: crate::http::ServeError| {
        StartupError::Config(crate::config::ConfigError::Value(error.to_string()))
    };
    let bind = |name, address| {
        runtime
            .block_on(Listener::bind(name, address))
            .map_err(listening)
    };
    let tokens = bind("token_service", config.token_service.listen)?;
    let numbers = bind("metrics", config.metrics.listen)?;

    // Outside the runtime: a connection to PostgreSQL blocks, and brings a runtime of its own.
    let opened = startup::open(config, &SystemClock, &SystemEntropy)?;
    let metrics = Arc::new(Metrics::default());
    let service = start_service(config, opened.keys, &opened.secrets, &metrics)?;
    drop(opened.connection);
    let running = Running {
        config: config.clone(),
        service: Arc::new(service),
        secrets: opened.secrets,
        metrics,
    };
    let announce =
        |tokens: &Listener, numbers: &Listener| announce(config, tokens, numbers, opened.made_key);
    let service = runtime.block_on(serve_until_stopped(running, tokens, numbers, announce));
    drop(runtime);
    if let Some(service) = Arc::into_inner(service) {
        service.close();
    }
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// What everything that runs shares.
struct Running {
    config: Config,
    service: Arc<TokenService>,
    secrets: ServiceSecrets,
    metrics: Arc<Metrics>,
}

/// Serves both listeners until the process is told to stop, and gives the service back with nothing under way.
async fn serve_until_stopped(
    running: Running,
    tokens: Listener,
    numbers: Listener,
    announce: impl FnOnce(&Listener, &Listener),
) -> Arc<TokenService> {
    let running = Arc::new(running);
    // Whoever reads that it runs may stop it, or verify its trail, at once.
    let stop_signal = StopSignal::listen();
    running.checkpoint().await;
    announce(&tokens, &numbers);
    let (stop, stopping) = watch::channel(false);
    let api = Arc::new(Api {
        service: Arc::clone(&running.service),
        metrics: Arc::clone(&running.metrics),
        entropy: Arc::new(SystemEntropy),
        trusted_proxies: running.config.token_service.trusted_proxies.clone(),
        stopping: stopping.clone(),
    });
    let settings = &running.config.token_service;
    let serving = [
        tokio::spawn(serve(
            tokens,
            router(Arc::clone(&api)),
            settings.max_connections,
            settings.drain(),
            stopping.clone(),
        )),
        tokio::spawn(serve(
            numbers,
            metrics_router(api),
            64,
            settings.drain(),
            stopping,
        )),
    ];
    let upkeep = tokio::spawn(upkeep(Arc::clone(&running)));

    stop_signal.received().await;
    tracing::info!("stopping: no new connections are taken, running requests end");
    let _ = stop.send(true);
    for served in serving {
        if let Err(error) = served.await {
            tracing::error!(%error, "a listener ended badly");
        }
    }
    upkeep.abort();
    let _ = upkeep.await;
    running.checkpoint().await;
    Arc::clone(&running.service)
}

fn start_service(
    config: &Config,
    keys: crate::service::Keys,
    secrets: &ServiceSecrets,
    metrics: &Arc<Metrics>,
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
        request_generation: None,
        timeout: DATABASE_TIMEOUT,
        on_commit,
    };
    Ok(TokenService::start(
        &pool,
        keys,
        secrets,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        settings.provision_rate(),
    )?)
}

/// What runs beside the requests, at its own pace.
async fn upkeep(running: Arc<Running>) {
    let mut signing = tokio::time::interval(CHECKPOINT_EVERY);
    let mut tidying = tokio::time::interval(TIDY_EVERY);
    signing.tick().await;
    loop {
        tokio::select! {
            _ = signing.tick() => running.checkpoint().await,
            _ = tidying.tick() => {
                if let Err(error) = running.service.tidy_up().await {
                    tracing::warn!(%error, "old throttles could not be forgotten; the next time will do");
                }
            }
        }
    }
}

impl Running {
    /// Signs the heads of the audit chains into a file apart from the database.
    async fn checkpoint(&self) {
        let now = SystemClock.now();
        let written = async {
            let heads = self.service.audit_heads().await?;
            let path = self.config.checkpoints();
            let checkpoint = self.secrets.signer.sign(now, &heads);
            tokio::task::spawn_blocking(move || audit_trail::append_checkpoint(&path, &checkpoint))
                .await
                .map_err(|_| DatabaseError::Gone)?
                .map_err(|error| DatabaseError::Schema(error.to_string()))
        };
        match written.await {
            Ok(()) => {
                self.metrics.checkpoint_time.set(now.as_second());
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

    async fn received(self) {
        #[cfg(unix)]
        match self.terminate {
            Ok(mut terminate) => {
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

/// In a few plain lines: what runs where, and what to do next.
fn announce(config: &Config, tokens: &Listener, numbers: &Listener, made_key: bool) {
    let language = Language::of_environment();
    let (service, metrics) = (tokens.address, numbers.address);
    let data = config.data_dir.display();
    let line = |ja: String, en: String| {
        say(if language == Language::Japanese {
            &ja
        } else {
            &en
        })
    };
    if made_key {
        line(
            format!(
                "マスターキーを {data} に作りました。データベースのバックアップとは別の場所に写しを保管してください。"
            ),
            format!(
                "Made a new master key in {data}. Keep a copy of it apart from the database's backups."
            ),
        );
    }
    line(
        format!(
            "トークンサービス  http://{service}/          （API の説明: http://{service}/v1/）"
        ),
        format!(
            "Token service  http://{service}/          (its interface to read: http://{service}/v1/)"
        ),
    );
    line(
        format!("メトリクス        http://{metrics}/metrics"),
        format!("Metrics        http://{metrics}/metrics"),
    );
    line(
        format!("データ            {data}\n"),
        format!("Data           {data}\n"),
    );
    line(
        "次に、別の端末で:".into(),
        "Next, in another terminal:".into(),
    );
    line(
        format!(
            "  自分で登録するトークン        cargo run --release --bin warifu-token -- http://{service}"
        ),
        format!(
            "  a token that registers itself     cargo run --release --bin warifu-token -- http://{service}"
        ),
    );
    line(
        "  コードを確かめる側の API キー  cargo run --release -- relying-party add 見本銀行".into(),
        "  a key for who checks its codes    cargo run --release -- relying-party add \"Example Bank\"".into(),
    );
    line("Ctrl-C で止まります。".into(), "Ctrl-C stops it.".into());
}
