//! SQLite only: what the newest audit rows say, without a random page write a commit.
//!
//! The audit rows themselves are the durable record: of where a request stands in the trail, and of the step that an
//! accepted code spent. What is not folded into a run of requests ([`super::runs`]) and `credentials` yet is found in
//! memory, which is filled from the audit rows at start; folding walks the waiting ones in the order of their keys, a few
//! a commit, so that neighbours share a page (docs/decisions/0006, 0023 and 0034).

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use warifu_credentials::audit::{Kind, Outcome};
use warifu_credentials::record::spent_from_stored;

use super::runs::{Runs, exactly_one};
use super::threads::spawn;
use super::{DatabaseError, Row, Value, sqlite_engine::SqliteTx};

/// How many requests wait in memory before they are folded, unless something else is set; about 20 MB for two such
/// generations. The more wait, the more of them share a page. It is what a hash table of 131,072 places holds before it
/// doubles.
pub(crate) const GENERATION: usize = 114_688;

/// How much of a generation is folded for each four parts that commits add: over four, so that folding ends before the
/// next generation is full, and not much over, so that the work is spread evenly.
const FOLDED_PER_FOUR_ADDED: usize = 5;

/// How many requests are added between two steps of a fold. A step that makes the index grow costs SQLite one look
/// through its whole page cache, so there are few of them; and each makes a commit longer, so none is big.
const STEP: usize = 512;

/// How many requests one statement folds.
const ROWS: usize = 16;

const FOLD_MANY: &str = "INSERT INTO request_runs (run, request, position) VALUES (?1, ?2, ?3), (?1, ?4, ?5), (?1, ?6, ?7),
     (?1, ?8, ?9), (?1, ?10, ?11), (?1, ?12, ?13), (?1, ?14, ?15), (?1, ?16, ?17), (?1, ?18, ?19), (?1, ?20, ?21),
     (?1, ?22, ?23), (?1, ?24, ?25), (?1, ?26, ?27), (?1, ?28, ?29), (?1, ?30, ?31), (?1, ?32, ?33)";
const FOLD_ONE: &str = "INSERT INTO request_runs (run, request, position) VALUES (?1, ?2, ?3)";
// Not where a newer step is spent already, by a resync since.
const FOLD_SPENT: &str = "UPDATE credentials SET last_step = ?2, drift = ?3, last_accepted_at = ?4
     WHERE id = ?1 AND last_step < ?2";
const READ_PROGRESS: &str = "SELECT through, run, until, request, credential FROM audit_fold";
const PROGRESS: &str =
    "UPDATE audit_fold SET run = ?1, until = ?2, request = ?3, credential = ?4 WHERE through < ?2";
const END: &str = "UPDATE audit_fold SET through = ?1, run = NULL, until = NULL, request = NULL, credential = NULL
     WHERE through < ?1 AND COALESCE(run, ?2) = ?2";

/// A request's digest.
pub(crate) type Key = [u8; 16];

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

/// What waits to be folded.
pub(crate) struct Recent {
    generation: usize,
    young: Rows,
    folding: Option<Folding>,
    /// Added since the last commit, for undoing.
    added: Vec<Added>,
    /// Requests added since the last step of a fold, as far as is known.
    unfolded: usize,
}

#[derive(Default)]
struct Rows {
    requests: HashMap<Key, i64, Digests>,
    /// By credential.
    spent: HashMap<i64, Spent, Numbers>,
}

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

enum Added {
    Request(Key),
    Spent(i64, Option<Spent>),
}

/// The keys of what is folded, in their order.
struct Order {
    requests: Vec<Key>,
    credentials: Vec<i64>,
    /// How far the fold had come when it was begun or taken up again.
    reached: Reached,
}

/// The last ones that are folded, as the database has it.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    request: Option<Key>,
    credential: Option<i64>,
}

/// A fold under way, as the database has it.
struct Left {
    /// The number of the run that the requests become.
    run: i64,
    /// The position of the newest audit row that is folded.
    until: i64,
    last: Last,
}

/// How far a fold has come in its order.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    requests: usize,
    credentials: usize,
}

struct Folding {
    rows: Rows,
    run: i64,
    until: i64,
    /// Comes from a thread that sorts: the writer has no time for it.
    sorting: Receiver<Order>,
    order: Option<Order>,
    /// What a commit holds.
    folded: Reached,
    /// What the open transaction holds.
    pending: Reached,
    done: bool,
}

impl Recent {
    /// Reads every audit row that no fold has passed, and goes on with the fold that is under way.
    pub(crate) fn load(tx: &mut SqliteTx<'_>, generation: usize) -> Result<Self, DatabaseError> {
        let (through, left) = tx
            .query_one(READ_PROGRESS, &[], progress)?
            .ok_or(DatabaseError::Gone)?;
        let until = left.as_ref().map_or(through, |left| left.until);
        let (mut young, mut folded) = (Rows::default(), Rows::default());
        tx.query(
            "SELECT request, position, at, credential, CASE WHEN kind = ?1 AND outcome = ?2 THEN detail ELSE 0 END
             FROM audit WHERE position > ?3 AND request IS NOT NULL",
            &[
                Value::Int(Kind::Validated.to_stored()),
                Value::Int(Outcome::Accepted.to_stored()),
                Value::Int(through),
            ],
            |row| {
                let position = row.int(1)?;
                let rows = if position <= until { &mut folded } else { &mut young };
                rows.requests.insert(key(&row.bytes(0)?, position)?, position);
                if let (Some(credential), Some((step, drift))) =
                    (row.maybe_int(3)?, spent_from_stored(row.int(4)?))
                {
                    let spent = Spent {
                        step: step.0,
                        drift,
                        at: row.int(2)?,
                    };
                    let newest = rows.spent.entry(credential).or_insert(spent);
                    if newest.step < spent.step {
                        *newest = spent;
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self {
            generation,
            young,
            folding: left.map(|left| Folding::begin(folded, left)).transpose()?,
            added: Vec::new(),
            // A step at once: where few are added between two starts there would never be one.
            unfolded: STEP,
        })
    }

    /// The position of a request that is not in the index yet.
    pub(crate) fn position(&self, request: &Key) -> Option<i64> {
        let folding = self.folding.as_ref().map(|folding| &folding.rows.requests);
        let older = || folding.and_then(|rows| rows.get(request));
        self.young.requests.get(request).or_else(older).copied()
    }

    /// The newest step of a credential that its row may not show yet.
    pub(crate) fn spent(&self, credential: i64) -> Option<Spent> {
        let folding = self.folding.as_ref().map(|folding| &folding.rows.spent);
        let older = || folding.and_then(|rows| rows.get(&credential));
        self.young.spent.get(&credential).or_else(older).copied()
    }

    pub(crate) fn add_request(&mut self, request: Key, position: i64) {
        self.young.requests.insert(request, position);
        self.added.push(Added::Request(request));
    }

    /// Spends a step, if it is newer than whatever is spent and waits here.
    pub(crate) fn spend(&mut self, credential: i64, spent: Spent) -> bool {
        if self
            .spent(credential)
            .is_some_and(|newest| newest.step >= spent.step)
        {
            return false;
        }
        let before = self.young.spent.insert(credential, spent);
        self.added.push(Added::Spent(credential, before));
        true
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
                    self.young.requests.remove(&request);
                }
                Some(Added::Spent(credential, Some(before))) => {
                    self.young.spent.insert(credential, before);
                }
                Some(Added::Spent(credential, None)) => {
                    self.young.spent.remove(&credential);
                }
                None => return,
            }
        }
    }

    /// Folds some of what waits, in the transaction that is about to commit.
    pub(crate) fn fold(
        &mut self,
        tx: &mut SqliteTx<'_>,
        runs: &mut Runs,
    ) -> Result<(), DatabaseError> {
        if self.folding.is_none() && self.young.requests.len() >= self.generation {
            let rows = std::mem::take(&mut self.young);
            let left = Left {
                run: runs.begin(),
                until: rows.requests.values().max().copied().unwrap_or_default(),
                last: Last::default(),
            };
            self.folding = Some(Folding::begin(rows, left)?);
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
        runs.step(tx, std::mem::take(&mut self.unfolded))
    }

    /// What the transaction added and folded is durable.
    pub(crate) fn committed(&mut self) {
        self.added.clear();
        if let Some(folding) = &mut self.folding {
            folding.folded = folding.pending;
            if folding.done {
                self.folding = None;
            }
        }
    }
}

impl Folding {
    fn begin(rows: Rows, left: Left) -> Result<Self, DatabaseError> {
        let Left { run, until, last } = left;
        let (tell, sorting) = channel();
        let mut requests: Vec<_> = rows.requests.keys().copied().collect();
        let mut credentials: Vec<_> = rows.spent.keys().copied().collect();
        spawn("sqlite-sort", move || {
            requests.sort_unstable();
            credentials.sort_unstable();
            let reached = Reached {
                requests: requests.partition_point(|key| Some(*key) <= last.request),
                credentials: credentials.partition_point(|id| Some(*id) <= last.credential),
            };
            // Nobody waits for it any more when the database is closed.
            let _ = tell.send(Order {
                requests,
                credentials,
                reached,
            });
        })?;
        Ok(Self {
            rows,
            run,
            until,
            sorting,
            order: None,
            folded: Reached::default(),
            pending: Reached::default(),
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
        let Rows { requests, spent } = &self.rows;
        let share = |rows: usize| {
            (rows * added * FOLDED_PER_FOUR_ADDED)
                .div_ceil(4 * generation.max(1))
                .max(1)
        };

        let rest = order.requests.iter().skip(self.folded.requests);
        let some: Vec<_> = rest
            .take(share(order.requests.len()))
            .filter_map(|request| requests.get_key_value(request))
            .collect();
        fold_requests(tx, self.run, &some)?;

        let rest = order.credentials.iter().skip(self.folded.credentials);
        let mut credentials = 0;
        let mut fold_spent = tx.repeated(FOLD_SPENT)?;
        for credential in rest.take(share(order.credentials.len())) {
            credentials += 1;
            let Some(spent) = spent.get(credential) else {
                continue;
            };
            fold_spent.execute(&[
                Value::Int(*credential),
                Value::Int(spent.step),
                Value::Int(i64::from(spent.drift)),
                Value::Int(spent.at),
            ])?;
        }

        self.pending = Reached {
            requests: self.folded.requests + some.len(),
            credentials: self.folded.credentials + credentials,
        };
        if self.pending.requests >= order.requests.len()
            && self.pending.credentials >= order.credentials.len()
        {
            runs.list(tx, self.run, &order.requests)?;
            let ended = tx.execute(END, &[Value::Int(self.until), Value::Int(self.run)])?;
            exactly_one(ended, "the end of a fold")?;
            self.done = true;
            return Ok(());
        }
        let before = |place: usize| place.checked_sub(1);
        let request = before(self.pending.requests).and_then(|place| order.requests.get(place));
        let credential =
            before(self.pending.credentials).and_then(|place| order.credentials.get(place));
        let noted = tx.execute(
            PROGRESS,
            &[
                Value::Int(self.run),
                Value::Int(self.until),
                Value::MaybeBytes(request.map(Key::as_slice)),
                Value::MaybeInt(credential.copied()),
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
    let request = row.maybe_bytes(3)?;
    let last = Last {
        request: request.map(|request| key(&request, until)).transpose()?,
        credential: row.maybe_int(4)?,
    };
    Ok((through, Some(Left { run, until, last })))
}

fn fold_requests(
    tx: &mut SqliteTx<'_>,
    run: i64,
    some: &[(&Key, &i64)],
) -> Result<(), DatabaseError> {
    let mut many = tx.repeated(FOLD_MANY)?;
    let mut one = tx.repeated(FOLD_ONE)?;
    for rows in some.chunks(ROWS) {
        if rows.len() == ROWS {
            let values = rows.iter().flat_map(|(request, position)| {
                [Value::Bytes(request.as_slice()), Value::Int(**position)]
            });
            many.execute(
                &std::iter::once(Value::Int(run))
                    .chain(values)
                    .collect::<Vec<_>>(),
            )?;
        } else {
            for (request, position) in rows {
                one.execute(&[
                    Value::Int(run),
                    Value::Bytes(request.as_slice()),
                    Value::Int(**position),
                ])?;
            }
        }
    }
    Ok(())
}

pub(crate) fn key(bytes: &[u8], row: i64) -> Result<Key, DatabaseError> {
    bytes.try_into().map_err(|_| DatabaseError::Stored {
        table: "audit",
        column: "request",
        row,
    })
}
