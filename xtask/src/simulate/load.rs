//! A day second by second: what every cell is asked for, what it carries, who has to wait and who is told 503.
//!
//! Logins are what a cell is short of first, so it is their queue that is followed. Whoever is told 503 comes again
//! after 5 to 35 seconds, every time, which is the worst case.

use super::plan::Plan;
use super::random::Random;

/// Seconds of a day.
const DAY: u32 = 86_400;

/// Seconds over which those who were told 503 come again, and when the first do.
const RETRY_SPREAD: usize = 30;
const RETRY_FIRST: usize = 5;

/// What happens on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Usual,
    Busy,
    /// At the peak every cell loses one copy, for the rest of the day.
    CopiesLost,
    /// At the peak cell 0 loses its primary.
    PrimaryLost,
    /// At the peak the region of cells 0 to half is lost, for the rest of the day.
    RegionLost,
    /// A thousandth of the slots is asked for a hundred times as much as the others, all in cell 0; half of them move away.
    HotSlots,
}

/// What came of a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// Logins that were asked for, without those that came again.
    pub(super) asked: f64,
    /// The most in one second, of all cells.
    pub(super) peak: f64,
    /// The busiest cell from 10 o'clock on: asked for beside what it carries, in its busiest minute.
    pub(super) busiest: f64,
    /// The same before 10 o'clock, when hot slots move.
    pub(super) busiest_before: f64,
    /// The longest wait in a queue, seconds.
    pub(super) wait: f64,
    /// How many were told 503, those who were told so again as well.
    pub(super) refused: f64,
    /// Cells in which anybody was.
    pub(super) refusing: usize,
    /// From the fault to the last 503, seconds.
    pub(super) until_well: u32,
    /// Asked for and not carried out by the end of the day.
    pub(super) left: f64,
}

struct Cell {
    share: f64,
    copies: f64,
    /// No commit before this second.
    down_until: u32,
    queue: f64,
    /// Who comes again, by seconds from now.
    again: std::collections::VecDeque<f64>,
    refused: f64,
    minute: f64,
}

/// The second of the peak, when faults happen.
pub(super) const FAULT: u32 = 12 * 3_600 + 60;

/// When hot slots move.
const MOVED: u32 = 10 * 3_600;

/// Plays a day.
pub(super) fn play(plan: &Plan, day: Day, seed: u64) -> Outcome {
    let mut random = Random::new(seed);
    let mut cells = cells(plan, day, &mut random);
    let mut outcome = Outcome::default();
    for second in 0..DAY {
        happen(plan, day, second, &mut cells);
        let mean = plan.logins(day != Day::Usual, second);
        let mut asked_now = 0.0;
        for cell in &mut cells {
            let asked = random.around(mean * cell.share);
            asked_now += asked;
            let refused = cell.second(plan, second, asked, &mut outcome);
            if refused > 0.5 {
                outcome.refused += refused;
                outcome.until_well = second.saturating_sub(FAULT);
            }
            if second % 60 == 59 {
                let used = cell.minute / 60.0 / plan.hashing(cell.copies);
                cell.minute = 0.0;
                let busiest = if second < MOVED {
                    &mut outcome.busiest_before
                } else {
                    &mut outcome.busiest
                };
                *busiest = busiest.max(used);
            }
        }
        outcome.asked += asked_now;
        outcome.peak = outcome.peak.max(asked_now);
    }
    outcome.refusing = cells.iter().filter(|cell| cell.refused > 0.5).count();
    outcome.left = cells
        .iter()
        .map(|cell| cell.queue + cell.again.iter().sum::<f64>())
        .sum();
    outcome
}

/// How the demand is spread: slots are equal but for a few hundredths, and hot ones as the day says.
fn cells(plan: &Plan, day: Day, random: &mut Random) -> Vec<Cell> {
    let mut weights = vec![0.0; plan.cells];
    for slot in 0..plan.slots {
        let cell = slot % plan.cells.max(1);
        let hot =
            day == Day::HotSlots && cell == 0 && slot / plan.cells.max(1) < plan.slots / 1_000;
        let weight = if hot {
            100.0
        } else {
            0.9 + 0.2 * random.share()
        };
        if let Some(sum) = weights.get_mut(cell) {
            *sum += weight;
        }
    }
    let all: f64 = weights.iter().sum();
    weights
        .into_iter()
        .map(|weight| Cell {
            share: weight / all,
            copies: plan.copies,
            down_until: 0,
            queue: 0.0,
            again: std::iter::repeat_n(0.0, RETRY_FIRST + RETRY_SPREAD + 1).collect(),
            refused: 0.0,
            minute: 0.0,
        })
        .collect()
}

fn happen(plan: &Plan, day: Day, second: u32, cells: &mut [Cell]) {
    if day == Day::HotSlots && second == MOVED {
        // Half of what is above the mean goes to the others, slot by slot; each closed slot waits for seconds, told in codes.rs.
        let mean = 1.0 / plan.cells as f64;
        let others = cells.len().saturating_sub(1).max(1) as f64;
        let moved = cells.first().map_or(0.0, |hot| (hot.share - mean) * 0.9);
        for (number, cell) in cells.iter_mut().enumerate() {
            cell.share += if number == 0 { -moved } else { moved / others };
        }
    }
    if second != FAULT {
        return;
    }
    match day {
        Day::Usual | Day::Busy | Day::HotSlots => {}
        Day::CopiesLost => cells.iter_mut().for_each(|cell| cell.copies -= 1.0),
        Day::PrimaryLost => {
            if let Some(cell) = cells.first_mut() {
                cell.down_until = second + plan.fail_over;
            }
        }
        Day::RegionLost => {
            let half = cells.len() / 2;
            for cell in cells.iter_mut().take(half) {
                // The copies that wait in the other region take over.
                cell.down_until = second + 2 * plan.fail_over;
            }
        }
    }
}

impl Cell {
    /// One second of one cell; how many were told 503.
    fn second(&mut self, plan: &Plan, second: u32, asked: f64, outcome: &mut Outcome) -> f64 {
        let back = self.again.pop_front().unwrap_or_default();
        self.again.push_back(0.0);
        let carries = if second < self.down_until {
            0.0
        } else {
            plan.hashing(self.copies)
        };
        self.minute += asked + back;
        let waiting = self.queue + asked + back - carries;
        let room = plan.longest_wait * carries;
        let refused = (waiting - room).max(0.0);
        self.queue = waiting.clamp(0.0, room);
        if carries > 0.0 {
            outcome.wait = outcome.wait.max(self.queue / carries);
        }
        for later in self.again.iter_mut().skip(RETRY_FIRST).take(RETRY_SPREAD) {
            *later += refused / RETRY_SPREAD as f64;
        }
        self.refused += refused;
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_day_is_carried_without_a_refusal_even_with_a_copy_lost_everywhere() {
        for day in [Day::Usual, Day::Busy, Day::CopiesLost] {
            let outcome = play(&Plan::default(), day, 5);
            assert!(outcome.refused < 1.0, "{day:?}: {outcome:?}");
            assert!(outcome.left < 1.0, "{day:?}: {outcome:?}");
            assert!(outcome.busiest < 1.0, "{day:?}: {outcome:?}");
        }
    }

    #[test]
    fn too_few_copies_are_told_by_refusals_and_by_a_queue_at_its_bound() {
        let plan = Plan {
            copies: 0.5,
            ..Plan::default()
        };
        let outcome = play(&plan, Day::Busy, 5);
        assert!(outcome.refused > 1e6, "{outcome:?}");
        assert!(
            (outcome.wait - plan.longest_wait).abs() < 1e-6,
            "{outcome:?}"
        );
        assert!(outcome.busiest > 1.0, "{outcome:?}");
    }

    #[test]
    fn a_lost_primary_is_felt_in_its_own_cell_alone_and_everybody_is_served_in_the_end() {
        let plan = Plan::default();
        let outcome = play(&plan, Day::PrimaryLost, 5);
        assert_eq!(outcome.refusing, 1, "{outcome:?}");
        assert!(outcome.until_well >= plan.fail_over - 1, "{outcome:?}");
        assert!(outcome.until_well < 5 * plan.fail_over, "{outcome:?}");
        assert!(outcome.left < 1.0, "{outcome:?}");
    }

    #[test]
    fn hot_slots_are_felt_in_their_cell_until_they_move() {
        let outcome = play(&Plan::default(), Day::HotSlots, 5);
        let even = play(&Plan::default(), Day::Busy, 5);
        assert!(
            outcome.busiest_before > 1.5 * even.busiest_before,
            "{outcome:?}"
        );
        assert!(outcome.busiest < 1.2 * even.busiest, "{outcome:?}");
    }
}
