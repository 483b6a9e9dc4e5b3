//! `POST /v1/credentials`

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use warifu_wire::{ProblemType, ProvisionAnswer, ProvisionRequest};

use super::openapi::TokenProblems;
use super::problem::ApiProblem;
use super::text::Text;
use super::{Api, body, message};
use crate::http::{ClientAddress, PeerAddress};
use crate::service::Provisioned;

/// Make a token known.
///
/// The token sends an X25519 public key and gets the service's. Both derive the shared secret from the exchange: it is
/// HKDF-SHA-256 of the X25519 output with the 12 ASCII bytes of the credential ID as salt and `warifu totp v1` as
/// info, 32 bytes. The secret itself is never sent. Rate-limited per address.
#[utoipa::path(
    post,
    path = "/v1/credentials",
    tag = "token",
    request_body = ProvisionRequest,
    responses((status = 201, description = "The token is known", body = ProvisionAnswer), TokenProblems)
)]
pub(super) async fn provision(
    State(api): State<Arc<Api>>,
    Extension(peer): Extension<PeerAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiProblem> {
    let request = body::read::<ProvisionRequest>(&headers, body).await?;
    let address = ClientAddress::of(peer.0, &headers, &api.trusted_proxies);
    match api
        .service
        .provision(&request, &address.to_string())
        .await?
    {
        Provisioned::Done(answer) => {
            api.metrics.provisioned.inc();
            Ok((StatusCode::CREATED, Json(answer)).into_response())
        }
        Provisioned::LowOrderKey => Err(ApiProblem::field("public_key", message::PUBLIC_KEY)),
        Provisioned::Throttled { retry_after } => Err(ApiProblem {
            retry_after: Some(u64::try_from(retry_after.as_secs()).unwrap_or(0) + 1),
            ..ApiProblem::new(
                ProblemType::TooManyRequests,
                Text {
                    en: "Too many tokens became known from this address. Come back after Retry-After seconds.",
                    ja: "この接続元からの登録が多すぎます。Retry-After の秒数だけ待ってください。",
                },
            )
        }),
    }
}
