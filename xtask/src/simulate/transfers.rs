//! Transfers between contracts of different cells: a journal in each, through clearing accounts, settled by one key.
//!
//! The paying cell books payer → clearing and leaves a message under the same commit. The message is sent until the other
//! cell says what became of it: clearing → payee, or back when the account takes nothing. Messages are lost, doubled and
//! late, cells forget whatever they had not committed.

use std::collections::{BTreeMap, VecDeque};

use super::random::Random;

const CELLS: usize = 4;
const ACCOUNTS: usize = 200;
const OPENING: i64 = 100_000;
const TRANSFERS: u64 = 20_000;

/// What is left out of the plan, to see that the sums find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// The receiving cell does not look whether the key was booked.
    NoKey,
    /// A message is sent once, and nobody asks what became of it.
    SentOnce,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Transfers that were booked at the payer's, those that were refused for want of funds.
    pub(super) booked: u64,
    pub(super) refused: u64,
    /// Those between cells, those that came back, and messages that were needed.
    pub(super) crossed: u64,
    pub(super) returned: u64,
    pub(super) messages: u64,
    /// Keys that were credited more than once.
    pub(super) credited_twice: u64,
    /// Yen that is neither in an account nor in clearing, by amount; 0 at every moment.
    pub(super) missing: i64,
    /// Yen in all clearing accounts together, at the end (0: what one cell is owed another owes) and at most.
    pub(super) in_clearing: i64,
    pub(super) most_in_clearing: i64,
    /// Accounts below zero.
    pub(super) below_zero: usize,
}

#[derive(Clone, Copy)]
struct Message {
    key: u64,
    from: usize,
    to: usize,
    payer: usize,
    payee: usize,
    amount: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Credited,
    Refused,
}

#[derive(Default)]
struct Cell {
    accounts: Vec<i64>,
    /// What others owe this cell's payees, less what it owes theirs.
    clearing: i64,
    /// What became of keys that came from elsewhere.
    answered: BTreeMap<u64, Answer>,
    /// How often each was credited: only the judge looks here.
    credits: BTreeMap<u64, u64>,
    /// Not settled yet.
    out: BTreeMap<u64, Message>,
}

/// Transfers among 800 accounts; one account in twenty takes nothing.
pub(super) fn play(fault: Fault, seed: u64) -> Outcome {
    let mut random = Random::new(seed);
    let mut cells: Vec<Cell> = (0..CELLS)
        .map(|_| Cell {
            accounts: vec![OPENING; ACCOUNTS],
            ..Cell::default()
        })
        .collect();
    let mut outcome = Outcome::default();
    let mut road: VecDeque<Vec<Message>> = VecDeque::new();
    let mut turn = 0;
    while turn < TRANSFERS || turn < 10 * TRANSFERS && cells.iter().any(|cell| !cell.out.is_empty())
    {
        if turn < TRANSFERS {
            begin(&mut cells, turn, &mut random, &mut outcome);
        } else if road.is_empty() && fault == Fault::SentOnce {
            break;
        }
        for message in road.pop_front().unwrap_or_default() {
            arrive(&mut cells, message, fault, &mut random, &mut outcome);
        }
        send(&cells, turn, fault, &mut random, &mut road, &mut outcome);
        watch(&cells, &mut outcome);
        turn += 1;
    }
    outcome.in_clearing = cells.iter().map(|cell| cell.clearing).sum();
    let credits = cells.iter().flat_map(|cell| cell.credits.values());
    outcome.credited_twice = credits.filter(|times| **times > 1).count() as u64;
    outcome
}

fn closed(account: usize) -> bool {
    account.is_multiple_of(20)
}

/// The payer's cell: one transaction books the journal and leaves the message.
fn begin(cells: &mut [Cell], key: u64, random: &mut Random, outcome: &mut Outcome) {
    let mut pick = |end: usize| usize::try_from(random.below(end as u64)).unwrap_or_default();
    let message = Message {
        key,
        from: pick(CELLS),
        to: pick(CELLS),
        payer: pick(ACCOUNTS),
        payee: pick(ACCOUNTS),
        amount: i64::try_from(1 + random.below(30_000)).unwrap_or(1),
    };
    let Some(cell) = cells.get_mut(message.from) else {
        return;
    };
    let same = message.from == message.to;
    if same && closed(message.payee) || !change(cell, message.payer, -message.amount) {
        outcome.refused += 1;
        return;
    }
    outcome.booked += 1;
    if same {
        change(cell, message.payee, message.amount);
        return;
    }
    outcome.crossed += 1;
    cell.clearing += message.amount;
    cell.out.insert(key, message);
}

/// Changes a balance unless it would go below zero.
fn change(cell: &mut Cell, account: usize, amount: i64) -> bool {
    match cell.accounts.get_mut(account) {
        Some(balance) if *balance + amount >= 0 => {
            *balance += amount;
            true
        }
        _ => false,
    }
}

/// Sends what is not settled: at once, and again every 40 turns. A third is lost, a tenth comes twice, all come late.
fn send(
    cells: &[Cell],
    turn: u64,
    fault: Fault,
    random: &mut Random,
    road: &mut VecDeque<Vec<Message>>,
    outcome: &mut Outcome,
) {
    for message in cells.iter().flat_map(|cell| cell.out.values()) {
        let age = turn - message.key;
        let again = age > 0 && fault != Fault::SentOnce;
        if age != 0 && !(again && age.is_multiple_of(40)) {
            continue;
        }
        outcome.messages += 1;
        let lost = random.below(3) == 0;
        let times = if lost {
            0
        } else {
            1 + u64::from(random.below(10) == 0)
        };
        for _ in 0..times {
            let delay = usize::try_from(1 + random.below(100)).unwrap_or(1);
            if road.len() <= delay {
                road.resize_with(delay + 1, Vec::new);
            }
            if let Some(then) = road.get_mut(delay) {
                then.push(*message);
            }
        }
    }
}

/// The payee's cell books by the key or says again what it booked; the answer may be lost on its way back.
fn arrive(
    cells: &mut [Cell],
    message: Message,
    fault: Fault,
    random: &mut Random,
    outcome: &mut Outcome,
) {
    let Some(to) = cells.get_mut(message.to) else {
        return;
    };
    let known = to.answered.get(&message.key).copied();
    let answer = match known {
        Some(answer) if fault != Fault::NoKey => answer,
        _ if closed(message.payee) => Answer::Refused,
        _ => {
            change(to, message.payee, message.amount);
            to.clearing -= message.amount;
            *to.credits.entry(message.key).or_default() += 1;
            Answer::Credited
        }
    };
    to.answered.insert(message.key, answer);
    if random.below(5) == 0 {
        return;
    }
    let Some(from) = cells.get_mut(message.from) else {
        return;
    };
    // Settled by its key: an answer that comes twice finds nothing.
    if from.out.remove(&message.key).is_some() && answer == Answer::Refused {
        from.clearing -= message.amount;
        change(from, message.payer, message.amount);
        outcome.returned += 1;
    }
}

/// Clearing accounts of all cells together are what is under way; with the customers' accounts nothing is ever missing.
fn watch(cells: &[Cell], outcome: &mut Outcome) {
    let under_way: i64 = cells.iter().map(|cell| cell.clearing).sum();
    outcome.most_in_clearing = outcome.most_in_clearing.max(under_way);
    let accounts: i64 = cells.iter().flat_map(|cell| &cell.accounts).sum();
    let opened = OPENING * (CELLS * ACCOUNTS) as i64;
    outcome.missing = outcome.missing.max((opened - accounts - under_way).abs());
    let below = cells.iter().flat_map(|cell| &cell.accounts);
    outcome.below_zero = outcome
        .below_zero
        .max(below.filter(|balance| **balance < 0).count());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_credited_once_or_returned_and_clearing_ends_at_zero() {
        for seed in 1..5 {
            let outcome = play(Fault::None, seed);
            assert_eq!(
                (
                    outcome.credited_twice,
                    outcome.missing,
                    outcome.in_clearing,
                    outcome.below_zero
                ),
                (0, 0, 0, 0),
                "seed {seed}: {outcome:?}"
            );
            assert!(outcome.crossed > 5_000, "seed {seed}: {outcome:?}");
            assert!(outcome.returned > 100, "seed {seed}: {outcome:?}");
            assert!(outcome.most_in_clearing > 0, "seed {seed}: {outcome:?}");
        }
    }

    #[test]
    fn a_credit_without_its_key_is_found() {
        let outcome = play(Fault::NoKey, 5);
        assert!(outcome.credited_twice > 0, "{outcome:?}");
        assert!(outcome.in_clearing < 0, "{outcome:?}");
    }

    #[test]
    fn a_message_that_is_sent_once_leaves_money_in_clearing() {
        assert!(play(Fault::SentOnce, 5).in_clearing > 0);
    }
}
