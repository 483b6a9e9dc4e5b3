//! What a token, the token service and a relying party say to each other over `/v1`.
//!
//! Messages only: serde structs, problem types and the constants both ends must agree on. No logic
//! lives here, so that a client in another language can be written from this crate alone.
//!
//! Binary values are base64url without padding, instants are RFC 3339 in UTC.

mod base64url;
mod credential;
mod life_cycle;
mod problem;
mod provision;
mod resync;
mod time;
mod validate;

pub use base64url::{Base64Url, Base64UrlError};
pub use credential::{CredentialState, CredentialStatus};
pub use life_cycle::{
    EnableAnswer, Nothing, RefusalReason, StopAnswer, StopReason, StopRequest, UnlockAnswer,
};
pub use problem::{FieldError, Problem, ProblemType};
pub use provision::{Algorithm, Platform, ProvisionAnswer, ProvisionRequest, PublicKey};
pub use resync::{ResyncAnswer, ResyncRequest};
pub use time::TimeAnswer;
pub use validate::{ValidateAnswer, ValidateRequest};

/// HKDF `info` of the shared secret both sides derive (RFC 5869 §2.3).
///
/// `secret = HKDF-SHA-256(input = X25519 output, salt = the 12 ASCII bytes of the credential ID, info)`,
/// [`SECRET_LENGTH`] bytes. An all-zero X25519 output is refused (RFC 7748 §6.1).
pub const SECRET_INFO: &[u8] = b"warifu totp v1";

/// Length of the derived secret, in bytes (RFC 6238 appendix A: the output length of SHA-256).
pub const SECRET_LENGTH: usize = 32;

/// Header in which a relying party names its request, 1 to 64 visible ASCII characters (rule S7).
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Header that carries the name of a request through logs and answers.
pub const REQUEST_ID: &str = "X-Request-Id";
