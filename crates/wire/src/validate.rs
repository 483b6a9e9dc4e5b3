use serde::{Deserialize, Serialize};

/// `POST /v1/credentials/{id}/validate` (rule S2).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidateRequest {
    /// The code as the customer typed it, ASCII digits.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "123456", pattern = "^[0-9]{6,8}$")
    )]
    pub code: String,
    /// What the code is spent on: 1 to 32 of `a-z`, `0-9`, `_` and `-`; kept in the audit trail.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "login", pattern = "^[a-z0-9_-]{1,32}$")
    )]
    pub purpose: String,
}

/// 200 to [`ValidateRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ValidateAnswer {
    /// The code is right and is now spent.
    Accepted,
    /// The code is wrong; counted.
    Rejected {
        /// How many more wrong codes this relying party may send before the credential locks there.
        tries_left: u8,
    },
    /// The code is right but was used, or a newer one was; not counted as a failure.
    Replayed,
    /// Too many wrong codes in a row at this relying party; the code was not looked at.
    Locked,
    /// The credential is stopped; the code was not looked at.
    Stopped,
    /// The code is right for a far time step: ask for two codes in a row and resync.
    ResyncNeeded,
}
