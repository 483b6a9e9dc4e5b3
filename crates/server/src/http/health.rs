//! What a balancer looks at, on every listener: does it run, may it be sent requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;

use crate::database::DatabaseError;

/// What a database answered to the question whether it is there.
type Answer = Pin<Box<dyn Future<Output = Result<(), DatabaseError>> + Send>>;

/// What a listener says of itself.
#[derive(Clone)]
pub struct Health {
    leaving: watch::Receiver<bool>,
    check: Arc<dyn Fn() -> Answer + Send + Sync>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Health(…)")
    }
}

impl Health {
    /// Ready as long as `check` succeeds and `leaving` is false.
    #[must_use]
    pub fn new<F>(
        leaving: watch::Receiver<bool>,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), DatabaseError>> + Send + 'static,
    {
        Self {
            leaving,
            check: Arc::new(move || Box::pin(check())),
        }
    }

    /// `/healthz` and `/readyz`. They tell a stranger no more than that the bank is open.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/healthz", get(alive))
            .route("/readyz", get(ready))
            .with_state(self)
    }
}

async fn alive() -> Response {
    plain(StatusCode::OK, "ok\n")
}

async fn ready(State(health): State<Health>) -> Response {
    if *health.leaving.borrow() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    match (health.check)().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::error!(%error, "not ready: the database does not answer");
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// From the moment that `leaving` turns true every answer ends its connection (RFC 9112 §9.6), so that whoever holds one
/// open goes to another copy with his next request, and none is sent into a connection that is about to close.
pub fn let_go(router: Router, leaving: watch::Receiver<bool>) -> Router {
    router.layer(from_fn_with_state(leaving, end_connection))
}

async fn end_connection(
    State(leaving): State<watch::Receiver<bool>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if *leaving.borrow() {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
