//! What each order does, inside the transaction that settles it. One file an order.
//!
//! Each takes the [`Proof`] that its order was authorised: without one it does not compile. A refusal undoes the
//! transaction, so that an effect may write before it knows.

use std::sync::Arc;

use jiff::Timestamp;
use warifu_bank::contract::ContractId;
use warifu_bank::operation::{Order, Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::receipt;
use warifu_bank::session::SessionKey;
use warifu_bank::uid::Uid;

use super::BankSettings;
use super::operation::Given;
use crate::ambient::{Entropy, random};
use crate::bank_store::{contract, event};
use crate::database::{DatabaseError, Tx};

mod token;

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

impl Act {
    /// A new name for a row.
    pub(super) fn uid(&self) -> Uid {
        Uid::new(self.now, &random(&*self.entropy))
    }

    /// The outcome that every order leaves.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            receipt: receipt::number(self.key, self.now),
            at: self.now.as_microsecond(),
            effective_on: None,
            caution_until: None,
            before: None,
        }
    }

    /// A row of the contract's trail.
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
}

/// What would be refused as things stand, before a code is spent on it. Nothing is locked: the effect looks again.
pub(super) fn foresee(
    tx: &mut Tx<'_>,
    order: &Order,
    stored: &contract::Stored,
    settings: &BankSettings,
    now: Timestamp,
) -> Result<Option<Refusal>, DatabaseError> {
    let _ = (settings, now);
    match order {
        Order::Registration { token } | Order::TokenChange { token, .. } => {
            token::foresee(tx, token, stored)
        }
        _ => Ok(None),
    }
}

/// Carries an order out.
pub(super) fn carry_out(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    proof: &Proof,
    order: &Order,
) -> Result<Result<Outcome, Refusal>, DatabaseError> {
    match order {
        Order::Registration { token } => token::register(tx, act, stored, proof, token),
        _ => Ok(Err(Refusal::Unchanged)),
    }
}
