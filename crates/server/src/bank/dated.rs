//! Dated transfers, at the start of their day (rule B12). Any number of copies may run this: each transfer leaves its
//! reserved state once, in the transaction that books it under its own key.

use warifu_bank::contract::Service;
use warifu_bank::jst;
use warifu_bank::notice::{Event, NotSent};
use warifu_bank::operation::Refusal;
use warifu_bank::transfer::TransferOrder;

use super::effect::{Booking, send};
use super::{Bank, BankError, tell};
use crate::bank_store::{contract, transfer};
use crate::database::DatabaseError;

/// How many are taken at a time.
const AT_A_TIME: i64 = 50;

impl Bank {
    /// Sends every dated transfer whose day has come, and tells how many were settled.
    ///
    /// # Errors
    /// [`BankError`]; what was not settled is taken up again.
    pub async fn send_due(&self) -> Result<usize, BankError> {
        let (mut settled, mut last) = (0, None);
        // Each is tried once a round: one that cannot be settled holds up no other and waits for the next round.
        loop {
            let today = jst::day(self.now());
            let due = self
                .database
                .read(move |tx| transfer::due(tx, today, last, AT_A_TIME))
                .await?;
            let Some(newest) = due.last() else {
                return Ok(settled);
            };
            last = Some((newest.date, newest.key));
            for one in due {
                settled += usize::from(self.send_one(one).await?);
            }
        }
    }

    /// Sends one; `false` when another copy did.
    async fn send_one(&self, due: transfer::Stored) -> Result<bool, BankError> {
        let (now, settings, entropy) = (self.now(), self.settings.clone(), self.entropy.clone());
        let one = due.clone();
        let sent = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, one.contract)? else {
                return Ok(false);
            };
            if !transfer::settle(tx, one.key, transfer::State::Sent, None, now)? {
                return Ok(false);
            }
            if stored.contract.service != Service::Open {
                return Err(undo(NotSent::Stopped));
            }
            let order = TransferOrder {
                from: one.from,
                to: one.to.clone(),
                amount: one.amount.0,
                fee: one.fee.0,
                date: one.date,
                remember: false,
            };
            let booking = Booking {
                key: one.key,
                now,
                receipt: &one.receipt,
                settings: &settings,
            };
            match send(tx, &booking, &stored, &order)? {
                Ok(()) => {}
                Err(Refusal::OverLimit { .. }) => return Err(undo(NotSent::OverLimit)),
                Err(Refusal::ShortOfFunds) => return Err(undo(NotSent::ShortOfFunds)),
                Err(_) => return Err(undo(NotSent::NoSuchPayee)),
            }
            let event = Event::TransferSent {
                receipt: one.receipt.clone(),
                amount: one.amount.0,
            };
            tell(tx, &stored, &event, "bank", "", now, &*entropy)?;
            Ok(true)
        });
        match sent.await {
            Ok(sent) => Ok(sent),
            Err(DatabaseError::Undone(reason)) => self.not_sent(due, &reason).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn not_sent(&self, due: transfer::Stored, reason: &str) -> Result<bool, BankError> {
        let (now, entropy) = (self.now(), self.entropy.clone());
        let reason: NotSent = serde_json::from_str(reason)
            .map_err(|_| DatabaseError::Schema("a reason that no rule made".into()))?;
        let told = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, due.contract)? else {
                return Ok(false);
            };
            let word = serde_json::to_string(&reason).unwrap_or_default();
            let state = transfer::State::NotSent;
            if !transfer::settle(tx, due.key, state, Some(&word), now)? {
                return Ok(false);
            }
            let event = Event::TransferNotSent {
                receipt: due.receipt,
                reason,
            };
            tell(tx, &stored, &event, "bank", "", now, &*entropy)?;
            Ok(true)
        });
        Ok(told.await?)
    }
}

fn undo(reason: NotSent) -> DatabaseError {
    DatabaseError::Undone(serde_json::to_string(&reason).unwrap_or_default())
}
