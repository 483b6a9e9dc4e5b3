use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::bank::BankError;
use crate::database::DatabaseError;

/// What no page of ours leads to, or what should not happen: written out as a page by the layer around.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Not a form of ours: sent by another site, or from a page that is too old.
    Forbidden,
    /// There is no such page.
    NotFound,
    /// The page takes no such request.
    Method,
    /// Not as our forms are.
    Malformed,
    /// Too long.
    TooLarge,
    /// Not here in time: nothing of it was looked at.
    Slow,
    /// Too many at once: try again in so many seconds.
    Busy(u8),
    /// More requests come than can be in work: nothing of this one was looked at.
    TurnedAway,
    /// The database gives no answer; nothing is lost by trying again.
    Unavailable(String),
    /// The token service gives no answer, so the code is not known to be right: nothing was carried out.
    Unchecked(String),
    /// A fault of the program.
    Internal(String),
}

impl Failure {
    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy(_) | Self::TurnedAway | Self::Unavailable(_) | Self::Unchecked(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The key of its title and of its text.
    #[must_use]
    pub fn keys(&self) -> (&'static str, &'static str) {
        match self {
            Self::Forbidden => ("failure-forbidden", "failure-forbidden-text"),
            Self::NotFound => ("failure-not-found", "failure-not-found-text"),
            Self::Method => ("failure-method", "failure-method-text"),
            Self::Malformed => ("failure-malformed", "failure-malformed-text"),
            Self::TooLarge => ("failure-too-large", "failure-too-large-text"),
            Self::Slow => ("failure-slow", "failure-slow-text"),
            Self::Busy(_) | Self::TurnedAway => ("failure-busy", "failure-busy-text"),
            Self::Unavailable(_) => ("failure-unavailable", "failure-unavailable-text"),
            Self::Unchecked(_) => ("failure-unchecked", "failure-unchecked-text"),
            Self::Internal(_) => ("failure-internal", "failure-internal-text"),
        }
    }

    /// What the log tells staff.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Unavailable(cause) | Self::Unchecked(cause) | Self::Internal(cause) => cause,
            _ => "",
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let seconds = match self {
            Self::Busy(seconds) => Some(seconds),
            Self::TurnedAway => Some(2),
            Self::Unavailable(_) | Self::Unchecked(_) => Some(5),
            _ => None,
        };
        if let Some(seconds) = seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(u16::from(seconds)));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<BankError> for Failure {
    fn from(error: BankError) -> Self {
        let cause = error.to_string();
        match error {
            BankError::TokenService(_) => Self::Unchecked(cause),
            BankError::Database(
                DatabaseError::Sqlite(_)
                | DatabaseError::Postgres(_)
                | DatabaseError::Overloaded
                | DatabaseError::Timeout
                | DatabaseError::Unconfirmed
                | DatabaseError::Gone,
            ) => Self::Unavailable(cause),
            BankError::Database(_) => Self::Internal(cause),
        }
    }
}

impl From<crate::passwords::Busy> for Failure {
    fn from(_: crate::passwords::Busy) -> Self {
        Self::Busy(2)
    }
}

/// `fallback`
pub(crate) async fn not_found() -> Failure {
    Failure::NotFound
}

/// `method_not_allowed_fallback`
pub(crate) async fn method() -> Failure {
    Failure::Method
}
