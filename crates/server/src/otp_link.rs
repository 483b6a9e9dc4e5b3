//! The bank's way to the token service: in this process, or over HTTP.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use warifu_bank::otp_policy::{OtpVerifier, Verdict};
use warifu_bank::token_id::TokenId;
use warifu_credentials::Code;
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::party::PartyId;
use warifu_credentials::request::RequestKey;
use warifu_wire::{
    EnableAnswer, IDEMPOTENCY_KEY, Nothing, Problem, ProblemType, ResyncAnswer, ResyncRequest,
    StopAnswer, StopReason, StopRequest, UnlockAnswer, ValidateAnswer, ValidateRequest,
};
use zeroize::Zeroizing;

use crate::database::DatabaseError;
use crate::http::outside;
use crate::service::{Relation, TokenService};
use crate::store::settle::{Refusal, Settled};

/// How long the bank waits for the token service.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests are under way to a token service far away.
const AT_ONCE: usize = 64;

/// How long one more waits for one of those to end. With a service that hangs none does: whoever comes later is told
/// soon, and does not keep a connection from those who need no code.
const TURN: Duration = Duration::from_secs(1);

/// The bank's way to the token service.
pub enum OtpLink {
    /// In this process.
    InProcess {
        /// The service.
        service: Arc<TokenService>,
        /// Who the bank is there.
        party: PartyId,
    },
    /// Over HTTP.
    Http(HttpLink),
}

/// The token service far away.
pub struct HttpLink {
    agent: ureq::Agent,
    address: String,
    key: Zeroizing<String>,
    permits: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Its database, in this process.
    #[error("the token service: {0}")]
    Database(#[from] DatabaseError),
    /// It cannot be reached, or not in time.
    #[error("the token service cannot be reached: {0}")]
    Unreachable(String),
    /// It does not know the bank's API key, or cannot work: staff must look.
    #[error("the token service refused the bank's request: {0}")]
    Refused(String),
}

impl HttpLink {
    /// To the service at `address` (`https://…`, without a path) under the bank's API key.
    #[must_use]
    pub fn new(address: &str, key: Zeroizing<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_idle_connections_per_host(AT_ONCE)
            .proxy(None)
            .build();
        Self {
            agent: config.new_agent(),
            address: address.trim_end_matches('/').to_owned(),
            key,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    async fn post<A: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        token: &TokenId,
        verb: &'static str,
        request_id: &str,
        body: impl serde::Serialize + Send + 'static,
    ) -> Result<Verdict<A>, LinkError> {
        let unreachable = |error: &dyn std::fmt::Display| LinkError::Unreachable(error.to_string());
        let permit = tokio::time::timeout(TURN, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| unreachable(&"too many requests wait for it already"))?
            .map_err(|error| unreachable(&error))?;
        let request = self
            .agent
            .post(format!("{}/v1/credentials/{token}/{verb}", self.address))
            .header(
                "Authorization",
                Zeroizing::new(format!("Bearer {}", *self.key)).as_str(),
            )
            .header(IDEMPOTENCY_KEY, request_id);
        let answered = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut response = request.send_json(&body)?;
            let status = response.status().as_u16();
            response
                .body_mut()
                .read_to_string()
                .map(|text| (status, text))
        });
        let (status, text) = answered
            .await
            .map_err(|error| unreachable(&error))?
            .map_err(|error| unreachable(&error))?;
        read_answer(status, &text)
    }
}

/// What an answer of the token service says.
///
/// # Errors
/// When it says that it did not do what was asked, or nothing that the bank understands.
#[doc(hidden)]
pub fn read_answer<A: serde::de::DeserializeOwned>(
    status: u16,
    text: &str,
) -> Result<Verdict<A>, LinkError> {
    if status == 200 {
        return serde_json::from_str(text)
            .map(Verdict::Answer)
            .map_err(|_| LinkError::Refused("an answer of another version".into()));
    }
    match serde_json::from_str::<Problem>(text).map(|problem| problem.kind) {
        Ok(ProblemType::UnknownCredential) => Ok(Verdict::UnknownToken),
        Ok(ProblemType::KeyReused) => Ok(Verdict::RequestReused),
        // A text that is no credential ID at all: its check digit does not fit.
        Ok(ProblemType::InvalidField | ProblemType::NotFound) => Ok(Verdict::UnknownToken),
        // Whoever speaks for it in its absence, such as a proxy, says so by a number alone.
        _ if status >= 500 || status == 429 => {
            Err(LinkError::Unreachable(format!("status {status}")))
        }
        _ => Err(LinkError::Refused(format!("status {status}"))),
    }
}

/// What the service in this process says.
fn heard<A>(settled: Settled<A>) -> Result<Verdict<A>, LinkError> {
    match settled {
        Ok(answer) => Ok(Verdict::Answer(answer)),
        Err(Refusal::UnknownCredential | Refusal::CodeLength(_)) => Ok(Verdict::UnknownToken),
        Err(Refusal::RequestReused) => Ok(Verdict::RequestReused),
        Err(Refusal::PartyRevoked) => {
            Err(LinkError::Refused("the bank is no relying party".into()))
        }
        Err(Refusal::MissingKey(_) | Refusal::BrokenSeal) => Err(LinkError::Refused(
            "the token's secret cannot be opened".into(),
        )),
    }
}

/// The same request, as the service in this process takes it; none: there is no such token.
fn asked(
    party: PartyId,
    token: &TokenId,
    request_id: &str,
) -> Result<Option<(Relation, RequestKey)>, LinkError> {
    let Ok(credential) = token.as_str().parse::<CredentialId>() else {
        return Ok(None);
    };
    let key = request_id
        .parse()
        .map_err(|_| LinkError::Refused("a request id of another shape".into()))?;
    Ok(Some((Relation { party, credential }, key)))
}

impl OtpVerifier for OtpLink {
    type Error = LinkError;

    async fn validate(
        &self,
        token: &TokenId,
        code: &str,
        purpose: &str,
        request_id: &str,
    ) -> Result<Verdict<ValidateAnswer>, LinkError> {
        match self {
            Self::InProcess { service, party } => {
                let Some((relation, key)) = asked(*party, token, request_id)? else {
                    return Ok(Verdict::UnknownToken);
                };
                let (Ok(code), Ok(purpose)) = (Code::parse(code), purpose.parse()) else {
                    return Err(LinkError::Refused(
                        "a code or purpose of another shape".into(),
                    ));
                };
                heard(service.validate(relation, &key, code, purpose).await?)
            }
            Self::Http(link) => {
                let body = ValidateRequest {
                    code: code.to_owned(),
                    purpose: purpose.to_owned(),
                };
                outside(link.post(token, "validate", request_id, body)).await
            }
        }
    }

    async fn resync(
        &self,
        token: &TokenId,
        first: &str,
        second: &str,
        request_id: &str,
    ) -> Result<Verdict<ResyncAnswer>, LinkError> {
        match self {
            Self::InProcess { service, party } => {
                let Some((relation, key)) = asked(*party, token, request_id)? else {
                    return Ok(Verdict::UnknownToken);
                };
                let (Ok(first), Ok(second)) = (Code::parse(first), Code::parse(second)) else {
                    return Err(LinkError::Refused("a code of another shape".into()));
                };
                heard(service.resync(relation, &key, first, second).await?)
            }
            Self::Http(link) => {
                let body = ResyncRequest {
                    first_code: first.to_owned(),
                    second_code: second.to_owned(),
                };
                outside(link.post(token, "resync", request_id, body)).await
            }
        }
    }

    async fn stop(
        &self,
        token: &TokenId,
        reason: StopReason,
        request_id: &str,
    ) -> Result<Verdict<()>, LinkError> {
        let verdict = match self {
            Self::InProcess { service, party } => match asked(*party, token, request_id)? {
                Some((relation, key)) => heard(service.stop(relation, &key, reason).await?)?,
                None => Verdict::UnknownToken,
            },
            Self::Http(link) => {
                link.post::<StopAnswer>(token, "stop", request_id, StopRequest { reason })
                    .await?
            }
        };
        Ok(verdict.map(drop))
    }

    async fn enable(&self, token: &TokenId, request_id: &str) -> Result<Verdict<bool>, LinkError> {
        let verdict = match self {
            Self::InProcess { service, party } => match asked(*party, token, request_id)? {
                Some((relation, key)) => heard(service.enable(relation, &key).await?)?,
                None => Verdict::UnknownToken,
            },
            Self::Http(link) => link.post(token, "enable", request_id, Nothing {}).await?,
        };
        Ok(verdict.map(|answer| matches!(answer, EnableAnswer::Enabled)))
    }

    async fn unlock(&self, token: &TokenId, request_id: &str) -> Result<Verdict<()>, LinkError> {
        let verdict = match self {
            Self::InProcess { service, party } => match asked(*party, token, request_id)? {
                Some((relation, key)) => heard(service.unlock(relation, &key).await?)?,
                None => Verdict::UnknownToken,
            },
            Self::Http(link) => {
                link.post::<UnlockAnswer>(token, "unlock", request_id, Nothing {})
                    .await?
            }
        };
        Ok(verdict.map(drop))
    }
}

impl std::fmt::Debug for OtpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OtpLink(…)")
    }
}
