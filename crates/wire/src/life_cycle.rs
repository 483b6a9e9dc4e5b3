use serde::{Deserialize, Serialize};

/// `POST /v1/credentials/{id}/stop` (rule S6).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StopRequest {
    /// Why.
    pub reason: StopReason,
}

/// Why a credential was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StopReason {
    /// The customer cannot find it.
    Lost,
    /// Someone took it: never back to use.
    Stolen,
    /// Another token took its place.
    Replaced,
    /// The customer left.
    Left,
    /// Anything else.
    Other,
}

/// An empty JSON object: the body of a POST that has nothing to say.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Nothing {}

/// 200 to [`StopRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StopAnswer {
    /// The credential is stopped, by this request or an earlier one.
    Stopped {
        /// The reason that now holds: the first one given, unless a later one says `stolen`.
        reason: StopReason,
    },
}

/// 200 to `POST /v1/credentials/{id}/enable`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EnableAnswer {
    /// The credential is in use, by this request or already.
    Enabled,
    /// It stays stopped.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
}

/// Why a stopped credential was not enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RefusalReason {
    /// It was stolen: never back to use.
    Stolen,
    /// Another relying party stopped it, and only that one may take it back.
    StoppedByAnother,
}

/// 200 to `POST /v1/credentials/{id}/unlock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum UnlockAnswer {
    /// No failure counts against the credential at this relying party any more.
    Unlocked,
}
