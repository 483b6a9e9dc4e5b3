//! What pages show (rules B11–B13).

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::account::AccountId;
use warifu_bank::jst;
use warifu_bank::transfer::Payee;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{Bank, BankError, Visitor};
use crate::bank_store::{
    account, contract, entry, limit, notice, payee, session, sign_in, transfer,
};

pub use crate::bank_store::entry::{Asked as StatementAsked, Line as StatementLine};

/// The contract and what belongs on every page about it.
#[derive(Clone)]
pub struct Overview {
    /// The contract.
    pub stored: contract::Stored,
    /// Its accounts.
    pub accounts: Vec<account::Stored>,
    /// Its limits of today.
    pub limits: limit::Limits,
    /// What was sent today.
    pub used: Yen,
}

impl Bank {
    /// The contract, its accounts and limits.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn overview(&self, visitor: &Visitor) -> Result<Option<Overview>, BankError> {
        let (id, today, initial) = (
            visitor.session.contract,
            jst::day(self.now()),
            self.settings.limits.initial,
        );
        let overview = self.database.read(move |tx| {
            let Some(stored) = contract::find(tx, id)? else {
                return Ok(None);
            };
            Ok(Some(Overview {
                stored,
                accounts: account::of_contract(tx, id)?,
                limits: limit::find(tx, id, today, initial)?,
                used: limit::used(tx, id, today)?,
            }))
        });
        Ok(overview.await?)
    }

    /// The newest notices.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn notices(&self, visitor: &Visitor) -> Result<Vec<notice::Stored>, BankError> {
        let id = visitor.session.contract;
        Ok(self
            .database
            .read(move |tx| notice::newest(tx, id, 20))
            .await?)
    }

    /// The newest sign-ins, this one included.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn sign_ins(&self, visitor: &Visitor) -> Result<Vec<sign_in::Stored>, BankError> {
        let id = visitor.session.contract;
        Ok(self
            .database
            .read(move |tx| sign_in::newest(tx, id, 50))
            .await?)
    }

    /// The sessions that are open.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn sessions(&self, visitor: &Visitor) -> Result<Vec<session::Stored>, BankError> {
        let id = visitor.session.contract;
        let now = self.now();
        let since = now.checked_sub(session_idle()).unwrap_or(now);
        Ok(self
            .database
            .read(move |tx| session::open_of(tx, id, since))
            .await?)
    }

    /// The newest transfers, dated ones among them.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn transfers(&self, visitor: &Visitor) -> Result<Vec<transfer::Stored>, BankError> {
        let id = visitor.session.contract;
        Ok(self
            .database
            .read(move |tx| transfer::newest(tx, id, 100))
            .await?)
    }

    /// The payee book.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn payees(&self, visitor: &Visitor) -> Result<Vec<(Uid, Payee)>, BankError> {
        let id = visitor.session.contract;
        Ok(self.database.read(move |tx| payee::all(tx, id)).await?)
    }

    /// Takes a payee out of the book.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn forget_payee(&self, visitor: &Visitor, payee: Uid) -> Result<bool, BankError> {
        let id = visitor.session.contract;
        Ok(self
            .database
            .write(move |tx| payee::forget(tx, id, payee))
            .await?)
    }

    /// A page of an account's statement, newest first; none when the account is not the customer's.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn statement(
        &self,
        visitor: &Visitor,
        account: AccountId,
        asked: StatementAsked,
    ) -> Result<Option<Vec<StatementLine>>, BankError> {
        let id = visitor.session.contract;
        let found = self.database.read(move |tx| {
            if account::own(tx, id, account)?.is_none() {
                return Ok(None);
            }
            entry::page(tx, account, &asked).map(Some)
        });
        Ok(found.await?)
    }

    /// Until when the transfers of a day are capped low (B18).
    #[must_use]
    pub fn caution_until(&self, stored: &contract::Stored) -> Option<Timestamp> {
        stored.contract.caution_until(self.now())
    }

    /// Today in Japan.
    #[must_use]
    pub fn today(&self) -> Date {
        jst::day(self.now())
    }
}

fn session_idle() -> jiff::SignedDuration {
    warifu_bank::session::IDLE
}
