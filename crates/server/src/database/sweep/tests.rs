//! Beside a plain map: what is spent is known, by row and memory together, through rounds, restarts and undone work.

use std::collections::BTreeMap;

use proptest::prelude::*;
use warifu_credentials::TimeStep;
use warifu_credentials::record::spent_to_stored;

use super::*;
use crate::database::Connection;
use crate::database::scratch::{in_transaction, token_service};

/// Requests of a round in these tests.
const ROUND: usize = 4 * PARTS;

/// What happens to credentials.
#[derive(Debug, Clone)]
enum Deed {
    /// Codes of these credentials are accepted.
    Accept(Vec<usize>),
    /// The same, and the transaction is undone.
    Undo(Vec<usize>),
    /// One is resynchronised: its row says a newer step at once.
    Resync(usize),
    /// Many requests of others come.
    Sweep(usize),
    /// What is remembered is read again.
    Restart,
}

struct World {
    connection: Connection,
    sweep: Sweep,
    credentials: Vec<i64>,
    plain: BTreeMap<i64, i64>,
    newest: i64,
    step: i64,
    _folder: tempfile::TempDir,
}

impl World {
    /// Credentials of all three platforms, evenly over the parts.
    fn new(count: u64) -> Self {
        let (folder, mut connection) = token_service();
        let credentials: Vec<_> = (0..count)
            .map(|place| {
                let within = place * CredentialId::PER_PLATFORM / count;
                i64::try_from(place % 3 * CredentialId::PER_PLATFORM + within).unwrap()
            })
            .collect();
        let sweep = in_transaction(&mut connection, |tx| {
            for credential in &credentials {
                tx.execute(
                    "INSERT INTO credentials (id, state, algorithm, digits, period, sealed, key_version, last_step, drift,
                         provisioned_at)
                     VALUES (?1, 0, 0, 6, 30, zeroblob(60), 1, -1, 0, 0)",
                    &[Value::Int(*credential)],
                )?;
            }
            Sweep::load(tx, ROUND)
        })
        .unwrap();
        Self {
            connection,
            sweep,
            plain: credentials.iter().map(|id| (*id, -1)).collect(),
            credentials,
            newest: 0,
            step: 100,
            _folder: folder,
        }
    }

    fn apply(&mut self, deed: &Deed) {
        self.step += 1;
        let step = self.step;
        let credential = |world: &Self, place: &usize| {
            let place = place % world.credentials.len();
            world.credentials[place]
        };
        match deed {
            Deed::Accept(places) | Deed::Undo(places) => {
                let mut some: Vec<_> = places.iter().map(|place| credential(self, place)).collect();
                some.sort_unstable();
                some.dedup();
                let undone = matches!(deed, Deed::Undo(_));
                let came = some.len();
                let Self {
                    connection,
                    sweep,
                    newest,
                    ..
                } = self;
                let result = in_transaction(connection, |tx| {
                    for (credential, position) in some.iter().zip(*newest + 1..) {
                        accept(tx, sweep, *credential, position, step)?;
                    }
                    sweep.step(tx, came)?;
                    if undone {
                        Err(DatabaseError::Gone)
                    } else {
                        Ok(())
                    }
                });
                assert_eq!(result.is_err(), undone);
                if undone {
                    self.restart();
                    return;
                }
                self.sweep.committed();
                self.newest += i64::try_from(came).unwrap();
                self.plain.extend(some.into_iter().map(|id| (id, step)));
            }
            Deed::Resync(place) => {
                let credential = credential(self, place);
                in_transaction(&mut self.connection, |tx| {
                    tx.execute(
                        "UPDATE credentials SET last_step = ?2 WHERE id = ?1",
                        &[Value::Int(credential), Value::Int(step)],
                    )
                })
                .unwrap();
                self.plain.insert(credential, step);
            }
            Deed::Sweep(came) => {
                in_transaction(&mut self.connection, |tx| self.sweep.step(tx, *came)).unwrap();
                self.sweep.committed();
            }
            Deed::Restart => self.restart(),
        }
    }

    fn restart(&mut self) {
        self.sweep = in_transaction(&mut self.connection, |tx| Sweep::load(tx, ROUND)).unwrap();
    }

    fn rows(&mut self) -> BTreeMap<i64, i64> {
        let rows = in_transaction(&mut self.connection, |tx| {
            tx.query("SELECT id, last_step FROM credentials", &[], |row| {
                Ok((row.int(0)?, row.int(1)?))
            })
        });
        rows.unwrap().into_iter().collect()
    }

    fn require(&mut self) {
        for (credential, step) in self.rows() {
            let waits = self.sweep.spent(credential).map_or(-1, |spent| spent.step);
            assert_eq!(step.max(waits), self.plain[&credential], "{credential}");
        }
    }

    fn waiting(&self) -> usize {
        self.sweep.parts.iter().map(HashMap::len).sum()
    }
}

/// Spends a step, with the audit row that says so.
fn accept(
    tx: &SqliteTx<'_>,
    sweep: &mut Sweep,
    credential: i64,
    position: i64,
    step: i64,
) -> Result<(), DatabaseError> {
    tx.execute(
        "INSERT INTO audit (position, at, kind, outcome, credential, detail, note, mark)
         VALUES (?1, 0, ?2, ?3, ?4, ?5, '', zeroblob(32))",
        &[
            Value::Int(position),
            Value::Int(Kind::Validated.to_stored()),
            Value::Int(Outcome::Accepted.to_stored()),
            Value::Int(credential),
            Value::Int(spent_to_stored(TimeStep(step), 0)),
        ],
    )?;
    let spent = Spent {
        step,
        drift: 0,
        at: 0,
    };
    assert!(sweep.spend(credential, spent).is_ok());
    Ok(())
}

fn deed() -> impl Strategy<Value = Deed> {
    let some = || proptest::collection::vec(0..500_usize, 1..30);
    prop_oneof![
        8 => some().prop_map(Deed::Accept),
        1 => some().prop_map(Deed::Undo),
        1 => (0..500_usize).prop_map(Deed::Resync),
        3 => (1..ROUND / 2).prop_map(Deed::Sweep),
        1 => Just(Deed::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_spent_is_known_whatever_happens_to_the_sweep(deeds in proptest::collection::vec(deed(), 1..120)) {
        let mut world = World::new(500);
        for deed in &deeds {
            world.apply(deed);
            world.require();
        }
        world.restart();
        world.require();
    }
}

#[test]
fn after_a_round_every_row_says_what_was_spent_before_it() {
    let mut world = World::new(3_000);
    world.apply(&Deed::Accept((0..3_000).collect()));
    let spent = world.plain.clone();
    let mut came = 0;
    while came <= ROUND {
        world.apply(&Deed::Sweep(ROUND / 16));
        came += ROUND / 16;
    }
    assert_eq!(world.rows(), spent);
    assert_eq!(world.waiting(), 0);
    world.restart();
    assert_eq!(world.waiting(), 0, "what was swept is read again");
}

/// However few requests come between two starts, what is read at a start does not only grow.
#[test]
fn whoever_starts_anew_goes_on_with_the_part_whose_turn_is_longest_ago() {
    let mut world = World::new(500);
    world.apply(&Deed::Accept((0..500).collect()));
    let first = world.sweep.next;
    let mut before = world.waiting();
    for turn in 1..=PARTS {
        world.apply(&Deed::Restart);
        world.apply(&Deed::Accept(vec![0]));
        assert_eq!(world.sweep.next, (first + turn) % PARTS);
        if turn % 256 == 0 {
            world.require();
            let now = world.waiting();
            assert!(now < before, "{now} after {before}");
            before = now;
        }
    }
    // The first has been asked for since its turn.
    assert_eq!(world.waiting(), 1);
    world.require();
}

#[test]
fn a_step_is_spent_only_if_it_is_newer_and_taken_back_only_as_far_as_it_was() {
    let mut world = World::new(500);
    let credential = world.credentials[7];
    let spent = |step| Spent {
        step,
        drift: 0,
        at: 0,
    };
    let sweep = &mut world.sweep;
    assert_eq!(sweep.spend(credential, spent(5)), Ok(None));
    assert_eq!(sweep.spend(credential, spent(5)), Err(Older));
    assert_eq!(sweep.spend(credential, spent(4)), Err(Older));
    assert_eq!(sweep.spend(credential, spent(6)), Ok(Some(spent(5))));
    sweep.restore(credential, Some(spent(5)));
    assert_eq!(sweep.spent(credential), Some(spent(5)));
    sweep.restore(credential, None);
    assert_eq!(sweep.spent(credential), None);
}

#[test]
fn a_sweep_without_one_of_its_parts_is_no_sweep() {
    let mut world = World::new(1);
    in_transaction(&mut world.connection, |tx| {
        tx.execute("DELETE FROM spent_sweep WHERE part = 77", &[])
    })
    .unwrap();
    let loaded = in_transaction(&mut world.connection, |tx| Sweep::load(tx, ROUND));
    assert!(matches!(
        loaded.err(),
        Some(DatabaseError::Stored {
            table: "spent_sweep",
            row: 77,
            ..
        })
    ));
}

#[test]
fn neighbours_are_swept_together_and_every_platform_evenly() {
    let platform = i64::try_from(CredentialId::PER_PLATFORM).unwrap();
    for first in [0, platform, 2 * platform] {
        assert_eq!(part_of(first), 0);
        assert_eq!(part_of(first + 1), 0);
        assert_eq!(part_of(first + platform / 2), PARTS / 2);
        assert_eq!(part_of(first + platform - 1), PARTS - 1);
    }
}
