//! 利用登録, 利用停止 and トークンの変更 (rules B2, B5, B6).

use warifu_bank::contract::CAUTION;
use warifu_bank::operation::{Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::token_id::TokenId;

use super::Act;
use crate::bank_store::contract;
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
) -> Result<Result<Outcome, Refusal>, DatabaseError> {
    let Ok(token) = token.parse::<TokenId>() else {
        return Ok(Err(Refusal::UnknownToken));
    };
    if let Some(refusal) = foresee(tx, token.as_str(), stored)? {
        return Ok(Err(refusal));
    }
    match contract::register(tx, act.contract, &token, act.now) {
        Ok(true) => {}
        Ok(false) => return Ok(Err(Refusal::AlreadyRegistered)),
        // Another contract took it between the look and the write.
        Err(error) if error.unique_violation() => return Ok(Err(Refusal::TokenTaken)),
        Err(error) => return Err(error),
    }
    act.record(tx, "registered", token.as_str())?;
    Ok(Ok(Outcome {
        caution_until: act
            .now
            .checked_add(CAUTION)
            .ok()
            .map(|until| until.as_microsecond()),
        ..act.outcome()
    }))
}
