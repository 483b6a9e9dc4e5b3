//! What a new bank of the default start holds, so that every page can be tried at once: two contracts with accounts and
//! some history, a teller and an approver. `--empty` starts without.

use jiff::{SignedDuration, Timestamp};
use warifu_bank::account::{AccountId, AccountKind, AccountNumber, OTHER_BANKS};
use warifu_bank::contract::ContractId;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::receipt;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use crate::ambient::{Clock, Entropy, random};
use crate::bank_store::{account, contract, journal, staff};
use crate::database::{Connection, DatabaseError, Tx};

/// A sample customer.
#[derive(Debug, Clone, Copy)]
pub struct SampleContract {
    /// 契約者ID
    pub id: &'static str,
    /// 契約者名
    pub name: &'static str,
    kana: &'static str,
    /// The login password.
    pub password: &'static str,
    accounts: &'static [(u32, AccountKind, i64)],
}

/// A sample member of the staff.
#[derive(Debug, Clone, Copy)]
pub struct SampleStaff {
    /// The login name.
    pub name: &'static str,
    /// The name that pages show.
    pub display: &'static str,
    /// The password.
    pub password: &'static str,
    role: &'static str,
}

/// The customers.
pub const CONTRACTS: &[SampleContract] = &[
    SampleContract {
        id: "10000000001",
        name: "見本 花子",
        kana: "ﾐﾎﾝ ﾊﾅｺ",
        password: "mihon-hanako-no-kagi",
        accounts: &[
            (1_234_567, AccountKind::Ordinary, 1_500_000),
            (7_654_321, AccountKind::Savings, 3_000_000),
        ],
    },
    SampleContract {
        id: "10000000002",
        name: "見本 太郎",
        kana: "ﾐﾎﾝ ﾀﾛｳ",
        password: "mihon-tarou-no-kagi",
        accounts: &[(2_345_678, AccountKind::Ordinary, 800_000)],
    },
];

/// The staff.
pub const STAFF: &[SampleStaff] = &[
    SampleStaff {
        name: "teller",
        display: "見本 窓口",
        password: "mihon-madoguchi-no-kagi",
        role: "teller",
    },
    SampleStaff {
        name: "approver",
        display: "見本 承認",
        password: "mihon-shounin-no-kagi",
        role: "approver",
    },
];

/// The branch of every sample account.
const BRANCH: u16 = 101;

/// Whether the samples are there.
///
/// # Errors
/// [`DatabaseError`] of the engine.
pub fn is_there(tx: &mut Tx<'_>) -> Result<bool, DatabaseError> {
    let Some(first) = CONTRACTS.first().and_then(|sample| sample.id.parse().ok()) else {
        return Ok(false);
    };
    Ok(contract::find(tx, first)?.is_some())
}

/// Fills a bank that holds no contract and no staff at all; any other is left as it is.
///
/// # Errors
/// [`DatabaseError`] of the engine or of `hash`.
pub fn fill(
    connection: &mut Connection,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    hash: impl Fn(&str) -> Result<String, DatabaseError>,
) -> Result<(), DatabaseError> {
    let used = connection.read(|tx| {
        tx.query_one(
            "SELECT (SELECT COUNT(*) FROM contracts) + (SELECT COUNT(*) FROM staff)",
            &[],
            |row| row.int(0),
        )
    })?;
    if used.unwrap_or(0) > 0 {
        return Ok(());
    }
    let contracts: Vec<_> = CONTRACTS
        .iter()
        .map(|sample| Ok((sample, hash(sample.password)?)))
        .collect::<Result<_, DatabaseError>>()?;
    let members: Vec<_> = STAFF
        .iter()
        .map(|sample| Ok((sample, hash(sample.password)?)))
        .collect::<Result<_, DatabaseError>>()?;
    let now = clock.now();
    connection.transaction(|tx| {
        account::ensure_inner(tx, now)?;
        for (sample, hash) in &contracts {
            add_contract(tx, sample, hash, now, entropy)?;
        }
        for (sample, hash) in &members {
            let until = now
                .checked_add(SignedDuration::from_hours(24 * 365))
                .unwrap_or(now);
            let new = staff::New {
                name: sample.name,
                display_name: sample.display,
                role: sample.role,
                password: hash,
                password_due: false,
                enrolment_until: until,
            };
            staff::insert(tx, &new, now)?;
        }
        Ok(())
    })
}

fn add_contract(
    tx: &mut Tx<'_>,
    sample: &SampleContract,
    hash: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<(), DatabaseError> {
    let Ok(id) = sample.id.parse::<ContractId>() else {
        return Ok(());
    };
    let length = warifu_bank::password::length(sample.password);
    let new = contract::New {
        id,
        name: sample.name,
        kana: sample.kana,
        language: "ja",
        mail: Some("customer@bank.example"),
        password: hash,
        password_length: length,
        password_expires_at: now,
    };
    contract::insert(tx, &new, now)?;
    contract::set_password(tx, id, hash, length, None, now)?;
    for (number, kind, opening) in sample.accounts {
        let Ok(number) = AccountNumber::try_from(*number) else {
            continue;
        };
        let account = AccountId::of(BRANCH, *kind, number);
        let days = |days: i64| {
            now.checked_sub(SignedDuration::from_hours(24 * days))
                .unwrap_or(now)
        };
        account::insert(tx, account, Some(id), Some(Yen::ZERO), days(60))?;
        let mut book = |postings, kind, at| {
            let key = Uid::new(at, &random(entropy));
            let new = journal::New {
                id: key,
                kind,
                reverses: None,
                receipt: &receipt::number(key, at),
                postings: &postings,
            };
            journal::book(tx, &new, at).map(drop)
        };
        let unsound = |_| DatabaseError::Gone;
        let opening = Postings::deposit(account, Yen(*opening), "新規").map_err(unsound)?;
        book(opening, JournalKind::Deposit, days(60))?;
        for month in 0..2 {
            let salary =
                Postings::deposit(account, Yen(280_000), "給与 ﾐﾎﾝｼﾖｳｼﾞ(ｶ").map_err(unsound)?;
            book(salary, JournalKind::Deposit, days(50 - 30 * month))?;
            for (day, amount, text) in [
                (3, 85_000, "家賃"),
                (8, 9_800, "電気料金"),
                (12, 4_300, "水道料金"),
            ] {
                let paid = Postings::between(account, OTHER_BANKS, Yen(amount), text, text);
                book(
                    paid.map_err(unsound)?,
                    JournalKind::DirectDebit,
                    days(50 - 30 * month - day),
                )?;
            }
        }
    }
    Ok(())
}
