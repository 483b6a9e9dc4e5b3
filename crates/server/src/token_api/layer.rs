//! Around every request: its name, its problem document, its headers, its line in the log, its count.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use warifu_wire::REQUEST_ID;

use super::Api;
use super::problem::ApiProblem;
use super::text::Language;
use crate::http::{RequestId, is_exempt};
use crate::metrics::RequestLabel;

/// Nothing of the interface may be framed, run scripts or be kept; its pages bring a style sheet. The token app, which is
/// scripts, brings a policy of its own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Lets a request in while there is room, and otherwise says so at once: nothing of it is read, nothing consumed.
pub(super) async fn admit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if is_exempt(request.uri().path()) {
        return next.run(request).await;
    }
    match api.admission.enter() {
        Some(place) => place.within(next.run(request)).await,
        None => ApiProblem::turned_away().into_response(),
    }
}

pub(super) async fn around(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let name = RequestId::of(request.headers(), &*api.entropy);
    let language = Language::of(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<ApiProblem>() {
        let status = problem.status().as_u16();
        if problem.turned_away {
            // The log is told of these once a second, not once each.
            tracing::debug!(request_id = %name, %method, route, status, "request {name} was turned away");
        } else if problem.status().is_server_error() {
            let cause = problem.cause.as_deref().unwrap_or_default();
            tracing::error!(request_id = %name, %method, route, status, cause, "request {name} failed");
        } else {
            tracing::info!(request_id = %name, %method, route, status, "request {name} was refused");
        }
        let mut written = problem.write(language, name.to_string());
        // What the framework knows better: which methods a path takes.
        if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
            written.headers_mut().insert(header::ALLOW, allow);
        }
        response = written;
    } else {
        tracing::debug!(request_id = %name, %method, route, status = response.status().as_u16(), "request {name} was answered");
    }
    let label = RequestLabel {
        route,
        status: response.status().as_u16(),
    };
    api.metrics.requests.get_or_create(&label).inc();
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, name.header());
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    response
}
