//! Beside a plain map: whatever was listed is found, whatever was not is not, through merges, restarts and undone work.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::database::Connection;
use crate::database::scratch::{in_transaction, token_service};
use crate::database::seconds::Seconds;

/// What happens to the runs.
#[derive(Debug, Clone)]
enum Deed {
    /// A run of so many keys is written and listed.
    Add(usize),
    /// A run of so many keys that all tell their time.
    AddTimed(usize),
    /// A run is written and not listed: the process ends before.
    CutShort(usize),
    /// A run of before schema 6, a row for each key.
    AddOld(usize),
    /// Work goes on.
    Step(usize),
    /// Work goes on, and is undone.
    Undo(usize),
    /// What is remembered is read again.
    Restart,
}

/// All that blocks hold, of whichever run.
const KEYS: &str = "SELECT COALESCE(SUM(LENGTH(entries)), 0) / 24 FROM request_blocks";

struct World {
    connection: Connection,
    runs: Runs,
    plain: BTreeMap<Key, i64>,
    made: u64,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let (folder, mut connection) = token_service();
        let runs = in_transaction(&mut connection, Runs::load).unwrap();
        Self {
            connection,
            runs,
            plain: BTreeMap::new(),
            made: 0,
            _folder: folder,
        }
    }

    /// Keys as even as digests are, of which all tell their time or every second does.
    fn keys(&mut self, count: usize, all: bool) -> BTreeMap<Key, i64> {
        (0..count)
            .map(|_| {
                self.made += if all { 2 - self.made % 2 } else { 1 };
                let mut key = [0; 16];
                for (part, half) in key.chunks_mut(8).zip([0, 1 << 63]) {
                    part.copy_from_slice(&spread(self.made | half).to_be_bytes());
                }
                (key, i64::try_from(self.made).unwrap())
            })
            .collect()
    }

    /// Writes a run; it is one when it is listed. Its number.
    fn add(&mut self, count: usize, listed: bool) -> i64 {
        let entries = self.keys(count, false);
        self.write(entries, listed)
    }

    fn write(&mut self, entries: BTreeMap<Key, i64>, listed: bool) -> i64 {
        let number = self.runs.begin();
        in_transaction(&mut self.connection, |tx| {
            let keys: Vec<_> = entries.keys().copied().collect();
            let blocks = RunKeys::blocks(number, slices(keys.len()));
            // As folds do: one step after the other, each up to the end of a block.
            let middle = blocks.block_end(&keys, keys.len() / 2);
            let entries: Vec<_> = entries.iter().map(|(key, at)| (*key, *at)).collect();
            let seconds = entries.iter().map(|(key, at)| name(key, *at).second());
            let seconds = seconds.fold(Seconds::Nothing, Seconds::and);
            let (first, second) = entries.split_at(middle);
            blocks.write(tx, first)?;
            blocks.write(tx, second)?;
            if listed {
                self.runs.list(tx, number, &keys, seconds)?;
            }
            Ok(())
        })
        .unwrap();
        if listed {
            self.plain.extend(entries);
        }
        number
    }

    /// Lists a run whose keys tell these seconds.
    fn list_seconds(&mut self, told: &[u32]) {
        let entries = self.keys(told.len(), true);
        let number = self.runs.begin();
        let seconds = told.iter().map(|second| Some(*second));
        let seconds = seconds.fold(Seconds::Nothing, Seconds::and);
        in_transaction(&mut self.connection, |tx| {
            let keys: Vec<_> = entries.keys().copied().collect();
            let entries: Vec<_> = entries.into_iter().collect();
            RunKeys::blocks(number, slices(keys.len())).write(tx, &entries)?;
            self.runs.list(tx, number, &keys, seconds)
        })
        .unwrap();
    }

    fn apply(&mut self, deed: &Deed) {
        match deed {
            Deed::Add(count) => {
                self.add(*count, true);
            }
            Deed::AddTimed(count) => {
                let entries = self.keys(*count, true);
                self.write(entries, true);
            }
            Deed::CutShort(count) => {
                self.add(*count, false);
                self.restart();
            }
            Deed::AddOld(count) => {
                let number = self.add(*count, true);
                in_transaction(&mut self.connection, |tx| as_rows(tx, number)).unwrap();
                self.restart();
            }
            Deed::Step(added) => {
                in_transaction(&mut self.connection, |tx| self.runs.step(tx, *added)).unwrap();
            }
            Deed::Undo(added) => {
                let undone: Result<(), _> = in_transaction(&mut self.connection, |tx| {
                    self.runs.step(tx, *added)?;
                    Err(DatabaseError::Gone)
                });
                assert!(undone.is_err());
                self.restart();
            }
            Deed::Restart => self.restart(),
        }
    }

    fn restart(&mut self) {
        self.runs = in_transaction(&mut self.connection, Runs::load).unwrap();
    }

    fn require(&mut self, every: usize) {
        let absent = self.keys(20, false);
        let (runs, plain) = (&self.runs, &self.plain);
        in_transaction(&mut self.connection, |tx| {
            for (key, position) in plain.iter().step_by(every) {
                assert_eq!(runs.find(tx, &name(key, *position))?, Some(*position));
            }
            for (key, position) in &absent {
                assert_eq!(runs.find(tx, &name(key, *position))?, None);
            }
            Ok(())
        })
        .unwrap();
    }

    fn count(&mut self, sql: &'static str) -> i64 {
        let counted = in_transaction(&mut self.connection, |tx| {
            tx.query_one(sql, &[], |row| row.int(0))
        });
        counted.unwrap().unwrap()
    }
}

/// Of two keys one tells a second; some tell the same, a few one that is far away.
fn name(key: &Key, position: i64) -> RequestDigest {
    let second = if position % 800 == 0 {
        Some(1 << 31)
    } else {
        u32::try_from(position / 40).ok()
    };
    RequestDigest::new(*key, second.filter(|_| position % 2 == 0))
}

/// Makes a run one of before schema 6.
fn as_rows(tx: &SqliteTx<'_>, run: i64) -> Result<(), DatabaseError> {
    let slices = filters(tx, run)?.len();
    let moved = RunKeys::blocks(run, slices);
    for slice in 0..slices {
        for (key, position) in moved.read(tx, slice, slices)? {
            tx.execute(
                "INSERT INTO request_runs (run, request, position) VALUES (?1, ?2, ?3)",
                &[Value::Int(run), Value::Bytes(&key), Value::Int(position)],
            )?;
        }
    }
    let values = [Value::Int(run)];
    tx.execute("DELETE FROM request_blocks WHERE block >> 32 = ?1", &values)?;
    tx.execute(
        "UPDATE request_run_list SET blocks = 0, first_second = NULL, last_second = NULL WHERE run = ?1",
        &values,
    )?;
    Ok(())
}

/// SplitMix64 by D. Lea and others.
fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => (1..60_usize).prop_map(Deed::Add),
        8 => (1..60_usize).prop_map(Deed::AddTimed),
        1 => (1..60_usize).prop_map(Deed::CutShort),
        2 => (1..60_usize).prop_map(Deed::AddOld),
        4 => (1..200_usize).prop_map(Deed::Step),
        1 => (1..200_usize).prop_map(Deed::Undo),
        1 => Just(Deed::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_request_is_found_whatever_happens_to_the_runs(deeds in proptest::collection::vec(deed(), 1..160)) {
        let mut world = World::new();
        for deed in &deeds {
            world.apply(deed);
            world.require(7);
        }
        world.restart();
        world.require(1);
    }
}

#[test]
fn eight_runs_become_one_of_the_next_tier_and_nothing_else_is_left() {
    let mut world = World::new();
    for turn in 0..64 {
        // The first eight are of before schema 6.
        world.apply(&if turn < 8 {
            Deed::AddOld(1_500)
        } else {
            Deed::Add(1_500)
        });
        // Half of the time in steps that a crash may come between.
        for _ in 0..4 {
            world.apply(&Deed::Step(375));
            if turn % 5 == 0 {
                world.require(401);
            }
        }
        if turn % 9 == 0 {
            world.apply(&Deed::Restart);
        }
    }
    for _ in 0..400 {
        world.apply(&Deed::Step(1_000));
    }
    assert_eq!(world.runs.highest_tier(), 2);
    world.require(97);
    let keys = i64::try_from(world.plain.len()).unwrap();
    assert_eq!(world.count(run_keys::COUNT), keys);
    assert_eq!(world.count(KEYS), keys);
    assert_eq!(world.count("SELECT COUNT(*) FROM request_runs"), 0);
    let listed = world.count("SELECT COUNT(*) FROM request_run_list");
    assert!(listed < 8, "{listed}");
    assert_eq!(
        world.count("SELECT COUNT(DISTINCT run) FROM request_filters"),
        listed
    );
}

/// A slice of the new run may be narrower than a block of a small one, and what is left of a run may take many steps to remove.
#[test]
fn runs_of_uneven_sizes_are_merged_and_removed_in_small_steps() {
    let mut world = World::new();
    world.apply(&Deed::Add(10));
    for _ in 0..7 {
        world.apply(&Deed::Add(8_000));
    }
    for _ in 0..1_200 {
        world.apply(&Deed::Step(100));
    }
    assert_eq!(world.runs.highest_tier(), 1);
    assert_eq!(world.count(KEYS), 56_010);
    world.require(53);
}

/// A service that is started anew after each step, or one whose transactions fail, ends its merges all the same.
#[test]
fn whoever_starts_anew_goes_on_with_a_merge_where_it_was_left() {
    let mut world = World::new();
    for _ in 0..8 {
        world.apply(&Deed::Add(2_000));
    }
    let merged =
        "SELECT COALESCE(SUM(LENGTH(entries)), 0) / 24 FROM request_blocks WHERE block >> 32 = 9";
    let mut before = 0;
    for _ in 0..16 {
        assert_eq!(world.runs.highest_tier(), 0);
        world.apply(&Deed::Undo(600));
        world.apply(&Deed::Step(600));
        world.apply(&Deed::Restart);
        let now = world.count(merged);
        assert!(now > before, "{now} after {before}");
        before = now;
    }
    assert_eq!((world.runs.highest_tier(), before), (1, 16_000));
    world.require(1);
    for _ in 0..30 {
        world.apply(&Deed::Step(600));
        world.apply(&Deed::Restart);
    }
    assert_eq!(world.count(KEYS), 16_000);
}

#[test]
fn seven_runs_are_not_merged() {
    let mut world = World::new();
    for _ in 0..8 {
        world.apply(&Deed::Add(100));
    }
    world.apply(&Deed::Step(1));
    in_transaction(&mut world.connection, |tx| {
        tx.execute("DELETE FROM request_run_list WHERE run = 3", &[])
    })
    .unwrap();
    let loaded = in_transaction(&mut world.connection, Runs::load);
    assert!(matches!(loaded, Err(DatabaseError::Stored { .. })));
}

#[test]
fn a_key_of_the_index_before_is_found() {
    let mut world = World::new();
    let keys = world.keys(10, false);
    in_transaction(&mut world.connection, |tx| {
        for (key, position) in &keys {
            tx.execute(
                "INSERT INTO request_index (request, position) VALUES (?1, ?2)",
                &[Value::Bytes(key), Value::Int(*position)],
            )?;
        }
        Ok(())
    })
    .unwrap();
    world.restart();
    world.plain = keys;
    world.apply(&Deed::Add(100));
    world.require(1);
}

#[test]
fn a_run_without_one_of_its_filters_is_no_run() {
    let mut world = World::new();
    world.apply(&Deed::Add(3_000));
    in_transaction(&mut world.connection, |tx| {
        tx.execute("DELETE FROM request_filters WHERE slice = 1", &[])
    })
    .unwrap();
    let loaded = in_transaction(&mut world.connection, Runs::load);
    assert!(matches!(loaded, Err(DatabaseError::Stored { .. })));
}

#[test]
fn a_block_that_is_not_whole_is_no_block() {
    let mut world = World::new();
    world.apply(&Deed::Add(100));
    in_transaction(&mut world.connection, |tx| {
        tx.execute(
            "UPDATE request_blocks SET entries = SUBSTR(entries, 2)",
            &[],
        )
    })
    .unwrap();
    let (key, position) = world.plain.first_key_value().unwrap();
    let asked = name(key, *position);
    let found = in_transaction(&mut world.connection, |tx| world.runs.find(tx, &asked));
    assert!(matches!(found, Err(DatabaseError::Stored { .. })));
    for _ in 0..7 {
        world.apply(&Deed::Add(100));
    }
    let merged = in_transaction(&mut world.connection, |tx| world.runs.step(tx, 1_000));
    assert!(matches!(merged, Err(DatabaseError::Stored { .. })));
}

#[test]
fn a_request_is_not_looked_for_among_those_of_other_times() {
    let mut world = World::new();
    world.apply(&Deed::Add(400));
    world.apply(&Deed::Add(400));
    in_transaction(&mut world.connection, |tx| {
        tx.execute(
            "UPDATE request_blocks SET entries = x'00' WHERE block >> 32 = 1",
            &[],
        )
    })
    .unwrap();
    for restarted in [false, true] {
        if restarted {
            world.restart();
        }
        let (runs, plain) = (&world.runs, &world.plain);
        in_transaction(&mut world.connection, |tx| {
            for (key, position) in plain {
                let asked = name(key, *position);
                let found = runs.find(tx, &asked);
                if *position <= 400 {
                    assert!(matches!(found, Err(DatabaseError::Stored { .. })));
                } else {
                    assert_eq!(found?, Some(*position));
                }
                // The same digest of another time is another request, which nobody looks at the first run for.
                if asked.second().is_some() {
                    let asked = RequestDigest::new(*key, Some(u32::MAX));
                    assert_eq!(runs.find(tx, &asked)?, None);
                }
            }
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn runs_whose_keys_all_tell_their_time_stay_as_they_are() {
    let mut world = World::new();
    for _ in 0..70 {
        // No whole number of these has a key that tells a strange time.
        let entries = world.keys(30, true);
        let entries = entries.into_iter().filter(|(_, at)| at % 800 != 0);
        world.write(entries.collect(), true);
        world.apply(&Deed::Step(1_000));
    }
    world.require(1);
    world.restart();
    world.apply(&Deed::Step(1_000));
    world.require(1);
    assert_eq!(world.count("SELECT COUNT(*) FROM request_run_list"), 70);
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM request_run_list WHERE tier = -1 AND merged_into IS NULL"),
        70
    );
    // A request that tells no time is looked for in none of them.
    in_transaction(&mut world.connection, |tx| {
        tx.execute("UPDATE request_blocks SET entries = x'00'", &[])?;
        for key in world.plain.keys() {
            assert_eq!(world.runs.find(tx, &RequestDigest::new(*key, None))?, None);
        }
        Ok(())
    })
    .unwrap();
}

/// Keys that tell a strange time make their own runs wide; the others stay apart, and the wide ones are merged.
#[test]
fn a_strange_time_stands_in_the_way_of_its_own_run_alone() {
    let mut world = World::new();
    for turn in 0..60_u32 {
        let strange = turn % 2 == 0;
        let far = if turn % 4 == 0 { 0 } else { u32::MAX };
        world.list_seconds(&[1_000 + turn, if strange { far } else { 1_001 + turn }]);
    }
    assert_eq!(
        world.count("SELECT COUNT(*) FROM request_run_list WHERE tier = -1 AND run % 2 = 0"),
        30
    );
    let apart =
        world.count("SELECT COUNT(*) FROM request_run_list WHERE tier = -1 AND run % 2 = 1");
    assert!(apart <= 8, "{apart}");
    for _ in 0..400 {
        world.apply(&Deed::Step(1_000));
    }
    assert_eq!(world.runs.highest_tier(), 1);
    let listed = world.count("SELECT COUNT(*) FROM request_run_list");
    assert!(listed <= 30 + 8 + 7 + 2, "{listed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn few_runs_that_are_apart_tell_the_same_second(
        spans in proptest::collection::vec((0..60_u32, 0..30_u32), 1..60)
    ) {
        let mut world = World::new();
        for (first, more) in spans {
            world.list_seconds(&[first, first + more]);
            let apart: Vec<_> = world.runs.listed.iter().filter(|run| run.tier == APART).collect();
            for second in 0..90 {
                let telling = apart.iter().filter(|run| run.seconds.may_hold(Some(second))).count();
                prop_assert!(telling <= OVERLAPPED + 1, "{} runs tell {}", telling, second);
            }
            // How far back a look must go is known of each.
            let mut older = Seconds::Nothing;
            for run in world.runs.listed.iter().rev() {
                older = older.with(run.seconds);
                prop_assert_eq!(run.or_older, older);
            }
            // Nothing is merged without need.
            prop_assert!(world.runs.listed.len() > OVERLAPPED || apart.len() == world.runs.listed.len());
            let remembered: Vec<_> = world.runs.listed.iter().map(|run| (run.keys.run(), run.tier)).collect();
            world.restart();
            let read: Vec<_> = world.runs.listed.iter().map(|run| (run.keys.run(), run.tier)).collect();
            prop_assert_eq!(remembered, read);
        }
    }
}
