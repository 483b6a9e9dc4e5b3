//! Sample data for a load: only into an installation that holds nothing yet.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::contract::ContractId;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::receipt;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_credentials::audit::{Event, Kind};
use zeroize::Zeroizing;

use super::BenchError;
use super::sample::{self, Seed};
use super::secrets::BenchSecrets;
use crate::ambient::{Clock as _, SystemClock, SystemEntropy, random};
use crate::bank_store::{account, contract, journal};
use crate::config::Config;
use crate::database::{Connection, DatabaseError, Location, Tx};
use crate::startup::{self, Opened, ServerLock, make_private_dir};
use crate::store::{audit, party};

/// The relying party that has codes checked.
pub const PARTY: &str = "warifu bench";

/// 契約者名, which every sample contract has.
pub const NAME: &str = "見本 契約";
/// The same as a record holds it.
pub const KANA: &str = "ﾐﾎﾝ ｹｲﾔｸ";

/// The branch of every sample account.
pub const BRANCH: u16 = 101;

/// Contracts at most: account numbers have seven digits.
pub const MOST_CONTRACTS: u32 = 8_000_000;

/// What is on each account at first: transfers of one yen never come to its end.
const OPENING: Yen = Yen(100_000_000);

/// Contracts of one transaction.
const OPENED_AT_ONCE: usize = 500;

/// The contract of this number.
#[must_use]
pub fn contract_id(number: u32) -> Option<ContractId> {
    ContractId::from_stored(20_000_000_000 + i64::from(number))
}

/// The account of the contract of this number.
#[must_use]
pub fn account_id(number: u32) -> Option<AccountId> {
    let number = AccountNumber::try_from(1_000_000 + number).ok()?;
    Some(AccountId::of(BRANCH, AccountKind::Ordinary, number))
}

/// Fills an empty installation with so many credentials, of which the first `contracts` are tokens of contracts.
///
/// # Errors
/// [`BenchError`] when the installation holds anything already, is being served, or cannot be opened.
pub fn prepare(
    config: &Config,
    (credentials, contracts): (u32, u32),
    secrets: &Path,
    mut told: impl FnMut(String),
) -> Result<BenchSecrets, BenchError> {
    if contracts > credentials || contracts > MOST_CONTRACTS {
        return Err(BenchError::Said(format!(
            "each contract has a credential: --contracts is at most --credentials, and at most {MOST_CONTRACTS}"
        )));
    }
    if !config.token_service.enabled || (contracts > 0 && !config.bank.enabled) {
        return Err(BenchError::said(
            "the configuration must name the token service, and the bank too where contracts are wanted: prepare fills both",
        ));
    }
    make_private_dir(&config.data_dir)?;
    let embedded = matches!(config.tokens(), Ok(Location::Sqlite(_)))
        || matches!(config.bank_database(), Ok(Location::Sqlite(_)));
    let _lock = embedded.then(|| ServerLock::take(config)).transpose()?;
    let mut opened = startup::open(config, &SystemClock, &SystemEntropy)?;
    require_empty_tokens(&mut opened.connection)?;
    let mut bank = None;
    if config.bank.enabled {
        let mut connection = startup::open_bank(config, &SystemClock)?;
        require_empty_bank(&mut connection)?;
        bank = Some(connection);
    }
    let api_key = ApiKey::from_random(&random(&SystemEntropy));
    let made = BenchSecrets {
        seed: Seed::new(random(&SystemEntropy)),
        api_key: Zeroizing::new(api_key.expose().to_owned()),
        password: Zeroizing::new(data_encoding::HEXLOWER.encode(&*random::<12>(&SystemEntropy))),
        credentials,
        contracts,
        bank: config.bank.code.clone(),
    };
    // The file first: without it nobody can use what follows.
    made.write(secrets)?;
    add_party(&mut opened, &api_key)?;
    let every = (credentials as usize / 10).max(1);
    let mut next = every;
    let keyring = opened.keys.current();
    let ids = sample::ids(credentials);
    let now = SystemClock.now();
    sample::load(
        &mut opened.connection,
        &keyring,
        &made.seed,
        &ids,
        now,
        |count| {
            if count >= next {
                told(format!("{count} of {credentials} credentials"));
                next = count + every;
            }
        },
    )?;
    if let Some(bank) = &mut bank {
        open_contracts(bank, &made, told)?;
    }
    Ok(made)
}

/// Refuses a token service that knows a token.
fn require_empty_tokens(connection: &mut Connection) -> Result<(), BenchError> {
    let count = connection
        .read(|tx| tx.query_one("SELECT COUNT(*) FROM credentials", &[], |row| row.int(0)))?;
    match count {
        Some(0) => Ok(()),
        found => Err(BenchError::Said(format!(
            "NOTHING WAS WRITTEN: the token service's database holds {} credentials. Sample data goes into an empty installation only, never beside real customers",
            found.unwrap_or_default()
        ))),
    }
}

/// Refuses a bank that has a contract, a member of the staff, or money that moved.
fn require_empty_bank(connection: &mut Connection) -> Result<(), BenchError> {
    for (sql, what) in [
        ("SELECT COUNT(*) FROM contracts", "contracts"),
        ("SELECT COUNT(*) FROM staff", "members of the staff"),
        ("SELECT COUNT(*) FROM journals", "journals"),
    ] {
        let count = connection.read(|tx| tx.query_one(sql, &[], |row| row.int(0)))?;
        if count != Some(0) {
            return Err(BenchError::Said(format!(
                "NOTHING WAS WRITTEN: the bank's database holds {} {what}. Sample data goes into an empty installation only, never beside real customers; a bank that was started without --empty has its sample contracts",
                count.unwrap_or_default()
            )));
        }
    }
    Ok(())
}

fn add_party(opened: &mut Opened, key: &ApiKey) -> Result<(), BenchError> {
    let name = PARTY.parse().map_err(|_| DatabaseError::Gone)?;
    let hash = ApiKeyHash::of_sent(key.expose()).ok_or(DatabaseError::Gone)?;
    let (now, chain) = (SystemClock.now(), &opened.secrets.chain);
    let added = opened.connection.transaction(|tx| {
        let added = party::insert(tx, &name, hash, now)?;
        if let Some(id) = added {
            let event = Event {
                party: Some(id),
                ..Event::new(now, Kind::PartyAdded)
            };
            audit::append(tx, chain, &[event])?;
        }
        Ok(added)
    })?;
    added.map(drop).ok_or_else(|| {
        BenchError::Said(format!(
            "a relying party named {PARTY} is there already: this installation was prepared before"
        ))
    })
}

fn open_contracts(
    bank: &mut Connection,
    made: &BenchSecrets,
    mut told: impl FnMut(String),
) -> Result<(), BenchError> {
    let hash = hash_of(&made.password)?;
    let length = warifu_bank::password::length(&made.password);
    // Long enough ago for no first day's cap (B18).
    let now = SystemClock.now();
    let before = now
        .checked_sub(SignedDuration::from_hours(72))
        .unwrap_or(now);
    bank.transaction(|tx| account::ensure_inner(tx, before))?;
    let numbers: Vec<u32> = (0..made.contracts).collect();
    let every = (numbers.len() / 10).max(1);
    let (mut count, mut next) = (0, every);
    for part in numbers.chunks(OPENED_AT_ONCE) {
        bank.transaction(|tx| {
            part.iter()
                .try_for_each(|number| open_contract(tx, *number, &hash, length, before))
        })?;
        count += part.len();
        if count >= next {
            told(format!("{count} of {} contracts", made.contracts));
            next = count + every;
        }
    }
    Ok(())
}

/// The hash of the password that every sample contract has: one, so that a million contracts take no day of hashing. Each
/// login has it computed anew, as with any other.
fn hash_of(password: &str) -> Result<String, BenchError> {
    let failed = |error: std::io::Error| BenchError::said(error.to_string());
    let hasher =
        crate::passwords::Hasher::start(1, std::sync::Arc::new(SystemEntropy)).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(failed)?;
    runtime
        .block_on(hasher.hash(password))
        .map_err(|_| BenchError::said("the password could not be hashed"))
}

fn open_contract(
    tx: &mut Tx<'_>,
    number: u32,
    hash: &str,
    length: i64,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    let token = sample::id(u64::from(number)).to_string().parse();
    let (Some(id), Some(account), Ok(token)) = (contract_id(number), account_id(number), token)
    else {
        return Err(DatabaseError::Gone);
    };
    let new = contract::New {
        id,
        name: NAME,
        kana: KANA,
        language: "ja",
        mail: Some("customer@bank.example"),
        password: hash,
        password_length: length,
        password_expires_at: at,
    };
    contract::insert(tx, &new, at)?;
    contract::set_password(tx, id, hash, length, None, at)?;
    contract::register(tx, id, &token, at)?;
    account::insert(tx, account, Some(id), Some(Yen::ZERO), at)?;
    let postings = Postings::deposit(account, OPENING, "新規").map_err(|_| DatabaseError::Gone)?;
    let key = Uid::new(at, &random(&SystemEntropy));
    let new = journal::New {
        id: key,
        kind: JournalKind::Deposit,
        reverses: None,
        receipt: &receipt::number(key, at),
        postings: &postings,
    };
    match journal::book(tx, &new, at)? {
        journal::Booked::Done => Ok(()),
        _ => Err(DatabaseError::Gone),
    }
}
