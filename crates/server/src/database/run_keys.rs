//! SQLite only: where the keys of a run ([`super::runs`]) stand, with their positions in the audit trail.
//!
//! A run is cut into blocks by the first bits of its keys, of which each has some twenty to thirty. A block is one row of
//! `request_blocks`: its keys in their order, each followed by its position. So whoever merges eight runs of millions
//! handles thousands of rows and sorts the rest in memory, and whoever looks for a key reads one row by its number
//! (docs/decisions/0036). Runs of before schema 6 have a row of `request_runs` for each key.

use std::ops::Range;

use super::recent;
use super::seconds::Key;
use super::sqlite_engine::SqliteTx;
use super::{DatabaseError, Value};

/// Blocks of a slice.
const BLOCKS: usize = 32;

/// Bytes of a key and its position.
const ENTRY: usize = 24;

/// Keys that a block is taken to have where so many are to be removed: fewer than on average, so that it is no slower than adding.
const FEW: usize = 8;

const WRITE: &str = "INSERT INTO request_blocks (block, entries) VALUES (?1, ?2)";
const FIND: &str = "SELECT entries FROM request_blocks WHERE block = ?1";
const READ: &str =
    "SELECT block, entries FROM request_blocks WHERE block BETWEEN ?1 AND ?2 ORDER BY block";
const REMOVE: &str = "DELETE FROM request_blocks WHERE block >= ?1 AND block < COALESCE(
     (SELECT block FROM request_blocks WHERE block >= ?1 AND block < ?2 ORDER BY block LIMIT 1 OFFSET ?3), ?2)";
const FIND_ROW: &str = "SELECT position FROM request_runs WHERE run = ?1 AND request = ?2";
const READ_ROWS: &str = "SELECT request, position FROM request_runs
     WHERE run = ?1 AND request >= ?2 AND request < ?3 ORDER BY request";
const REMOVE_ROWS: &str = "DELETE FROM request_runs WHERE run = ?1 AND request < COALESCE(
     (SELECT request FROM request_runs WHERE run = ?1 ORDER BY request LIMIT 1 OFFSET ?2), ?3)";

/// More than any key.
const END: [u8; 17] = [0xff; 17];

/// A key and its position.
pub(crate) type Entry = (Key, i64);

/// Where the keys of one run stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunKeys {
    /// A row for each, in a run of before schema 6.
    Rows {
        /// The run's number.
        run: i64,
    },
    /// In blocks.
    Blocks {
        /// The run's number.
        run: i64,
        /// How many blocks, those without a key too: a power of two.
        count: usize,
    },
}

impl RunKeys {
    /// In blocks: those of a run of so many slices.
    pub(crate) fn blocks(run: i64, slices: usize) -> Self {
        Self::Blocks {
            run,
            count: slices * BLOCKS,
        }
    }

    /// The run's number.
    pub(crate) fn run(self) -> i64 {
        match self {
            Self::Rows { run } | Self::Blocks { run, .. } => run,
        }
    }

    /// The position of a key.
    pub(crate) fn find(self, tx: &SqliteTx<'_>, key: &Key) -> Result<Option<i64>, DatabaseError> {
        let (run, count) = match self {
            Self::Rows { run } => {
                return tx.query_one(FIND_ROW, &[Value::Int(run), Value::Bytes(key)], |row| {
                    row.int(0)
                });
            }
            Self::Blocks { run, count } => (run, count),
        };
        let block = number(run, slice_of(key, count));
        let found = tx.query_one(FIND, &[Value::Int(block)], |row| {
            let stored = row.bytes(0)?;
            let entries = whole(&stored).ok_or(strange(block))?;
            let place = entries.binary_search_by(|entry| entry.first_chunk().cmp(&Some(key)));
            let entry = place.ok().and_then(|place| entries.get(place));
            Ok(entry.and_then(read).map(|(_, position)| position))
        })?;
        Ok(found.flatten())
    }

    /// The keys of one of so many slices, in their order.
    pub(crate) fn read(
        self,
        tx: &SqliteTx<'_>,
        slice: usize,
        slices: usize,
    ) -> Result<Vec<Entry>, DatabaseError> {
        let (run, count) = match self {
            Self::Rows { run } => {
                let [from, to] = [slice, slice + 1].map(|slice| bound(slice, slices));
                let values = [Value::Int(run), Value::Bytes(&from), Value::Bytes(&to)];
                return tx.query(READ_ROWS, &values, |row| {
                    Ok((recent::key(&row.bytes(0)?, run)?, row.int(1)?))
                });
            }
            Self::Blocks { run, count } => (run, count),
        };
        let within = beginnings(slice, slices);
        let [first, last] =
            [within.start, within.end - 1].map(|beginning| number(run, part_of(beginning, count)));
        let mut entries = Vec::new();
        tx.query(READ, &[Value::Int(first), Value::Int(last)], |row| {
            let (block, stored) = (row.int(0)?, row.bytes(1)?);
            let some = whole(&stored).ok_or(strange(block))?.iter();
            // A block may be wider than the slice.
            entries.extend(
                some.filter_map(read)
                    .filter(|(key, _)| within.contains(&beginning(key))),
            );
            Ok(())
        })?;
        Ok(entries)
    }

    /// Writes entries, which are in their order and all that their blocks have.
    pub(crate) fn write(self, tx: &SqliteTx<'_>, entries: &[Entry]) -> Result<(), DatabaseError> {
        let Self::Blocks { run, count } = self else {
            return Err(strange(self.run()));
        };
        let mut statement = tx.repeated(WRITE)?;
        let mut bytes = Vec::new();
        let block = |(key, _): &Entry| slice_of(key, count);
        for some in entries.chunk_by(|one, next| block(one) == block(next)) {
            bytes.clear();
            for (key, position) in some {
                bytes.extend_from_slice(key);
                bytes.extend_from_slice(&position.to_be_bytes());
            }
            let first = some.first().map_or(0, block);
            statement.execute(&[Value::Int(number(run, first)), Value::Bytes(&bytes)])?;
        }
        Ok(())
    }

    /// The first place from this one on where a block of these keys ends.
    pub(crate) fn block_end(self, keys: &[Key], place: usize) -> usize {
        let Self::Blocks { count, .. } = self else {
            return place;
        };
        let block = |key: &Key| slice_of(key, count);
        let last = place.checked_sub(1).and_then(|last| keys.get(last));
        let rest = keys.get(place..).unwrap_or_default().iter();
        place
            + rest
                .take_while(|key| last.is_some_and(|last| block(key) == block(last)))
                .count()
    }
}

/// Removes at least so many of what is left of a run's keys; whether nothing is left.
pub(crate) fn remove(tx: &SqliteTx<'_>, run: i64, keys: usize) -> Result<bool, DatabaseError> {
    let most = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let values = [Value::Int(run), most(keys), Value::Bytes(&END)];
    let rows = tx.execute(REMOVE_ROWS, &values)?;
    let blocks = keys.div_ceil(FEW);
    let [first, end] = [run, run + 1].map(|run| Value::Int(number(run, 0)));
    let removed = tx.execute(REMOVE, &[first, end, most(blocks)])?;
    Ok(rows < keys && removed < blocks)
}

/// The number of the next run after one that has keys, listed or not.
pub(crate) const NEXT_OF_BLOCKS: &str =
    "SELECT MIN(block) >> 32 FROM request_blocks WHERE block >= (?1 + 1) << 32";
/// The same, of before schema 6.
pub(crate) const NEXT_OF_ROWS: &str = "SELECT MIN(run) FROM request_runs WHERE run > ?1";
/// How many keys the listed runs have.
pub(crate) const COUNT: &str =
    "SELECT (SELECT COALESCE(SUM(LENGTH(entries)), 0) / 24 FROM request_blocks
         WHERE block >> 32 IN (SELECT run FROM request_run_list))
     + (SELECT COUNT(*) FROM request_runs WHERE run IN (SELECT run FROM request_run_list))";

/// In which of so many slices, a power of two, a key is: by its first bits.
pub(crate) fn slice_of(key: &Key, slices: usize) -> usize {
    part_of(beginning(key), slices)
}

fn beginning(key: &Key) -> u64 {
    let [a, b, c, d, ..] = *key;
    u64::from(u32::from_be_bytes([a, b, c, d]))
}

fn part_of(beginning: u64, parts: usize) -> usize {
    let parts = u64::try_from(parts).unwrap_or(1);
    usize::try_from((beginning * parts) >> 32).unwrap_or(0)
}

/// With which four bytes the keys of a slice begin.
fn beginnings(slice: usize, slices: usize) -> Range<u64> {
    let (slice, slices) = (slice as u64, slices.max(1) as u64);
    (slice << 32) / slices..((slice + 1) << 32) / slices
}

/// The first key that may be in a slice, or the end of all.
fn bound(slice: usize, slices: usize) -> Vec<u8> {
    match u32::try_from(beginnings(slice, slices).start) {
        Ok(first) => first.to_be_bytes().to_vec(),
        Err(_) => END.to_vec(),
    }
}

/// The number of a block, by that of its run; there are less than 2^32 of each.
fn number(run: i64, block: usize) -> i64 {
    (run << 32) | i64::try_from(block).unwrap_or(i64::from(u32::MAX))
}

fn whole(stored: &[u8]) -> Option<&[[u8; ENTRY]]> {
    let (entries, rest) = stored.as_chunks();
    rest.is_empty().then_some(entries)
}

fn read(entry: &[u8; ENTRY]) -> Option<Entry> {
    let (key, position) = (entry.first_chunk()?, entry.last_chunk()?);
    Some((*key, i64::from_be_bytes(*position)))
}

fn strange(block: i64) -> DatabaseError {
    DatabaseError::Stored {
        table: "request_blocks",
        column: "entries",
        row: block,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slices_of_a_run_hold_every_key_once() {
        for slices in [1, 2, 8, 1 << 20] {
            for number in 0..2_000 {
                let mut key = [0xff; 16];
                key[..8].copy_from_slice(&(u64::MAX / 2_000 * number).to_be_bytes());
                let slice = slice_of(&key, slices);
                assert!(bound(slice, slices).as_slice() <= key.as_slice());
                assert!(key.as_slice() < bound(slice + 1, slices).as_slice());
            }
            let (first, last) = ([0; 16], [0xff; 16]);
            assert_eq!(slice_of(&first, slices), 0);
            assert_eq!(slice_of(&last, slices), slices - 1);
            assert!(last.as_slice() < bound(slices, slices).as_slice());
        }
    }

    #[test]
    fn a_step_ends_where_a_block_does() {
        let keys: Vec<_> = (0..=255_u8).map(|first| [first; 16]).collect();
        let blocks = RunKeys::blocks(1, 1);
        for place in 0..=keys.len() {
            let end = blocks.block_end(&keys, place);
            assert_eq!(end, place.next_multiple_of(keys.len() / BLOCKS));
        }
    }
}
