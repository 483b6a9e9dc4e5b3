//! What the page gets to see: IDs, codes, the state of the clock. There is no field for a secret.

use serde::{Deserialize, Serialize};
use warifu_token::{Codes, Token};

/// What was found at a start.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Found {
    /// Nothing, and all is there to register.
    None,
    /// Nothing, and no key store: first a passphrase.
    Passphrase,
    /// Nothing, and no service: first its address.
    Address,
    /// A token under a passphrase.
    Locked { grouped: String },
    /// A token whose vault will never open again.
    Lost { grouped: String, why: Why },
    /// A token that shows codes.
    Token { token: TokenView },
}

/// Why a vault will never open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    KeyGone,
    Damaged,
}

/// A token as `apps/web-token/backend.js` describes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenView {
    pub(crate) id: String,
    welcomed: bool,
    locked: bool,
    has_lock: bool,
    /// Milliseconds since 1970.
    registered_at: i64,
    contact: ContactView,
}

/// The service's clock less the device's, and when that was learned; milliseconds.
#[derive(Debug, Serialize)]
struct ContactView {
    offset: i64,
    at: i64,
}

/// The codes of this moment.
#[derive(Serialize)]
pub(crate) struct CodesView {
    step: i64,
    code: String,
    next: String,
}

/// Where the key is, and what else the page's health screen shows.
#[derive(Debug, Serialize)]
pub(crate) struct HealthView {
    pub(crate) keys: &'static str,
    pub(crate) store: &'static str,
    pub(crate) service: String,
    pub(crate) starts: bool,
}

/// What can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum What {
    Id,
    Code,
}

impl TokenView {
    pub(crate) fn of(token: &Token, welcomed: bool) -> Self {
        let contact = token.contact();
        Self {
            id: token.id().to_string(),
            welcomed,
            locked: false,
            has_lock: false,
            registered_at: token.registered_at().as_millisecond(),
            contact: ContactView {
                offset: contact.offset_ms,
                at: contact.at.as_millisecond(),
            },
        }
    }
}

impl From<Codes> for CodesView {
    fn from(codes: Codes) -> Self {
        Self {
            step: codes.step,
            code: codes.code.to_string(),
            next: codes.next.to_string(),
        }
    }
}
