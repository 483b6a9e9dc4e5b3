//! Signed heads of the audit chains, kept apart from the database (rule S9): what finds a cut tail.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::audit::{Head, Mark, Position};

/// One line of a checkpoint file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// When it was taken, RFC 3339 in UTC.
    pub at: Timestamp,
    /// The head of every stream that has rows.
    pub heads: Vec<CheckpointHead>,
    /// Ed25519 (RFC 8032) over all of the above, base64url without padding.
    pub signature: String,
}

/// The newest row of one stream at the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointHead {
    /// The stream, from 1.
    pub stream: u16,
    /// The sequence, from 1.
    pub sequence: u64,
    /// The row's mark, base64url without padding.
    pub mark: String,
}

/// A checkpoint that was not signed by this service, or was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signature of the checkpoint of {at} does not fit: it was changed, or signed by another service"
)]
pub struct BadSignature {
    /// Of when it says it is.
    pub at: Timestamp,
}

/// Signs and verifies checkpoints.
pub struct CheckpointSigner(SigningKey);

impl CheckpointSigner {
    /// A signer whose private key is 32 secret bytes.
    #[must_use]
    pub fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(key))
    }

    /// The public key, for whoever verifies elsewhere.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `heads` as of `at`.
    #[must_use]
    pub fn sign(&self, at: Timestamp, heads: &[Head]) -> Checkpoint {
        let heads: Vec<_> = heads
            .iter()
            .map(|head| CheckpointHead {
                stream: head.position.stream,
                sequence: head.position.sequence,
                mark: BASE64URL_NOPAD.encode(&head.mark.0),
            })
            .collect();
        let signature = self.0.sign(&message(at, &heads));
        Checkpoint {
            at,
            heads,
            signature: BASE64URL_NOPAD.encode(&signature.to_bytes()),
        }
    }

    /// The heads of a checkpoint that this service signed.
    ///
    /// # Errors
    /// [`BadSignature`] when one byte differs from what was signed.
    pub fn verify(&self, checkpoint: &Checkpoint) -> Result<Vec<Head>, BadSignature> {
        verify(&self.0.verifying_key(), checkpoint).ok_or(BadSignature { at: checkpoint.at })
    }
}

fn verify(key: &VerifyingKey, checkpoint: &Checkpoint) -> Option<Vec<Head>> {
    let signature = BASE64URL_NOPAD
        .decode(checkpoint.signature.as_bytes())
        .ok()?;
    let signature = Signature::from_slice(&signature).ok()?;
    key.verify_strict(&message(checkpoint.at, &checkpoint.heads), &signature)
        .ok()?;
    checkpoint
        .heads
        .iter()
        .map(|head| {
            let mark = BASE64URL_NOPAD.decode(head.mark.as_bytes()).ok()?;
            let position = Position {
                stream: head.stream,
                sequence: head.sequence,
            };
            Some(Head {
                position,
                mark: Mark(mark.try_into().ok()?),
            })
        })
        .collect()
}

fn message(at: Timestamp, heads: &[CheckpointHead]) -> Vec<u8> {
    let mut message = b"warifu audit checkpoint v1\n".to_vec();
    message.extend_from_slice(format!("{at}\n").as_bytes());
    for head in heads {
        message.extend_from_slice(
            format!("{} {} {}\n", head.stream, head.sequence, head.mark).as_bytes(),
        );
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(byte: u8) -> CheckpointSigner {
        CheckpointSigner::new(&Zeroizing::new([byte; 32]))
    }

    fn heads() -> Vec<Head> {
        vec![Head {
            position: Position {
                stream: 1,
                sequence: 7,
            },
            mark: Mark([9; 32]),
        }]
    }

    #[test]
    fn a_checkpoint_survives_its_file_and_is_verified() {
        let checkpoint = signer(1).sign(Timestamp::UNIX_EPOCH, &heads());
        let line = serde_json::to_string(&checkpoint).unwrap();
        let read: Checkpoint = serde_json::from_str(&line).unwrap();
        assert_eq!(signer(1).verify(&read), Ok(heads()));
    }

    #[test]
    fn a_changed_checkpoint_and_a_foreign_one_are_found() {
        let good = signer(1).sign(Timestamp::UNIX_EPOCH, &heads());
        assert!(signer(2).verify(&good).is_err());
        let mut changed = good.clone();
        changed.heads[0].sequence -= 1;
        assert!(signer(1).verify(&changed).is_err());
        let mut changed = good.clone();
        changed.at = Timestamp::MAX;
        assert!(signer(1).verify(&changed).is_err());
        let mut changed = good;
        changed.heads.clear();
        assert!(signer(1).verify(&changed).is_err());
    }
}
