//! 契約者情報変更 (rules B4, B13).

use warifu_bank::contract::Service;
use warifu_bank::notice::Event;
use warifu_bank::operation::{Outcome, Refusal};
use warifu_bank::otp_policy::Proof;
use warifu_bank::password::MINIMUM_ALONE;
use warifu_bank::session::Ending;

use super::{Act, Effect};
use crate::bank_store::{contract, notice, session};
use crate::database::Tx;

/// A password that is to stand alone must be long enough for that.
pub(super) fn foresee_login_setting(stored: &contract::Stored, asks: bool) -> Option<Refusal> {
    if stored.contract.login_asks_code == asks {
        Some(Refusal::Unchanged)
    } else if !asks && stored.password_length < MINIMUM_ALONE {
        Some(Refusal::PasswordTooShort)
    } else {
        None
    }
}

/// ログイン時認証設定
pub(super) fn set_login(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    asks: bool,
) -> Effect {
    if let Some(refusal) = foresee_login_setting(stored, asks) {
        return Ok(Err(refusal));
    }
    if !contract::set_login_asks_code(tx, act.contract, asks)? {
        return Ok(Err(Refusal::Unchanged));
    }
    act.tell(tx, stored, &Event::LoginSettingChanged { asks })?;
    Ok(Ok(act.outcome()))
}

/// ログインパスワード変更: the old one was verified by whoever made the hash of the new one. Other sessions end.
pub(super) fn change_password(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
) -> Effect {
    let Some(new) = &act.given.password else {
        return Ok(Err(Refusal::Expired));
    };
    // The very password that was verified must still be in place.
    if new.instead_of != stored.password {
        return Ok(Err(Refusal::Expired));
    }
    // The login setting may have changed since the page was shown.
    if new.length < stored.contract.password_minimum() {
        return Ok(Err(Refusal::PasswordTooShort));
    }
    contract::set_password(tx, act.contract, &new.hash, new.length, None, act.now)?;
    session::end_all_but(tx, act.contract, act.session, Ending::EndedByBank, act.now)?;
    act.tell(tx, stored, &Event::PasswordChanged)?;
    Ok(Ok(act.outcome()))
}

/// Eメールアドレス変更: told to the old address and to the new one.
pub(super) fn change_mail(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
    to: Option<&str>,
) -> Effect {
    if stored.mail.as_deref() == to {
        return Ok(Err(Refusal::Unchanged));
    }
    contract::set_mail(tx, act.contract, to)?;
    let event = Event::MailAddressChanged;
    act.record(tx, event.word(), "")?;
    let addresses: Vec<&str> = stored.mail.as_deref().into_iter().chain(to).collect();
    notice::tell(
        tx,
        act.contract,
        &event,
        &stored.language,
        &addresses,
        act.now,
        || act.uid(),
    )?;
    Ok(Ok(Outcome {
        before: stored.mail.clone(),
        ..act.outcome()
    }))
}

/// IB取引中止: everything stops at once, dated transfers too; only two of the staff lift it.
pub(super) fn stop_service(
    tx: &mut Tx<'_>,
    act: &Act,
    stored: &contract::Stored,
    _: &Proof,
) -> Effect {
    if !contract::set_service(tx, act.contract, Service::Open, Service::EmergencyStopped)? {
        return Ok(Err(Refusal::ServiceStopped));
    }
    // The session that asked shows the result page, and reaches nothing else any more.
    let stop = act.stop(stored, Ending::EndedByCustomer);
    stop.everything_open(tx)?;
    stop.tell(tx, &Event::EmergencyStopped)?;
    Ok(Ok(act.outcome()))
}
