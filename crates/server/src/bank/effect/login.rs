//! ログイン (rules B3, B15).

use warifu_bank::operation::Refusal;
use warifu_bank::otp_policy::Proof;
use warifu_bank::session::Ending;

use super::{Act, Effect};
use crate::bank_store::{known_browser, session, sign_in};
use crate::database::Tx;

/// From the session that awaited the code to a full one of another name; older full ones end.
pub(super) fn sign_in(tx: &mut Tx<'_>, act: &Act, _: &Proof) -> Effect {
    let Some(new) = &act.given.sign_in else {
        return Ok(Err(Refusal::Expired));
    };
    if !session::end(tx, act.contract, act.session, Ending::LoggedOut, act.now)? {
        return Ok(Err(Refusal::Expired));
    }
    session::begin(tx, new, act.now)?;
    if let Some(browser) = &act.given.browser {
        known_browser::remember(tx, act.contract, browser, act.now)?;
    }
    sign_in::insert(
        tx,
        act.uid(),
        act.contract,
        sign_in::Outcome::SignedIn,
        &new.address,
        &new.agent,
        act.now,
    )?;
    act.record(tx, "signed-in", "")?;
    Ok(Ok(act.outcome()))
}
