use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Algorithm, Platform, StopReason};

/// 200 to `GET /v1/credentials/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialStatus {
    /// The credential ID, 12 characters.
    #[cfg_attr(feature = "openapi", schema(example = "WRCA12345671"))]
    pub credential_id: String,
    /// Whether it is in use.
    pub state: CredentialState,
    /// Why it is stopped; absent while it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// Where the token runs.
    pub platform: Platform,
    /// The hash of the token's HMAC.
    pub algorithm: Algorithm,
    /// When it was provisioned, RFC 3339 in UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub provisioned_at: Timestamp,
    /// When a code of it was last accepted by any relying party; null before the first.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_accepted_at: Option<Timestamp>,
    /// The token's clock against the service's, in time steps.
    pub drift: i16,
    /// Wrong codes in a row at the relying party that asks.
    pub failures: u8,
    /// Whether it is locked at the relying party that asks.
    pub locked: bool,
}

/// Whether a credential is in use (rule S6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CredentialState {
    /// Codes are checked.
    Enabled,
    /// Codes are refused unseen.
    Stopped,
}
