//! Sends what is due, and writes down how it went. Any number of workers may run, in any number of processes.
//!
//! A mail is sent at least once: a worker that dies between the mail server's yes and its own record leaves a mail that is
//! sent again with the same `Message-ID`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use warifu_bank::mail_address::MailAddress;
use warifu_bank::mail_retry;

use super::{Courier, Envelope, compose, language, write};
use crate::ambient::Clock;
use crate::bank::BankSettings;
use crate::bank_store::outbox::{self, LEASE, Lease, Mail};
use crate::database::{Database, DatabaseError, Gather};
use crate::token_api::Language;

/// How many mails one round sends, all at once.
const BATCH: u32 = 8;

/// How often the outbox is usually looked at when nobody rings: by another copy's events, retries and ended leases.
pub const INTERVAL: Duration = Duration::from_secs(2);

/// Sends what is due.
pub struct Worker<G: Gather> {
    /// Where the outbox is. [`Database::close`] comes after the worker's end.
    pub database: Arc<Database<G>>,
    /// Who takes mails away.
    pub courier: Arc<Courier>,
    /// Whose mails they are.
    pub bank: Arc<BankSettings>,
    /// The bank's own address.
    pub from: MailAddress,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung by who has just committed an event, so that its mail goes out at once (rule B18).
    pub wake: Arc<Notify>,
    /// How often the outbox is looked at when nobody rings: [`INTERVAL`].
    pub interval: Duration,
}

/// What one round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// Mails handed over.
    pub sent: u32,
    /// Mails that will be tried again.
    pub failed: u32,
    /// Mails that will not.
    pub given_up: u32,
}

impl Round {
    /// Whether more may be due at once.
    fn was_full(self) -> bool {
        self.sent == BATCH
    }
}

/// How one mail went.
struct Done {
    mail: Mail,
    result: Result<(), Failure>,
}

/// Why a mail did not go: for the log, and for the outbox.
struct Failure {
    kind: &'static str,
    words: String,
}

impl<G: Gather> Worker<G> {
    /// Sends until `stop` holds true or its sender is gone. A round that has begun is finished: steps of it end by
    /// their own limits.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let more = match self.round().await {
                Ok(round) => round.was_full(),
                Err(error) => {
                    tracing::warn!(%error, "mails wait: the outbox cannot be read");
                    false
                }
            };
            if *stop.borrow() {
                return;
            }
            if more {
                continue;
            }
            tokio::select! {
                changed = stop.changed() => if changed.is_err() || *stop.borrow() { return },
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.interval) => {}
            }
        }
    }

    /// Sends some of what is due.
    ///
    /// # Errors
    /// When the outbox cannot be read or written. What was sent then may be sent again.
    pub async fn round(&self) -> Result<Round, DatabaseError> {
        let now = self.clock.now();
        // Most looks find nothing, and cost no writer's turn.
        if !self
            .database
            .read(move |tx| outbox::any_due(tx, now))
            .await?
        {
            return Ok(Round::default());
        }
        let lease = Lease(now.checked_add(LEASE).unwrap_or(Timestamp::MAX));
        let mails = self
            .database
            .write(move |tx| outbox::claim(tx, now, lease, BATCH))
            .await?;
        let mut sending = JoinSet::new();
        for mail in mails {
            let (courier, bank) = (Arc::clone(&self.courier), Arc::clone(&self.bank));
            let from = self.from.clone();
            sending.spawn_blocking(move || {
                let result = send(&courier, &bank, &from, &mail);
                Done { mail, result }
            });
        }
        let mut round = Round::default();
        let mut broken = None;
        while let Some(done) = sending.join_next().await {
            match done {
                // One that cannot be written down is no reason to forget how the others went.
                Ok(done) => {
                    if let Err(error) = self.record(done, lease, &mut round).await {
                        broken = Some(error);
                    }
                }
                // Its lease ends, and it is tried again.
                Err(error) => tracing::error!(%error, "the sending of a mail broke off"),
            }
        }
        broken.map_or(Ok(round), Err)
    }

    async fn record(
        &self,
        done: Done,
        lease: Lease,
        round: &mut Round,
    ) -> Result<(), DatabaseError> {
        let Done { mail, result } = done;
        let (id, now) = (mail.id, self.clock.now());
        let Err(failure) = result else {
            round.sent += 1;
            return self
                .database
                .write(move |tx| outbox::sent(tx, id, now))
                .await
                .map(drop);
        };
        let failures = mail.failures.saturating_add(1);
        let next_at = mail_retry::pause(failures).and_then(|pause| now.checked_add(pause).ok());
        let kind = failure.kind;
        if next_at.is_some() {
            round.failed += 1;
            tracing::warn!(mail = %id, failures, kind, "a mail was not sent and is tried again");
        } else {
            round.given_up += 1;
            tracing::error!(mail = %id, failures, kind, "a mail was given up");
        }
        self.database
            .write(move |tx| outbox::failed(tx, id, lease, next_at, &failure.words, now))
            .await
            .map(drop)
    }
}

impl<G: Gather> std::fmt::Debug for Worker<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("courier", &self.courier)
            .finish_non_exhaustive()
    }
}

fn send(
    courier: &Courier,
    bank: &BankSettings,
    from: &MailAddress,
    mail: &Mail,
) -> Result<(), Failure> {
    let event = mail.event.as_ref().ok_or_else(|| Failure {
        kind: "an unknown event",
        words: "this copy of the program does not know the event".into(),
    })?;
    let to: MailAddress = mail.address.parse().map_err(|error| Failure {
        kind: "an address that is none",
        words: format!("{error}"),
    })?;
    let language = language(&mail.language);
    let envelope = Envelope {
        id: mail.id,
        name: match language {
            Language::Japanese => &bank.name.ja,
            Language::English => &bank.name.en,
        },
        from,
        to: &to,
        language,
        at: mail.at,
    };
    let words = compose(event, language, bank, mail.at);
    let message = write(&envelope, &words).map_err(|error| Failure {
        kind: "a mail that cannot be written",
        words: error.to_string(),
    })?;
    courier
        .send(&message, mail.id, mail.at)
        .map_err(|error| Failure {
            kind: error.kind(),
            words: error.to_string(),
        })
}
