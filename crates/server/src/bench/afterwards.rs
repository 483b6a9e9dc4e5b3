//! Whether what was acknowledged is there: asked again, from outside, when the load is over.
//!
//! A validation is sent again under its own key and must get its own answer (rule S7); a transfer's receipt is loaded by
//! its customer (B15). What was never answered is settled the same way: it was carried out as a whole or not at all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::Sent;
use super::customers::Customer;
use super::operation::Site;
use super::record::{Outcome, Trouble};
use super::schedule::Kind;

/// Validations that are kept: the newest ones.
const KEPT: usize = 100_000;

/// Customers, or validations, that are asked about at once.
const AT_ONCE: usize = 16;

/// How often one question is asked while the server answers that it has no room.
const TRIES: u32 = 60;

/// What was acknowledged, and what may have been done without an answer.
#[derive(Debug, Default)]
pub struct Journal {
    validations: Mutex<VecDeque<Validation>>,
    transfers: Mutex<Vec<Transfer>>,
}

#[derive(Debug, Clone)]
struct Validation {
    token: u32,
    number: u64,
    code: String,
    acknowledged: bool,
}

#[derive(Debug, Clone)]
struct Transfer {
    customer: u32,
    key: String,
    acknowledged: bool,
}

/// What becomes of one entry: when it is dropped with no word, nobody knows what the server did.
#[derive(Debug)]
pub struct Entry<'a> {
    journal: &'a Journal,
    kept: Option<Kept>,
}

#[derive(Debug)]
enum Kept {
    Validation(Validation),
    Transfer(Transfer),
}

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Afterwards {
    /// Acknowledged validations that were asked about.
    pub validations: u64,
    /// Acknowledged transfers that were asked about.
    pub transfers: u64,
    /// Of both, those that are not there: none, or something is very wrong.
    pub missing: u64,
    /// What was sent and not acknowledged.
    pub unknown: u64,
    /// Of these, what was carried out all the same.
    pub unknown_done: u64,
    /// What could not be asked about.
    pub unasked: u64,
}

impl Journal {
    /// A validation is about to be sent.
    #[must_use]
    pub fn validation(&self, token: u32, number: u64, code: &str) -> Entry<'_> {
        Entry {
            journal: self,
            kept: Some(Kept::Validation(Validation {
                token,
                number,
                code: code.to_owned(),
                acknowledged: false,
            })),
        }
    }

    /// A transfer is about to be confirmed at `/confirm/KEY`.
    #[must_use]
    pub fn transfer(&self, customer: u32, confirm: &str) -> Entry<'_> {
        let key = confirm.rsplit('/').next().unwrap_or_default();
        Entry {
            journal: self,
            kept: Some(Kept::Transfer(Transfer {
                customer,
                key: key.to_owned(),
                acknowledged: false,
            })),
        }
    }

    fn validations(&self) -> MutexGuard<'_, VecDeque<Validation>> {
        self.validations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn transfers(&self) -> MutexGuard<'_, Vec<Transfer>> {
        self.transfers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry<'_> {
    /// The server said that it is done.
    pub fn acknowledged(&mut self) {
        match &mut self.kept {
            Some(Kept::Validation(kept)) => kept.acknowledged = true,
            Some(Kept::Transfer(kept)) => kept.acknowledged = true,
            None => {}
        }
    }

    /// The server said that it is not done.
    pub fn refused(&mut self) {
        self.kept = None;
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        match self.kept.take() {
            Some(Kept::Validation(kept)) => {
                let mut all = self.journal.validations();
                all.push_back(kept);
                if all.len() > KEPT {
                    all.pop_front();
                }
            }
            Some(Kept::Transfer(kept)) => self.journal.transfers().push(kept),
            None => {}
        }
    }
}

impl Afterwards {
    fn count(&mut self, acknowledged: bool, outcome: Outcome) {
        let there = match outcome {
            Outcome::Done => true,
            Outcome::Failed(Trouble::Refused) => false,
            Outcome::TurnedAway | Outcome::Failed(_) => {
                self.unasked += 1;
                return;
            }
        };
        match (acknowledged, there) {
            (true, false) => self.missing += 1,
            (false, _) => {
                self.unknown += 1;
                self.unknown_done += u64::from(there);
            }
            (true, true) => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.validations += other.validations;
        self.transfers += other.transfers;
        self.missing += other.missing;
        self.unknown += other.unknown;
        self.unknown_done += other.unknown_done;
        self.unasked += other.unasked;
    }
}

/// Asks about everything that is kept.
pub async fn ask(site: &Arc<Site>) -> Afterwards {
    let mut found = Afterwards::default();
    let validations: Vec<_> = site.journal.validations().drain(..).collect();
    let mut transfers: Vec<_> = site.journal.transfers().drain(..).collect();
    transfers.sort_by_key(|transfer| transfer.customer);
    let mut customers = site.customers.take_all();
    let mut asking = JoinSet::new();
    for part in validations.chunks(validations.len().div_ceil(AT_ONCE).max(1)) {
        asking.spawn(ask_validations(Arc::clone(site), part.to_vec()));
    }
    while let Some(done) = asking.join_next().await {
        found.add(done.unwrap_or_default());
    }
    let mut asking = JoinSet::new();
    let many = customers.len().div_ceil(AT_ONCE).max(1);
    while !customers.is_empty() {
        let part = customers.split_off(customers.len().saturating_sub(many));
        let theirs = transfers
            .iter()
            .filter(|transfer| part.iter().any(|it| it.token.number == transfer.customer))
            .cloned()
            .collect();
        asking.spawn(ask_transfers(Arc::clone(site), part, theirs));
    }
    while let Some(done) = asking.join_next().await {
        found.add(done.unwrap_or_default());
    }
    found
}

async fn ask_validations(site: Arc<Site>, all: Vec<Validation>) -> Afterwards {
    let mut found = Afterwards::default();
    for it in all {
        let mut tries = 0;
        let outcome = loop {
            let (token, number) = (it.token, it.number);
            let outcome = site
                .validate(token, number, &it.code, &mut Sent::default())
                .await;
            tries += 1;
            if outcome != Outcome::TurnedAway || tries == TRIES {
                break outcome;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        found.validations += u64::from(it.acknowledged);
        found.count(it.acknowledged, outcome);
    }
    found
}

async fn ask_transfers(
    site: Arc<Site>,
    mut customers: Vec<Customer>,
    all: Vec<Transfer>,
) -> Afterwards {
    let mut found = Afterwards::default();
    for customer in &mut customers {
        let number = customer.token.number;
        if !customer.signed_in && all.iter().any(|it| it.customer == number) {
            sign_in(&site, customer).await;
        }
        for it in all.iter().filter(|it| it.customer == number) {
            let mut tries = 0;
            let outcome = loop {
                let outcome = site.receipt(customer, &it.key).await;
                tries += 1;
                if outcome != Outcome::TurnedAway || tries == TRIES {
                    break outcome;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            };
            found.transfers += u64::from(it.acknowledged);
            found.count(it.acknowledged, outcome);
        }
    }
    for customer in customers {
        site.customers.put(customer);
    }
    found
}

/// Signs a customer in whose login was turned away: his token may need a moment until it has a new code.
async fn sign_in(site: &Site, customer: &mut Customer) {
    for _ in 0..8 {
        let done = site
            .as_customer(Kind::Login, customer, &mut Sent::default())
            .await;
        if done == Outcome::Done {
            return;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_got_no_word_is_kept_as_unknown_and_what_was_refused_is_not_kept() {
        let journal = Journal::default();
        journal.validation(1, 1, "123456").acknowledged();
        drop(journal.validation(2, 2, "123456"));
        journal.validation(3, 3, "123456").refused();
        journal.transfer(4, "/confirm/abc").acknowledged();
        let kept: Vec<_> = journal
            .validations()
            .iter()
            .map(|it| (it.token, it.acknowledged))
            .collect();
        assert_eq!(kept, [(1, true), (2, false)]);
        assert_eq!(journal.transfers()[0].key, "abc");
    }

    #[test]
    fn only_what_was_acknowledged_can_be_missing() {
        let mut found = Afterwards::default();
        let refused = Outcome::Failed(Trouble::Refused);
        found.count(true, refused);
        found.count(false, refused);
        found.count(false, Outcome::Done);
        found.count(true, Outcome::Done);
        found.count(true, Outcome::TurnedAway);
        assert_eq!(
            (
                found.missing,
                found.unknown,
                found.unknown_done,
                found.unasked
            ),
            (1, 2, 1, 1)
        );
    }
}
