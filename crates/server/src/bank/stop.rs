//! What falls with a stop, whoever stops and wherever he stands (rules B7, B13, F4).

use jiff::Timestamp;
use warifu_bank::contract::LossReason;
use warifu_bank::notice::Event;
use warifu_bank::password::MINIMUM_ALONE;
use warifu_bank::session::{Ending, SessionKey};
use warifu_bank::uid::Uid;

use super::tell;
use crate::ambient::{Entropy, random};
use crate::bank_store::{contract, session, token_command, transfer};
use crate::database::{DatabaseError, Tx};

/// A stop in the transaction that makes it.
pub(super) struct Stop<'a> {
    pub(super) stored: &'a contract::Stored,
    pub(super) now: Timestamp,
    /// Who stops, for the trail.
    pub(super) actor: &'a str,
    /// From where.
    pub(super) address: &'a str,
    pub(super) entropy: &'a dyn Entropy,
    /// The session that stops and shows the result, which goes on.
    pub(super) but: Option<SessionKey>,
    /// What the other sessions are told.
    pub(super) ending: Ending,
}

impl Stop<'_> {
    /// Dated transfers are not sent, and sessions end.
    pub(super) fn everything_open(&self, tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        let id = self.stored.contract.id;
        for open in transfer::reserved(tx, id)? {
            let state = transfer::State::Cancelled;
            if transfer::settle(tx, open.key, state, Some("stopped"), self.now)? {
                let receipt = open.receipt;
                self.tell(tx, &Event::TransferCancelled { receipt })?;
            }
        }
        match self.but {
            Some(but) => session::end_all_but(tx, id, but, self.ending, self.now),
            None => session::end_all(tx, id, self.ending, self.now),
        }
        .map(drop)
    }

    /// What falls with a lost token (F4): everything open, and the token itself at the token service. From now on the
    /// password stands alone.
    pub(super) fn lost_token(
        &self,
        tx: &mut Tx<'_>,
        reason: LossReason,
    ) -> Result<(), DatabaseError> {
        let id = self.stored.contract.id;
        self.everything_open(tx)?;
        contract::require_longer_password(tx, id, MINIMUM_ALONE)?;
        if let Some(token) = self.stored.contract.token_in_use() {
            let command = match reason {
                LossReason::Stolen => token_command::Command::StopStolen,
                LossReason::Lost | LossReason::Broken => token_command::Command::StopLost,
            };
            let row = Uid::new(self.now, &random(self.entropy));
            token_command::insert(tx, row, id, token, command, self.now)?;
        }
        Ok(())
    }

    /// A row of the trail, a notice, and a mail.
    pub(super) fn tell(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), DatabaseError> {
        let (actor, address) = (self.actor, self.address);
        tell(
            tx,
            self.stored,
            event,
            actor,
            address,
            self.now,
            self.entropy,
        )
    }
}
