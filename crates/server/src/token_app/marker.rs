//! A cookie that says which token was in this browser, so that one whose keys were cleared away is told from one that
//! never was (rule T8). Set over HTTP, since Safari drops after seven days what a script wrote.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use warifu_credentials::credential_id::CredentialId;

use crate::token_api::{ApiProblem, Text};

/// The longest that browsers keep a cookie (400 days); each contact begins it anew.
const COOKIE: &str = "; Path=/token/; Max-Age=34560000; SameSite=Strict; Secure";

const NAME: &str = "__Secure-warifu_token";

/// `PUT /token/marker`: the body is a credential ID, which is no secret (rule S1).
pub(super) async fn set(body: String) -> Result<Response, ApiProblem> {
    let id: CredentialId = body.trim().parse().map_err(|_| {
        ApiProblem::field(
            "body",
            Text {
                en: "a token ID, 4 letters and 8 digits, the last one fitting the others",
                ja: "トークンID（英字4文字と数字8桁）",
            },
        )
    })?;
    answer(&format!("{NAME}={id}{COOKIE}"))
}

/// `DELETE /token/marker`
pub(super) async fn clear() -> Result<Response, ApiProblem> {
    answer(&format!(
        "{NAME}=; Path=/token/; Max-Age=0; SameSite=Strict; Secure"
    ))
}

fn answer(cookie: &str) -> Result<Response, ApiProblem> {
    let value =
        HeaderValue::from_str(cookie).map_err(|error| ApiProblem::internal(error.to_string()))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, value)]).into_response())
}
