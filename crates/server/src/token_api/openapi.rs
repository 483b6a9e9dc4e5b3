//! The interface, told by the code that serves it (OpenAPI 3.1).

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};
use warifu_wire::{FieldError, Problem, ProblemType};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Warifu token service",
        description = "One-time passwords for internet banking: tokens register themselves, relying parties have codes checked.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        super::provision::provision,
        super::health::time,
        super::credentials::validate,
        super::credentials::status,
        super::credentials::resync,
        super::credentials::stop,
        super::credentials::enable,
        super::credentials::unlock,
    ),
    tags(
        (name = "token", description = "For token apps; no key is needed."),
        (name = "relying party", description = "For banks and others who have codes checked; with an API key.")
    ),
    components(schemas(Problem, FieldError, ProblemType)),
    modifiers(&ApiKeyScheme)
)]
struct Document;

struct ApiKeyScheme;

impl Modify for ApiKeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The API key of a relying party, from `warifu relying-party add NAME`.",
            ))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}

/// The problems that any request can meet.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells OpenAPI about the answers")]
pub(super) enum PlainProblems {
    /// The request is not HTTP or JSON as it should be.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// The path does not take this method.
    #[response(status = 405, content_type = "application/problem+json")]
    Method(#[to_schema] Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] Problem),
    /// Overloaded, or the database is gone; `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// The problems of a token's request.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells OpenAPI about the answers")]
pub(super) enum TokenProblems {
    /// The request is not HTTP or JSON as it should be.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// The path does not take this method.
    #[response(status = 405, content_type = "application/problem+json")]
    Method(#[to_schema] Problem),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(#[to_schema] Problem),
    /// A field is not as expected; `errors` names it.
    #[response(status = 422, content_type = "application/problem+json")]
    Field(#[to_schema] Problem),
    /// Too many from this address; `Retry-After` says when to come back.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] Problem),
    /// Overloaded, or the database is gone; `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// The problems of a relying party's request.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells OpenAPI about the answers")]
pub(super) enum PartyProblems {
    /// The request is not HTTP or JSON as it should be.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No API key, an unknown one or a revoked one.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(#[to_schema] Problem),
    /// No credential has this ID.
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(#[to_schema] Problem),
    /// The path does not take this method.
    #[response(status = 405, content_type = "application/problem+json")]
    Method(#[to_schema] Problem),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(#[to_schema] Problem),
    /// The idempotency key was used for another request.
    #[response(status = 409, content_type = "application/problem+json")]
    Reused(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(#[to_schema] Problem),
    /// A field is not as expected; `errors` names it. No failure is counted.
    #[response(status = 422, content_type = "application/problem+json")]
    Field(#[to_schema] Problem),
    /// A fault of the service.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] Problem),
    /// Overloaded, or the database is gone: the outcome is unknown, ask again with the same `Idempotency-Key`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// The document, as it is served.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /v1/openapi.json`
pub(super) async fn json() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], TEXT.as_str()).into_response()
}
