//! A token becomes known (rule S1).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use warifu_credentials::audit::{Event, Kind};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::keyring::{KeyVersion, Keyring};
use warifu_credentials::provision::Exchange;
use warifu_credentials::seal::{Owner, Sealed};
use warifu_credentials::throttle::Admission;
use warifu_credentials::{Algorithm, Digits, Period};
use warifu_wire::{ProvisionAnswer, ProvisionRequest};

use super::TokenService;
use super::secrets::sealer;
use crate::ambient::random;
use crate::database::{DatabaseError, Tx};
use crate::store::{audit, credential, seal_key, throttle};

/// What a request to become known comes to.
#[derive(Debug)]
pub enum Provisioned {
    /// The token is known.
    Done(ProvisionAnswer),
    /// The device's public key is of low order.
    LowOrderKey,
    /// Too many from this address.
    Throttled {
        /// How long to wait.
        retry_after: SignedDuration,
    },
}

/// IDs to try in one transaction. Of 260 million a platform, with ten million taken, one in 400,000 requests finds all
/// four of them taken and draws again.
const CANDIDATES: usize = 4;

/// Rounds until something must be wrong: the master key changes at most now and then.
const ROUNDS: usize = 4;

enum Attempt {
    Inserted(CredentialId),
    Throttled(SignedDuration),
    AllTaken,
    /// Secrets are sealed under another version by now.
    SealUnder(KeyVersion),
}

impl TokenService {
    /// Makes a token known. `address` is whose requests are counted together.
    ///
    /// # Errors
    /// When the database or a master key fails.
    pub async fn provision(
        &self,
        request: &ProvisionRequest,
        address: &str,
    ) -> Result<Provisioned, DatabaseError> {
        let Ok(exchange) = Exchange::new(&request.public_key, &random(&*self.entropy)) else {
            return Ok(Provisioned::LowOrderKey);
        };
        let mut keyring = self.keys.current();
        let mut version = keyring.newest();
        for _ in 0..ROUNDS {
            let now = self.now();
            let candidates = self.candidates(request, &exchange, &keyring, version)?;
            match self
                .attempt(candidates, version, address.to_owned(), now)
                .await?
            {
                Attempt::Inserted(id) => return Ok(Provisioned::Done(answer(id, &exchange, now))),
                Attempt::Throttled(retry_after) => {
                    return Ok(Provisioned::Throttled { retry_after });
                }
                Attempt::AllTaken => {}
                Attempt::SealUnder(adopted) => {
                    if keyring.sealer(adopted).is_none() {
                        keyring = self.reload_keys(adopted).await?;
                    }
                    version = adopted;
                }
            }
        }
        Err(DatabaseError::Secret(
            "no free credential ID, or no stable master key, was found".into(),
        ))
    }

    fn candidates(
        &self,
        request: &ProvisionRequest,
        exchange: &Exchange,
        keyring: &Arc<Keyring>,
        version: KeyVersion,
    ) -> Result<Vec<(CredentialId, Sealed)>, DatabaseError> {
        let sealer = sealer(keyring, version)?;
        let candidate = |_| {
            let id = CredentialId::nth(
                request.platform,
                u64::from_be_bytes(*random(&*self.entropy)),
            );
            let secret = exchange.secret(id);
            (
                id,
                sealer.seal(
                    version,
                    Owner::Credential(id),
                    secret.as_slice(),
                    &random(&*self.entropy),
                ),
            )
        };
        Ok((0..CANDIDATES).map(candidate).collect())
    }

    async fn attempt(
        &self,
        candidates: Vec<(CredentialId, Sealed)>,
        version: KeyVersion,
        address: String,
        now: Timestamp,
    ) -> Result<Attempt, DatabaseError> {
        let rate = self.provision_rate;
        let chain = self.chain.clone();
        self.database
            .write(move |tx: &mut Tx<'_>| {
                let adopted = seal_key::newest(tx)?.unwrap_or(version);
                if adopted != version {
                    return Ok(Attempt::SealUnder(adopted));
                }
                if let Admission::Refused { retry_after } =
                    throttle::admit(tx, rate, &address, now)?
                {
                    return Ok(Attempt::Throttled(retry_after));
                }
                for (id, sealed) in &candidates {
                    if credential::insert(tx, *id, sealed, version, now)? {
                        let event = Event {
                            credential: Some(*id),
                            ..Event::new(now, Kind::Provisioned)
                        };
                        audit::append(tx, &chain, &[event])?;
                        return Ok(Attempt::Inserted(*id));
                    }
                }
                Ok(Attempt::AllTaken)
            })
            .await
    }
}

fn answer(id: CredentialId, exchange: &Exchange, now: Timestamp) -> ProvisionAnswer {
    ProvisionAnswer {
        credential_id: id.to_string(),
        service_public_key: exchange.service_public_key(),
        algorithm: super::commands::wire_algorithm(Algorithm::Sha256),
        digits: Digits::SIX.get(),
        period: Period::DEFAULT.seconds(),
        service_time: now,
    }
}
