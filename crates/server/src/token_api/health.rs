//! Is it there, is it ready, what time is it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use warifu_wire::{ProblemType, TimeAnswer};

use super::Api;
use super::openapi::PlainProblems;
use super::problem::ApiProblem;
use super::text::Text;

/// The service's clock, for tokens to compare theirs with.
#[utoipa::path(
    get,
    path = "/v1/time",
    tag = "token",
    responses((status = 200, description = "The time", body = TimeAnswer), PlainProblems)
)]
pub(super) async fn time(State(api): State<Arc<Api>>) -> Json<TimeAnswer> {
    Json(TimeAnswer {
        service_time: api.service.now(),
    })
}

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The process can do its work: it is not stopping, and its database answers.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Result<&'static str, ApiProblem> {
    if *api.stopping.borrow() {
        return Err(ApiProblem {
            retry_after: Some(1),
            cause: Some("the service is stopping".into()),
            ..ApiProblem::new(
                ProblemType::Unavailable,
                Text {
                    en: "This copy of the service is stopping.",
                    ja: "このサービスは停止処理中です。",
                },
            )
        });
    }
    api.service.ready().await?;
    Ok("ready\n")
}
