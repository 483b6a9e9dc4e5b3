//! Sixteen clients: half have codes checked, half are tellers' windows of customers who transfer money.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::browser::Addresses;
use super::place::Place;
use super::record::{Kind, Paper, Record};
use super::sample::Sample;
use super::transfers::{self, Teller};
use super::validations::{self, Validator};

/// Clients of each kind.
pub(super) const EACH: u32 = 8;

/// Contracts and credentials that the clients need.
pub(super) const CONTRACTS: u32 = EACH * transfers::CUSTOMERS;
pub(super) const CREDENTIALS: u32 = CONTRACTS + EACH * validations::TOKENS;

/// How long the load is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// Acknowledged writes of each kind that show that all is well.
const ENOUGH: usize = 10;

/// The clients.
pub(super) struct Load<'a> {
    pub(super) copies: &'a [Addresses],
    pub(super) sample: &'a Sample,
    pub(super) record: &'a Record,
    validators: Vec<Mutex<Validator<'a>>>,
    tellers: Vec<Mutex<Teller<'a>>>,
}

impl<'a> Load<'a> {
    /// Clients of these copies, whose papers are in the place.
    pub(super) fn new(
        place: &Place,
        copies: &'a [Addresses],
        sample: &'a Sample,
        record: &'a Record,
    ) -> Result<Self> {
        let (mut validators, mut tellers) = (Vec::new(), Vec::new());
        let shared = (copies, sample, record);
        let tokens = |from: u32, count: u32| {
            let numbers = from..from + count;
            numbers
                .map(|it| sample.token(it))
                .collect::<Result<Vec<_>>>()
        };
        if sample.contracts < CONTRACTS || sample.credentials < CREDENTIALS {
            bail!("the installation was prepared too small");
        }
        for number in 0..EACH {
            let index = usize::try_from(number)?;
            let first = CONTRACTS + number * validations::TOKENS;
            let own = tokens(first, validations::TOKENS)?;
            let paper = Paper::new(&place.file(&format!("validations-{number}")))?;
            validators.push(Mutex::new(Validator::new(index, shared, own, paper)));
            let own = tokens(number * transfers::CUSTOMERS, transfers::CUSTOMERS)?;
            let paper = Paper::new(&place.file(&format!("transfers-{number}")))?;
            tellers.push(Mutex::new(Teller::new(index, shared, own, paper)));
        }
        Ok(Self {
            copies,
            sample,
            record,
            validators,
            tellers,
        })
    }

    /// All customers sign in.
    pub(super) fn sign_in(&self) -> Result<()> {
        std::thread::scope(|scope| {
            let all: Vec<_> = self
                .tellers
                .iter()
                .map(|teller| scope.spawn(|| locked(teller).sign_in()))
                .collect();
            all.into_iter().try_for_each(|one| match one.join() {
                Ok(done) => done,
                Err(_) => bail!("a client panicked"),
            })
        })
    }

    /// Starts every client; none begins anything before the record's gate is opened.
    pub(super) fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        for validator in &self.validators {
            scope.spawn(move || self.work(validations::PACE, || locked(validator).next()));
        }
        for teller in &self.tellers {
            scope.spawn(move || self.work(transfers::PACE, || locked(teller).next()));
        }
    }

    fn work(&self, pace: Duration, next: impl Fn() -> Result<()>) {
        while self.record.begin() {
            let begun = Instant::now();
            let done = next();
            self.record.end();
            if let Err(error) = done {
                self.record.fault(format!("a client gave up: {error:#}"));
                return;
            }
            std::thread::sleep(pace.saturating_sub(begun.elapsed()));
        }
    }

    /// Waits until enough of each kind was acknowledged from now on.
    pub(super) fn wait_until_it_flows(&self) -> Result<()> {
        let begun = Instant::now();
        let flows = |kind| self.record.count_since(kind, begun) >= ENOUGH;
        while !(flows(Kind::Validation) && flows(Kind::Transfer)) {
            if begun.elapsed() > PATIENCE {
                let faults = self.record.settled().faults.join("\n");
                bail!("nothing is acknowledged any more\n{faults}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The windows, to ask again for what their customers have done.
    pub(super) fn tellers(&self) -> impl Iterator<Item = MutexGuard<'_, Teller<'a>>> {
        self.tellers.iter().map(locked)
    }

    /// How much the clients wrote down before they sent it.
    pub(super) fn papers(&self, place: &Place) -> Result<usize> {
        let mut lines = 0;
        for number in 0..EACH {
            for kind in ["validations", "transfers"] {
                let path = place.file(&format!("{kind}-{number}"));
                let text = std::fs::read_to_string(&path).context("a client's paper")?;
                lines += text.lines().count();
            }
        }
        Ok(lines)
    }
}

fn locked<T>(client: &Mutex<T>) -> MutexGuard<'_, T> {
    client.lock().unwrap_or_else(PoisonError::into_inner)
}
