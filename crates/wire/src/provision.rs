use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Base64Url;

/// An X25519 public key (RFC 7748 §5), 32 bytes.
pub type PublicKey = Base64Url<32>;

/// `POST /v1/credentials`: a token asks to become known (rule S1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProvisionRequest {
    /// The token's X25519 public key, 32 bytes as base64url without padding.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[A-Za-z0-9_-]{43}$"))]
    pub public_key: PublicKey,
    /// Where the token runs.
    pub platform: Platform,
}

/// Where a token runs; the third letter of its credential ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Platform {
    /// A browser or an installed web app, on a phone, a tablet or a PC.
    Web,
    /// The desktop program.
    Desktop,
    /// The command line.
    Cli,
}

/// 201 to [`ProvisionRequest`]. The secret is not in it: both sides derive it (rule T5).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProvisionAnswer {
    /// The new credential ID, 12 characters.
    #[cfg_attr(feature = "openapi", schema(example = "WRCA12345671"))]
    pub credential_id: String,
    /// The service's X25519 public key for this credential alone, 32 bytes as base64url without padding.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub service_public_key: PublicKey,
    /// The hash of the token's HMAC.
    pub algorithm: Algorithm,
    /// Digits of a code.
    #[cfg_attr(feature = "openapi", schema(example = 6))]
    pub digits: u8,
    /// Seconds of a time step (RFC 6238 `X`).
    #[cfg_attr(feature = "openapi", schema(example = 30))]
    pub period: u32,
    /// The service's clock, RFC 3339 in UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub service_time: Timestamp,
}

/// The hash under a credential's HMAC (RFC 6238 §1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Algorithm {
    /// HMAC-SHA-1, for credentials that come from elsewhere.
    Sha1,
    /// HMAC-SHA-256, for Warifu's own tokens.
    Sha256,
    /// HMAC-SHA-512, for credentials that come from elsewhere.
    Sha512,
}
