//! What must hold after each fault, looked at while nobody works: from outside by asking again, and in the books themselves.

use std::collections::BTreeSet;

use anyhow::Result;

use super::bank::Bank;
use super::cluster::Cluster;
use super::load::Load;
use super::validations::{ask_again, try_again};

/// What is on each sample account at first, yen.
const OPENING: i64 = 100_000_000;

/// Callers who ask again at once.
const AT_ONCE: usize = 4;

/// Newest codes that are tried again under another key.
const TRIED_AGAIN: usize = 200;

/// Accepted codes of the relying party that `bench prepare` made.
const ACCEPTED: &str = "SELECT count(*) FROM audit WHERE kind = 3 AND outcome = 1 \
    AND party = (SELECT id FROM relying_parties WHERE name = 'warifu bench')";
/// Steps of a credential that were accepted more than once, by whomever.
const TWICE: &str = "SELECT count(*) FROM (SELECT credential, detail >> 16 FROM audit \
    WHERE kind = 3 AND outcome = 1 GROUP BY 1, 2 HAVING count(*) > 1) AS twice";
/// Journals of transfers with their keys and receipts.
const JOURNALS: &str = "SELECT encode(id, 'hex') || ' ' || receipt FROM journals WHERE kind = 2";
/// Entries of transfers: two each, where sender and receiver are ours and there is no fee.
const ENTRIES: &str =
    "SELECT count(*) FROM entries JOIN journals ON journals.id = entries.journal WHERE kind = 2";
/// The money of all customers, which only goes round.
const MONEY: &str = "SELECT sum(balance)::BIGINT FROM accounts WHERE contract IS NOT NULL";

/// How far the checks have come.
#[derive(Default)]
pub(super) struct Checks {
    round: usize,
    validations: usize,
    transfers: usize,
    faults: usize,
}

/// What was looked at, and what is wrong.
pub(super) struct Found {
    /// Validations and transfers that were asked for again.
    pub(super) asked: (usize, usize),
    /// What is wrong.
    pub(super) faults: Vec<String>,
}

impl Checks {
    /// Looks at everything that was settled since the last time, and at the books as a whole. Nobody works meanwhile.
    pub(super) fn look(&mut self, cluster: &Cluster, bank: &Bank, load: &Load) -> Result<Found> {
        self.round += 1;
        let (validations, transfers, mut faults) = {
            let settled = load.record.settled();
            let new = |from: usize, all: usize| from.min(all)..all;
            let validations = new(self.validations, settled.validations.len());
            let transfers = new(self.transfers, settled.transfers.len());
            let faults = new(self.faults, settled.faults.len());
            (
                settled
                    .validations
                    .get(validations)
                    .unwrap_or_default()
                    .to_vec(),
                settled
                    .transfers
                    .get(transfers)
                    .unwrap_or_default()
                    .to_vec(),
                settled.faults.get(faults).unwrap_or_default().to_vec(),
            )
        };
        self.faults += faults.len();
        self.validations += validations.len();
        self.transfers += transfers.len();
        // At once, while the newest codes are still inside the window and only the books stand between them and a thief.
        let newest = validations.len().saturating_sub(TRIED_AGAIN);
        let newest = validations.get(newest..).unwrap_or_default();
        let (copies, key) = (load.copies, load.sample.api_key.as_str());
        faults.extend(try_again(copies, key, self.round, newest));
        std::thread::scope(|scope| {
            let part = validations.len().div_ceil(AT_ONCE).max(1);
            let asking: Vec<_> = validations
                .chunks(part)
                .map(|part| scope.spawn(|| ask_again(copies, key, part)))
                .collect();
            for one in asking {
                faults.extend(
                    one.join()
                        .unwrap_or_else(|_| vec!["a check panicked".into()]),
                );
            }
        });
        for mut teller in load.tellers() {
            faults.extend(teller.ask_again(&transfers)?);
        }
        faults.extend(books(cluster, load)?);
        for verified in [bank.say(&["verify"]), bank.audit_verify()] {
            if let Err(error) = verified {
                faults.push(format!("{error:#}"));
            }
        }
        Ok(Found {
            asked: (validations.len(), transfers.len()),
            faults,
        })
    }
}

/// The books hold what was acknowledged, once, and nothing else.
fn books(cluster: &Cluster, load: &Load) -> Result<Vec<String>> {
    let number =
        |database: &str, sql: &str| -> Result<i64> { Ok(cluster.sql(database, sql)?.parse()?) };
    let (accepted, done) = {
        let settled = load.record.settled();
        let accepted = settled
            .validations
            .iter()
            .filter(|one| one.accepted)
            .count();
        let receipts = settled.transfers.iter().filter_map(|one| {
            let receipt = one.receipt.as_ref()?;
            Some(format!("{} {receipt}", one.key))
        });
        (i64::try_from(accepted)?, receipts.collect::<BTreeSet<_>>())
    };
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: i64, found: i64| {
        if expected != found {
            faults.push(format!("{what}: {found} in the books, {expected} known"));
        }
    };
    expect(
        "accepted codes",
        accepted,
        number("warifu_tokens", ACCEPTED)?,
    );
    expect("codes accepted twice", 0, number("warifu_tokens", TWICE)?);
    let transfers = i64::try_from(done.len())?;
    expect(
        "entries of transfers",
        2 * transfers,
        number("warifu_bank", ENTRIES)?,
    );
    let money = i64::from(load.sample.contracts) * OPENING;
    expect("yen of all customers", money, number("warifu_bank", MONEY)?);
    let journals = cluster.sql("warifu_bank", JOURNALS)?;
    let lines: Vec<_> = journals.lines().map(str::to_owned).collect();
    expect(
        "journals of transfers",
        transfers,
        i64::try_from(lines.len())?,
    );
    let journals: BTreeSet<_> = lines.into_iter().collect();
    for lost in done.difference(&journals) {
        faults.push(format!(
            "a receipt was shown, and there is no journal: {lost}"
        ));
    }
    for stray in journals.difference(&done) {
        faults.push(format!("a journal, and no receipt is known: {stray}"));
    }
    Ok(faults)
}
