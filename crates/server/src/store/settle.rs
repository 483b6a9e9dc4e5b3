//! One command of a relying party, from request to audit row, in one transaction.

use jiff::Timestamp;
use warifu_credentials::Generator;
use warifu_credentials::audit::{Chain, Event};
use warifu_credentials::credential::Standing;
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::{KeyVersion, Keyring};
use warifu_credentials::party::PartyId;
use warifu_credentials::record::Recorded;
use warifu_credentials::request::{Fingerprint, RequestDigest};
use warifu_credentials::seal::Owner;

use super::{audit, credential, failures, party, request};
use crate::database::{DatabaseError, Tx};

/// Who asks what of whom, and when.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// The relying party.
    pub party: PartyId,
    /// The credential.
    pub credential: CredentialId,
    /// Which request it is.
    pub request: RequestDigest,
    /// What it says.
    pub fingerprint: Fingerprint,
    /// When it came.
    pub now: Timestamp,
}

/// Why a command has no answer. Nothing was changed, and no failure counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such credential.
    UnknownCredential,
    /// The request's key was used for another request.
    RequestReused,
    /// The relying party's API key was revoked.
    PartyRevoked,
    /// The credential's codes have another number of digits.
    CodeLength(u8),
    /// The credential is sealed under a master key that is not at hand.
    MissingKey(KeyVersion),
    /// The credential's seal does not open: the database was changed by someone else.
    BrokenSeal,
}

/// What a command comes to.
pub type Settled<A> = Result<A, Refusal>;

/// Runs a command: the same request gets its answer again; else `decide` changes what it must and says the answer and
/// the note of its audit row.
///
/// # Errors
/// [`DatabaseError`]; the caller undoes the transaction.
pub fn settle<A: Recorded>(
    tx: &mut Tx<'_>,
    chain: &Chain,
    ask: &Ask,
    decide: impl FnOnce(
        &mut Tx<'_>,
        &credential::Stored,
        &Standing,
    ) -> Result<Settled<(A, &'static str)>, DatabaseError>,
) -> Result<Settled<A>, DatabaseError> {
    // The lock first: whoever sends the same request at the same time waits here and then finds the answer.
    let locked = credential::lock(tx, &[ask.credential])?;
    if !party::in_force(tx, ask.party)? {
        return Ok(Err(Refusal::PartyRevoked));
    }
    if let Some(answered) = request::find(tx, ask.request)? {
        return Ok(answered
            .again(ask.fingerprint)?
            .ok_or(Refusal::RequestReused));
    }
    let Some(stored) = locked.first() else {
        return Ok(Err(Refusal::UnknownCredential));
    };
    let standing = standing(stored, failures::find(tx, ask.credential, ask.party)?);
    let (answer, note) = match decide(tx, stored, &standing)? {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Err(refusal)),
    };
    audit::append(tx, chain, &[event(ask, &answer, note)])?;
    Ok(Ok(answer))
}

/// The audit row of an answer.
#[must_use]
pub fn event<A: Recorded>(ask: &Ask, answer: &A, note: &str) -> Event {
    let (outcome, detail) = answer.record();
    Event {
        outcome,
        detail,
        credential: Some(ask.credential),
        party: Some(ask.party),
        request: Some(ask.request),
        fingerprint: Some(ask.fingerprint),
        note: note.to_owned(),
        ..Event::new(ask.now, A::KIND)
    }
}

/// Where a stored credential stands with a relying party that counts so many failures.
#[must_use]
pub fn standing(stored: &credential::Stored, failures: u8) -> Standing {
    Standing {
        state: stored.state,
        last_step: stored.last_step,
        drift: stored.drift,
        failures,
    }
}

/// What makes a credential's codes.
///
/// # Errors
/// [`Refusal::MissingKey`] and [`Refusal::BrokenSeal`].
pub fn generator(keyring: &Keyring, stored: &credential::Stored) -> Settled<Generator> {
    let version = stored.key_version;
    let sealer = keyring
        .sealer(version)
        .ok_or(Refusal::MissingKey(version))?;
    let secret = sealer
        .open(version, Owner::Credential(stored.id), &stored.sealed)
        .map_err(|_| Refusal::BrokenSeal)?;
    Generator::from_bytes(&secret, stored.algorithm, stored.digits).map_err(|_| Refusal::BrokenSeal)
}
