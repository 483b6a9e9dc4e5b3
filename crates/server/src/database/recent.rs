//! SQLite only: what the newest audit rows say, without a random page write a commit.
//!
//! The audit rows themselves are the durable record: of where a request stands in the trail, and of the step that an
//! accepted code spent. Requests that are not folded into a run ([`super::runs`]) yet are found in memory, which is filled
//! from the audit rows at start; folding walks the waiting ones in the order of their keys, a few a commit, so that
//! neighbours share a page (docs/decisions/0006 and 0034). Spent steps wait for the sweep ([`super::sweep`]).

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use warifu_credentials::request::RequestDigest;

use super::run_keys::RunKeys;
use super::runs::{Runs, exactly_one, slices};
use super::seconds::{Key, Seconds};
use super::sweep::{Older, Spent, Sweep};
use super::threads::spawn;
use super::{DatabaseError, Row, Value, sqlite_engine::SqliteTx};

/// How much waits in memory, SQLite alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many requests wait before they are folded: a generation.
    pub generation: usize,
    /// How many requests come while every credential is swept once, so that the steps spent since wait at most so long.
    pub round: usize,
}

impl Default for Waiting {
    /// A generation is what a hash table of 131,072 places holds before it doubles, less some groups: its last one comes as a
    /// whole. The more wait, the more of them share a page. A start reads the rows of one round.
    fn default() -> Self {
        let generation = 114_688 - 1_024;
        Self {
            generation,
            round: 8 * generation,
        }
    }
}

/// How much of a generation is folded for each four parts that commits add: over four, so that folding ends before the
/// next generation is full, and not much over, so that the work is spread evenly.
const FOLDED_PER_FOUR_ADDED: usize = 5;

/// How many requests are added between two steps of a fold. A step that makes the index grow costs SQLite one look
/// through its whole page cache, so there are few of them; and each makes a commit longer, so none is big.
const STEP: usize = 512;

const WITHOUT_TIME: &str = "SELECT through FROM requests_without_time";
const READ_PROGRESS: &str = "SELECT through, run, until, request FROM audit_fold";
const PROGRESS: &str =
    "UPDATE audit_fold SET run = ?1, until = ?2, request = ?3 WHERE through < ?2";
const END: &str = "UPDATE audit_fold SET through = ?1, run = NULL, until = NULL, request = NULL
     WHERE through < ?1 AND COALESCE(run, ?2) = ?2";

/// What waits to be folded or swept.
pub(crate) struct Recent {
    generation: usize,
    young: Requests,
    /// What the keys of the young tell, and of some that were undone.
    young_seconds: Seconds,
    folding: Option<Folding>,
    sweep: Sweep,
    /// Added since the last commit, for undoing.
    added: Vec<Added>,
    /// Requests added since the last step of a fold, as far as is known.
    unfolded: usize,
}

type Requests = HashMap<Key, i64, Digests>;

/// Requests, and what their keys tell.
type Waited = (Requests, Seconds);

/// Requests are keyed digests: whoever does not have the key cannot choose them, and every part is as good as a hash.
#[derive(Debug, Clone, Copy, Default)]
struct Digests(u64);

impl BuildHasher for Digests {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Digests {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of the key, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

enum Added {
    Request(Key),
    Spent(i64, Option<Spent>),
}

/// The keys of what is folded, in their order.
struct Order {
    requests: Vec<Key>,
    /// How many of them were folded when the fold was begun or taken up again.
    reached: usize,
}

/// Room for so many requests: a table that doubles its places moves all that it holds while everybody waits.
fn room_for(requests: usize) -> Requests {
    HashMap::with_capacity_and_hasher(requests, Digests::default())
}

/// A fold under way, as the database has it.
struct Left {
    /// The number of the run that the requests become.
    run: i64,
    /// The position of the newest audit row that is folded.
    until: i64,
    /// The last request that is folded.
    last: Option<Key>,
}

struct Folding {
    requests: Requests,
    seconds: Seconds,
    run: i64,
    until: i64,
    /// Comes from a thread that sorts: the writer has no time for it.
    sorting: Receiver<Order>,
    order: Option<Order>,
    /// How many a commit holds.
    folded: usize,
    /// How many the open transaction holds.
    pending: usize,
    done: bool,
}

impl Recent {
    /// Reads every audit row that no fold or no sweep has passed, and goes on with the fold that is under way.
    pub(crate) fn load(tx: &mut SqliteTx<'_>, waiting: Waiting) -> Result<Self, DatabaseError> {
        let (through, left) = tx
            .query_one(READ_PROGRESS, &[], progress)?
            .ok_or(DatabaseError::Gone)?;
        let until = left.as_ref().map_or(through, |left| left.until);
        let without_time = tx
            .query_one(WITHOUT_TIME, &[], |row| row.int(0))?
            .ok_or(DatabaseError::Gone)?;
        let mut young = (room_for(waiting.generation), Seconds::default());
        let mut folded = Waited::default();
        tx.query(
            "SELECT request, position FROM audit WHERE position > ?1 AND request IS NOT NULL",
            &[Value::Int(through)],
            |row| {
                let position = row.int(1)?;
                let request =
                    RequestDigest::from_stored(&row.bytes(0)?).ok_or(strange(position))?;
                let (requests, seconds) = if position <= until {
                    &mut folded
                } else {
                    &mut young
                };
                *seconds = if position <= without_time {
                    Seconds::Unknown
                } else {
                    seconds.and(request.second())
                };
                requests.insert(*request.digest(), position);
                Ok(())
            },
        )?;
        Ok(Self {
            generation: waiting.generation,
            young: young.0,
            young_seconds: young.1,
            folding: left.map(|left| Folding::begin(folded, left)).transpose()?,
            sweep: Sweep::load(tx, waiting.round)?,
            added: Vec::new(),
            // A step at once: where few are added between two starts there would never be one.
            unfolded: STEP,
        })
    }

    /// The position of a request that is not in the index yet.
    pub(crate) fn position(&self, request: &Key) -> Option<i64> {
        let folding = self.folding.as_ref().map(|folding| &folding.requests);
        let older = || folding.and_then(|requests| requests.get(request));
        self.young.get(request).or_else(older).copied()
    }

    /// The newest step of a credential that its row may not show yet.
    pub(crate) fn spent(&self, credential: i64) -> Option<Spent> {
        self.sweep.spent(credential)
    }

    pub(crate) fn add_request(&mut self, request: &RequestDigest, position: i64) {
        self.young.insert(*request.digest(), position);
        self.young_seconds = self.young_seconds.and(request.second());
        self.added.push(Added::Request(*request.digest()));
    }

    /// Spends a step, if it is newer than whatever is spent and waits here.
    pub(crate) fn spend(&mut self, credential: i64, spent: Spent) -> Result<(), Older> {
        let before = self.sweep.spend(credential, spent)?;
        self.added.push(Added::Spent(credential, before));
        Ok(())
    }

    /// How much was added since the last commit: a mark to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.added.len()
    }

    /// Forgets what was added after a mark, the newest first.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        while self.added.len() > mark {
            match self.added.pop() {
                Some(Added::Request(request)) => {
                    self.young.remove(&request);
                }
                Some(Added::Spent(credential, before)) => self.sweep.restore(credential, before),
                None => return,
            }
        }
    }

    /// Folds and sweeps some of what waits, in the transaction that is about to commit.
    pub(crate) fn fold(
        &mut self,
        tx: &mut SqliteTx<'_>,
        runs: &mut Runs,
    ) -> Result<(), DatabaseError> {
        // What only reads is answered also where nothing can be written.
        if self.added.is_empty() {
            return Ok(());
        }
        if self.folding.is_none() && self.young.len() >= self.generation {
            let requests = std::mem::replace(&mut self.young, room_for(self.generation));
            let seconds = std::mem::take(&mut self.young_seconds);
            let left = Left {
                run: runs.begin(),
                until: requests.values().max().copied().unwrap_or_default(),
                last: None,
            };
            self.folding = Some(Folding::begin((requests, seconds), left)?);
        }
        let request = |added: &&Added| matches!(added, Added::Request(_));
        self.unfolded += self.added.iter().filter(request).count();
        if self.unfolded < STEP.min(self.generation / 8) {
            return Ok(());
        }
        if let Some(folding) = &mut self.folding {
            if !folding.sorted()? {
                return Ok(());
            }
            folding.step(tx, self.unfolded, self.generation, runs)?;
        }
        let added = std::mem::take(&mut self.unfolded);
        self.sweep.step(tx, added)?;
        runs.step(tx, added)
    }

    /// What the transaction added, folded and swept is durable.
    pub(crate) fn committed(&mut self) {
        self.added.clear();
        self.sweep.committed();
        if let Some(folding) = &mut self.folding {
            folding.folded = folding.pending;
            if folding.done {
                self.folding = None;
            }
        }
    }
}

impl Folding {
    fn begin((requests, seconds): Waited, left: Left) -> Result<Self, DatabaseError> {
        let Left { run, until, last } = left;
        let (tell, sorting) = channel();
        let mut keys: Vec<_> = requests.keys().copied().collect();
        spawn("sqlite-sort", move || {
            keys.sort_unstable();
            let reached = keys.partition_point(|key| Some(*key) <= last);
            // Nobody waits for it any more when the database is closed.
            let _ = tell.send(Order {
                requests: keys,
                reached,
            });
        })?;
        Ok(Self {
            requests,
            seconds,
            run,
            until,
            sorting,
            order: None,
            folded: 0,
            pending: 0,
            done: false,
        })
    }

    fn sorted(&mut self) -> Result<bool, DatabaseError> {
        if self.order.is_none() {
            match self.sorting.try_recv() {
                Ok(order) => {
                    (self.folded, self.pending) = (order.reached, order.reached);
                    self.order = Some(order);
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(DatabaseError::Gone),
            }
        }
        Ok(self.order.is_some())
    }

    fn step(
        &mut self,
        tx: &mut SqliteTx<'_>,
        added: usize,
        generation: usize,
        runs: &mut Runs,
    ) -> Result<(), DatabaseError> {
        let Some(order) = &self.order else {
            return Ok(());
        };
        let share = (order.requests.len() * added * FOLDED_PER_FOUR_ADDED)
            .div_ceil(4 * generation.max(1))
            .max(1);
        let keys = RunKeys::blocks(self.run, slices(order.requests.len()));
        let end = (self.folded + share).min(order.requests.len());
        let end = keys.block_end(&order.requests, end);
        let some = order.requests.get(self.folded..end).unwrap_or_default();
        let entry = |request: &Key| Some((*request, *self.requests.get(request)?));
        let entries: Vec<_> = some.iter().filter_map(entry).collect();
        keys.write(tx, &entries)?;

        self.pending = end;
        if self.pending >= order.requests.len() {
            runs.list(tx, self.run, &order.requests, self.seconds)?;
            let ended = tx.execute(END, &[Value::Int(self.until), Value::Int(self.run)])?;
            exactly_one(ended, "the end of a fold")?;
            self.done = true;
            return Ok(());
        }
        let last = self.pending.checked_sub(1);
        let last = last.and_then(|place| order.requests.get(place));
        let noted = tx.execute(
            PROGRESS,
            &[
                Value::Int(self.run),
                Value::Int(self.until),
                Value::MaybeBytes(last.map(Key::as_slice)),
            ],
        )?;
        exactly_one(noted, "the progress of a fold")
    }
}

/// Through which row everything is folded, and the fold under way.
fn progress(row: &Row<'_>) -> Result<(i64, Option<Left>), DatabaseError> {
    let (through, run, until) = (row.int(0)?, row.maybe_int(1)?, row.maybe_int(2)?);
    let (Some(run), Some(until)) = (run, until) else {
        return Ok((through, None));
    };
    let last = row.maybe_bytes(3)?;
    let last = last.map(|request| key(&request, until)).transpose()?;
    Ok((through, Some(Left { run, until, last })))
}

pub(crate) fn key(bytes: &[u8], row: i64) -> Result<Key, DatabaseError> {
    bytes.try_into().map_err(|_| strange(row))
}

fn strange(row: i64) -> DatabaseError {
    DatabaseError::Stored {
        table: "audit",
        column: "request",
        row,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TokenServiceConfig;

    /// It would move all that it holds while everybody waits, and be twice as large.
    #[test]
    fn the_table_of_a_generation_does_not_double_for_its_last_group() {
        let Waiting { generation, .. } = Waiting::default();
        let mut table = room_for(generation);
        let room = table.capacity();
        for number in 0..generation - 1 + TokenServiceConfig::default().group {
            let mut key = Key::default();
            let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            key[..8].copy_from_slice(&spread.to_le_bytes());
            table.insert(key, 0);
        }
        assert_eq!(table.capacity(), room);
    }
}
