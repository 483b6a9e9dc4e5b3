use serde::{Deserialize, Serialize};

/// `POST /v1/credentials/{id}/resync`: two codes in a row, to learn how far a token's clock is off (rule S4).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResyncRequest {
    /// A code, ASCII digits.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "123456", pattern = "^[0-9]{6,8}$")
    )]
    pub first_code: String,
    /// The code that the token showed next.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "654321", pattern = "^[0-9]{6,8}$")
    )]
    pub second_code: String,
}

/// 200 to [`ResyncRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ResyncAnswer {
    /// Both codes are right and are now spent; the drift is learned.
    Resynchronised {
        /// The token's clock against the service's, in time steps.
        drift: i16,
    },
    /// The codes are not two in a row within reach; counted as one failure.
    Rejected {
        /// How many more wrong tries this relying party has before the credential locks there.
        tries_left: u8,
    },
    /// The codes are right but were used, or newer ones were; not counted as a failure.
    Replayed,
    /// Too many failures in a row at this relying party; the codes were not looked at.
    Locked,
    /// The credential is stopped; the codes were not looked at.
    Stopped,
}
