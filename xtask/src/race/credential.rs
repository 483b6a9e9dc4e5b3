//! What a round needs of a credential.

use anyhow::{Result, anyhow};
use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};

use super::adapter::Encoding;

/// A credential that the server knows, with its secret.
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) secret: Vec<u8>,
}

impl Encoding {
    /// Reads a secret.
    pub(crate) fn decode(self, text: &str) -> Result<Vec<u8>> {
        let decoded = match self {
            Self::Base32 => {
                let text = text.trim_end_matches('=').to_ascii_uppercase();
                BASE32_NOPAD.decode(text.as_bytes())
            }
            Self::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
        };
        decoded.map_err(|error| anyhow!("a secret that is no {self:?}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_in_both_writings() {
        assert_eq!(Encoding::Hex.decode("4A6f").unwrap(), b"Jo");
        assert_eq!(Encoding::Base32.decode("jjxq====").unwrap(), b"Jo");
        assert!(Encoding::Hex.decode("xyz").is_err());
    }
}
