//! 利用登録, 利用停止, トークンの変更, トークンの紛失・盗難 (rules B2, B5, B6, B7).

use jiff::Timestamp;
use warifu_bank::contract::{CAUTION, LossReason};
use warifu_bank::notice::Event;
use warifu_bank::operation::{OPEN_FOR, OrderKind, Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::password::MINIMUM_ALONE;
use warifu_bank::session::Ending;
use warifu_bank::token_id::TokenId;
use warifu_bank::uid::Uid;

use super::{Act, Effect};
use crate::bank_store::{contract, operation};
use crate::database::{DatabaseError, Tx};

/// A token that is another contract's is told before its code is spent (B2).
pub(super) fn foresee(
    tx: &mut Tx<'_>,
    token: &str,
    stored: &contract::Stored,
) -> Result<Option<Refusal>, DatabaseError> {
    let Ok(token) = token.parse::<TokenId>() else {
        return Ok(Some(Refusal::UnknownToken));
    };
    Ok(match contract::holder(tx, &token)? {
        Some(holder) if holder != stored.contract.id => Some(Refusal::TokenTaken),
        _ => None,
    })
}

/// Ties the token to the contract.
pub(super) fn register(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    token: &str,
) -> Effect {
    let Ok(token) = token.parse::<TokenId>() else {
        return Ok(Err(Refusal::UnknownToken));
    };
    match contract::register(tx, act.contract, &token, act.now) {
        Ok(true) => {}
        Ok(false) => return Ok(Err(Refusal::AlreadyRegistered)),
        // Another contract took it after the look.
        Err(error) if error.unique_violation() => return Ok(Err(Refusal::TokenTaken)),
        Err(error) => return Err(error),
    }
    let until = caution_until(act.now);
    let cap = act.settings.limits.caution.0;
    act.tell(
        tx,
        stored,
        &Event::Registered {
            caution_until: until,
            cap,
        },
    )?;
    Ok(Ok(Outcome {
        caution_until: Some(until),
        ..act.outcome()
    }))
}

/// Until when transfers of a day are capped low after a registration or change now, µs UTC (B18).
fn caution_until(now: Timestamp) -> i64 {
    now.checked_add(CAUTION).unwrap_or(now).as_microsecond()
}

/// Takes the token from the contract. Dated transfers stay: they were confirmed while it was in use.
pub(super) fn stop_use(tx: &mut Tx<'_>, act: &Act, stored: &contract::Stored, _: &Proof) -> Effect {
    let Some(token) = stored.contract.token_in_use() else {
        return Ok(Err(Refusal::NeedsRegistration));
    };
    if !contract::stop_use(tx, act.contract, token)? {
        return Ok(Err(Refusal::NeedsRegistration));
    }
    contract::require_longer_password(tx, act.contract, MINIMUM_ALONE)?;
    act.tell(tx, stored, &Event::UseStopped)?;
    Ok(Ok(act.outcome()))
}

/// The new token in the place of the old one, which proved itself in the operation `begun` of this very session.
pub(super) fn change(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    token: &str,
    begun: &str,
) -> Effect {
    let (Ok(token), Some(old)) = (token.parse::<TokenId>(), stored.contract.token_in_use()) else {
        return Ok(Err(Refusal::UnknownToken));
    };
    if !begun_here(tx, act, stored, begun)? {
        return Ok(Err(Refusal::ChangeNotBegun));
    }
    match contract::swap_token(tx, act.contract, old, &token, act.now) {
        Ok(true) => {}
        Ok(false) => return Ok(Err(Refusal::ChangeNotBegun)),
        Err(error) if error.unique_violation() => return Ok(Err(Refusal::TokenTaken)),
        Err(error) => return Err(error),
    }
    let until = caution_until(act.now);
    let cap = act.settings.limits.caution.0;
    act.tell(
        tx,
        stored,
        &Event::TokenChanged {
            caution_until: until,
            cap,
        },
    )?;
    Ok(Ok(Outcome {
        caution_until: Some(until),
        ..act.outcome()
    }))
}

/// Whether the old token's code was given in this session, a short while ago, for the token that is in use now.
fn begun_here(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    begun: &str,
) -> Result<bool, DatabaseError> {
    let Ok(key) = begun.parse::<Uid>() else {
        return Ok(false);
    };
    let Some(found) = operation::find(tx, key)? else {
        return Ok(false);
    };
    let operation::State::Done(outcome) = &found.state else {
        return Ok(false);
    };
    let Ok(at) = Timestamp::from_microsecond(outcome.at) else {
        return Ok(false);
    };
    let for_this_token = match &stored.contract.token {
        warifu_bank::contract::TokenStanding::InUse { since, .. } => at >= *since,
        _ => false,
    };
    Ok(found.kind == OrderKind::TokenChangeBegin
        && found.contract == act.contract
        && found.session == act.session
        && for_this_token
        && act.now.duration_since(at) < OPEN_FOR)
}

/// The customer's own stop, at any hour, with ID and password alone: it only takes power away.
pub(super) fn stop_lost(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    stolen: bool,
) -> Effect {
    let reason = if stolen {
        LossReason::Stolen
    } else {
        LossReason::Lost
    };
    if stored.contract.token_in_use().is_none() {
        return Ok(Err(Refusal::NeedsRegistration));
    }
    if !contract::stop_lost(tx, act.contract, reason)? {
        return Ok(Err(Refusal::Unchanged));
    }
    let stop = act.stop(stored, Ending::EndedByBank);
    stop.lost_token(tx, reason)?;
    stop.tell(tx, &Event::LossStopped { by_bank: false })?;
    Ok(Ok(act.outcome()))
}
