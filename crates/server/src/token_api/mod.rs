//! The token service over HTTP: `/v1`.
//!
//! A handler parses, calls the service and renders. What is wrong with a request is an [`ApiProblem`] value, written out
//! in one place (`layer`), in the client's language, with the request's name.

mod body;
mod credentials;
mod health;
mod layer;
mod message;
mod openapi;
mod page;
mod problem;
mod provision;
mod text;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::watch;

#[doc(hidden)]
pub use credentials::{request_key, sent_key};
#[doc(hidden)]
pub use message::read_body;
pub use openapi::document;
pub(crate) use page::Wanted;
pub use problem::ApiProblem;
pub(crate) use problem::not_found;
pub use text::{Language, Text};

use crate::ambient::Entropy;
use crate::http::Admission;
use crate::metrics::Metrics;
use crate::service::TokenService;

/// What every handler has at hand.
pub struct Api {
    /// The service.
    pub service: Arc<TokenService>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Random bytes, for names of requests.
    pub entropy: Arc<dyn Entropy>,
    /// Proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How much is in work at once.
    pub admission: Arc<Admission>,
    /// Turns true when the service is about to stop.
    pub stopping: watch::Receiver<bool>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api(…)")
    }
}

/// The routes of the token service.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/", get(page::home))
        .merge(crate::token_app::routes())
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/assets/{name}", get(page::asset))
        .route("/v1/", get(page::reader))
        .route("/v1/openapi.json", get(openapi::json))
        .route("/v1/time", get(health::time))
        .route("/v1/credentials", post(provision::provision))
        .route("/v1/credentials/{id}", get(credentials::status))
        .route("/v1/credentials/{id}/validate", post(credentials::validate))
        .route("/v1/credentials/{id}/resync", post(credentials::resync))
        .route("/v1/credentials/{id}/stop", post(credentials::stop))
        .route("/v1/credentials/{id}/enable", post(credentials::enable))
        .route("/v1/credentials/{id}/unlock", post(credentials::unlock))
        .fallback(not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&api), layer::admit))
        .layer(from_fn_with_state(Arc::clone(&api), layer::around))
        .with_state(api)
}
