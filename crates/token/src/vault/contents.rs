use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use warifu_wire::SECRET_LENGTH;
use zeroize::Zeroizing;

use crate::{Contact, CredentialId, Secret, ServiceAddress};

/// What a vault seals.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) secret: Secret,
    pub(crate) details: Details,
}

/// What is known of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) credential_id: CredentialId,
    pub(crate) service: ServiceAddress,
    pub(crate) registered_at: Timestamp,
    pub(crate) contact: Contact,
}

impl Contents {
    /// The secret's bytes, then JSON. The secret takes no way through serde, whose buffers are not wiped.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let details = serde_json::to_vec(&self.details).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_LENGTH + details.len()));
        bytes.extend_from_slice(self.secret.bytes());
        bytes.extend_from_slice(&details);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (secret, details) = bytes.split_first_chunk::<SECRET_LENGTH>()?;
        Some(Self {
            secret: Secret::from_bytes(Zeroizing::new(*secret)),
            details: serde_json::from_slice(details).ok()?,
        })
    }
}
