//! Master keys from outside the database, by version (rule S8).

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::kdf::hkdf;
use crate::seal::Sealer;

/// The number of a master key, from 1; the highest one seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion(pub u32);

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Tells, from the database, whether a master key is the one of its version, without telling the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCheck(pub [u8; 16]);

/// One master key.
struct MasterKey {
    sealer: Sealer,
    check: KeyCheck,
}

/// Every master key at hand.
pub struct Keyring {
    keys: BTreeMap<KeyVersion, MasterKey>,
}

/// The text of a key source cannot be used. No error holds any part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A line is neither `VERSION:KEY` nor `VERSION:hsm:WRAPPED`.
    #[error(
        "line {line} of the key source is not VERSION:KEY, a number from 1 and 32 bytes as base64url without padding (nor VERSION:hsm:WRAPPED)"
    )]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// A version stands there twice.
    #[error("the key source names version {0} twice")]
    Twice(KeyVersion),
    /// No key.
    #[error("the key source holds no key")]
    Empty,
    /// A key is wrapped, and nothing to unwrap it with is at hand.
    #[error(
        "the master key {0} is wrapped by a hardware security module: say which under [keys.pkcs11]"
    )]
    Wrapped(KeyVersion),
}

/// A master key as a key source holds it.
pub enum Written {
    /// The key itself.
    Clear(Zeroizing<[u8; 32]>),
    /// What a hardware security module made of it and alone can undo.
    Wrapped(Vec<u8>),
}

/// What stands between version and bytes of a wrapped key.
const WRAPPED: &str = "hsm:";

/// The longest wrapped key that is read, bytes: a real one has some 60.
const LONGEST_WRAPPED: usize = 4096;

/// A line of a key source for a new master key of `random` bytes.
#[must_use]
pub fn source_line(version: KeyVersion, random: &[u8; 32]) -> Zeroizing<String> {
    let key = Zeroizing::new(BASE64URL_NOPAD.encode(random));
    Zeroizing::new(format!("{version}:{}\n", key.as_str()))
}

/// A line of a key source for a master key that a hardware security module wrapped.
#[must_use]
pub fn wrapped_line(version: KeyVersion, wrapped: &[u8]) -> String {
    format!("{version}:{WRAPPED}{}\n", BASE64URL_NOPAD.encode(wrapped))
}

/// Reads a key source: one `VERSION:KEY` or `VERSION:hsm:WRAPPED` a line; blank lines and lines that begin with `#` say
/// nothing. Gives at least one key, each version once.
///
/// # Errors
/// [`KeyringError`] names the line.
pub fn read_source(source: &str) -> Result<BTreeMap<KeyVersion, Written>, KeyringError> {
    let mut keys = BTreeMap::new();
    for (number, line) in source.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (version, key) = parse_line(line).ok_or(KeyringError::Line { line: number + 1 })?;
        if keys.insert(version, key).is_some() {
            return Err(KeyringError::Twice(version));
        }
    }
    if keys.is_empty() {
        Err(KeyringError::Empty)
    } else {
        Ok(keys)
    }
}

impl Keyring {
    /// Reads a key source whose keys are in the clear.
    ///
    /// # Errors
    /// [`KeyringError`] names the line, or the version that is wrapped.
    pub fn parse(source: &str) -> Result<Self, KeyringError> {
        Self::of(read_source(source)?, |version, _| {
            Err(KeyringError::Wrapped(version))
        })
    }

    /// The keyring of what a source holds; `unwrap` undoes what a hardware security module did.
    ///
    /// # Errors
    /// The first of `unwrap`.
    pub fn of<E>(
        written: BTreeMap<KeyVersion, Written>,
        mut unwrap: impl FnMut(KeyVersion, &[u8]) -> Result<Zeroizing<[u8; 32]>, E>,
    ) -> Result<Self, E> {
        let mut keys = BTreeMap::new();
        for (version, written) in written {
            let key = match written {
                Written::Clear(key) => key,
                Written::Wrapped(wrapped) => unwrap(version, &wrapped)?,
            };
            keys.insert(version, MasterKey::new(&key));
        }
        Ok(Self { keys })
    }

    /// The highest version.
    #[must_use]
    pub fn newest(&self) -> KeyVersion {
        self.keys
            .keys()
            .next_back()
            .copied()
            .unwrap_or(KeyVersion(0))
    }

    /// Every version, lowest first.
    pub fn versions(&self) -> impl Iterator<Item = KeyVersion> + '_ {
        self.keys.keys().copied()
    }

    /// What seals and opens under a version.
    #[must_use]
    pub fn sealer(&self, version: KeyVersion) -> Option<&Sealer> {
        self.keys.get(&version).map(|key| &key.sealer)
    }

    /// The check value of a version, to be stored beside what it sealed.
    #[must_use]
    pub fn check(&self, version: KeyVersion) -> Option<KeyCheck> {
        self.keys.get(&version).map(|key| key.check)
    }

    /// Whether the key of `version` is the one whose check value was stored; `None` when it is not at hand.
    #[must_use]
    pub fn matches(&self, version: KeyVersion, stored: KeyCheck) -> Option<bool> {
        self.check(version)
            .map(|check| check.0.ct_eq(&stored.0).into())
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clear(_) => "Clear(…)",
            Self::Wrapped(_) => "Wrapped(…)",
        })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("versions", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl MasterKey {
    /// The master key itself encrypts nothing: each use has a key of its own.
    fn new(key: &[u8; 32]) -> Self {
        let sealing = hkdf(b"", key, b"warifu seal v1");
        let check = hkdf(b"", key, b"warifu key check v1");
        Self {
            sealer: Sealer::new(&sealing),
            check: KeyCheck(*check),
        }
    }
}

fn parse_line(line: &str) -> Option<(KeyVersion, Written)> {
    let (version, key) = line.split_once(':')?;
    let version: u32 = version.trim().parse().ok().filter(|version| *version > 0)?;
    let written = match key.trim().strip_prefix(WRAPPED) {
        Some(wrapped) => {
            let wrapped = BASE64URL_NOPAD.decode(wrapped.as_bytes()).ok()?;
            Written::Wrapped(
                Some(wrapped).filter(|wrapped| (1..=LONGEST_WRAPPED).contains(&wrapped.len()))?,
            )
        }
        None => {
            let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(key.trim().as_bytes()).ok()?);
            Written::Clear(Zeroizing::new(bytes.as_slice().try_into().ok()?))
        }
    };
    Some((KeyVersion(version), written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> String {
        let lines: Vec<_> = [(1, [1; 32]), (3, [3; 32])]
            .iter()
            .map(|(version, key)| source_line(KeyVersion(*version), key).to_string())
            .collect();
        format!("# master keys\n\n{}", lines.concat())
    }

    #[test]
    fn a_source_is_read_and_the_highest_version_seals() {
        let keyring = Keyring::parse(&source()).unwrap();
        assert_eq!(keyring.newest(), KeyVersion(3));
        assert_eq!(
            keyring.versions().collect::<Vec<_>>(),
            [KeyVersion(1), KeyVersion(3)]
        );
        assert!(keyring.sealer(KeyVersion(2)).is_none());
    }

    #[test]
    fn a_check_value_tells_a_wrong_key_from_the_right_one() {
        let keyring = Keyring::parse(&source()).unwrap();
        let other = Keyring::parse(&source_line(KeyVersion(1), &[2; 32])).unwrap();
        let check = keyring.check(KeyVersion(1)).unwrap();
        assert_eq!(keyring.matches(KeyVersion(1), check), Some(true));
        assert_eq!(other.matches(KeyVersion(1), check), Some(false));
        assert_eq!(other.matches(KeyVersion(3), check), None);
    }

    #[test]
    fn a_wrapped_key_is_the_same_key_once_it_is_unwrapped() {
        let undo = |version: KeyVersion, wrapped: &[u8]| {
            assert_eq!((version, wrapped), (KeyVersion(3), [7; 60].as_slice()));
            Ok::<_, KeyringError>(Zeroizing::new([3; 32]))
        };
        let text = format!(
            "{}{}",
            *source_line(KeyVersion(1), &[1; 32]),
            wrapped_line(KeyVersion(3), &[7; 60])
        );
        let unwrapped = Keyring::of(read_source(&text).unwrap(), undo).unwrap();
        let clear = Keyring::parse(&source()).unwrap();
        assert_eq!(unwrapped.newest(), clear.newest());
        assert_eq!(unwrapped.check(KeyVersion(3)), clear.check(KeyVersion(3)));
        assert_eq!(
            Keyring::parse(&text).unwrap_err(),
            KeyringError::Wrapped(KeyVersion(3))
        );
        let huge = wrapped_line(KeyVersion(1), &[0; LONGEST_WRAPPED + 1]);
        for text in ["1:hsm:", "1:hsm:=", "0:hsm:AAAA", &huge] {
            assert_eq!(
                Keyring::parse(text).unwrap_err(),
                KeyringError::Line { line: 1 }
            );
        }
    }

    #[test]
    fn a_source_that_cannot_be_used_is_refused_without_showing_a_key() {
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        for (source, error) in [
            ("", KeyringError::Empty),
            ("# only words", KeyringError::Empty),
            (key, KeyringError::Line { line: 1 }),
            (
                "0:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
                KeyringError::Line { line: 1 },
            ),
            ("1:AQEB", KeyringError::Line { line: 1 }),
        ] {
            let found = Keyring::parse(source).unwrap_err();
            assert_eq!(found, error);
            assert!(!found.to_string().contains("AQEB"));
        }
        let twice = format!("1:{key}\n1:{key}");
        assert_eq!(
            Keyring::parse(&twice).unwrap_err(),
            KeyringError::Twice(KeyVersion(1))
        );
        assert_eq!(
            format!("{:?}", Keyring::parse(&source()).unwrap())
                .matches("AQEB")
                .count(),
            0
        );
    }
}
