//! The listener for Prometheus: what was counted, and whether the process may be sent requests. Never a public one.

use std::sync::{Arc, Weak};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use super::Running;
use crate::ambient::stopwatch;
use crate::database::DatabaseError;
use crate::http::{Health, let_go};
use crate::metrics::{BankRequestLabel, Metrics};

/// `/metrics`, and the readiness of all that runs here.
pub(super) fn router(running: &Arc<Running>, leaving: &watch::Receiver<bool>) -> Router {
    // Weak: the process ends when nothing is under way, whoever is asking for numbers.
    let all = Arc::downgrade(running);
    let health = Health::new(leaving.clone(), move || {
        let running = all.upgrade();
        async move {
            let running = running.ok_or(DatabaseError::Gone)?;
            if let Some(tokens) = &running.tokens {
                tokens.service.ready().await?;
            }
            if let Some(bank) = &running.bank {
                bank.ready().await?;
            }
            Ok(())
        }
    });
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::downgrade(running))
        .merge(health.routes());
    let_go(pages, leaving.clone())
}

async fn metrics(State(running): State<Weak<Running>>) -> Response {
    let Some(running) = running.upgrade() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let tokens = running
        .tokens
        .as_ref()
        .map_or(0, |tokens| tokens.service.waiting());
    let bank = running.bank.as_ref().map_or(0, |bank| bank.waiting());
    match running.metrics.render(tokens, bank) {
        Ok(text) => (
            [
                (
                    header::CONTENT_TYPE,
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                ),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What the bank's answers are counted under.
#[derive(Clone)]
struct Counting {
    metrics: Arc<Metrics>,
    listener: &'static str,
}

/// Counts the answers of one of the bank's listeners by route and status.
pub(super) fn counted(router: Router, metrics: &Arc<Metrics>, listener: &'static str) -> Router {
    let counting = Counting {
        metrics: Arc::clone(metrics),
        listener,
    };
    router.layer(from_fn_with_state(counting, count))
}

async fn count(State(counting): State<Counting>, request: Request, next: Next) -> Response {
    let begun = stopwatch();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let response = next.run(request).await;
    let label = BankRequestLabel {
        listener: counting.listener,
        route,
        status: response.status().as_u16(),
    };
    let metrics = &counting.metrics;
    metrics.bank_requests.get_or_create(&label).inc();
    metrics.bank_seconds.observe(begun.elapsed().as_secs_f64());
    response
}
