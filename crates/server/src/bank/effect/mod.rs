//! What each order does, inside the transaction that settles it. One file a family of orders.
//!
//! Each takes the [`Proof`] that its order was authorised: without one it does not compile. A refusal undoes the
//! transaction, so that an effect may write before it knows.

mod login;
mod money;
mod profile;
mod token;

pub(super) use money::{Booking, send};

use std::sync::Arc;

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::notice::Event;
use warifu_bank::operation::{Order, Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::receipt;
use warifu_bank::session::{Ending, SessionKey};
use warifu_bank::uid::Uid;

use super::BankSettings;
use super::operation::Given;
use super::stop::Stop;
use crate::ambient::{Entropy, random};
use crate::bank_store::{contract, event};
use crate::database::{DatabaseError, Tx};

/// What every effect has at hand.
pub(super) struct Act {
    pub(super) key: Uid,
    pub(super) now: Timestamp,
    pub(super) contract: ContractId,
    pub(super) session: SessionKey,
    pub(super) address: String,
    pub(super) settings: Arc<BankSettings>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) given: Given,
}

/// What an effect comes to.
pub(super) type Effect = Result<Result<Outcome, Refusal>, DatabaseError>;

impl Act {
    /// A new name for a row.
    pub(super) fn uid(&self) -> Uid {
        Uid::new(self.now, &random(&*self.entropy))
    }

    /// 受付番号
    pub(super) fn receipt(&self) -> String {
        receipt::number(self.key, self.now)
    }

    /// The outcome that every order leaves.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            receipt: self.receipt(),
            at: self.now.as_microsecond(),
            effective_on: None,
            caution_until: None,
            before: None,
        }
    }

    /// A stop by the customer, whose own session goes on to the result page.
    pub(super) fn stop<'a>(&'a self, stored: &'a contract::Stored, ending: Ending) -> Stop<'a> {
        Stop {
            stored,
            now: self.now,
            actor: "customer",
            address: &self.address,
            entropy: &*self.entropy,
            but: Some(self.session),
            ending,
        }
    }

    /// A row of the contract's trail, by the customer.
    pub(super) fn record(
        &self,
        tx: &mut Tx<'_>,
        word: &str,
        details: &str,
    ) -> Result<(), DatabaseError> {
        event::append(
            tx,
            &event::Event {
                contract: self.contract,
                at: self.now,
                actor: "customer",
                word,
                details,
                address: &self.address,
            },
        )
    }

    /// A row of the trail, a notice, and a mail.
    pub(super) fn tell(
        &self,
        tx: &mut Tx<'_>,
        stored: &contract::Stored,
        event: &Event,
    ) -> Result<(), DatabaseError> {
        let (now, entropy) = (self.now, &*self.entropy);
        super::tell(tx, stored, event, "customer", &self.address, now, entropy)
    }
}

/// What would be refused as things stand, before a code is spent on it. Nothing is locked: the effect looks again.
pub(super) fn foresee(
    tx: &mut Tx<'_>,
    order: &Order,
    stored: &contract::Stored,
    settings: &BankSettings,
    now: Timestamp,
) -> Result<Option<Refusal>, DatabaseError> {
    match order {
        Order::Registration { token } | Order::TokenChange { token, .. } => {
            token::foresee(tx, token, stored)
        }
        Order::LoginSetting { asks } => Ok(profile::foresee_login_setting(stored, *asks)),
        Order::Transfer(order) => money::foresee_transfer(tx, order, stored, settings, now),
        Order::InternalTransfer { from, to, amount } => {
            money::foresee_internal(tx, stored, *from, *to, *amount)
        }
        Order::LimitChange { to } => money::foresee_limit(tx, *to, stored, settings, now),
        Order::TransferCancel { transfer } => money::foresee_cancel(tx, transfer, stored, now),
        Order::Login
        | Order::StopUse
        | Order::TokenChangeBegin
        | Order::PasswordChange
        | Order::MailChange { .. }
        | Order::LossStop { .. }
        | Order::EmergencyStop => Ok(None),
    }
}

/// Carries an order out.
pub(super) fn carry_out(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    proof: &Proof,
    order: &Order,
) -> Effect {
    match order {
        Order::Login => login::sign_in(tx, act, proof),
        Order::Registration { token } => token::register(tx, act, stored, proof, token),
        Order::StopUse => token::stop_use(tx, act, stored, proof),
        Order::TokenChangeBegin => Ok(Ok(act.outcome())),
        Order::TokenChange { token, begun } => token::change(tx, act, stored, proof, token, begun),
        Order::LossStop { stolen } => token::stop_lost(tx, act, stored, proof, *stolen),
        Order::LoginSetting { asks } => profile::set_login(tx, act, stored, proof, *asks),
        Order::PasswordChange => profile::change_password(tx, act, stored, proof),
        Order::MailChange { to } => profile::change_mail(tx, act, stored, proof, to.as_deref()),
        Order::EmergencyStop => profile::stop_service(tx, act, stored, proof),
        Order::Transfer(order) => money::transfer(tx, act, stored, proof, order),
        Order::TransferCancel { transfer } => money::cancel(tx, act, stored, proof, transfer),
        Order::InternalTransfer { from, to, amount } => {
            money::internal_transfer(tx, act, stored, proof, (*from, *to), *amount)
        }
        Order::LimitChange { to } => money::change_limit(tx, act, stored, proof, *to),
    }
}
