//! What takes two persons: one asks, another decides (rule F5).

use warifu_bank::contract::{ContractId, LossReason, Service, TokenStanding};
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::notice::Event as Notice;
use warifu_bank::receipt;
use warifu_bank::staff::{Act, ApprovalKind, may_decide};
use warifu_bank::uid::Uid;

use super::Member;
use super::contracts::record;
use crate::ambient::random;
use crate::bank::{Bank, BankError, tell};
use crate::bank_store::approval::{self, State};
use crate::bank_store::{account, contract, journal, outbox, token_command};
use crate::database::{DatabaseError, Tx};

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// Done, or declined as was wished.
    Done,
    /// This member may not: he asked for it himself, or it is not his to decide.
    NotYours,
    /// It was decided before, or there is no such thing.
    Gone,
    /// It cannot be done as things stand; it stays open.
    NotPossible,
}

impl Bank {
    /// Asks for what takes two persons; `false` when the member may not.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn ask_approval(
        &self,
        member: &Member,
        kind: ApprovalKind,
        id: ContractId,
        subject: String,
        reason: String,
    ) -> Result<bool, BankError> {
        if !member.role.may(Act::Ask) {
            return Ok(false);
        }
        let (key, now, member) = (self.uid(), self.now(), member.clone());
        let asked = self.database.write(move |tx| {
            if contract::find(tx, id)?.is_none() {
                return Ok(false);
            }
            approval::insert(tx, key, kind, id, (&subject, &reason), &member.name, now)?;
            record(tx, &member, id, "asked", kind.word(), now)?;
            Ok(true)
        });
        Ok(asked.await?)
    }

    /// What was asked for, open ones first.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn approvals(&self) -> Result<Vec<approval::Stored>, BankError> {
        Ok(self.database.read(|tx| approval::newest(tx, 100)).await?)
    }

    /// The newest mails.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn mails(&self) -> Result<Vec<outbox::Listed>, BankError> {
        Ok(self.database.read(|tx| outbox::newest(tx, 100)).await?)
    }

    /// Approves what another asked for, and does it in the same transaction; or declines it.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn decide(
        &self,
        member: &Member,
        id: Uid,
        approves: bool,
    ) -> Result<Decided, BankError> {
        let (now, entropy, member) = (self.now(), self.entropy.clone(), member.clone());
        let decided = self.database.write(move |tx| {
            let Some(asked) = approval::find(tx, id)?.filter(|asked| asked.state == State::Open)
            else {
                return Ok(Decided::Gone);
            };
            if !may_decide(&member.name, member.role, &asked.asked_by) {
                return Ok(Decided::NotYours);
            }
            let Some(stored) = contract::lock(tx, asked.contract)? else {
                return Ok(Decided::Gone);
            };
            let state = if approves {
                State::Approved
            } else {
                State::Declined
            };
            if !approval::decide(tx, id, state, &member.name, "", now)? {
                return Ok(Decided::Gone);
            }
            let word = if approves { "approved" } else { "declined" };
            record(tx, &member, asked.contract, word, asked.kind.word(), now)?;
            if !approves {
                return Ok(Decided::Done);
            }
            let uid = || Uid::new(now, &random(&*entropy));
            let Some(notice) = carry_out(tx, &asked, &stored, now, uid)? else {
                return Err(DatabaseError::Undone("not possible".into()));
            };
            let actor = member.actor();
            tell(
                tx,
                &stored,
                &notice,
                &actor,
                &member.address,
                now,
                &*entropy,
            )?;
            Ok(Decided::Done)
        });
        match decided.await {
            Ok(decided) => Ok(decided),
            Err(DatabaseError::Undone(_)) => Ok(Decided::NotPossible),
            Err(error) => Err(error.into()),
        }
    }
}

/// Does what was approved; none when it cannot be done as things stand.
fn carry_out(
    tx: &mut Tx<'_>,
    asked: &approval::Stored,
    stored: &contract::Stored,
    now: jiff::Timestamp,
    uid: impl Fn() -> Uid,
) -> Result<Option<Notice>, DatabaseError> {
    let id = asked.contract;
    Ok(match asked.kind {
        ApprovalKind::Release => {
            let TokenStanding::AwaitingRelease { reason } = stored.contract.token else {
                return Ok(None);
            };
            if !contract::release(tx, id)? {
                return Ok(None);
            }
            // A lost token may be found; a stolen one never comes back (S6).
            if reason != LossReason::Stolen
                && let Some(token) = token_command::last_stopped(tx, id)?
            {
                token_command::insert(tx, uid(), id, &token, token_command::Command::Enable, now)?;
            }
            Some(Notice::Released)
        }
        ApprovalKind::Unlock => match stored.contract.token_in_use() {
            Some(token) => {
                token_command::insert(tx, uid(), id, token, token_command::Command::Unlock, now)?;
                Some(Notice::TokenUnlocked)
            }
            None => None,
        },
        ApprovalKind::LiftEmergencyStop => {
            contract::set_service(tx, id, Service::EmergencyStopped, Service::Open)?
                .then_some(Notice::EmergencyLifted)
        }
        ApprovalKind::Reverse => reverse(tx, asked, now)?,
    })
}

/// The opposite of a booking, at most once, under the approval's own key.
fn reverse(
    tx: &mut Tx<'_>,
    asked: &approval::Stored,
    now: jiff::Timestamp,
) -> Result<Option<Notice>, DatabaseError> {
    let Ok(journal) = asked.subject.parse::<Uid>() else {
        return Ok(None);
    };
    let Some(found) = journal::find(tx, journal)?.filter(|it| it.kind != JournalKind::Reversal)
    else {
        return Ok(None);
    };
    let postings = journal::postings(tx, found.id)?;
    let mut his = false;
    for posting in &postings {
        his |= account::own(tx, asked.contract, posting.account)?.is_some();
    }
    if !his {
        return Ok(None);
    }
    let Ok(postings) = Postings::reversed(&postings, "訂正") else {
        return Ok(None);
    };
    let receipt = receipt::number(asked.id, now);
    let new = journal::New {
        id: asked.id,
        kind: JournalKind::Reversal,
        reverses: Some(found.id),
        receipt: &receipt,
        postings: &postings,
    };
    Ok(match journal::book(tx, &new, now)? {
        journal::Booked::Done => Some(Notice::Reversed { receipt }),
        _ => None,
    })
}
