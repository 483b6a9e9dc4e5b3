use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::vault::VaultKey;

/// A passphrase has at least this many characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// What opens a vault where no key store holds its key.
pub struct Passphrase(Zeroizing<String>);

/// A text is no passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Fewer than [`MIN_PASSPHRASE_CHARS`] characters.
    #[error("a passphrase has at least {MIN_PASSPHRASE_CHARS} characters")]
    TooShort,
}

/// The cost of one guess (RFC 9106 §3.1), written in the vault's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Cost {
    /// 64 MiB and 3 passes (the second choice of RFC 9106 §4) in one lane.
    pub(crate) const NEW: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// A vault that asks for more is damaged or hostile: opening it would eat the machine.
    const MOST: Self = Self {
        memory_kib: 1024 * 1024,
        passes: 16,
        lanes: 16,
    };

    fn is_bearable(self) -> bool {
        self.memory_kib <= Self::MOST.memory_kib
            && self.passes <= Self::MOST.passes
            && self.lanes <= Self::MOST.lanes
    }
}

impl Passphrase {
    /// Takes a text as typed or as read from a file.
    ///
    /// # Errors
    /// When it is shorter than [`MIN_PASSPHRASE_CHARS`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, PassphraseError> {
        if text.chars().count() < MIN_PASSPHRASE_CHARS {
            return Err(PassphraseError::TooShort);
        }
        Ok(Self(text))
    }

    /// Whether both are the same text.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Argon2id (RFC 9106) of the passphrase; nothing when the cost is out of bounds.
    pub(crate) fn stretch(&self, salt: &[u8; 16], cost: Cost) -> Option<VaultKey> {
        if !cost.is_bearable() {
            return None;
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.0.as_bytes(), salt, key.as_mut_slice())
            .ok()?;
        Some(VaultKey::from_bytes(key))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
    }

    #[test]
    fn a_passphrase_is_counted_in_characters_and_has_eight_at_least() {
        let short = Passphrase::new(Zeroizing::new("あいうえおかき".to_owned()));
        assert_eq!(short.err(), Some(PassphraseError::TooShort));
        passphrase("あいうえおかきく");
    }

    #[test]
    fn a_cost_that_would_eat_the_machine_is_not_paid() {
        let passphrase = passphrase("correct horse");
        for cost in [
            Cost {
                memory_kib: u32::MAX,
                passes: 1,
                lanes: 1,
            },
            Cost {
                memory_kib: 1024,
                passes: 17,
                lanes: 1,
            },
            Cost {
                memory_kib: 1024,
                passes: 1,
                lanes: 17,
            },
            Cost {
                memory_kib: 0,
                passes: 1,
                lanes: 1,
            },
        ] {
            assert!(passphrase.stretch(&[0; 16], cost).is_none(), "{cost:?}");
        }
    }
}
