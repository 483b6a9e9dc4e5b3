//! The audit trail: one row an event, chained under a key from outside the database (rule S9).
//!
//! A stream is one chain; the service may write several at once. Row `n` of a stream holds
//! HMAC-SHA-256(key, stream and sequence ‖ mark of row `n − 1` ‖ every field of row `n`), so that a changed, removed
//! or re-ordered row breaks the chain, and nobody without the key can mend it.

use std::fmt;

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::credential_id::CredentialId;
use crate::kdf::hmac;
use crate::party::PartyId;
use crate::request::{Fingerprint, RequestDigest, StoredDigest};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Kind {
    /// The trail began.
    Opened = 1,
    /// A token became known.
    Provisioned = 2,
    /// A code was checked.
    Validated = 3,
    /// Two codes in a row were checked.
    Resynchronised = 4,
    /// A credential was to be stopped.
    Stopped = 5,
    /// A credential was to be enabled.
    Enabled = 6,
    /// A credential was unlocked at a relying party.
    Unlocked = 7,
    /// A relying party was added.
    PartyAdded = 8,
    /// A relying party was revoked.
    PartyRevoked = 9,
    /// A version of the master key was taken into use.
    KeyAdopted = 10,
    /// Every secret was sealed again under the newest version.
    KeyRotated = 11,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Outcome {
    /// Done.
    Done = 0,
    /// A right code, spent.
    Accepted = 1,
    /// A wrong code, counted.
    Rejected = 2,
    /// A right code that was spent before.
    Replayed = 3,
    /// Locked, not looked at.
    Locked = 4,
    /// Stopped, not looked at.
    Stopped = 5,
    /// Right for a far step.
    ResyncNeeded = 6,
    /// Refused for a reason of the life cycle.
    Refused = 7,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: Kind,
    /// What came of it.
    pub outcome: Outcome,
    /// Which credential.
    pub credential: Option<CredentialId>,
    /// Which relying party.
    pub party: Option<PartyId>,
    /// A number that belongs to the outcome: tries left, drift in steps, a reason's number, a key version.
    pub detail: i64,
    /// Which request, if a relying party's.
    pub request: Option<RequestDigest>,
    /// What the request said.
    pub fingerprint: Option<Fingerprint>,
    /// A short plain word: the purpose of a validation, the reason of a stop; at most [`Event::NOTE_LENGTH`] bytes.
    pub note: String,
}

/// Where a row stands: a stream (from 1) and a sequence in it (from 1, without gaps).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The chain.
    pub stream: u16,
    /// The place in it.
    pub sequence: u64,
}

/// The chained authenticator of one row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub [u8; 32]);

/// The newest row of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its place; sequence 0 for a stream without rows.
    pub position: Position,
    /// Its mark; zeros for a stream without rows.
    pub mark: Mark,
}

/// Marks rows and checks marks. It holds the keyed state, not the key: each mark begins from there.
#[derive(Clone)]
pub struct Chain(Hmac<Sha256>);

/// A row that does not follow its predecessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Rows are missing before this one, or it stands twice.
    #[error("stream {} should go on with row {}, but row {} follows: a row was removed or re-ordered", .expected.stream, .expected.sequence, .found.sequence)]
    Gap {
        /// What should follow.
        expected: Position,
        /// What does.
        found: Position,
    },
    /// The row is not the one that was written.
    #[error("row {} of stream {} is not the one that was written: it, or the one before it, was changed", .at.sequence, .at.stream)]
    Changed {
        /// Where.
        at: Position,
    },
}

impl Event {
    /// The longest note, in bytes.
    pub const NOTE_LENGTH: usize = 32;

    /// An event of the service itself, without request.
    #[must_use]
    pub fn new(at: Timestamp, kind: Kind) -> Self {
        Self {
            at,
            kind,
            outcome: Outcome::Done,
            credential: None,
            party: None,
            detail: 0,
            request: None,
            fingerprint: None,
            note: String::new(),
        }
    }
}

impl Position {
    const SEQUENCE_BITS: u32 = 48;

    /// One number for both, ordered by stream and then by sequence: the key of the audit table.
    #[must_use]
    pub fn to_stored(self) -> i64 {
        ((u64::from(self.stream) << Self::SEQUENCE_BITS) | self.sequence).cast_signed()
    }

    /// The position of a stored number.
    #[must_use]
    pub fn from_stored(stored: i64) -> Self {
        let number = stored.cast_unsigned();
        Self {
            stream: u16::try_from(number >> Self::SEQUENCE_BITS).unwrap_or(u16::MAX),
            sequence: number & ((1 << Self::SEQUENCE_BITS) - 1),
        }
    }

    fn next(self) -> Self {
        Self {
            sequence: self.sequence + 1,
            ..self
        }
    }
}

impl Head {
    /// The head of a stream without rows.
    #[must_use]
    pub fn empty(stream: u16) -> Self {
        Self {
            position: Position {
                stream,
                sequence: 0,
            },
            mark: Mark([0; 32]),
        }
    }
}

impl Chain {
    /// A chain under a secret key.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "whoever hands the key over keeps no copy of it"
    )]
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(hmac(&key))
    }

    /// The head after `event`.
    #[must_use]
    pub fn append(&self, head: Head, event: &Event) -> Head {
        let position = head.position.next();
        Head {
            position,
            mark: self.mark(head.mark, position, event),
        }
    }

    /// Checks that the row (`position`, `event`, `mark`) follows `head`, and gives the head after it.
    ///
    /// # Errors
    /// [`Broken`] says how the row fails.
    pub fn follow(
        &self,
        head: Head,
        position: Position,
        event: &Event,
        mark: Mark,
    ) -> Result<Head, Broken> {
        let expected = head.position.next();
        if position != expected {
            return Err(Broken::Gap {
                expected,
                found: position,
            });
        }
        let next = self.append(head, event);
        if bool::from(next.mark.0.ct_eq(&mark.0)) {
            Ok(next)
        } else {
            Err(Broken::Changed { at: position })
        }
    }

    /// Fixed-length fields in order, each that may be absent with a byte that says whether it is, the note last.
    fn mark(&self, before: Mark, position: Position, event: &Event) -> Mark {
        let request = event.request.map(RequestDigest::to_stored);
        let mut mac = self.0.clone();
        mac.update(&position.to_stored().to_be_bytes());
        mac.update(&before.0);
        mac.update(&event.at.as_microsecond().to_be_bytes());
        mac.update(&(event.kind as i16).to_be_bytes());
        mac.update(&(event.outcome as i16).to_be_bytes());
        mac.update(
            &event
                .credential
                .map_or(-1, CredentialId::to_stored)
                .to_be_bytes(),
        );
        mac.update(&event.party.map_or(-1, |party| party.0).to_be_bytes());
        mac.update(&event.detail.to_be_bytes());
        mac.update(&[
            u8::from(event.credential.is_some()),
            u8::from(event.party.is_some()),
            // One or two: with a second before it, it is longer.
            request.map_or(0, |request| 1 + u8::from(request.as_bytes().len() > 16)),
            u8::from(event.fingerprint.is_some()),
        ]);
        mac.update(
            request
                .as_ref()
                .map_or([0; 16].as_slice(), StoredDigest::as_bytes),
        );
        mac.update(
            &event
                .fingerprint
                .map_or([0; 16], |fingerprint| fingerprint.0),
        );
        mac.update(event.note.as_bytes());
        Mark(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth, ..] = self.0;
        write!(f, "Mark({first:02x}{second:02x}{third:02x}{fourth:02x}…)")
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain(…)")
    }
}

/// Reads stored numbers back; `None` for one that no version of this program wrote.
macro_rules! stored_numbers {
    ($type:ident { $($name:ident),* $(,)? }) => {
        impl $type {
            /// The number in storage.
            #[must_use]
            pub fn to_stored(self) -> i64 {
                self as i64
            }

            /// The meaning of a stored number.
            #[must_use]
            pub fn from_stored(stored: i64) -> Option<Self> {
                [$(Self::$name),*].into_iter().find(|value| value.to_stored() == stored)
            }
        }
    };
}

stored_numbers!(Kind {
    Opened,
    Provisioned,
    Validated,
    Resynchronised,
    Stopped,
    Enabled,
    Unlocked,
    PartyAdded,
    PartyRevoked,
    KeyAdopted,
    KeyRotated,
});
stored_numbers!(Outcome {
    Done,
    Accepted,
    Rejected,
    Replayed,
    Locked,
    Stopped,
    ResyncNeeded,
    Refused
});

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Chain {
        Chain::new(Zeroizing::new([1; 32]))
    }

    fn rows(count: i64) -> Vec<(Position, Event, Mark)> {
        let mut head = Head::empty(1);
        (0..count)
            .map(|number| {
                let event = Event {
                    detail: number,
                    note: "login".into(),
                    ..Event::new(Timestamp::UNIX_EPOCH, Kind::Validated)
                };
                head = chain().append(head, &event);
                (head.position, event, head.mark)
            })
            .collect()
    }

    fn check(rows: &[(Position, Event, Mark)]) -> Result<Head, Broken> {
        rows.iter()
            .try_fold(Head::empty(1), |head, (position, event, mark)| {
                chain().follow(head, *position, event, *mark)
            })
    }

    #[test]
    fn a_whole_chain_holds() {
        assert_eq!(check(&rows(10)).unwrap().position.sequence, 10);
    }

    #[test]
    fn a_removed_a_doubled_and_a_re_ordered_row_are_found() {
        for place in 0..9 {
            let mut removed = rows(10);
            removed.remove(place);
            assert!(matches!(check(&removed), Err(Broken::Gap { .. })));
            let mut swapped = rows(10);
            swapped.swap(place, place + 1);
            assert!(check(&swapped).is_err());
            let (a, b) = (swapped[place].0, swapped[place + 1].0);
            (swapped[place].0, swapped[place + 1].0) = (b, a);
            assert!(
                matches!(check(&swapped), Err(Broken::Changed { .. })),
                "also when it is renumbered"
            );
        }
    }

    #[test]
    fn a_change_of_any_field_is_found() {
        let changes: [fn(&mut Event); 11] = [
            |event| event.at = Timestamp::MAX,
            |event| event.kind = Kind::Stopped,
            |event| event.outcome = Outcome::Accepted,
            |event| event.credential = CredentialId::from_stored(0),
            |event| event.party = Some(PartyId(0)),
            |event| event.party = Some(PartyId(-1)),
            |event| event.detail += 1,
            |event| event.request = Some(RequestDigest::new([0; 16], None)),
            |event| event.request = Some(RequestDigest::new([0; 16], Some(0))),
            |event| event.fingerprint = Some(Fingerprint([0; 16])),
            |event| event.note.push('x'),
        ];
        for change in changes {
            let mut changed = rows(3);
            change(&mut changed[1].1);
            assert_eq!(
                check(&changed),
                Err(Broken::Changed {
                    at: Position {
                        stream: 1,
                        sequence: 2
                    }
                })
            );
        }
    }

    /// Computed with Python's `hmac`, field by field: a trail of before the second of a key was stored goes on to hold.
    #[test]
    fn a_mark_is_what_it_was_whether_a_request_tells_its_second_or_not() {
        let mark = |request: Option<RequestDigest>| {
            let event = Event {
                outcome: Outcome::Accepted,
                party: Some(PartyId(7)),
                detail: 42,
                request,
                fingerprint: Some(Fingerprint([3; 16])),
                note: "login".into(),
                ..Event::new(Timestamp::from_second(1).unwrap(), Kind::Validated)
            };
            let head = chain().append(Head::empty(1), &event);
            head.mark
                .0
                .iter()
                .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
        };
        assert_eq!(
            mark(None),
            "dadd4ecc903f21cffdd960089d43ec3f5cab767e8bfe377da89d5261794341cb"
        );
        assert_eq!(
            mark(Some(RequestDigest::new([2; 16], None))),
            "37f570c70c3eaac2bae68fd0c56d1b3e52f03f8123606788bf43e34536c800cc"
        );
        let timed = RequestDigest::new([2; 16], Some(1_645_557_742));
        assert_eq!(
            mark(Some(timed)),
            "5fa10d10dd7767ea5f4832ee95d24e3d6e6302937a97527051effa60e6d6acbe"
        );
    }

    #[test]
    fn positions_and_numbers_survive_storage() {
        for position in [
            Position {
                stream: 1,
                sequence: 1,
            },
            Position {
                stream: 32_767,
                sequence: (1 << 48) - 1,
            },
        ] {
            assert_eq!(Position::from_stored(position.to_stored()), position);
            assert!(position.to_stored() > 0);
        }
        assert_eq!(
            Kind::from_stored(Kind::KeyRotated.to_stored()),
            Some(Kind::KeyRotated)
        );
        assert_eq!(Outcome::from_stored(99), None);
    }
}
