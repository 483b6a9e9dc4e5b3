//! Codes of watched credentials, sent to wherever a stale map may still point, while slots move and regions are lost.
//!
//! Two regions, two routers with maps of their own, an adversary who sends each code several times to both. A cell's
//! database is what the product keeps of a credential: the newest spent step. Whether a code was ever taken twice is
//! judged by a list that none of them can see.

use std::collections::{HashMap, HashSet, VecDeque};

use super::random::{Random, mix};

/// Seconds of a time step.
const STEP: i64 = 30;

/// How far a code's step may be from the cell's clock.
const WINDOW: i64 = 1;

/// Seconds that are played.
const SECONDS: i64 = 7_200;

/// Watched credentials, the slots that they are in, the cells.
const CREDENTIALS: u64 = 600;
const SLOTS: u64 = 32;
const CELLS: u64 = 4;

/// From the loss of a region to the promotion: longer than a primary believes in itself without a quorum.
const LEASE: i64 = 20;
const PROMOTION: i64 = 25;

/// What is left out of the plan, to see that the list finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: the plan as it is.
    None,
    /// A slot is copied before the old cell closes it.
    CopyBeforeClose,
    /// A promoted cell whose standby was behind begins without a floor.
    NoFloor,
    /// A primary that was cut off goes on, however long it hears from nobody.
    NoLease,
}

/// How a standby follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standby {
    /// What is answered is on both sides.
    Synchronous,
    /// So many seconds behind.
    Behind(i64),
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Codes that were sent, the same one again as well.
    pub(super) sent: u64,
    /// Codes that were accepted.
    pub(super) accepted: u64,
    /// Codes that were accepted more than once.
    pub(super) twice: u64,
    /// Sent again or too late: refused as spent or by the floor.
    pub(super) refused: u64,
    /// Not answered or told 503: closed slots, old maps, lost regions.
    pub(super) unavailable: u64,
    /// Acceptances that were answered and are in no database afterwards; 0 where standbys are synchronous.
    pub(super) forgotten: u64,
    /// Slots that moved.
    pub(super) moves: u64,
}

/// One side of a cell: a database in one region.
#[derive(Default)]
struct Side {
    /// The newest spent step, by credential.
    spent: HashMap<u64, i64>,
    /// No step up to this one is taken.
    floor: i64,
}

struct Cell {
    home: Side,
    away: Side,
    /// What the other region does not have yet: since when, credential, step.
    behind: VecDeque<(i64, u64, i64)>,
    /// Its home region, 0 or 1, and the region that serves.
    at_home: u64,
    serving: u64,
    /// Slots that are open here, by the epoch under which they are.
    open: HashMap<u64, u64>,
    /// Seconds that its clock is off.
    skew: i64,
}

struct World {
    fault: Fault,
    standby: Standby,
    random: Random,
    cells: Vec<Cell>,
    /// Each router's map: slot to cell and epoch.
    maps: [HashMap<u64, (u64, u64)>; 2],
    moving: Option<Moving>,
    /// Region 0 is cut off from here on, and heard of only by its own router.
    cut: Option<i64>,
    promoted: bool,
    taken: HashSet<(u64, i64)>,
    outcome: Outcome,
}

struct Moving {
    slot: u64,
    from: u64,
    to: u64,
    epoch: u64,
    copied: HashMap<u64, i64>,
    began: i64,
    /// The seconds after which it is closed, copied, open, known to the first router and to the second.
    times: [i64; 5],
}

/// Plays two hours: a slot moves every two minutes, and region 0 is cut off after an hour.
pub(super) fn play(standby: Standby, fault: Fault, seed: u64) -> Outcome {
    let mut world = World::new(standby, fault, seed);
    let mut later: VecDeque<Vec<(u64, i64, u64)>> = VecDeque::new();
    for now in 0..SECONDS {
        world.pass(now);
        for (credential, step, router) in later.pop_front().unwrap_or_default() {
            world.send(now, credential, step, router);
        }
        for credential in 0..CREDENTIALS {
            if world.random.below(45) != 0 {
                continue;
            }
            // A code is shown by the token's clock, and sent one to four times within a minute and a half.
            let step = (now + 5 * STEP) / STEP - 5;
            for _ in 0..=world.random.below(4) {
                let delay = usize::try_from(world.random.below(90)).unwrap_or_default();
                let router = world.random.below(2);
                if later.len() <= delay {
                    later.resize_with(delay + 1, Vec::new);
                }
                if let Some(then) = later.get_mut(delay) {
                    then.push((credential, step, router));
                }
            }
        }
    }
    world.finish()
}

fn slot(credential: u64) -> u64 {
    mix(credential) % SLOTS
}

impl World {
    fn new(standby: Standby, fault: Fault, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let cells = (0..CELLS)
            .map(|cell| Cell {
                home: Side::default(),
                away: Side::default(),
                behind: VecDeque::new(),
                at_home: cell % 2,
                serving: cell % 2,
                open: (0..SLOTS)
                    .filter(|slot| slot % CELLS == cell)
                    .map(|slot| (slot, 0))
                    .collect(),
                skew: i64::try_from(random.below(5)).unwrap_or_default() - 2,
            })
            .collect();
        let map: HashMap<_, _> = (0..SLOTS).map(|slot| (slot, (slot % CELLS, 0))).collect();
        Self {
            fault,
            standby,
            random,
            cells,
            maps: [map.clone(), map],
            moving: None,
            cut: None,
            promoted: false,
            taken: HashSet::new(),
            outcome: Outcome::default(),
        }
    }

    /// What happens by itself in a second.
    fn pass(&mut self, now: i64) {
        if now == SECONDS / 2 {
            self.cut = Some(now);
        }
        self.follow(now);
        self.promote(now);
        self.advance(now);
        if self.moving.is_none() && now % 120 == 60 {
            self.begin(now);
        }
    }

    /// What standbys that are behind have by now. Nothing crosses a cut.
    fn follow(&mut self, now: i64) {
        let Standby::Behind(seconds) = self.standby else {
            return;
        };
        if self.cut.is_some() {
            return;
        }
        for cell in &mut self.cells {
            while let Some((since, credential, step)) = cell.behind.front().copied() {
                if since + seconds > now {
                    break;
                }
                cell.behind.pop_front();
                cell.away.spend(credential, step);
            }
        }
    }

    /// The cells whose home was cut off begin in the other region.
    fn promote(&mut self, now: i64) {
        let Some(cut) = self.cut else { return };
        if self.promoted || now < cut + PROMOTION {
            return;
        }
        self.promoted = true;
        for cell in self.cells.iter_mut().filter(|cell| cell.at_home == 0) {
            cell.serving = 1;
            if self.standby != Standby::Synchronous && self.fault != Fault::NoFloor {
                // The newest step that the lost side can have taken: its clock may be 5 s ahead, its lease is over.
                cell.away.floor = (now + 5) / STEP + WINDOW;
            }
        }
    }

    fn begin(&mut self, now: i64) {
        let slot = self.random.below(SLOTS);
        let map = self.maps.first().and_then(|map| map.get(&slot)).copied();
        let Some((from, epoch)) = map else { return };
        let to = (from + 1 + self.random.below(CELLS - 1)) % CELLS;
        // Now and then whoever moves it dies in the middle and goes on a minute later.
        let pause = if self.random.below(3) == 0 { 60 } else { 0 };
        let (closed, copied) = if self.fault == Fault::CopyBeforeClose {
            (8, 1)
        } else {
            (1, 4 + pause)
        };
        let open = closed.max(copied) + 3;
        self.moving = Some(Moving {
            slot,
            from,
            to,
            epoch: epoch + 1,
            copied: HashMap::new(),
            began: now,
            times: [closed, copied, open, open + 1, open + 30],
        });
    }

    /// The next part of a move, if its time has come. A move from or to a cell that no region serves just now waits.
    fn advance(&mut self, now: i64) {
        let lost = self.cut.is_some() && !self.promoted;
        let Some(mut moving) = self.moving.take() else {
            return;
        };
        if lost && (moving.from % 2 == 0 || moving.to % 2 == 0) {
            moving.began += 1;
            self.moving = Some(moving);
            return;
        }
        let [closed, copied, open, first, second] = moving.times.map(|time| moving.began + time);
        if now == closed
            && let Some(cell) = cell(&mut self.cells, moving.from)
        {
            cell.open.remove(&moving.slot);
        }
        if now == copied
            && let Some(cell) = cell(&mut self.cells, moving.from)
        {
            let side = cell.side();
            let floor = side.floor;
            moving.copied = (0..CREDENTIALS)
                .filter(|credential| slot(*credential) == moving.slot)
                .map(|credential| (credential, side.newest(credential).max(floor)))
                .collect();
        }
        if now == open
            && let Some(cell) = cell(&mut self.cells, moving.to)
        {
            // One transaction: rows and epoch together. Both sides get it, as the copying waits for the slower one.
            for (credential, step) in &moving.copied {
                cell.home.spend(*credential, *step);
                cell.away.spend(*credential, *step);
            }
            cell.open.insert(moving.slot, moving.epoch);
            self.outcome.moves += 1;
        }
        for (map, time) in self.maps.iter_mut().zip([first, second]) {
            if now == time {
                map.insert(moving.slot, (moving.to, moving.epoch));
            }
        }
        if now < second {
            self.moving = Some(moving);
        }
    }

    /// A code arrives at a router.
    fn send(&mut self, now: i64, credential: u64, step: i64, router: u64) {
        self.outcome.sent += 1;
        let slot = slot(credential);
        let map = if router == 0 {
            &self.maps[0]
        } else {
            &self.maps[1]
        };
        let Some((number, epoch)) = map.get(&slot).copied() else {
            return;
        };
        let lost = self.cut.map(|cut| now - cut);
        let Some(cell) = cell(&mut self.cells, number) else {
            return;
        };
        // After the cut router 0 reaches the lost region alone, router 1 the other one alone.
        let home = cell.at_home;
        let reached = if lost.is_some() { router } else { cell.serving };
        let believes = match lost {
            // Cut off: it takes itself for the primary until its lease is over; a synchronous one cannot commit at all.
            Some(seconds) if home == 0 && reached == 0 => {
                self.standby != Standby::Synchronous
                    && (seconds < LEASE || self.fault == Fault::NoLease)
            }
            _ => reached == cell.serving,
        };
        if !believes || cell.open.get(&slot) != Some(&epoch) {
            self.outcome.unavailable += 1;
            return;
        }
        let clock = (now + cell.skew).div_euclid(STEP);
        let (side, other) = if reached == home {
            (&mut cell.home, &mut cell.away)
        } else {
            (&mut cell.away, &mut cell.home)
        };
        if (step - clock).abs() > WINDOW || step <= side.newest(credential) || step <= side.floor {
            self.outcome.refused += 1;
            return;
        }
        side.spend(credential, step);
        match self.standby {
            Standby::Synchronous => other.spend(credential, step),
            Standby::Behind(_) if reached == home => cell.behind.push_back((now, credential, step)),
            Standby::Behind(_) => {}
        }
        self.outcome.accepted += 1;
        if !self.taken.insert((credential, step)) {
            self.outcome.twice += 1;
        }
    }

    /// Rows of the lost region that the other one never got.
    fn finish(mut self) -> Outcome {
        let lost = self.cells.iter().step_by(2).filter(|_| self.promoted);
        let rows = lost.map(|cell| cell.behind.len()).sum::<usize>();
        self.outcome.forgotten = u64::try_from(rows).unwrap_or_default();
        self.outcome
    }
}

impl Cell {
    /// The database that serves.
    fn side(&self) -> &Side {
        if self.serving == self.at_home {
            &self.home
        } else {
            &self.away
        }
    }
}

impl Side {
    fn newest(&self, credential: u64) -> i64 {
        self.spent.get(&credential).copied().unwrap_or(-1)
    }

    fn spend(&mut self, credential: u64, step: i64) {
        let newest = self.spent.entry(credential).or_insert(step);
        *newest = (*newest).max(step);
    }
}

fn cell(cells: &mut [Cell], number: u64) -> Option<&mut Cell> {
    cells.get_mut(usize::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: std::ops::Range<u64> = 1..5;

    fn twice(standby: Standby, fault: Fault) -> u64 {
        SEEDS.map(|seed| play(standby, fault, seed).twice).sum()
    }

    #[test]
    fn no_code_is_accepted_twice_over_moves_and_the_loss_of_a_region() {
        for standby in [
            Standby::Synchronous,
            Standby::Behind(3),
            Standby::Behind(40),
        ] {
            for seed in SEEDS {
                let outcome = play(standby, Fault::None, seed);
                assert_eq!(outcome.twice, 0, "{standby:?}, seed {seed}: {outcome:?}");
                assert!(outcome.accepted > 40_000, "seed {seed}: {outcome:?}");
                assert!(outcome.moves > 40, "seed {seed}: {outcome:?}");
            }
        }
    }

    #[test]
    fn a_synchronous_standby_forgets_nothing_and_one_that_is_behind_forgets_rows() {
        assert_eq!(play(Standby::Synchronous, Fault::None, 5).forgotten, 0);
        assert!(play(Standby::Behind(3), Fault::None, 5).forgotten > 0);
    }

    #[test]
    fn a_slot_copied_before_it_is_closed_is_found() {
        assert!(twice(Standby::Synchronous, Fault::CopyBeforeClose) > 0);
    }

    #[test]
    fn a_promotion_without_a_floor_is_found() {
        assert!(twice(Standby::Behind(3), Fault::NoFloor) > 0);
    }

    #[test]
    fn a_primary_that_goes_on_without_its_lease_is_found() {
        assert!(twice(Standby::Behind(3), Fault::NoLease) > 0);
    }

    #[test]
    fn the_same_seed_plays_the_same() {
        let play = |seed| play(Standby::Behind(3), Fault::None, seed);
        assert_eq!(play(5), play(5));
        assert_ne!(play(5), play(6));
    }
}
