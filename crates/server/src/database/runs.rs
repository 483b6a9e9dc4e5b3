//! SQLite only: where each request stands in the audit trail, in sorted runs (docs/decisions/0034), whose keys stand in blocks
//! ([`super::run_keys`]).
//!
//! Keys are random, so one tree over all of them would cost each row a page of its own. Here a generation of keys
//! ([`super::recent`]) is written in their order and never changed: neighbours share a page however long the trail is. Eight
//! runs of a tier become one of the next, a slice of the keys at a time, little by little as commits add rows. Runs whose keys all
//! tell their time are *apart* and stay as they are (docs/decisions/0039): few of them tell the same second, and a request is
//! looked for in no other.
//!
//! A run is one from the commit that lists it, which is also the one that takes those from the list that went into it. What
//! is not listed is looked for nowhere. Which runs are being merged stands in the list, and the filters of the new run say
//! how far that has come: they are written with the keys of their slice, so whoever starts anew goes on with the next one. No
//! key is ever in a listed run whose filter does not know it: filter and blocks of a slice come from the same keys, and what is
//! stored of either is read back whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use warifu_credentials::request::RequestDigest;

use super::filter::Filter;
use super::run_keys::{self, RunKeys, slice_of};
use super::seconds::{Key, Seconds};
use super::sqlite_engine::SqliteTx;
use super::{DatabaseError, Value};

/// How many runs of a tier become one of the next. Each key is written once more for each tier; each tier is looked through
/// in at most twice so many runs.
const FAN: usize = 8;

/// The tier of runs that stay as they are.
const APART: i64 = -1;

/// How many others a run that is apart may overlap when it is listed, so that at most one more tell the same second.
const OVERLAPPED: usize = 8;

/// Keys of a slice, about: what one step merges, and what a filter is of.
const SLICE: usize = 1_024;

/// Of slices there are at most 2^20: a run of more keys has longer ones.
const SLICE_BITS: u32 = 20;

/// How many keys are merged or removed for each four that commits add.
const WORK_PER_FOUR_ADDED: usize = 5;

/// How many filters of a run that is gone are removed in a step.
const FILTERS_REMOVED: i64 = 4;

const FIND_OLD: &str = "SELECT position FROM request_index WHERE request = ?1";
const REMOVE_FILTERS: &str = "DELETE FROM request_filters WHERE run = ?1 AND slice <= COALESCE(
     (SELECT slice FROM request_filters WHERE run = ?1 ORDER BY slice LIMIT 1 OFFSET ?2), ?3)";

/// The runs, as the transaction sees them that is open.
pub(crate) struct Runs {
    /// The newest first.
    listed: Vec<Run>,
    merges: Vec<Merge>,
    /// Numbers of runs whose keys are to be removed.
    gone: Vec<i64>,
    /// The number of the next run.
    next: i64,
    /// Whether the index of before is to be looked into.
    old: bool,
}

struct Run {
    keys: RunKeys,
    tier: i64,
    seconds: Seconds,
    /// What its keys tell and those of all that are older.
    or_older: Seconds,
    /// One for each slice; their number is a power of two.
    filters: Vec<Filter>,
}

/// Eight runs on their way to be one.
struct Merge {
    tier: i64,
    sources: [RunKeys; FAN],
    seconds: Seconds,
    into: i64,
    slices: usize,
    /// Of the slices that are done.
    filters: Vec<Filter>,
}

impl Runs {
    /// Reads which runs there are, and their filters.
    pub(crate) fn load(tx: &SqliteTx<'_>) -> Result<Self, DatabaseError> {
        let all = tx.query(
            "SELECT run, tier, merged_into, blocks, first_second, last_second FROM request_run_list ORDER BY run DESC",
            &[],
            |row| {
                let (number, tier, into) = (row.int(0)?, row.int(1)?, row.maybe_int(2)?);
                let blocks = row.int(3)? != 0;
                let seconds = Seconds::read(row.maybe_int(4)?, row.maybe_int(5)?, tier == APART);
                Ok((number, tier, into, blocks, seconds))
            },
        )?;
        let mut listed = Vec::with_capacity(all.len());
        let mut merged = BTreeMap::<_, Vec<_>>::new();
        for (place, (number, tier, into, blocks, seconds)) in all.into_iter().enumerate() {
            let filters = filters(tx, number)?;
            listed.push(Run {
                keys: keys(number, blocks, filters.len()),
                tier,
                seconds,
                or_older: Seconds::Unknown,
                filters,
            });
            if let Some(into) = into {
                merged.entry(into).or_default().push(place);
            }
        }
        let mut merges = Vec::with_capacity(merged.len());
        for (into, places) in merged {
            let sources = places.iter().filter_map(|place| listed.get(*place));
            let mut merge = Merge::of(into, sources).ok_or(DatabaseError::Stored {
                table: "request_run_list",
                column: "merged_into",
                row: into,
            })?;
            merge.filters = filters_so_far(tx, into)?;
            merges.push(merge);
        }
        let folding = tx
            .query_one("SELECT run FROM audit_fold", &[], |row| row.maybe_int(0))?
            .flatten();
        let mut numbers = stored(tx, run_keys::NEXT_OF_BLOCKS)?;
        numbers.extend(stored(tx, run_keys::NEXT_OF_ROWS)?);
        numbers.extend(stored(
            tx,
            "SELECT MIN(run) FROM request_filters WHERE run > ?1",
        )?);
        numbers.sort_unstable();
        numbers.dedup();
        let wanted = listed.iter().map(|run| run.keys.run());
        let wanted = wanted.chain(merges.iter().map(|merge| merge.into));
        let wanted: BTreeSet<_> = wanted.chain(folding).collect();
        let newest = wanted.last().max(numbers.last()).copied().unwrap_or(0);
        numbers.retain(|number| !wanted.contains(number));
        let old = tx.query_one("SELECT EXISTS (SELECT 1 FROM request_index)", &[], |row| {
            row.int(0)
        })?;
        let mut runs = Self {
            next: newest + 1,
            listed,
            merges,
            gone: numbers,
            old: old != Some(0),
        };
        runs.sum_up();
        Ok(runs)
    }

    /// The position of a request.
    pub(crate) fn find(
        &self,
        tx: &SqliteTx<'_>,
        request: &RequestDigest,
    ) -> Result<Option<i64>, DatabaseError> {
        let (key, second) = (request.digest(), request.second());
        for run in &self.listed {
            if !run.or_older.may_hold(second) {
                break;
            }
            if !run.seconds.may_hold(second) {
                continue;
            }
            let slice = slice_of(key, run.filters.len());
            if run
                .filters
                .get(slice)
                .is_some_and(|filter| !filter.may_hold(key))
            {
                continue;
            }
            let found = run.keys.find(tx, key)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        if !self.old {
            return Ok(None);
        }
        tx.query_one(FIND_OLD, &[Value::Bytes(key)], |row| row.int(0))
    }

    /// The number of a run that is begun.
    pub(crate) fn begin(&mut self) -> i64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Lists a run whose blocks are all there: these keys, in their order, which tell these seconds.
    pub(crate) fn list(
        &mut self,
        tx: &SqliteTx<'_>,
        number: i64,
        keys: &[Key],
        seconds: Seconds,
    ) -> Result<(), DatabaseError> {
        let slices = slices(keys.len());
        let mut filters = Vec::with_capacity(slices);
        let mut rest = keys;
        for slice in 0..slices {
            let end = rest.partition_point(|key| slice_of(key, slices) <= slice);
            let (some, others) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = others;
            filters.push(keep_filter(tx, number, slice, some.iter())?);
        }
        let tier = self.tier(tx, seconds)?;
        self.enter(tx, number, tier, seconds, filters)
    }

    /// The tier of a new run whose keys tell these seconds. Where too many that are apart overlap it, the widest of all, which may be
    /// the new one, is to be merged: a key that tells a strange time stands in the way of its own run and not of all others.
    fn tier(&mut self, tx: &SqliteTx<'_>, seconds: Seconds) -> Result<i64, DatabaseError> {
        let Seconds::All(span) = seconds else {
            return Ok(0);
        };
        loop {
            let overlapped = self.listed.iter_mut().filter_map(|run| {
                let other = run.seconds.all().filter(|_| run.tier == APART)?;
                other.overlaps(span).then(|| (other.width(), run))
            });
            let mut overlapped: Vec<_> = overlapped.collect();
            if overlapped.len() <= OVERLAPPED {
                return Ok(APART);
            }
            overlapped.sort_unstable_by_key(|(width, _)| *width);
            let widest = overlapped.pop().filter(|(width, _)| *width > span.width());
            let Some((_, run)) = widest else {
                return Ok(0);
            };
            let changed = tx.execute(
                "UPDATE request_run_list SET tier = 0 WHERE run = ?1 AND tier = ?2",
                &[Value::Int(run.keys.run()), Value::Int(APART)],
            )?;
            exactly_one(changed, "a run that is to be merged after all")?;
            run.tier = 0;
        }
    }

    /// Goes on with what is under way, by as much as commits have added.
    pub(crate) fn step(&mut self, tx: &SqliteTx<'_>, added: usize) -> Result<(), DatabaseError> {
        self.begin_merges(tx)?;
        let keys = (added * WORK_PER_FOUR_ADDED).div_ceil(4);
        for mut merge in std::mem::take(&mut self.merges) {
            for _ in 0..keys.div_ceil(SLICE) {
                if merge.filters.len() < merge.slices {
                    merge.slice(tx)?;
                }
            }
            if merge.filters.len() < merge.slices {
                self.merges.push(merge);
            } else {
                self.replace(tx, merge)?;
            }
        }
        // Every tier that is merged leaves its sources behind.
        for _ in 0..=self.highest_tier() {
            let Some(number) = self.gone.first().copied() else {
                break;
            };
            if remove(tx, number, keys)? {
                self.gone.remove(0);
            }
        }
        Ok(())
    }

    /// Of those that are merged; 0 where none is.
    fn highest_tier(&self) -> i64 {
        self.listed.iter().map(|run| run.tier).fold(0, i64::max)
    }

    fn sum_up(&mut self) {
        let mut all = Seconds::Nothing;
        for run in self.listed.iter_mut().rev() {
            all = all.with(run.seconds);
            run.or_older = all;
        }
    }

    fn begin_merges(&mut self, tx: &SqliteTx<'_>) -> Result<(), DatabaseError> {
        for tier in 0..=self.highest_tier() {
            if self.merges.iter().any(|merge| merge.tier == tier) {
                continue;
            }
            // The oldest come last.
            let oldest = self.listed.iter().rev().filter(|run| run.tier == tier);
            let Some(merge) = Merge::of(self.next, oldest.take(FAN)) else {
                continue;
            };
            for source in merge.sources {
                let marked = tx.execute(
                    "UPDATE request_run_list SET merged_into = ?2 WHERE run = ?1 AND merged_into IS NULL",
                    &[Value::Int(source.run()), Value::Int(merge.into)],
                )?;
                exactly_one(marked, "a run that is to be merged")?;
            }
            self.next += 1;
            self.merges.push(merge);
        }
        Ok(())
    }

    /// What was merged takes the place of its sources.
    fn replace(&mut self, tx: &SqliteTx<'_>, merge: Merge) -> Result<(), DatabaseError> {
        let sources = merge.sources.map(RunKeys::run);
        for number in sources {
            let removed = tx.execute(
                "DELETE FROM request_run_list WHERE run = ?1 AND merged_into = ?2",
                &[Value::Int(number), Value::Int(merge.into)],
            )?;
            exactly_one(removed, "a run that was merged")?;
        }
        self.listed.retain(|run| !sources.contains(&run.keys.run()));
        self.gone.extend(sources);
        self.enter(tx, merge.into, merge.tier + 1, merge.seconds, merge.filters)
    }

    fn enter(
        &mut self,
        tx: &SqliteTx<'_>,
        number: i64,
        tier: i64,
        seconds: Seconds,
        filters: Vec<Filter>,
    ) -> Result<(), DatabaseError> {
        let [first, last] = seconds.to_stored().map(Value::MaybeInt);
        let listed = tx.execute(
            "INSERT INTO request_run_list (run, tier, blocks, first_second, last_second) VALUES (?1, ?2, 1, ?3, ?4)",
            &[Value::Int(number), Value::Int(tier), first, last],
        )?;
        exactly_one(listed, "a run")?;
        let place = self.listed.partition_point(|run| run.keys.run() > number);
        let run = Run {
            keys: RunKeys::blocks(number, filters.len()),
            tier,
            seconds,
            or_older: Seconds::Unknown,
            filters,
        };
        self.listed.insert(place, run);
        self.sum_up();
        Ok(())
    }
}

/// The way to each request as the database has it, for whoever verifies it: nothing of it is held in memory.
pub(crate) struct Ways {
    /// Up to which stored position every request is in a run, or in the index of before.
    pub(crate) through: i64,
    /// How many requests these have.
    pub(crate) requests: u64,
    /// Each with the number of its slices and what its keys tell, the newest first.
    listed: Vec<(RunKeys, usize, Seconds)>,
}

impl Ways {
    /// Reads which runs there are, and counts what is in them.
    pub(crate) fn load(tx: &SqliteTx<'_>) -> Result<Self, DatabaseError> {
        let listed = tx.query(
            "SELECT run, blocks, (SELECT COUNT(*) FROM request_filters WHERE request_filters.run = request_run_list.run),
                    first_second, last_second, tier
             FROM request_run_list ORDER BY run DESC",
            &[],
            |row| {
                let slices = usize::try_from(row.int(2)?).unwrap_or(0);
                let seconds = Seconds::read(row.maybe_int(3)?, row.maybe_int(4)?, row.int(5)? == APART);
                Ok((keys(row.int(0)?, row.int(1)? != 0, slices), slices, seconds))
            },
        )?;
        let counted = tx.query_one(
            "SELECT through, (SELECT COUNT(*) FROM request_index) FROM audit_fold",
            &[],
            |row| Ok((row.int(0)?, row.int(1)?)),
        )?;
        let (through, old) = counted.ok_or(DatabaseError::Gone)?;
        let counted = tx.query_one(run_keys::COUNT, &[], |row| row.int(0))?;
        let requests = old + counted.ok_or(DatabaseError::Gone)?;
        Ok(Self {
            through,
            requests: requests.unsigned_abs(),
            listed,
        })
    }

    /// The position of a request, found as a validation finds it.
    pub(crate) fn find(
        &self,
        tx: &SqliteTx<'_>,
        request: &RequestDigest,
    ) -> Result<Option<i64>, DatabaseError> {
        let (key, second) = (request.digest(), request.second());
        for (keys, slices, seconds) in &self.listed {
            if !seconds.may_hold(second) {
                continue;
            }
            let slice = i64::try_from(slice_of(key, *slices)).unwrap_or(i64::MAX);
            let filter = tx.query_one(
                "SELECT bits FROM request_filters WHERE run = ?1 AND slice = ?2",
                &[Value::Int(keys.run()), Value::Int(slice)],
                |row| Ok(Filter::from_stored(row.bytes(0)?)),
            )?;
            if filter.flatten().is_some_and(|filter| !filter.may_hold(key)) {
                continue;
            }
            let found = keys.find(tx, key)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        tx.query_one(FIND_OLD, &[Value::Bytes(key)], |row| row.int(0))
    }
}

impl Merge {
    /// Of these runs, where nothing is merged yet; none unless they are eight of one tier.
    fn of<'a>(into: i64, sources: impl Iterator<Item = &'a Run>) -> Option<Self> {
        let sources = <[_; FAN]>::try_from(sources.collect::<Vec<_>>()).ok()?;
        let tier = sources.first()?.tier;
        let slices = sources.iter().map(|run| run.filters.len()).sum::<usize>();
        let seconds = sources
            .iter()
            .fold(Seconds::Nothing, |all, run| all.with(run.seconds));
        sources.iter().all(|run| run.tier == tier).then(|| Self {
            tier,
            sources: sources.map(|run| run.keys),
            seconds,
            into,
            slices: slices.next_power_of_two().min(1 << SLICE_BITS),
            filters: Vec::new(),
        })
    }

    /// Merges the next slice.
    fn slice(&mut self, tx: &SqliteTx<'_>) -> Result<(), DatabaseError> {
        let slice = self.filters.len();
        let mut entries = Vec::new();
        for source in self.sources {
            entries.extend(source.read(tx, slice, self.slices)?);
        }
        entries.sort_unstable();
        entries.dedup_by_key(|(key, _)| *key);
        RunKeys::blocks(self.into, self.slices).write(tx, &entries)?;
        let keys = entries.iter().map(|(key, _)| key);
        self.filters.push(keep_filter(tx, self.into, slice, keys)?);
        Ok(())
    }
}

/// How many slices a run of so many keys has: a power of two.
pub(crate) fn slices(keys: usize) -> usize {
    keys.div_ceil(SLICE)
        .max(1)
        .next_power_of_two()
        .min(1 << SLICE_BITS)
}

/// Where the keys of a listed run stand.
fn keys(run: i64, blocks: bool, slices: usize) -> RunKeys {
    if blocks {
        RunKeys::blocks(run, slices)
    } else {
        RunKeys::Rows { run }
    }
}

fn keep_filter<'a>(
    tx: &SqliteTx<'_>,
    run: i64,
    slice: usize,
    keys: impl ExactSizeIterator<Item = &'a Key>,
) -> Result<Filter, DatabaseError> {
    let filter = Filter::of(keys);
    let slice = i64::try_from(slice).map_err(|_| DatabaseError::Gone)?;
    let kept = tx.execute(
        "INSERT INTO request_filters (run, slice, bits) VALUES (?1, ?2, ?3)",
        &[
            Value::Int(run),
            Value::Int(slice),
            Value::Bytes(filter.as_bytes()),
        ],
    )?;
    exactly_one(kept, "a filter")?;
    Ok(filter)
}

/// Those of a run that is whole.
fn filters(tx: &SqliteTx<'_>, run: i64) -> Result<Vec<Filter>, DatabaseError> {
    let filters = filters_so_far(tx, run)?;
    if filters.len().is_power_of_two() {
        Ok(filters)
    } else {
        Err(strange_filters(run))
    }
}

/// Those of the first slices.
fn filters_so_far(tx: &SqliteTx<'_>, run: i64) -> Result<Vec<Filter>, DatabaseError> {
    let found = tx.query(
        "SELECT slice, bits FROM request_filters WHERE run = ?1 ORDER BY slice",
        &[Value::Int(run)],
        |row| Ok((row.int(0)?, Filter::from_stored(row.bytes(1)?))),
    )?;
    (0..)
        .zip(found)
        .map(|(place, (slice, filter))| filter.filter(|_| place == slice))
        .collect::<Option<_>>()
        .ok_or_else(|| strange_filters(run))
}

fn strange_filters(run: i64) -> DatabaseError {
    DatabaseError::Stored {
        table: "request_filters",
        column: "bits",
        row: run,
    }
}

/// Every number of a run that a table has rows of.
fn stored(tx: &SqliteTx<'_>, next: &str) -> Result<Vec<i64>, DatabaseError> {
    let mut found = Vec::new();
    let mut after = 0;
    while let Some(number) = tx
        .query_one(next, &[Value::Int(after)], |row| row.maybe_int(0))?
        .flatten()
    {
        found.push(number);
        after = number;
    }
    Ok(found)
}

/// Removes some of what is left of a run; whether nothing is left.
fn remove(tx: &SqliteTx<'_>, run: i64, keys: usize) -> Result<bool, DatabaseError> {
    let removed = run_keys::remove(tx, run, keys)?;
    let filters = tx.execute(
        REMOVE_FILTERS,
        &[
            Value::Int(run),
            Value::Int(FILTERS_REMOVED),
            Value::Int(i64::MAX),
        ],
    )?;
    Ok(removed && filters <= FILTERS_REMOVED as usize)
}

pub(crate) fn exactly_one(found: usize, statement: &'static str) -> Result<(), DatabaseError> {
    if found == 1 {
        Ok(())
    } else {
        Err(DatabaseError::Count {
            statement,
            expected: 1,
            found,
        })
    }
}

#[cfg(test)]
mod tests;
