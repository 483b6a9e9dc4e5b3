//! Passwords of customers who are past the door: asked for again, and replaced (rules B13, F2).

use warifu_bank::password::{PasswordRefusal, Typed, check};
use warifu_bank::session::{Ending, Stage};
use warifu_bank::sign_in::Lane;

use super::operation::NewPassword;
use super::{Bank, BankError, Caller, SignIn, Visitor};
use crate::bank_store::{contract, event, session, sign_in_lane};
use crate::passwords::{Busy, is_current};

/// What a new password in the place of the old one came to.
pub enum Replacement {
    /// It is taken: on to the order, or into place.
    Ready(NewPassword),
    /// It is not taken, for this reason.
    Refused(PasswordRefusal),
    /// The password now is another one.
    Wrong,
    /// Too many tries: the next one in so many seconds.
    Wait(i64),
    /// Too many ask at once.
    Busy,
    /// There is no such contract any more.
    Gone,
}

impl Bank {
    /// Looks at a new password and at the one in whose place it goes, and hashes it.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn replace_password(
        &self,
        visitor: &Visitor,
        typed: Typed<'_>,
    ) -> Result<Replacement, BankError> {
        let id = visitor.session.contract;
        let found = self.database.read(move |tx| contract::find(tx, id)).await?;
        let Some(stored) = found else {
            return Ok(Replacement::Gone);
        };
        let name = &self.settings.name;
        let words = [name.ja.as_str(), name.en.as_str(), "warifu", "割符"];
        let minimum = stored.contract.password_minimum();
        let length = match check(typed, minimum, &id.to_string(), &words) {
            Ok(length) => length,
            Err(refusal) => return Ok(Replacement::Refused(refusal)),
        };
        let (name, now) = (
            sign_in_lane::name(Lane::Inside, &id.to_string(), ""),
            self.now(),
        );
        // Whoever found an open session is no faster at its password than at the door.
        let lanes = [(Lane::Inside, name)];
        let entered = self
            .database
            .write(move |tx| sign_in_lane::enter(tx, &lanes, now));
        if let Some(seconds) = entered.await? {
            return Ok(Replacement::Wait(seconds));
        }
        let Ok(right) = self.hasher.verify(typed.old, Some(&stored.password)).await else {
            self.leave(lanes.into(), false).await?;
            return Ok(Replacement::Busy);
        };
        if !right {
            return Ok(Replacement::Wrong);
        }
        self.leave(lanes.into(), true).await?;
        Ok(match self.hash_password(typed.new).await {
            Ok(hash) => Replacement::Ready(NewPassword {
                hash,
                length,
                instead_of: stored.password,
            }),
            Err(Busy) => Replacement::Busy,
        })
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Busy`] when too many ask at once.
    pub async fn hash_password(&self, password: &str) -> Result<String, Busy> {
        self.hasher.hash(password).await
    }

    /// A right password under today's parameters, where its hash was made with others. Not now, if too many ask at once.
    pub(super) async fn renew_hash(
        &self,
        stored: &contract::Stored,
        password: &str,
    ) -> Result<(), BankError> {
        if is_current(&stored.password) {
            return Ok(());
        }
        let Ok(new) = self.hasher.hash(password).await else {
            return Ok(());
        };
        let (id, old) = (stored.contract.id, stored.password.clone());
        let renewed = self
            .database
            .write(move |tx| contract::rehash(tx, id, &old, &new));
        Ok(renewed.await?)
    }

    /// The first password's end (F2): a new one is put in place, and the login goes on.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn set_first_password(
        &self,
        visitor: &Visitor,
        new: NewPassword,
        caller: &Caller,
    ) -> Result<SignIn, BankError> {
        let (id, key, now, address) = (
            visitor.session.contract,
            visitor.key(),
            self.now(),
            caller.address.clone(),
        );
        let set = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, id)? else {
                return Ok(false);
            };
            let due = stored.contract.password_change_due
                && stored.password == new.instead_of
                && new.length >= stored.contract.password_minimum();
            if !due || !session::end(tx, id, key, Ending::LoggedOut, now)? {
                return Ok(false);
            }
            contract::set_password(tx, id, &new.hash, new.length, None, now)?;
            session::end_all_but(tx, id, key, Ending::EndedByBank, now)?;
            let event = event::Event {
                contract: id,
                at: now,
                actor: "customer",
                word: "password-set",
                details: "",
                address: &address,
            };
            event::append(tx, &event)?;
            Ok(true)
        });
        if !set.await? {
            return Ok(SignIn::Wrong);
        }
        let (secret, visitor) = self.begin(id, Stage::AwaitingCode, caller).await?;
        self.past_password(secret, visitor, caller).await
    }
}
