//! How a phone learns to trust the authority: one page in both languages, and the certificate.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::fingerprint;
use crate::web::guard;
use crate::web::page::STYLE;

#[derive(Template)]
#[template(path = "lan/trust.html")]
struct Trust {
    fingerprint: String,
    token: String,
    bank: String,
    style: String,
}

struct Told {
    page: String,
    certificate: Vec<u8>,
}

/// The page, and the certificate as `/warifu-ca.crt`. `token` and `bank`: where they are then opened.
pub(super) fn router(authority: Vec<u8>, token: String, bank: String) -> Router {
    let page = Trust {
        fingerprint: fingerprint(&authority),
        token,
        bank,
        style: STYLE.name().to_owned(),
    };
    let told = Arc::new(Told {
        page: page.render().unwrap_or_default(),
        certificate: authority,
    });
    Router::new()
        .route("/", get(trust))
        .route("/warifu-ca.crt", get(certificate))
        .route(
            &format!("/{}", STYLE.name()),
            get(async || STYLE.response()),
        )
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(told)
}

async fn trust(State(told): State<Arc<Told>>) -> Response {
    let mut response = Html(told.page.clone()).into_response();
    guard::add_headers(response.headers_mut());
    response
}

async fn certificate(State(told): State<Arc<Told>>) -> Response {
    let kind = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"warifu-ca.crt\"",
        ),
    ];
    (kind, told.certificate.clone()).into_response()
}
