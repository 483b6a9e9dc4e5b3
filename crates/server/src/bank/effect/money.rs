//! 振込, 予約振込取消, 振替 and 振込限度額変更 (rules B8, B9, B12, B18, M1–M4).

use jiff::Timestamp;
use jiff::civil::Date;
use warifu_bank::account::AccountId;
use warifu_bank::jst;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::limit::{LimitDecision, cap, decide};
use warifu_bank::notice::Event;
use warifu_bank::operation::{Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::transfer::{Payee, TransferOrder, When, may_cancel, when};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::{Act, Effect};
use crate::bank::BankSettings;
use crate::bank_store::{account, contract, journal, limit, payee, transfer};
use crate::database::{DatabaseError, Tx};

/// What would be refused of a transfer as things stand.
pub(super) fn foresee_transfer(
    tx: &mut Tx<'_>,
    order: &TransferOrder,
    stored: &contract::Stored,
    settings: &BankSettings,
    now: Timestamp,
) -> Result<Option<Refusal>, DatabaseError> {
    let Some(source) = account::own(tx, stored.contract.id, order.from)? else {
        return Ok(Some(Refusal::NoSuchAccount));
    };
    let amount = Yen(order.amount);
    let (Some(total), true) = (order.total(), amount >= Yen(1) && amount <= Yen::MOST) else {
        return Ok(Some(Refusal::BadAmount));
    };
    if settings.fees.fee(order.to.bank == settings.code, amount) != Yen(order.fee) {
        return Ok(Some(Refusal::FeeChanged));
    }
    if let Err(refusal) = receiver(tx, &order.to, settings)? {
        return Ok(Some(refusal));
    }
    let timing = when(order.date, now);
    if timing == When::OutOfRange {
        return Ok(Some(Refusal::DateOutOfRange));
    }
    let in_caution = timing == When::Now && stored.contract.caution_until(now).is_some();
    let limits = limit::find(tx, stored.contract.id, order.date, settings.limits.initial)?;
    let cap = cap(limits.current, in_caution, &settings.limits);
    let used = match timing {
        When::Now => limit::used(tx, stored.contract.id, order.date)?,
        When::Dated | When::OutOfRange => Yen::ZERO,
    };
    let left = cap.minus(used).unwrap_or(Yen::ZERO).max(Yen::ZERO);
    if amount > left {
        return Ok(Some(Refusal::OverLimit {
            left: left.0,
            caution: in_caution,
        }));
    }
    let floor = source.lowest.unwrap_or(Yen(i64::MIN / 2));
    let after = source.balance.minus(total);
    Ok(
        (timing == When::Now && after.is_none_or(|after| after < floor))
            .then_some(Refusal::ShortOfFunds),
    )
}

/// The account of this bank that receives a transfer; none: it goes to another bank. The holder's name is compared
/// without its spaces.
fn receiver(
    tx: &mut Tx<'_>,
    to: &Payee,
    settings: &BankSettings,
) -> Result<Result<Option<AccountId>, Refusal>, DatabaseError> {
    if to.bank != settings.code {
        return Ok(Ok(None));
    }
    let Ok(branch) = to.branch.parse() else {
        return Ok(Err(Refusal::NoSuchPayee));
    };
    let id = AccountId::of(branch, to.kind, to.number);
    let holder = match account::find(tx, id)?.and_then(|account| account.contract) {
        Some(contract) => contract::find(tx, contract)?,
        None => None,
    };
    let plain = |name: &str| name.split(' ').collect::<String>();
    Ok(match holder {
        Some(holder) if plain(&holder.kana) == plain(&to.name) => Ok(Some(id)),
        _ => Err(Refusal::NoSuchPayee),
    })
}

/// Sends a transfer now, or keeps it for its day.
pub(super) fn transfer(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    order: &TransferOrder,
) -> Effect {
    if let Some(refusal) = foresee_transfer(tx, order, stored, &act.settings, act.now)? {
        return Ok(Err(refusal));
    }
    let receipt = act.receipt();
    let state = match when(order.date, act.now) {
        When::OutOfRange => return Ok(Err(Refusal::DateOutOfRange)),
        When::Dated => transfer::State::Reserved,
        When::Now => {
            let booking = Booking {
                key: act.key,
                now: act.now,
                receipt: &receipt,
                settings: &act.settings,
            };
            if let Err(refusal) = send(tx, &booking, stored, order)? {
                return Ok(Err(refusal));
            }
            transfer::State::Sent
        }
    };
    transfer::insert(tx, act.key, act.contract, order, state, &receipt, act.now)?;
    if order.remember && !payee::remember(tx, act.uid(), act.contract, &order.to, act.now)? {
        return Ok(Err(Refusal::BookFull));
    }
    let event = match state {
        transfer::State::Reserved => Event::TransferReserved {
            receipt,
            amount: order.amount,
            date: order.date,
        },
        _ => Event::TransferSent {
            receipt,
            amount: order.amount,
        },
    };
    act.tell(tx, stored, &event)?;
    Ok(Ok(Outcome {
        effective_on: Some(order.date),
        ..act.outcome()
    }))
}

/// What books a transfer: the customer's own confirmation, or the start of its day.
pub(in crate::bank) struct Booking<'a> {
    pub(in crate::bank) key: Uid,
    pub(in crate::bank) now: Timestamp,
    pub(in crate::bank) receipt: &'a str,
    pub(in crate::bank) settings: &'a BankSettings,
}

/// Moves the money of a transfer, within the day's limit, under the transfer's key. The contract's row is locked.
pub(in crate::bank) fn send(
    tx: &mut Tx<'_>,
    booking: &Booking<'_>,
    stored: &contract::Stored,
    order: &TransferOrder,
) -> Result<Result<(), Refusal>, DatabaseError> {
    let (settings, now) = (booking.settings, booking.now);
    let (id, today) = (stored.contract.id, jst::day(now));
    let to = match receiver(tx, &order.to, settings)? {
        Ok(to) => to,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let in_caution = stored.contract.caution_until(now).is_some();
    let limits = limit::find(tx, id, today, settings.limits.initial)?;
    let cap = cap(limits.current, in_caution, &settings.limits);
    let amount = Yen(order.amount);
    if !limit::spend(tx, id, today, amount, cap)? {
        let left = cap
            .minus(limit::used(tx, id, today)?)
            .unwrap_or(Yen::ZERO)
            .max(Yen::ZERO);
        return Ok(Err(Refusal::OverLimit {
            left: left.0,
            caution: in_caution,
        }));
    }
    let postings = Postings::transfer(
        order.from,
        to,
        amount,
        Yen(order.fee),
        &format!("振込 {}", order.to.name),
        &format!("振込 {}", stored.kana),
    );
    let Ok(postings) = postings else {
        return Ok(Err(Refusal::SameAccount));
    };
    let new = journal::New {
        id: booking.key,
        kind: JournalKind::Transfer,
        reverses: None,
        receipt: booking.receipt,
        postings: &postings,
    };
    booked(journal::book(tx, &new, now)?)
}

fn booked(booked: journal::Booked) -> Result<Result<(), Refusal>, DatabaseError> {
    match booked {
        journal::Booked::Done => Ok(Ok(())),
        journal::Booked::ShortOfFunds(_) => Ok(Err(Refusal::ShortOfFunds)),
        journal::Booked::NoSuchAccount(_) => Ok(Err(Refusal::NoSuchAccount)),
        // Under the lock of the contract an open operation has no journal.
        journal::Booked::Already | journal::Booked::ReversedAlready => Err(DatabaseError::Count {
            statement: "a journal",
            expected: 1,
            found: 0,
        }),
    }
}

/// Whether a dated transfer can still be cancelled.
pub(super) fn foresee_cancel(
    tx: &mut Tx<'_>,
    transfer: &str,
    stored: &contract::Stored,
    now: Timestamp,
) -> Result<Option<Refusal>, DatabaseError> {
    let found = match transfer.parse() {
        Ok(key) => transfer::find(tx, stored.contract.id, key)?,
        Err(_) => None,
    };
    let cancellable = found.is_some_and(|found| {
        found.state == transfer::State::Reserved && may_cancel(found.date, now)
    });
    Ok((!cancellable).then_some(Refusal::NotCancellable))
}

/// 予約振込取消
pub(super) fn cancel(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    transfer: &str,
) -> Effect {
    if let Some(refusal) = foresee_cancel(tx, transfer, stored, act.now)? {
        return Ok(Err(refusal));
    }
    let found = match transfer.parse() {
        Ok(key) => transfer::find(tx, act.contract, key)?,
        Err(_) => None,
    };
    let Some(found) = found else {
        return Ok(Err(Refusal::NotCancellable));
    };
    if !transfer::settle(tx, found.key, transfer::State::Cancelled, None, act.now)? {
        return Ok(Err(Refusal::NotCancellable));
    }
    act.tell(
        tx,
        stored,
        &Event::TransferCancelled {
            receipt: found.receipt,
        },
    )?;
    Ok(Ok(act.outcome()))
}

/// What would be refused of an internal transfer as things stand.
pub(super) fn foresee_internal(
    tx: &mut Tx<'_>,
    stored: &contract::Stored,
    from: AccountId,
    to: AccountId,
    amount: i64,
) -> Result<Option<Refusal>, DatabaseError> {
    let id = stored.contract.id;
    let (Some(source), Some(_)) = (account::own(tx, id, from)?, account::own(tx, id, to)?) else {
        return Ok(Some(Refusal::NoSuchAccount));
    };
    if from == to {
        return Ok(Some(Refusal::SameAccount));
    }
    if !(1..=Yen::MOST.0).contains(&amount) {
        return Ok(Some(Refusal::BadAmount));
    }
    let floor = source.lowest.unwrap_or(Yen(i64::MIN / 2));
    let after = source.balance.minus(Yen(amount));
    Ok(after
        .is_none_or(|after| after < floor)
        .then_some(Refusal::ShortOfFunds))
}

/// 振替
pub(super) fn internal_transfer(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    (from, to): (AccountId, AccountId),
    amount: i64,
) -> Effect {
    if let Some(refusal) = foresee_internal(tx, stored, from, to, amount)? {
        return Ok(Err(refusal));
    }
    let Ok(postings) = Postings::between(from, to, Yen(amount), "振替", "振替") else {
        return Ok(Err(Refusal::SameAccount));
    };
    let receipt = act.receipt();
    let new = journal::New {
        id: act.key,
        kind: JournalKind::InternalTransfer,
        reverses: None,
        receipt: &receipt,
        postings: &postings,
    };
    if let Err(refusal) = booked(journal::book(tx, &new, act.now)?)? {
        return Ok(Err(refusal));
    }
    act.tell(tx, stored, &Event::InternalTransferDone { receipt, amount })?;
    Ok(Ok(act.outcome()))
}

/// What would be refused of a change of limit as things stand.
pub(super) fn foresee_limit(
    tx: &mut Tx<'_>,
    to: i64,
    stored: &contract::Stored,
    settings: &BankSettings,
    now: Timestamp,
) -> Result<Option<Refusal>, DatabaseError> {
    Ok(decision(tx, to, stored, settings, now)?.err())
}

fn decision(
    tx: &mut Tx<'_>,
    to: i64,
    stored: &contract::Stored,
    settings: &BankSettings,
    now: Timestamp,
) -> Result<Result<Date, Refusal>, DatabaseError> {
    if to < 0 {
        return Ok(Err(Refusal::BadAmount));
    }
    let limits = limit::find(
        tx,
        stored.contract.id,
        jst::day(now),
        settings.limits.initial,
    )?;
    let pending = limits.pending.map(|(amount, _)| amount);
    Ok(
        match decide(limits.current, pending, Yen(to), now, &settings.limits) {
            LimitDecision::From(day) => Ok(day),
            LimitDecision::AboveCeiling(ceiling) => {
                Err(Refusal::AboveCeiling { ceiling: ceiling.0 })
            }
            LimitDecision::Unchanged => Err(Refusal::Unchanged),
        },
    )
}

/// 振込限度額変更
pub(super) fn change_limit(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    to: i64,
) -> Effect {
    let effective_on = match decision(tx, to, stored, &act.settings, act.now)? {
        Ok(day) => day,
        Err(refusal) => return Ok(Err(refusal)),
    };
    limit::insert(tx, act.uid(), act.contract, Yen(to), effective_on, act.now)?;
    act.tell(tx, stored, &Event::LimitChanged { to, effective_on })?;
    Ok(Ok(Outcome {
        effective_on: Some(effective_on),
        ..act.outcome()
    }))
}
