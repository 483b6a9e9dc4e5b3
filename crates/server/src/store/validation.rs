//! Validations, many in one transaction (rules S2 to S5, S7, S9).
//!
//! Every credential of the group is locked before anything is judged, in the order of its ID; each judgement sees what
//! the ones before it in the group did; all is written by conditional statements whose counts must fit.

use std::collections::HashMap;
use std::sync::Arc;

use warifu_credentials::audit::{Chain, Event};
use warifu_credentials::credential::{Acceptance, Standing};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::Keyring;
use warifu_credentials::party::PartyId;
use warifu_credentials::purpose::Purpose;
use warifu_credentials::record::spent_to_stored;
use warifu_credentials::validate::{self, Verdict};
use warifu_credentials::{Code, TimeStep};
use warifu_wire::ValidateAnswer;

use super::request::Answered;
use super::settle::{self, Ask, Refusal, Settled};
use super::{audit, credential, failures, party, request};
use crate::database::{DatabaseError, Gather, Tx};

/// One code to be checked.
#[derive(Debug)]
pub struct Validation {
    /// Who asks.
    pub ask: Ask,
    /// The code.
    pub code: Code,
    /// What it is spent on.
    pub purpose: Purpose,
    /// The master keys at the time.
    pub keyring: Arc<Keyring>,
}

/// Checks codes in groups.
#[derive(Debug)]
pub struct Validations {
    /// The audit chain.
    pub chain: Chain,
}

impl Gather for Validations {
    type Item = Validation;
    type Answer = Settled<ValidateAnswer>;

    fn prepare(&self, tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        request::remember(tx)
    }

    fn run(
        &self,
        tx: &mut Tx<'_>,
        items: &[Validation],
    ) -> Result<Vec<Self::Answer>, DatabaseError> {
        let mut group = Group::load(tx, items)?;
        let mut events = Vec::with_capacity(items.len());
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let answer = group.answer(item, &mut events)?;
            answers.push(answer);
        }
        group.save(tx)?;
        audit::append(tx, &self.chain, &events)?;
        Ok(answers)
    }
}

/// What a group of validations works on.
struct Group {
    credentials: HashMap<CredentialId, Working>,
    failures: HashMap<(CredentialId, PartyId), Failures>,
    parties: HashMap<PartyId, bool>,
    /// By their digests.
    answered: HashMap<[u8; 16], Answered>,
}

struct Working {
    stored: credential::Stored,
    accepted: Option<Acceptance>,
}

#[derive(Default)]
struct Failures {
    before: u8,
    now: u8,
}

impl Group {
    fn load(tx: &mut Tx<'_>, items: &[Validation]) -> Result<Self, DatabaseError> {
        let mut ids: Vec<_> = items.iter().map(|item| item.ask.credential).collect();
        ids.sort_unstable();
        ids.dedup();
        let credentials = credential::lock(tx, &ids)?
            .into_iter()
            .map(|stored| {
                (
                    stored.id,
                    Working {
                        stored,
                        accepted: None,
                    },
                )
            })
            .collect();

        let mut pairs: Vec<_> = items
            .iter()
            .map(|item| (item.ask.credential, item.ask.party))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        // After the locks, in statements of their own: what another transaction just committed is seen.
        let failures = failures::find_many(tx, &pairs)?
            .into_iter()
            .map(|(pair, count)| {
                (
                    pair,
                    Failures {
                        before: count,
                        now: count,
                    },
                )
            })
            .collect();

        let mut parties = HashMap::new();
        for (_, id) in &pairs {
            if !parties.contains_key(id) {
                parties.insert(*id, party::in_force(tx, *id)?);
            }
        }
        let requests: Vec<_> = items.iter().map(|item| item.ask.request).collect();
        let answered = request::find_many(tx, &requests)?.into_iter().collect();
        Ok(Self {
            credentials,
            failures,
            parties,
            answered,
        })
    }

    /// The answer to one validation; what it changes is kept for [`Self::save`].
    fn answer(
        &mut self,
        item: &Validation,
        events: &mut Vec<Event>,
    ) -> Result<Settled<ValidateAnswer>, DatabaseError> {
        let ask = &item.ask;
        if !self.parties.get(&ask.party).copied().unwrap_or(false) {
            return Ok(Err(Refusal::PartyRevoked));
        }
        if let Some(answered) = self.answered.get(ask.request.digest()) {
            return Ok(answered
                .again(ask.fingerprint)?
                .ok_or(Refusal::RequestReused));
        }
        let answer = match self.judge(item) {
            Ok(answer) => answer,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut event = settle::event(ask, &answer, item.purpose.as_str());
        if answer == ValidateAnswer::Accepted
            && let Some(acceptance) = self.accepted(ask.credential)
        {
            event.detail = spent_to_stored(acceptance.step, acceptance.drift);
        }
        let answered = Answered {
            fingerprint: ask.fingerprint,
            kind: event.kind,
            outcome: event.outcome,
            detail: event.detail,
        };
        self.answered.insert(*ask.request.digest(), answered);
        events.push(event);
        Ok(Ok(answer))
    }

    /// What the newest of the group's right codes of a credential changes.
    fn accepted(&self, credential: CredentialId) -> Option<Acceptance> {
        self.credentials.get(&credential)?.accepted
    }

    fn judge(&mut self, item: &Validation) -> Settled<ValidateAnswer> {
        let ask = &item.ask;
        let working = self
            .credentials
            .get_mut(&ask.credential)
            .ok_or(Refusal::UnknownCredential)?;
        if item.code.digits() != working.stored.digits {
            return Err(Refusal::CodeLength(working.stored.digits.get()));
        }
        let failures = self
            .failures
            .entry((ask.credential, ask.party))
            .or_default();
        let standing = settle::standing(&working.stored, failures.now);
        let verdict = match validate::closed(&standing) {
            Some(verdict) => verdict,
            None => {
                let generator = settle::generator(&item.keyring, &working.stored)?;
                let now = TimeStep::from_unix_seconds(ask.now.as_second(), working.stored.period);
                validate::judge(&standing, &generator, &item.code, now)
            }
        };
        Ok(match verdict {
            Verdict::Accepted { step, drift } => {
                failures.now = 0;
                working.stored.last_step = step;
                working.stored.drift = drift;
                working.accepted = Some(Acceptance {
                    step,
                    drift,
                    at: ask.now,
                });
                ValidateAnswer::Accepted
            }
            Verdict::Rejected => {
                failures.now = failures.now.saturating_add(1);
                ValidateAnswer::Rejected {
                    tries_left: Standing {
                        failures: failures.now,
                        ..standing
                    }
                    .tries_left(),
                }
            }
            Verdict::Replayed => ValidateAnswer::Replayed,
            Verdict::Locked => ValidateAnswer::Locked,
            Verdict::Stopped => ValidateAnswer::Stopped,
            Verdict::ResyncNeeded => ValidateAnswer::ResyncNeeded,
        })
    }

    fn save(&self, tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        let accepted: Vec<_> = self
            .credentials
            .iter()
            .filter_map(|(id, working)| working.accepted.map(|acceptance| (*id, acceptance)))
            .collect();
        credential::accept(tx, &accepted)?;
        for ((credential, party), failures) in &self.failures {
            failures::change(tx, *credential, *party, failures.before, failures.now)?;
        }
        Ok(())
    }
}
