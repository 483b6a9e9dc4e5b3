//! What a relying party asks of one credential.

use std::sync::Arc;

use warifu_credentials::credential::Acceptance;
use warifu_credentials::credential::{FAILURE_LIMIT, Standing, State};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::{KeyVersion, Keyring};
use warifu_credentials::life_cycle::{self, Enable};
use warifu_credentials::party::PartyId;
use warifu_credentials::purpose::Purpose;
use warifu_credentials::record::{Recorded, reason_word};
use warifu_credentials::request::{Asked, RequestKey};
use warifu_credentials::resync::{self, Verdict};
use warifu_credentials::{Algorithm, Code, TimeStep, validate};
use warifu_wire::{
    CredentialState, CredentialStatus, EnableAnswer, ResyncAnswer, StopAnswer, StopReason,
    UnlockAnswer, ValidateAnswer,
};

use super::TokenService;
use crate::database::{DatabaseError, Tx};
use crate::store::settle::{self, Ask, Refusal, Settled, settle};
use crate::store::validation::Validation;
use crate::store::{credential, failures, party};

/// A relying party and the credential that it asks about.
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    /// Who asks.
    pub party: PartyId,
    /// About what.
    pub credential: CredentialId,
}

impl TokenService {
    /// Checks a code (rules S2 to S5, S7).
    ///
    /// # Errors
    /// When the database fails: the outcome is unknown, ask again with the same key.
    pub async fn validate(
        &self,
        relation: Relation,
        key: &RequestKey,
        code: Code,
        purpose: Purpose,
    ) -> Result<Settled<ValidateAnswer>, DatabaseError> {
        let text = zeroize::Zeroizing::new(code.to_string());
        let ask = self.ask(
            relation,
            key,
            Asked::Validate {
                code: &text,
                purpose: purpose.as_str(),
            },
        );
        let validation = |keyring| Validation {
            ask,
            code: code.clone(),
            purpose: purpose.clone(),
            keyring,
        };
        let mut settled = self
            .database
            .gather(validation(self.keys.current()))
            .await?;
        if let Err(Refusal::MissingKey(version)) = settled {
            let keyring = self.reload_keys(version).await?;
            settled = self.database.gather(validation(keyring)).await?;
        }
        Ok(self.heed(relation, settled))
    }

    /// Learns the drift of a token from two codes in a row (rule S4).
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub async fn resync(
        &self,
        relation: Relation,
        key: &RequestKey,
        first: Code,
        second: Code,
    ) -> Result<Settled<ResyncAnswer>, DatabaseError> {
        let texts = [first.to_string(), second.to_string()].map(zeroize::Zeroizing::new);
        let [first_text, second_text] = &texts;
        let ask = self.ask(
            relation,
            key,
            Asked::Resync {
                first: first_text,
                second: second_text,
            },
        );
        let run = |keyring: Arc<Keyring>| {
            let (first, second) = (first.clone(), second.clone());
            self.settled(ask, move |tx, stored, standing| {
                resynchronise(tx, &ask, stored, standing, &keyring, &first, &second)
            })
        };
        let mut settled = run(self.keys.current()).await?;
        if let Err(Refusal::MissingKey(version)) = settled {
            settled = run(self.reload_keys(version).await?).await?;
        }
        Ok(self.heed(relation, settled))
    }

    /// Stops a credential (rule S6).
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub async fn stop(
        &self,
        relation: Relation,
        key: &RequestKey,
        reason: StopReason,
    ) -> Result<Settled<StopAnswer>, DatabaseError> {
        let ask = self.ask(relation, key, Asked::Stop(reason_word(reason)));
        let settled = self.settled(ask, move |tx, stored, _| {
            let stop = life_cycle::stop(stored.state, reason, ask.party);
            if stop.changes {
                credential::stop(tx, ask.credential, stop.state, ask.now)?;
            }
            Ok(Ok((
                StopAnswer::Stopped {
                    reason: stop.reason,
                },
                reason_word(reason),
            )))
        });
        Ok(self.heed(relation, settled.await?))
    }

    /// Takes a stopped credential back into use, if it may be (rule S6).
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub async fn enable(
        &self,
        relation: Relation,
        key: &RequestKey,
    ) -> Result<Settled<EnableAnswer>, DatabaseError> {
        let ask = self.ask(relation, key, Asked::Enable);
        let settled = self.settled(ask, move |tx, stored, _| {
            let answer = match life_cycle::enable(stored.state, ask.party) {
                Enable::Enabled { changes } => {
                    if changes {
                        credential::enable(tx, ask.credential)?;
                    }
                    EnableAnswer::Enabled
                }
                Enable::Refused(reason) => EnableAnswer::Refused { reason },
            };
            Ok(Ok((answer, "")))
        });
        Ok(self.heed(relation, settled.await?))
    }

    /// Counts no failure against a credential at this relying party any more (rule S5).
    ///
    /// # Errors
    /// As for [`Self::validate`].
    pub async fn unlock(
        &self,
        relation: Relation,
        key: &RequestKey,
    ) -> Result<Settled<UnlockAnswer>, DatabaseError> {
        let ask = self.ask(relation, key, Asked::Unlock);
        let settled = self.settled(ask, move |tx, _, standing| {
            failures::change(tx, ask.credential, ask.party, standing.failures, 0)?;
            Ok(Ok((UnlockAnswer::Unlocked, "")))
        });
        Ok(self.heed(relation, settled.await?))
    }

    /// How a credential stands with a relying party.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn status(
        &self,
        relation: Relation,
    ) -> Result<Settled<CredentialStatus>, DatabaseError> {
        let Relation {
            party: asking,
            credential: id,
        } = relation;
        let settled = self
            .database
            .read_newest(move |tx| {
                if !party::in_force(tx, asking)? {
                    return Ok(Err(Refusal::PartyRevoked));
                }
                let Some(stored) = credential::find(tx, id)? else {
                    return Ok(Err(Refusal::UnknownCredential));
                };
                let failures = failures::find(tx, id, asking)?;
                Ok(Ok(status(&stored, failures)))
            })
            .await?;
        Ok(self.heed(relation, settled))
    }

    fn ask(&self, relation: Relation, key: &RequestKey, asked: Asked<'_>) -> Ask {
        Ask {
            party: relation.party,
            credential: relation.credential,
            request: self.digester.digest(relation.party, key),
            fingerprint: self.digester.fingerprint(relation.credential, asked),
            now: self.now(),
        }
    }

    async fn settled<A: Recorded + Send + 'static>(
        &self,
        ask: Ask,
        decide: impl FnOnce(
            &mut Tx<'_>,
            &credential::Stored,
            &Standing,
        ) -> Result<Settled<(A, &'static str)>, DatabaseError>
        + Send
        + 'static,
    ) -> Result<Settled<A>, DatabaseError> {
        let chain = self.chain.clone();
        self.database
            .write(move |tx| settle(tx, &chain, &ask, decide))
            .await
    }

    /// What an answer tells the service itself.
    fn heed<A>(&self, relation: Relation, settled: Settled<A>) -> Settled<A> {
        if matches!(settled, Err(Refusal::PartyRevoked)) {
            self.forget(relation.party);
        }
        settled
    }

    /// Reads the key source again for a version that is not at hand: a file, a command or a hardware security module, on
    /// a thread that may wait.
    pub(super) async fn reload_keys(
        &self,
        wanted: KeyVersion,
    ) -> Result<Arc<Keyring>, DatabaseError> {
        let keys = Arc::clone(&self.keys);
        tokio::task::spawn_blocking(move || keys.reload(wanted))
            .await
            .map_err(|_| DatabaseError::Gone)?
            .map_err(|error| DatabaseError::Secret(error.to_string()))
    }
}

fn resynchronise(
    tx: &mut Tx<'_>,
    ask: &Ask,
    stored: &credential::Stored,
    standing: &Standing,
    keyring: &Keyring,
    first: &Code,
    second: &Code,
) -> Result<Settled<(ResyncAnswer, &'static str)>, DatabaseError> {
    match validate::closed(standing) {
        Some(validate::Verdict::Stopped) => return Ok(Ok((ResyncAnswer::Stopped, ""))),
        Some(_) => return Ok(Ok((ResyncAnswer::Locked, ""))),
        None => {}
    }
    if first.digits() != stored.digits || second.digits() != stored.digits {
        return Ok(Err(Refusal::CodeLength(stored.digits.get())));
    }
    let generator = match settle::generator(keyring, stored) {
        Ok(generator) => generator,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let now = TimeStep::from_unix_seconds(ask.now.as_second(), stored.period);
    let answer = match resync::judge(standing, &generator, first, second, now) {
        Verdict::Resynchronised { step, drift } => {
            let acceptance = Acceptance {
                step,
                drift,
                at: ask.now,
            };
            credential::resynchronise(tx, ask.credential, &acceptance)?;
            failures::change(tx, ask.credential, ask.party, standing.failures, 0)?;
            ResyncAnswer::Resynchronised { drift }
        }
        Verdict::Rejected => {
            let count = standing.failures.saturating_add(1);
            failures::change(tx, ask.credential, ask.party, standing.failures, count)?;
            ResyncAnswer::Rejected {
                tries_left: FAILURE_LIMIT.saturating_sub(count),
            }
        }
        Verdict::Replayed => ResyncAnswer::Replayed,
    };
    Ok(Ok((answer, "")))
}

fn status(stored: &credential::Stored, failures: u8) -> CredentialStatus {
    let (state, stop_reason) = match stored.state {
        State::Enabled => (CredentialState::Enabled, None),
        State::Stopped { reason, .. } => (CredentialState::Stopped, Some(reason)),
    };
    CredentialStatus {
        credential_id: stored.id.to_string(),
        state,
        stop_reason,
        platform: stored.id.platform(),
        algorithm: wire_algorithm(stored.algorithm),
        provisioned_at: stored.provisioned_at,
        last_accepted_at: stored.last_accepted_at,
        drift: stored.drift,
        failures,
        locked: settle::standing(stored, failures).locked(),
    }
}

pub(super) fn wire_algorithm(algorithm: Algorithm) -> warifu_wire::Algorithm {
    match algorithm {
        Algorithm::Sha1 => warifu_wire::Algorithm::Sha1,
        Algorithm::Sha256 => warifu_wire::Algorithm::Sha256,
        Algorithm::Sha512 => warifu_wire::Algorithm::Sha512,
    }
}
