//! Contracts in the staff's hands: open, find, look, stop a token (rules F2–F4).

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::contract::{ContractId, LossReason};
use warifu_bank::first_password::{self, first_password};
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::notice::Event as Notice;
use warifu_bank::receipt;
use warifu_bank::session::Ending;
use warifu_bank::staff::Act;
use warifu_bank::token_id::TokenId;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;
use zeroize::Zeroizing;

use super::Member;
use crate::ambient::random;
use crate::bank::stop::Stop;
use crate::bank::{Bank, BankError, tell};
use crate::bank_store::{account, contract, event, journal, session, sign_in, transfer};
use crate::database::{DatabaseError, Tx};
use crate::passwords::Busy;

/// A contract that is to be opened.
#[derive(Debug, Clone)]
pub struct NewContract {
    /// The key that the form was shown with: the same form opens one contract (M3).
    pub key: Uid,
    /// 契約者名
    pub name: String,
    /// The name in half-width kana of the Zengin character set.
    pub kana: String,
    /// `ja` or `en`.
    pub language: &'static str,
    /// His mail address.
    pub mail: Option<String>,
    /// The branch of his account, 1 to 999.
    pub branch: u16,
    /// The opening deposit; none: nothing is booked.
    pub deposit: Option<Yen>,
}

/// A contract that was opened, or whose password was issued anew: what the letter says. Shown once.
pub struct Opened {
    /// 契約者ID
    pub id: ContractId,
    /// 契約者名
    pub name: String,
    /// The first password.
    pub password: Zeroizing<String>,
    /// When.
    pub at: Timestamp,
    /// Until when the password holds.
    pub expires_at: Timestamp,
}

/// Everything about a contract that staff see (F3).
pub struct ContractView {
    /// The contract.
    pub stored: contract::Stored,
    /// Its accounts.
    pub accounts: Vec<account::Stored>,
    /// Open sessions.
    pub sessions: Vec<session::Stored>,
    /// The newest sign-ins.
    pub sign_ins: Vec<sign_in::Stored>,
    /// The newest rows of its trail.
    pub events: Vec<event::Stored>,
    /// The newest transfers.
    pub transfers: Vec<transfer::Stored>,
}

impl Bank {
    /// Opens a contract with one ordinary account. `None` when the member may not, or the form has opened one already.
    ///
    /// # Errors
    /// [`BankError`]; the inner one when too many passwords are hashed at once.
    pub async fn open_contract(
        &self,
        member: &Member,
        new: NewContract,
    ) -> Result<Result<Option<Opened>, Busy>, BankError> {
        if !member.role.may(Act::Serve) {
            return Ok(Ok(None));
        }
        let password = first_password(&random(&*self.entropy));
        let hash = match self.hasher.hash(&password).await {
            Ok(hash) => hash,
            Err(busy) => return Ok(Err(busy)),
        };
        let now = self.now();
        let expires_at = first_password::expires_at(now);
        let length = warifu_bank::password::length(&password);
        let (member, entropy, name) = (member.clone(), self.entropy.clone(), new.name.clone());
        let opened = self.database.write(move |tx| {
            let row = |id| contract::New {
                id,
                name: &new.name,
                kana: &new.kana,
                language: new.language,
                mail: new.mail.as_deref(),
                password: &hash,
                password_length: length,
                password_expires_at: expires_at,
            };
            // The ID comes of the form's key: sent again, the form meets the contract that it opened.
            let digest: [u8; 32] = Sha256::digest(new.key.as_bytes()).into();
            let mut place = [0; 8];
            place.copy_from_slice(digest.get(..8).unwrap_or(&[0; 8]));
            let id = ContractId::from_random(&place);
            if !contract::insert(tx, &row(id), now)? {
                return Ok(None);
            }
            let account = free_account(tx, &*entropy, id, new.branch, now)?;
            record(tx, &member, id, "opened", "", now)?;
            if let Some(amount) = new.deposit {
                book_deposit(tx, new.key, account, amount, now)?;
                record(tx, &member, id, "deposited", &amount.to_string(), now)?;
            }
            Ok(Some(id))
        });
        let Some(id) = opened.await? else {
            return Ok(Ok(None));
        };
        Ok(Ok(Some(Opened {
            id,
            name,
            password,
            at: now,
            expires_at,
        })))
    }

    /// Books a deposit at the counter, once for the form's key; `false` when it may not be.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn deposit(
        &self,
        member: &Member,
        id: ContractId,
        key: Uid,
        into: AccountId,
        amount: Yen,
    ) -> Result<bool, BankError> {
        if !member.role.may(Act::Serve) {
            return Ok(false);
        }
        let (now, member) = (self.now(), member.clone());
        let booked = self.database.write(move |tx| {
            if account::own(tx, id, into)?.is_none() {
                return Ok(false);
            }
            if book_deposit(tx, key, into, amount, now)? {
                record(tx, &member, id, "deposited", &amount.to_string(), now)?;
            }
            Ok(true)
        });
        Ok(booked.await?)
    }

    /// A new first password: the old one is good no longer, and every session ends. `None` when it may not be.
    ///
    /// # Errors
    /// As for [`Bank::open_contract`].
    pub async fn reissue_password(
        &self,
        member: &Member,
        id: ContractId,
    ) -> Result<Result<Option<Opened>, Busy>, BankError> {
        if !member.role.may(Act::Serve) {
            return Ok(Ok(None));
        }
        let password = first_password(&random(&*self.entropy));
        let hash = match self.hasher.hash(&password).await {
            Ok(hash) => hash,
            Err(busy) => return Ok(Err(busy)),
        };
        let now = self.now();
        let expires_at = first_password::expires_at(now);
        let length = warifu_bank::password::length(&password);
        let (actor, address, entropy) =
            (member.actor(), member.address.clone(), self.entropy.clone());
        let set = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, id)? else {
                return Ok(None);
            };
            contract::set_password(tx, id, &hash, length, Some(expires_at), now)?;
            session::end_all(tx, id, Ending::EndedByBank, now)?;
            tell(
                tx,
                &stored,
                &Notice::PasswordReissued,
                &actor,
                &address,
                now,
                &*entropy,
            )?;
            Ok(Some(stored.name))
        });
        let name = set.await?;
        Ok(Ok(name.map(|name| Opened {
            id,
            name,
            password,
            at: now,
            expires_at,
        })))
    }

    /// Contracts by ID, token ID or a part of the name, at most 50 (F3).
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn find_contracts(&self, typed: &str) -> Result<Vec<contract::Stored>, BankError> {
        let typed = typed.trim().to_owned();
        let found = self.database.read(move |tx| {
            if let Ok(id) = typed.parse::<ContractId>() {
                return Ok(contract::find(tx, id)?.into_iter().collect());
            }
            if let Ok(token) = typed.parse::<TokenId>() {
                return match contract::holder(tx, &token)? {
                    Some(id) => Ok(contract::find(tx, id)?.into_iter().collect()),
                    None => Ok(Vec::new()),
                };
            }
            if typed.is_empty() {
                Ok(Vec::new())
            } else {
                contract::named(tx, &typed, 50)
            }
        });
        Ok(found.await?)
    }

    /// Everything about a contract.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn contract_view(&self, id: ContractId) -> Result<Option<ContractView>, BankError> {
        let now = self.now();
        let since = now.checked_sub(warifu_bank::session::IDLE).unwrap_or(now);
        let view = self.database.read(move |tx| {
            let Some(stored) = contract::find(tx, id)? else {
                return Ok(None);
            };
            Ok(Some(ContractView {
                stored,
                accounts: account::of_contract(tx, id)?,
                sessions: session::open_of(tx, id, since)?,
                sign_ins: sign_in::newest(tx, id, 20)?,
                events: event::before(tx, id, i64::MAX, 50)?,
                transfers: transfer::newest(tx, id, 20)?,
            }))
        });
        Ok(view.await?)
    }

    /// Stops the token of a contract in one step (F4): from that moment no code of it confirms anything; sessions end,
    /// open transfers fall. `asked_by`: who asked for it, in the staff's words. `false` when nothing changed.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn stop_token(
        &self,
        member: &Member,
        id: ContractId,
        reason: LossReason,
        asked_by: String,
    ) -> Result<bool, BankError> {
        if !member.role.may(Act::StopToken) {
            return Ok(false);
        }
        let (now, entropy) = (self.now(), self.entropy.clone());
        let (actor, address, member) = (member.actor(), member.address.clone(), member.clone());
        let stopped = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, id)? else {
                return Ok(false);
            };
            if !contract::stop_lost(tx, id, reason)? {
                return Ok(false);
            }
            let stop = Stop {
                stored: &stored,
                now,
                actor: &actor,
                address: &address,
                entropy: &*entropy,
                but: None,
                ending: Ending::EndedByBank,
            };
            stop.lost_token(tx, reason)?;
            record(tx, &member, id, "stop-asked-by", &asked_by, now)?;
            stop.tell(tx, &Notice::LossStopped { by_bank: true })?;
            Ok(true)
        });
        Ok(stopped.await?)
    }
}

/// A row of the trail, by a member.
pub(super) fn record(
    tx: &mut Tx<'_>,
    member: &Member,
    id: ContractId,
    word: &str,
    details: &str,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let event = event::Event {
        contract: id,
        at: now,
        actor: &member.actor(),
        word,
        details,
        address: &member.address,
    };
    event::append(tx, &event)
}

/// An ordinary account with a number that nobody has.
fn free_account(
    tx: &mut Tx<'_>,
    entropy: &dyn crate::ambient::Entropy,
    contract: ContractId,
    branch: u16,
    now: Timestamp,
) -> Result<AccountId, DatabaseError> {
    loop {
        let number = u32::from_be_bytes(*random(entropy)) % 10_000_000;
        let Ok(number) = AccountNumber::try_from(number) else {
            continue;
        };
        let id = AccountId::of(branch, AccountKind::Ordinary, number);
        if account::insert(tx, id, Some(contract), Some(Yen::ZERO), now)? {
            return Ok(id);
        }
    }
}

/// `false` when this key has booked already.
fn book_deposit(
    tx: &mut Tx<'_>,
    key: Uid,
    into: AccountId,
    amount: Yen,
    now: Timestamp,
) -> Result<bool, DatabaseError> {
    let postings = Postings::deposit(into, amount, "入金")
        .map_err(|error| DatabaseError::Schema(error.to_string()))?;
    let new = journal::New {
        id: key,
        kind: JournalKind::Deposit,
        reverses: None,
        receipt: &receipt::number(key, now),
        postings: &postings,
    };
    match journal::book(tx, &new, now)? {
        journal::Booked::Done => Ok(true),
        journal::Booked::Already => Ok(false),
        _ => Err(DatabaseError::Count {
            statement: "a deposit",
            expected: 1,
            found: 0,
        }),
    }
}
