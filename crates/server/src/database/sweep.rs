//! SQLite only: the steps that accepted codes spent and that the credentials' own rows may not show yet.
//!
//! The audit row of an acceptance is the durable record of its step; here memory holds it until the row follows. Rows
//! follow in a sweep through all credentials in the order of their numbers, a part of them at a time, over and over again.
//! So however many codes of neighbours were accepted since the sweep was here last, their page is written once. The table
//! `spent_sweep` says of each part up to which audit row its credentials say everything: whoever starts anew reads the rows
//! after that, and goes on with the part whose turn is longest ago (docs/decisions/0023 and 0035).

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use warifu_credentials::audit::{Kind, Outcome};
use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::record::spent_from_stored;

use super::sqlite_engine::SqliteTx;
use super::{DatabaseError, Value};

/// Of how many parts a sweep consists, as many as `spent_sweep` has rows.
const PARTS: usize = 2_048;

// Not where a newer step is spent already, by a resync since.
const FOLLOW: &str = "UPDATE credentials SET last_step = ?2, drift = ?3, last_accepted_at = ?4
     WHERE id = ?1 AND last_step < ?2";
const SWEPT: &str = "UPDATE spent_sweep SET through = ?3 WHERE part >= ?1 AND part < ?2";
const ACCEPTED: &str = "SELECT position, credential, at, detail FROM audit
     WHERE position > ?1 AND kind = ?2 AND outcome = ?3 AND credential IS NOT NULL";

/// A step that an accepted code spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    /// The time step.
    pub(crate) step: i64,
    /// The drift from then on, in steps.
    pub(crate) drift: i16,
    /// When, µs UTC.
    pub(crate) at: i64,
}

/// Where the sweep is, and what waits for it.
pub(crate) struct Sweep {
    /// How many requests come while all parts are swept once.
    round: usize,
    parts: Vec<HashMap<i64, Spent, Numbers>>,
    /// The part whose turn is next.
    next: usize,
    /// Requests that came, times parts, less what was swept for them.
    owed: usize,
    /// What the open transaction swept.
    swept: Range<usize>,
}

/// Numbers of credentials: the service draws them at random, so nobody chooses which fall together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Numbers(u64);

impl BuildHasher for Numbers {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Numbers {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i64(i64::from(*byte));
        }
    }

    /// Multiplied by the golden ratio and folded, so that both ends of the hash differ.
    fn write_i64(&mut self, number: i64) {
        let product = u128::from(self.0 ^ number.cast_unsigned()) * 0x9e37_79b9_7f4a_7c15;
        let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
        self.0 = u64::try_from(low ^ high).unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Sweep {
    /// Reads what audit rows say that their credentials may not say yet.
    pub(crate) fn load(tx: &SqliteTx<'_>, round: usize) -> Result<Self, DatabaseError> {
        let round = round.max(1);
        let through = through(tx)?;
        let longest_ago = (0..).zip(&through).min_by_key(|(_, through)| **through);
        let (next, oldest) = longest_ago.map_or((0, 0), |(part, through)| (part, *through));
        let mut parts = vec![HashMap::<_, Spent, _>::default(); PARTS];
        tx.query(
            ACCEPTED,
            &[
                Value::Int(oldest),
                Value::Int(Kind::Validated.to_stored()),
                Value::Int(Outcome::Accepted.to_stored()),
            ],
            |row| {
                let (position, credential) = (row.int(0)?, row.int(1)?);
                let part = part_of(credential);
                let waits = through.get(part).is_some_and(|through| position > *through);
                if let (true, Some(part), Some((step, drift))) =
                    (waits, parts.get_mut(part), spent_from_stored(row.int(3)?))
                {
                    let spent = Spent {
                        step: step.0,
                        drift,
                        at: row.int(2)?,
                    };
                    let newest = part.entry(credential).or_insert(spent);
                    if newest.step < spent.step {
                        *newest = spent;
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self {
            round,
            parts,
            next,
            // A part at once: where few requests come between two starts there would never be one.
            owed: round,
            swept: 0..0,
        })
    }

    /// The newest step of a credential that its row may not show yet.
    pub(crate) fn spent(&self, credential: i64) -> Option<Spent> {
        self.parts
            .get(part_of(credential))?
            .get(&credential)
            .copied()
    }

    /// Spends a step, if it is newer than whatever is spent and waits here; says what was spent before.
    pub(crate) fn spend(&mut self, credential: i64, spent: Spent) -> Result<Option<Spent>, Older> {
        let part = self.parts.get_mut(part_of(credential)).ok_or(Older)?;
        let before = part.get(&credential).copied();
        if before.is_some_and(|before| before.step >= spent.step) {
            return Err(Older);
        }
        part.insert(credential, spent);
        Ok(before)
    }

    /// Takes back what was spent last.
    pub(crate) fn restore(&mut self, credential: i64, before: Option<Spent>) {
        let Some(part) = self.parts.get_mut(part_of(credential)) else {
            return;
        };
        match before {
            Some(before) => part.insert(credential, before),
            None => part.remove(&credential),
        };
    }

    /// Goes on by as much as requests came, in the transaction that is about to commit and holds all of their audit rows.
    pub(crate) fn step(&mut self, tx: &SqliteTx<'_>, came: usize) -> Result<(), DatabaseError> {
        self.owed += came * PARTS;
        let end = PARTS.min(self.next + self.owed / self.round);
        self.swept = self.next..end;
        if self.swept.is_empty() {
            return Ok(());
        }
        self.owed -= (self.round * self.swept.len()).min(self.owed);
        let mut follow = tx.repeated(FOLLOW)?;
        for part in self.parts.get(self.swept.clone()).into_iter().flatten() {
            let mut waiting: Vec<_> = part.iter().collect();
            waiting.sort_unstable_by_key(|(credential, _)| **credential);
            for (credential, spent) in waiting {
                follow.execute(&[
                    Value::Int(*credential),
                    Value::Int(spent.step),
                    Value::Int(i64::from(spent.drift)),
                    Value::Int(spent.at),
                ])?;
            }
        }
        let newest = tx.query_one("SELECT MAX(position) FROM audit", &[], |row| {
            row.maybe_int(0)
        })?;
        let found = tx.execute(
            SWEPT,
            &[
                number(self.swept.start),
                number(self.swept.end),
                Value::Int(newest.flatten().unwrap_or(0)),
            ],
        )?;
        if found == self.swept.len() {
            Ok(())
        } else {
            Err(DatabaseError::Count {
                statement: "the progress of a sweep",
                expected: self.swept.len(),
                found,
            })
        }
    }

    /// What the transaction swept is durable.
    pub(crate) fn committed(&mut self) {
        let swept = std::mem::take(&mut self.swept);
        if swept.is_empty() {
            return;
        }
        self.next = swept.end % PARTS;
        for part in self.parts.get_mut(swept).into_iter().flatten() {
            // Not emptied but dropped: it takes long until a part is as full again.
            *part = HashMap::default();
        }
    }
}

/// A step that is not newer than what is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Older;

/// Up to which stored position the row of a credential says which steps are spent.
pub(crate) fn swept_through(tx: &SqliteTx<'_>, credential: i64) -> Result<i64, DatabaseError> {
    tx.query_one(
        "SELECT through FROM spent_sweep WHERE part = ?1",
        &[number(part_of(credential))],
        |row| row.int(0),
    )?
    .ok_or(DatabaseError::Gone)
}

/// The same for each part.
fn through(tx: &SqliteTx<'_>) -> Result<Vec<i64>, DatabaseError> {
    let sweep = tx.query(
        "SELECT part, through FROM spent_sweep ORDER BY part",
        &[],
        |row| Ok((row.int(0)?, row.int(1)?)),
    )?;
    let through: Vec<_> = (0..)
        .zip(&sweep)
        .map_while(|(place, (part, through))| (place == *part).then_some(*through))
        .collect();
    if through.len() == PARTS && sweep.len() == PARTS {
        return Ok(through);
    }
    Err(DatabaseError::Stored {
        table: "spent_sweep",
        column: "part",
        row: i64::try_from(through.len()).unwrap_or(i64::MAX),
    })
}

fn number(part: usize) -> Value<'static> {
    Value::Int(i64::try_from(part).unwrap_or(i64::MAX))
}

/// In which part of the sweep a credential is: neighbours are together, and each part has as many, whichever platforms the
/// tokens are of, since numbers are drawn at random within a platform.
fn part_of(credential: i64) -> usize {
    let within = credential.unsigned_abs() % CredentialId::PER_PLATFORM;
    usize::try_from(within * PARTS as u64 / CredentialId::PER_PLATFORM).unwrap_or(0)
}

#[cfg(test)]
mod tests;
