//! The bank of this process: its start, its listeners, and what runs beside them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use warifu_credentials::party::PartyId;

use super::numbers::counted;
use super::{Running, Wanted};
use crate::ambient::{Clock, SystemEntropy};
use crate::bank::{Alone, Bank};
use crate::bank_sample;
use crate::bank_web::{BankWeb, TurnedAway, router};
use crate::config::Config;
use crate::database::{DatabaseError, PoolSettings, Waiting};
use crate::http::{Admission, Health, Listener, let_go, serve};
use crate::mail::{Courier, INTERVAL, Worker};
use crate::metrics::{MailLabel, Metrics};
use crate::otp_link::{HttpLink, OtpLink};
use crate::passwords::Hasher;
use crate::service::TokenService;
use crate::staff_web;
use crate::startup::{self, StartupError};

/// How often dated transfers, and what the token service is still to be told, are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often what is of no use any more is forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// How long a caller waits for the database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a form may take to arrive, as with a body at the token service: they are some kilobytes.
const FORM_TIME: Duration = Duration::from_secs(10);

/// Connections to the staff's pages, and of one address: a branch may stand behind one.
const STAFF: (usize, usize) = (256, 128);

/// The bank of this process.
pub(super) struct RunningBank {
    bank: Arc<Bank>,
    clock: Arc<dyn Clock>,
    courier: Arc<Courier>,
    from: warifu_bank::mail_address::MailAddress,
    /// Whether the samples of the default start are in it.
    pub(super) has_samples: bool,
}

/// Opens the bank: its database, its way to the token service, the samples of a new one.
pub(super) fn start(
    config: &Config,
    runtime: &Runtime,
    in_process: Option<(Arc<TokenService>, PartyId)>,
    wanted: Wanted,
    clock: &Arc<dyn Clock>,
) -> Result<RunningBank, StartupError> {
    let settings = &config.bank;
    let verifier = match (&settings.token_service, in_process) {
        (Some(remote), _) => OtpLink::Http(HttpLink::new(&remote.address, remote.key()?)),
        (None, Some((service, party))) => OtpLink::InProcess { service, party },
        (None, None) => return Err(DatabaseError::Gone.into()),
    };
    let hasher =
        Hasher::start(settings.password_threads(), Arc::new(SystemEntropy)).map_err(|error| {
            StartupError::File {
                doing: "cannot start",
                path: "threads for passwords".into(),
                error,
            }
        })?;
    let mut connection = startup::open_bank(config, &**clock)?;
    if !wanted.empty {
        bank_sample::fill(&mut connection, &**clock, &SystemEntropy, |password| {
            runtime
                .block_on(hasher.hash(password))
                .map_err(|_| DatabaseError::Overloaded)
        })?;
    }
    let has_samples = connection.read(bank_sample::is_there)?;
    drop(connection);
    let pool = PoolSettings {
        location: config.bank_database()?,
        queue: settings.queue,
        group: 64,
        connections: settings.connections,
        gatherers: 1,
        cache_kib: settings.cache_mib.saturating_mul(1024),
        waiting: Waiting::default(),
        timeout: DATABASE_TIMEOUT,
        on_commit: Arc::new(|_| ()),
    };
    let bank = Bank::start(
        &pool,
        verifier,
        Arc::new(hasher),
        Arc::clone(clock),
        Arc::new(SystemEntropy),
        config.bank_settings(),
    )?;
    runtime.block_on(bank.prepare())?;
    Ok(RunningBank {
        bank: Arc::new(bank),
        clock: Arc::clone(clock),
        courier: Arc::new(settings.mail.courier(&config.data_dir)?),
        from: settings.mail.sender()?,
        has_samples,
    })
}

impl RunningBank {
    /// Serves the customers' pages and the staff's, each with what a balancer looks at.
    pub(super) fn serve(
        &self,
        running: &Running,
        (pages, staff): (Listener, Listener),
        leaving: &watch::Receiver<bool>,
        stopping: &watch::Receiver<bool>,
    ) -> [JoinHandle<()>; 2] {
        let settings = &running.config.bank;
        let web = Arc::new(BankWeb {
            bank: Arc::clone(&self.bank),
            entropy: Arc::new(SystemEntropy),
            trusted_proxies: settings.trusted_proxies.clone(),
            admission: Admission::new(settings.in_flight),
            form_time: FORM_TIME,
            turned_away: TurnedAway::default(),
        });
        let bank = Arc::clone(&self.bank);
        let health = Health::new(leaving.clone(), move || {
            let bank = Arc::clone(&bank);
            async move { bank.reachable().await }
        });
        let whole = |pages: Router, listener| {
            let pages = counted(pages, &running.metrics, listener);
            let_go(pages.merge(health.clone().routes()), leaving.clone())
        };
        let staff_pages = whole(staff_web::router(Arc::clone(&web)), "staff");
        let customer_pages = whole(router(web), "customers");
        let most = (
            settings.max_connections,
            settings.max_connections_per_address,
        );
        let doors = |listener, most| running.doors(listener, most, &settings.trusted_proxies);
        let (customers, members) = (doors("customers", most), doors("staff", STAFF));
        let (stop, drain) = (stopping.clone(), settings.drain());
        [
            tokio::spawn(serve(pages, customer_pages, customers, drain, stop.clone())),
            tokio::spawn(serve(staff, staff_pages, members, drain, stop)),
        ]
    }

    /// Whether the bank's database answers.
    pub(super) async fn ready(&self) -> Result<(), DatabaseError> {
        self.bank.reachable().await
    }

    /// How many commands wait for the bank's database.
    pub(super) fn waiting(&self) -> usize {
        self.bank.database().waiting()
    }

    /// What runs beside the pages: mails, dated transfers, what the token service is to be told.
    pub(super) fn upkeep(
        &self,
        metrics: &Arc<Metrics>,
        stopping: &watch::Receiver<bool>,
    ) -> [JoinHandle<()>; 2] {
        let worker: Worker<Alone> = Worker {
            database: self.bank.database(),
            courier: Arc::clone(&self.courier),
            bank: Arc::new(self.bank.settings().clone()),
            from: self.from.clone(),
            clock: Arc::clone(&self.clock),
            wake: Arc::new(Notify::new()),
            interval: INTERVAL,
        };
        [
            tokio::spawn(worker.run(stopping.clone())),
            tokio::spawn(look_after(
                Arc::clone(&self.bank),
                Arc::clone(metrics),
                stopping.clone(),
            )),
        ]
    }

    /// Ends the database's threads.
    pub(super) fn close(self) {
        if let Some(bank) = Arc::into_inner(self.bank) {
            bank.close();
        }
    }
}

async fn look_after(bank: Arc<Bank>, metrics: Arc<Metrics>, mut stopping: watch::Receiver<bool>) {
    let mut looking = tokio::time::interval(LOOK_EVERY);
    let mut tidying = tokio::time::interval(TIDY_EVERY);
    while !*stopping.borrow() {
        tokio::select! {
            _ = stopping.changed() => return,
            _ = looking.tick() => {
                // A store that has recovered is known as such though no balancer asks.
                if let Err(error) = bank.reachable().await {
                    tracing::warn!(%error, "the bank's database is still not to be used");
                }
                count_mails(&bank, &metrics).await;
                if let Err(error) = bank.send_due().await {
                    tracing::warn!(%error, "dated transfers wait; they are taken up again");
                }
                if let Err(error) = bank.tell_token_service().await {
                    tracing::warn!(%error, "the token service waits to be told; it is tried again");
                }
            }
            _ = tidying.tick() => {
                if let Err(error) = bank.tidy_up().await {
                    tracing::warn!(%error, "old rows could not be forgotten; the next time will do");
                }
            }
        }
    }
}

async fn count_mails(bank: &Bank, metrics: &Metrics) {
    match bank.mails_waiting().await {
        Ok((waiting, in_vain)) => {
            for (tried, mails) in [("no", waiting - in_vain), ("in_vain", in_vain)] {
                let label = MailLabel { tried };
                metrics.mails.get_or_create(&label).set(mails);
            }
        }
        Err(error) => tracing::warn!(%error, "mails that wait could not be counted"),
    }
}
