use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use warifu::ambient::{Clock, SystemEntropy, random};
use warifu::audit_trail::{self, Report};
use warifu::database::{DatabaseError, PoolSettings, Tx, Waiting};
use warifu::service::secrets::ServiceSecrets;
use warifu::service::{KeySource, Keys, Provisioned, Relation, TokenService};
use warifu::startup::{append_key_line, make_private_dir};
use warifu::store::settle::Settled;
use warifu::store::{audit, party};
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::{Event, Kind};
use warifu_credentials::checkpoint::Checkpoint;
use warifu_credentials::keyring::KeyVersion;
use warifu_credentials::party::PartyId;
use warifu_credentials::throttle::Rate;
use warifu_oath::{Code, Period, TimeStep};
use warifu_wire::{
    CredentialStatus, EnableAnswer, Platform, ResyncAnswer, StopAnswer, StopReason, UnlockAnswer,
    ValidateAnswer,
};

use super::place::apart;
use super::token::{Beginning, Token, fresh_key};
use super::{Engine, GENERATION, Place};

/// Where every story's clock begins: the middle of a time step.
pub(crate) const START: i64 = 1_800_000_015;

/// A clock that stands still until it is told; µs UTC.
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Goes to a moment.
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// No story but those about the throttle is ever throttled.
const GENEROUS: Rate = Rate {
    burst: 1_000_000,
    interval: SignedDuration::from_millis(1),
};

/// A token service in this process.
pub(crate) struct Service {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) secrets: ServiceSecrets,
    /// A relying party.
    pub(crate) bank: PartyId,
    rate: Rate,
    running: Option<Arc<TokenService>>,
    pub(crate) place: Place,
}

impl Service {
    pub(crate) fn new(engine: Engine) -> Self {
        Self::with_rate(engine, GENEROUS)
    }

    pub(crate) fn with_rate(engine: Engine, rate: Rate) -> Self {
        let place = Place::new(engine);
        make_private_dir(&place.data()).unwrap();
        let source = KeySource::file(key_file(&place));
        let line = source.new_line(KeyVersion(1), &SystemEntropy).unwrap();
        append_key_line(&key_file(&place), &line).unwrap();
        let keys = Keys::load(source).unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(START * 1_000_000)));
        let secrets = place
            .with(|connection| {
                connection.transaction(|tx| {
                    ServiceSecrets::open(tx, &keys.current(), &SystemEntropy, clock.now())
                })
            })
            .unwrap();
        let mut service = Self {
            clock,
            secrets,
            bank: PartyId(0),
            rate,
            running: None,
            place,
        };
        service.bank = service.add_party("Bank");
        service.restart();
        service
    }

    /// Ends the service, if it runs, and starts it anew on what it kept.
    pub(crate) fn restart(&mut self) {
        self.stop_running();
        self.running = Some(self.open(&self.pool()));
    }

    /// How much waits and how much runs in a story's service.
    pub(crate) fn pool(&self) -> PoolSettings {
        PoolSettings {
            location: self.place.location.clone(),
            queue: 4096,
            group: 256,
            connections: 4,
            gatherers: 2,
            cache_kib: 4096,
            waiting: Waiting {
                generation: GENERATION,
                round: GENERATION,
            },
            timeout: Duration::from_secs(30),
            on_commit: Arc::new(|_| ()),
        }
    }

    /// A service over this database that shares nothing else with the one that runs. SQLite allows one at a time.
    pub(crate) fn open(&self, pool: &PoolSettings) -> Arc<TokenService> {
        let started = apart(|| {
            TokenService::start(
                pool,
                Keys::load(KeySource::file(key_file(&self.place))).unwrap(),
                &self.secrets,
                Arc::clone(&self.clock) as Arc<dyn Clock>,
                Arc::new(SystemEntropy),
                self.rate,
            )
        });
        Arc::new(started.unwrap())
    }

    pub(crate) fn stop_running(&mut self) {
        if let Some(service) = self.running.take().and_then(Arc::into_inner) {
            service.close();
        }
    }

    pub(crate) fn running(&self) -> Arc<TokenService> {
        Arc::clone(self.running.as_ref().unwrap())
    }

    /// Ends it and leaves its place to others.
    pub(crate) fn into_place(mut self) -> Place {
        self.stop_running();
        std::mem::replace(&mut self.place, Place::nowhere())
    }

    /// The service's time step.
    pub(crate) fn step(&self) -> TimeStep {
        TimeStep::from_unix_seconds(self.clock.now().as_second(), Period::DEFAULT)
    }

    pub(crate) fn add_party(&self, name: &str) -> PartyId {
        let key = ApiKey::from_random(&random(&SystemEntropy));
        let hash = ApiKeyHash::of_sent(key.expose()).unwrap();
        let now = self.clock.now();
        let add = |tx: &mut Tx<'_>| {
            let id = party::insert(tx, &name.parse().unwrap(), hash, now)?;
            let event = Event {
                party: id,
                ..Event::new(now, Kind::PartyAdded)
            };
            audit::append(tx, &self.secrets.chain, &[event])?;
            Ok(id)
        };
        let added = self.place.with(|connection| connection.transaction(add));
        added.unwrap().unwrap()
    }

    pub(crate) async fn token(&self) -> Token {
        self.token_of(Platform::Web).await
    }

    /// A token whose codes of the steps around the clock, for longer than a story lasts, are all different: for
    /// stories that tell by a code which step it is of. Tokens that are not such a one become known as well.
    pub(crate) async fn token_that_tells_apart(&self) -> Token {
        loop {
            let token = self.token().await;
            if token.tells_apart((-150..=150).map(|offset| self.step().offset(offset))) {
                return token;
            }
        }
    }

    pub(crate) async fn token_of(&self, platform: Platform) -> Token {
        self.token_at(platform, "192.0.2.1").await
    }

    /// A token that was started at a network address.
    pub(crate) async fn token_from(&self, address: &str) -> Token {
        self.token_at(Platform::Web, address).await
    }

    async fn token_at(&self, platform: Platform, address: &str) -> Token {
        let beginning = Beginning::new();
        match self.provision(&beginning, platform, address).await {
            Provisioned::Done(answer) => beginning.end(&answer),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn provision(
        &self,
        beginning: &Beginning,
        platform: Platform,
        address: &str,
    ) -> Provisioned {
        self.running()
            .provision(&beginning.request(platform), address)
            .await
            .unwrap()
    }

    /// Checks a code for the bank under a new request key.
    pub(crate) async fn check(&self, token: &Token, code: Code) -> ValidateAnswer {
        self.check_for(self.bank, token, code).await
    }

    pub(crate) async fn check_for(
        &self,
        party: PartyId,
        token: &Token,
        code: Code,
    ) -> ValidateAnswer {
        self.check_as(&fresh_key(), party, token, code)
            .await
            .unwrap()
    }

    pub(crate) async fn check_as(
        &self,
        key: &str,
        party: PartyId,
        token: &Token,
        code: Code,
    ) -> Settled<ValidateAnswer> {
        check(&self.running(), key, relation(party, token), code)
            .await
            .unwrap()
    }

    /// Asks all of it at the same time, in the order given.
    pub(crate) async fn check_at_once(
        &self,
        asked: Vec<(String, PartyId, Token, Code)>,
    ) -> Vec<Settled<ValidateAnswer>> {
        let tasks: Vec<_> = asked
            .into_iter()
            .map(|(key, party, token, code)| {
                let service = self.running();
                tokio::spawn(
                    async move { check(&service, &key, relation(party, &token), code).await },
                )
            })
            .collect();
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            answers.push(task.await.unwrap().unwrap());
        }
        answers
    }

    pub(crate) async fn resync(&self, token: &Token, first: Code, second: Code) -> ResyncAnswer {
        self.resync_as(&fresh_key(), token, first, second)
            .await
            .unwrap()
    }

    pub(crate) async fn resync_as(
        &self,
        key: &str,
        token: &Token,
        first: Code,
        second: Code,
    ) -> Settled<ResyncAnswer> {
        self.running()
            .resync(
                relation(self.bank, token),
                &key.parse().unwrap(),
                first,
                second,
            )
            .await
            .unwrap()
    }

    pub(crate) async fn stop(&self, party: PartyId, token: &Token, why: StopReason) -> StopReason {
        let StopAnswer::Stopped { reason } =
            self.stop_as(&fresh_key(), party, token, why).await.unwrap();
        reason
    }

    pub(crate) async fn stop_as(
        &self,
        key: &str,
        party: PartyId,
        token: &Token,
        reason: StopReason,
    ) -> Settled<StopAnswer> {
        self.running()
            .stop(relation(party, token), &key.parse().unwrap(), reason)
            .await
            .unwrap()
    }

    pub(crate) async fn enable(&self, party: PartyId, token: &Token) -> EnableAnswer {
        self.enable_as(&fresh_key(), party, token).await.unwrap()
    }

    pub(crate) async fn enable_as(
        &self,
        key: &str,
        party: PartyId,
        token: &Token,
    ) -> Settled<EnableAnswer> {
        self.running()
            .enable(relation(party, token), &key.parse().unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn unlock(&self, party: PartyId, token: &Token) {
        let unlocked = self.unlock_as(&fresh_key(), party, token).await;
        assert_eq!(unlocked, Ok(UnlockAnswer::Unlocked));
    }

    pub(crate) async fn unlock_as(
        &self,
        key: &str,
        party: PartyId,
        token: &Token,
    ) -> Settled<UnlockAnswer> {
        self.running()
            .unlock(relation(party, token), &key.parse().unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn status(&self, party: PartyId, token: &Token) -> CredentialStatus {
        self.running()
            .status(relation(party, token))
            .await
            .unwrap()
            .unwrap()
    }

    /// The heads of now, signed.
    pub(crate) async fn checkpoint(&self) -> Checkpoint {
        let heads = self.running().audit_heads().await.unwrap();
        self.secrets.signer.sign(self.clock.now(), &heads)
    }

    pub(crate) fn verify(&self, checkpoints: &[Checkpoint]) -> Result<Report, DatabaseError> {
        self.place
            .with(|connection| audit_trail::verify(connection, &self.secrets, checkpoints))
    }

    /// Panics unless the trail is whole; tells how many rows it has.
    pub(crate) async fn require_whole(&self) -> u64 {
        let report = self.verify(&[self.checkpoint().await]).unwrap();
        assert_eq!(report.faults, Vec::<String>::new());
        report.rows
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop_running();
    }
}

pub(crate) fn relation(party: PartyId, token: &Token) -> Relation {
    Relation {
        party,
        credential: token.id,
    }
}

async fn check(
    service: &TokenService,
    key: &str,
    relation: Relation,
    code: Code,
) -> Result<Settled<ValidateAnswer>, DatabaseError> {
    let (key, purpose) = (key.parse().unwrap(), "login".parse().unwrap());
    service.validate(relation, &key, code, purpose).await
}

fn key_file(place: &Place) -> std::path::PathBuf {
    place.data().join("master.key")
}
