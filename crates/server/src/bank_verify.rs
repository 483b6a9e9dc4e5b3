//! `warifu verify`: everything that the bank knows, recomputed from what it wrote down (rule M5).
//!
//! Balances from entries, sums of journals, the chains of entries and of contracts' trails, floors, the use of daily limits,
//! and whether transfers and journals tell the same. One state of the database is looked at, a page at a time.

use warifu_bank::contract::ContractId;
use warifu_bank::ledger;
use warifu_bank::yen::Yen;

use crate::bank_store::{entry, event, strange, time, uid};
use crate::database::{Connection, DatabaseError, Tx, Value};

/// Rows that are read at a time.
const PAGE: i64 = 1_000;

/// Faults that are told in words; more are only counted.
const TOLD: usize = 100;

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Accounts.
    pub accounts: u64,
    /// Entries of accounts.
    pub entries: u64,
    /// Journals.
    pub journals: u64,
    /// Contracts.
    pub contracts: u64,
    /// Rows of their trails.
    pub events: u64,
    /// How many differences there are.
    pub fault_count: u64,
    /// The first of them, in words: keys and numbers, no names.
    pub faults: Vec<String>,
}

impl Report {
    fn fault(&mut self, text: String) {
        self.fault_count += 1;
        if self.faults.len() < TOLD {
            self.faults.push(text);
        }
    }

    /// Whether something was looked at and all of it fits.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.fault_count == 0 && self.accounts > 0
    }
}

/// Recomputes everything.
///
/// # Errors
/// When the database cannot be read.
pub fn verify(connection: &mut Connection) -> Result<Report, DatabaseError> {
    connection.read(|tx| {
        // One state of everything, also beside a bank that books.
        if matches!(tx, Tx::Postgres(_)) {
            tx.batch("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        }
        let mut report = Report::default();
        accounts(tx, &mut report)?;
        journals(tx, &mut report)?;
        transfers(tx, &mut report)?;
        usage(tx, &mut report)?;
        contracts(tx, &mut report)?;
        if report.accounts == 0 {
            report.fault("there is no account: nothing was verified".into());
        }
        Ok(report)
    })
}

/// An account as its own row tells.
struct Account {
    id: i64,
    lowest: Option<i64>,
    balance: i64,
    entries: i64,
    mark: Vec<u8>,
}

fn accounts(tx: &mut Tx<'_>, report: &mut Report) -> Result<(), DatabaseError> {
    let (mut after, mut total) = (i64::MIN, 0_i128);
    loop {
        let page = tx.query(
            "SELECT id, lowest, balance, entries, mark FROM accounts WHERE id > ?1 ORDER BY id LIMIT ?2",
            &[Value::Int(after), Value::Int(PAGE)],
            |row| {
                Ok(Account {
                    id: row.int(0)?,
                    lowest: row.maybe_int(1)?,
                    balance: row.int(2)?,
                    entries: row.int(3)?,
                    mark: row.bytes(4)?,
                })
            },
        )?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for account in &page {
            report.accounts += 1;
            total += i128::from(account.balance);
            one_account(tx, account, report)?;
        }
    }
    if total != 0 {
        report.fault(format!(
            "the balances of all accounts sum to {total}, not to 0"
        ));
    }
    Ok(())
}

fn one_account(
    tx: &mut Tx<'_>,
    account: &Account,
    report: &mut Report,
) -> Result<(), DatabaseError> {
    let id = account.id;
    if account
        .lowest
        .is_some_and(|lowest| account.balance < lowest)
    {
        report.fault(format!(
            "account {id} stands at {} yen, below its floor",
            account.balance
        ));
    }
    let (mut sequence, mut balance, mut mark) = (0_i64, 0_i64, Vec::new());
    loop {
        let page = tx.query(
            "SELECT sequence, journal, amount, balance, at, summary, mark FROM entries
             WHERE account = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            &[Value::Int(id), Value::Int(sequence), Value::Int(PAGE)],
            |row| {
                let line = entry::Line {
                    sequence: row.int(0)?,
                    journal: uid(&row.bytes(1)?, "entries", "journal")?,
                    amount: Yen(row.int(2)?),
                    balance: Yen(row.int(3)?),
                    at: time(row.int(4)?, "entries", "at")?,
                    summary: row.text(5)?,
                };
                Ok((line, row.bytes(6)?))
            },
        )?;
        if page.is_empty() {
            break;
        }
        for (line, stored) in page {
            report.entries += 1;
            let at = format!("account {id}, entry {}", line.sequence);
            if line.sequence != sequence + 1 {
                report.fault(format!("{at}: the entry before it is not there"));
            }
            sequence = line.sequence;
            balance = balance.saturating_add(line.amount.0);
            if line.balance.0 != balance {
                report.fault(format!(
                    "{at}: a balance of {} yen is told, the entries make {balance}",
                    line.balance
                ));
                balance = line.balance.0;
            }
            let expected = ledger::mark(
                &mark,
                line.journal,
                line.sequence,
                line.amount,
                line.balance,
                line.at,
                &line.summary,
            );
            if stored != expected {
                report.fault(format!("{at}: it, or an entry before it, was changed"));
            }
            mark = stored;
        }
    }
    if (account.entries, account.balance) != (sequence, balance) || account.mark != mark {
        report.fault(format!(
            "account {id} tells {} entries and {} yen, its entries are {sequence} and make {balance}",
            account.entries, account.balance
        ));
    }
    Ok(())
}

/// Keys that a statement finds, each a fault.
fn found(
    tx: &mut Tx<'_>,
    report: &mut Report,
    sql: &'static str,
    what: &str,
) -> Result<(), DatabaseError> {
    let keys = tx.query(sql, &[], |row| uid(&row.bytes(0)?, "journals", "id"))?;
    for key in keys {
        report.fault(format!("{key}: {what}"));
    }
    Ok(())
}

fn journals(tx: &mut Tx<'_>, report: &mut Report) -> Result<(), DatabaseError> {
    let count = tx.query_one("SELECT COUNT(*) FROM journals", &[], |row| row.int(0))?;
    report.journals = count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0);
    found(
        tx,
        report,
        "SELECT journal FROM entries GROUP BY journal HAVING SUM(amount) <> 0",
        "the entries of this journal do not sum to 0",
    )?;
    found(
        tx,
        report,
        "SELECT id FROM journals WHERE NOT EXISTS (SELECT 1 FROM entries WHERE journal = journals.id)",
        "this journal has no entries",
    )?;
    found(
        tx,
        report,
        "SELECT DISTINCT journal FROM entries WHERE NOT EXISTS (SELECT 1 FROM journals WHERE id = entries.journal)",
        "there are entries of this journal, but no journal",
    )
}

fn transfers(tx: &mut Tx<'_>, report: &mut Report) -> Result<(), DatabaseError> {
    found(
        tx,
        report,
        "SELECT key FROM transfers WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM journals WHERE id = transfers.key AND kind = 2)",
        "this transfer is told as sent, and nothing was booked",
    )?;
    found(
        tx,
        report,
        "SELECT id FROM journals WHERE kind = 2 AND NOT EXISTS (SELECT 1 FROM transfers WHERE key = journals.id AND state = 1)",
        "this transfer was booked, and is not told as sent",
    )
}

/// The use of each day against what was sent on it.
fn usage(tx: &mut Tx<'_>, report: &mut Report) -> Result<(), DatabaseError> {
    let read = |row: &crate::database::Row<'_>| Ok((row.int(0)?, row.int(1)?, row.int(2)?));
    let sent = tx.query(
        "SELECT transfers.contract, journals.day, CAST(SUM(transfers.amount) AS BIGINT)
         FROM transfers JOIN journals ON journals.id = transfers.key
         WHERE transfers.state = 1 GROUP BY transfers.contract, journals.day ORDER BY 1, 2",
        &[],
        read,
    )?;
    let used = tx.query(
        "SELECT contract, day, used FROM daily_usage WHERE used <> 0 ORDER BY contract, day",
        &[],
        read,
    )?;
    for line in &sent {
        if !used.contains(line) {
            let (contract, day, amount) = line;
            report.fault(format!(
                "contract {contract}: {amount} yen were sent on {day}, its limit tells another use"
            ));
        }
    }
    for (contract, day, amount) in &used {
        if !sent.iter().any(|(of, on, _)| (of, on) == (contract, day)) {
            report.fault(format!("contract {contract}: its limit tells a use of {amount} yen on {day}, nothing was sent"));
        }
    }
    Ok(())
}

fn contracts(tx: &mut Tx<'_>, report: &mut Report) -> Result<(), DatabaseError> {
    let mut after = 0_i64;
    loop {
        let page = tx.query(
            "SELECT id, event_count, event_mark FROM contracts WHERE id > ?1 ORDER BY id LIMIT ?2",
            &[Value::Int(after), Value::Int(PAGE)],
            |row| Ok((row.int(0)?, row.int(1)?, row.bytes(2)?)),
        )?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        for (id, count, mark) in page {
            report.contracts += 1;
            let contract =
                ContractId::from_stored(id).ok_or_else(|| strange("contracts", "id", id))?;
            trail(tx, contract, (count, mark), report)?;
        }
    }
    Ok(())
}

/// The chain of one contract's trail.
fn trail(
    tx: &mut Tx<'_>,
    contract: ContractId,
    (count, head): (i64, Vec<u8>),
    report: &mut Report,
) -> Result<(), DatabaseError> {
    // From the newest row back: each was chained to the one before it.
    let mut rows = Vec::new();
    let mut before = i64::MAX;
    loop {
        let page = event::before(tx, contract, before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = last.sequence;
        rows.extend(page);
    }
    let (mut mark, mut sequence) = (Vec::new(), 0);
    for row in rows.iter().rev() {
        report.events += 1;
        let event = event::Event {
            contract,
            at: row.at,
            actor: &row.actor,
            word: &row.word,
            details: &row.details,
            address: &row.address,
        };
        sequence += 1;
        if row.sequence != sequence || row.mark != event::mark(&mark, row.sequence, &event) {
            report.fault(format!(
                "contract {contract}, event {}: it, or one before it, was changed or removed",
                row.sequence
            ));
            sequence = row.sequence;
        }
        mark.clone_from(&row.mark);
    }
    if (sequence, &mark) != (count, &head) {
        report.fault(format!(
            "contract {contract} tells {count} events, its trail has {sequence}"
        ));
    }
    Ok(())
}
