use serde::{Deserialize, Serialize};

/// An RFC 9457 problem document, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// What kind of problem it is; stable, to be compared by programs.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// The kind in words, in the language of `Accept-Language` (English or Japanese).
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened here, in the same language.
    pub detail: String,
    /// The request ID, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// For `invalid-field`: every field that is not as expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One field that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, header or path parameter.
    pub field: String,
    /// What is expected there.
    pub expected: String,
}

/// The stable types of [`Problem`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ProblemType {
    /// 400: not HTTP or not JSON as it should be.
    #[serde(rename = "urn:warifu:problem:malformed")]
    Malformed,
    /// 401: no API key, an unknown one or a revoked one.
    #[serde(rename = "urn:warifu:problem:unauthorized")]
    Unauthorized,
    /// 404: no such path.
    #[serde(rename = "urn:warifu:problem:not-found")]
    NotFound,
    /// 404: no credential has this ID.
    #[serde(rename = "urn:warifu:problem:unknown-credential")]
    UnknownCredential,
    /// 405: the path does not take this method.
    #[serde(rename = "urn:warifu:problem:method-not-allowed")]
    MethodNotAllowed,
    /// 408: the request did not arrive in time.
    #[serde(rename = "urn:warifu:problem:timeout")]
    Timeout,
    /// 409: the idempotency key was used with another request.
    #[serde(rename = "urn:warifu:problem:key-reused")]
    KeyReused,
    /// 413: the body is too large.
    #[serde(rename = "urn:warifu:problem:too-large")]
    TooLarge,
    /// 415: the body is not `application/json`.
    #[serde(rename = "urn:warifu:problem:unsupported-media-type")]
    UnsupportedMediaType,
    /// 422: a field is not as expected; `errors` names it.
    #[serde(rename = "urn:warifu:problem:invalid-field")]
    InvalidField,
    /// 429: too many requests from this address; `Retry-After` says when to come back.
    #[serde(rename = "urn:warifu:problem:too-many-requests")]
    TooManyRequests,
    /// 500: a fault of the service.
    #[serde(rename = "urn:warifu:problem:internal")]
    Internal,
    /// 503: overloaded, or the database is gone; the outcome is unknown: ask again with the same key.
    #[serde(rename = "urn:warifu:problem:unavailable")]
    Unavailable,
}
