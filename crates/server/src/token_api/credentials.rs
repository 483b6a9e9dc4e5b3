//! `/v1/credentials/{id}`: what a relying party asks of one credential.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use warifu_credentials::api_key::ApiKeyHash;
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::request::RequestKey;
use warifu_wire::{
    CredentialStatus, EnableAnswer, IDEMPOTENCY_KEY, Nothing, ResyncAnswer, ResyncRequest,
    StopAnswer, StopRequest, UnlockAnswer, ValidateAnswer, ValidateRequest,
};

use super::openapi::PartyProblems;
use super::problem::ApiProblem;
use super::text::Text;
use super::{Api, body};
use crate::ambient;
use crate::database::DatabaseError;
use crate::http::Said;
use crate::metrics::ResultLabel;
use crate::service::Relation;
use crate::store::settle::Settled;

type PathId = Result<Path<String>, PathRejection>;

/// Check a code.
///
/// A code is accepted at most once, for one purpose at one relying party. The same `Idempotency-Key` gives the same
/// answer again and spends nothing.
#[utoipa::path(
    post,
    path = "/v1/credentials/{id}/validate",
    tag = "relying party",
    params(CredentialParameter, IdempotencyParameter),
    request_body = ValidateRequest,
    responses((status = 200, description = "The answer", body = ValidateAnswer), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn validate(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Json<ValidateAnswer>, ApiProblem> {
    let arrived = ambient::stopwatch();
    let (Parts { headers, .. }, body) = request.into_parts();
    let (relation, key) = command(&api, id, &headers).await?;
    let (code, purpose) = body::read::<ValidateRequest>(&headers, body).await?;
    let settled = api.service.validate(relation, &key, code, purpose).await;
    let label = ResultLabel {
        result: result_word(&settled),
    };
    api.metrics.validations.get_or_create(&label).inc();
    api.metrics
        .validation_seconds
        .observe(arrived.elapsed().as_secs_f64());
    Ok(Json(settled??))
}

/// Learn a token's drift.
///
/// Two codes that the token showed one after the other, within 20 time steps of the service's clock, both unused.
#[utoipa::path(
    post,
    path = "/v1/credentials/{id}/resync",
    tag = "relying party",
    params(CredentialParameter, IdempotencyParameter),
    request_body = ResyncRequest,
    responses((status = 200, description = "The answer", body = ResyncAnswer), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn resync(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Json<ResyncAnswer>, ApiProblem> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (relation, key) = command(&api, id, &headers).await?;
    let (first, second) = body::read::<ResyncRequest>(&headers, body).await?;
    Ok(Json(
        api.service.resync(relation, &key, first, second).await??,
    ))
}

/// Take a credential out of use, at every relying party.
///
/// The first reason holds, except that `stolen` overrules every other.
#[utoipa::path(
    post,
    path = "/v1/credentials/{id}/stop",
    tag = "relying party",
    params(CredentialParameter, IdempotencyParameter),
    request_body = StopRequest,
    responses((status = 200, description = "The answer", body = StopAnswer), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn stop(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Json<StopAnswer>, ApiProblem> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (relation, key) = command(&api, id, &headers).await?;
    let reason = body::read::<StopRequest>(&headers, body).await?;
    Ok(Json(api.service.stop(relation, &key, reason).await??))
}

/// Take a stopped credential back into use.
///
/// Only the relying party that stopped it may, and never after a theft.
#[utoipa::path(
    post,
    path = "/v1/credentials/{id}/enable",
    tag = "relying party",
    params(CredentialParameter, IdempotencyParameter),
    request_body = Nothing,
    responses((status = 200, description = "The answer", body = EnableAnswer), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn enable(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Json<EnableAnswer>, ApiProblem> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (relation, key) = command(&api, id, &headers).await?;
    body::read::<Nothing>(&headers, body).await?;
    Ok(Json(api.service.enable(relation, &key).await??))
}

/// Count no failure against a credential at this relying party any more.
#[utoipa::path(
    post,
    path = "/v1/credentials/{id}/unlock",
    tag = "relying party",
    params(CredentialParameter, IdempotencyParameter),
    request_body = Nothing,
    responses((status = 200, description = "The answer", body = UnlockAnswer), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn unlock(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Json<UnlockAnswer>, ApiProblem> {
    let (Parts { headers, .. }, body) = request.into_parts();
    let (relation, key) = command(&api, id, &headers).await?;
    body::read::<Nothing>(&headers, body).await?;
    Ok(Json(api.service.unlock(relation, &key).await??))
}

/// How a credential stands with this relying party.
#[utoipa::path(
    get,
    path = "/v1/credentials/{id}",
    tag = "relying party",
    params(CredentialParameter),
    responses((status = 200, description = "The credential", body = CredentialStatus), PartyProblems),
    security(("api_key" = []))
)]
pub(super) async fn status(
    State(api): State<Arc<Api>>,
    id: PathId,
    headers: HeaderMap,
) -> Result<Json<CredentialStatus>, ApiProblem> {
    let relation = relation(&api, id, &headers).await?;
    Ok(Json(api.service.status(relation).await??))
}

/// `{id}` of a path.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "tells OpenAPI about the parameter")]
pub(super) struct CredentialParameter {
    /// The credential ID; spaces, hyphens, lower case and full-width characters are fine.
    #[param(example = "WRCA12345671", min_length = 12)]
    id: String,
}

/// The header that names a request.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "tells OpenAPI about the parameter")]
pub(super) struct IdempotencyParameter {
    /// Your name for this request: 1 to 64 visible ASCII characters, new for each new request. A UUID of version 7 (RFC 9562)
    /// is best: its time keeps the index of requests in order.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 64,
        pattern = "^[!-~]{1,64}$"
    )]
    idempotency_key: String,
}

async fn command(
    api: &Api,
    id: PathId,
    headers: &HeaderMap,
) -> Result<(Relation, RequestKey), ApiProblem> {
    let relation = relation(api, id, headers).await?;
    let expected = Text {
        en: "1 to 64 visible ASCII characters",
        ja: "表示できる ASCII 文字で1〜64文字",
    };
    let key = request_key(headers).ok_or_else(|| ApiProblem::field(IDEMPOTENCY_KEY, expected))?;
    Ok((relation, key))
}

/// The request's key, if it is one and there is one.
#[doc(hidden)]
#[must_use]
pub fn request_key(headers: &HeaderMap) -> Option<RequestKey> {
    Said::of(headers, IDEMPOTENCY_KEY).once()?.parse().ok()
}

/// The hash of the API key that was sent, if it looks like one of ours.
#[doc(hidden)]
#[must_use]
pub fn sent_key(headers: &HeaderMap) -> Option<ApiKeyHash> {
    let value = Said::of(headers, header::AUTHORIZATION.as_str()).once()?;
    ApiKeyHash::of_sent(bearer(value)?)
}

async fn relation(api: &Api, id: PathId, headers: &HeaderMap) -> Result<Relation, ApiProblem> {
    let key = sent_key(headers).ok_or_else(ApiProblem::unauthorized)?;
    let party = api
        .service
        .authenticate(key)
        .await?
        .ok_or_else(ApiProblem::unauthorized)?;
    let credential: CredentialId = id.ok().and_then(|Path(text)| text.parse().ok()).ok_or_else(|| {
        ApiProblem::field(
            "id",
            Text {
                en: "a credential ID: WR, a platform letter, a letter and eight digits whose last is the check digit",
                ja: "トークンID（WR、端末の種類を表す英字、英字1字、数字8桁。最後の数字は検査数字）",
            },
        )
    })?;
    Ok(Relation { party, credential })
}

/// The token of `Bearer TOKEN` (RFC 6750 §2.1); the scheme's case does not count (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start_matches(' '))
}

fn result_word(settled: &Result<Settled<ValidateAnswer>, DatabaseError>) -> &'static str {
    match settled {
        Ok(Ok(ValidateAnswer::Accepted)) => "accepted",
        Ok(Ok(ValidateAnswer::Rejected { .. })) => "rejected",
        Ok(Ok(ValidateAnswer::Replayed)) => "replayed",
        Ok(Ok(ValidateAnswer::Locked)) => "locked",
        Ok(Ok(ValidateAnswer::Stopped)) => "stopped",
        Ok(Ok(ValidateAnswer::ResyncNeeded)) => "resync_needed",
        Ok(Err(_)) => "refused",
        Err(_) => "failed",
    }
}
