//! SQLite only: where a request stands in the audit trail, without a random page write a commit.
//!
//! The audit rows themselves are the durable record. A request that is not folded into `request_index` yet is found
//! in memory, which is filled from the audit rows at start; folding walks the waiting ones in the order of their
//! keys, a few a commit, so that neighbours share a page (docs/decisions/0006).

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{DatabaseError, Value, sqlite_engine::SqliteTx};

/// How many requests wait in memory before they are folded, unless something else is set; about 20 MB for two such
/// generations. The more wait, the more of them share a page of the index.
pub(crate) const GENERATION: usize = 262_144;

/// How many are folded for each four that a commit adds: over four, so that folding ends before the next generation is
/// full, and not much over, so that the work is spread evenly.
const FOLDED_PER_FOUR_ADDED: usize = 5;

/// How many one statement folds.
const ROWS: usize = 16;

// A fold that a crash cut short leaves rows behind that are folded again.
const FOLD_MANY: &str = "INSERT INTO request_index (request, position) VALUES (?1, ?2), (?3, ?4), (?5, ?6), (?7, ?8),
     (?9, ?10), (?11, ?12), (?13, ?14), (?15, ?16), (?17, ?18), (?19, ?20), (?21, ?22), (?23, ?24), (?25, ?26),
     (?27, ?28), (?29, ?30), (?31, ?32) ON CONFLICT DO NOTHING";
const FOLD_ONE: &str =
    "INSERT INTO request_index (request, position) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

/// A request's digest.
pub(crate) type Key = [u8; 16];

pub(crate) struct RecentRequests {
    generation: usize,
    young: BTreeMap<Key, i64>,
    folding: Option<Folding>,
    /// Added since the last commit, for undoing.
    added: Vec<Key>,
}

struct Folding {
    rows: BTreeMap<Key, i64>,
    /// The last row that a commit holds.
    folded: Option<Key>,
    /// The last row that the open transaction holds.
    pending: Option<Key>,
    done: bool,
}

impl RecentRequests {
    /// Reads every audit row that no fold has passed.
    pub(crate) fn load(tx: &mut SqliteTx<'_>, generation: usize) -> Result<Self, DatabaseError> {
        let mut young = BTreeMap::new();
        tx.query(
            "SELECT request, position FROM audit WHERE position > (SELECT through FROM request_fold) AND request IS NOT NULL",
            &[],
            |row| {
                let position = row.int(1)?;
                young.insert(key(&row.bytes(0)?, position)?, position);
                Ok(())
            },
        )?;
        Ok(Self {
            generation,
            young,
            folding: None,
            added: Vec::new(),
        })
    }

    /// The position of a request that is not in the index yet.
    pub(crate) fn find(&self, request: &Key) -> Option<i64> {
        let folding = || {
            self.folding
                .as_ref()
                .and_then(|folding| folding.rows.get(request))
        };
        self.young.get(request).or_else(folding).copied()
    }

    pub(crate) fn add(&mut self, request: Key, position: i64) {
        self.young.insert(request, position);
        self.added.push(request);
    }

    /// How many were added since the last commit: a mark to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.added.len()
    }

    /// Forgets what was added after a mark.
    pub(crate) fn undo_to(&mut self, mark: usize) {
        for request in self.added.drain(mark.min(self.added.len())..) {
            self.young.remove(&request);
        }
    }

    /// Folds some waiting requests into the index, in the transaction that is about to commit.
    pub(crate) fn fold(&mut self, tx: &mut SqliteTx<'_>) -> Result<(), DatabaseError> {
        if self.folding.is_none() && self.young.len() >= self.generation {
            let rows = std::mem::take(&mut self.young);
            self.folding = Some(Folding {
                rows,
                folded: None,
                pending: None,
                done: false,
            });
        }
        let Some(folding) = &mut self.folding else {
            return Ok(());
        };
        let budget = (self.added.len() * FOLDED_PER_FOUR_ADDED)
            .div_ceil(4)
            .max(1);
        let start = folding.folded.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = folding.rows.range((start, Bound::Unbounded));
        let some: Vec<_> = rows.by_ref().take(budget).collect();
        for rows in some.chunks(ROWS) {
            let values: Vec<_> = rows
                .iter()
                .flat_map(|(request, position)| {
                    [Value::Bytes(request.as_slice()), Value::Int(**position)]
                })
                .collect();
            if rows.len() == ROWS {
                tx.execute(FOLD_MANY, &values)?;
            } else {
                for value in values.chunks(2) {
                    tx.execute(FOLD_ONE, value)?;
                }
            }
        }
        if let Some((request, _)) = some.last() {
            folding.pending = Some(**request);
        }
        if rows.next().is_none() {
            let through = folding.rows.values().max().copied().unwrap_or_default();
            let advanced = tx.execute(
                "UPDATE request_fold SET through = ?1 WHERE through < ?1",
                &[Value::Int(through)],
            )?;
            if advanced != 1 {
                return Err(DatabaseError::Count {
                    statement: "the end of a fold",
                    expected: 1,
                    found: advanced,
                });
            }
            folding.done = true;
        }
        Ok(())
    }

    /// What the transaction added and folded is durable.
    pub(crate) fn committed(&mut self) {
        self.added.clear();
        if let Some(folding) = &mut self.folding {
            folding.folded = folding.pending.or(folding.folded);
            if folding.done {
                self.folding = None;
            }
        }
    }
}

fn key(bytes: &[u8], row: i64) -> Result<Key, DatabaseError> {
    bytes.try_into().map_err(|_| DatabaseError::Stored {
        table: "audit",
        column: "request",
        row,
    })
}
