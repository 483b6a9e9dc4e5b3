//! From a page to a receipt: show, check the code, settle once (rules B10, M3; design: docs/decisions/0013).
//!
//! (a) The order is kept under its key when its page is shown. (b) The token service is asked under a name made of key,
//! order and attempt, which spends the code durably and repeats its answer. (c) One transaction carries the order out
//! and settles the key. A crash between (b) and (c) is resumed by the same form sent again.

use jiff::Timestamp;
use warifu_bank::notice::Event;
use warifu_bank::operation::{self as rule, Order, OrderKind, Outcome, Refusal, TRIES};
use warifu_bank::otp_policy::{CodeRefusal, Demand, OtpVerifier as _, Proof, Verdict, demand};
use warifu_bank::session::BrowserKey;
use warifu_bank::sign_in::Lane;
use warifu_bank::token_id::TokenId;
use warifu_bank::uid::Uid;
use warifu_wire::ValidateAnswer;
use zeroize::Zeroizing;

use super::effect::{self, Act};
use super::{Bank, BankError, Visitor};
use crate::ambient::random;
use crate::bank_store::{contract, operation, sign_in_lane};
use crate::database::{DatabaseError, Tx};

/// An operation whose page is to be shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its key, for the form's hidden field.
    pub key: Uid,
    /// Whose code the page asks for; none: no code.
    pub token: Option<TokenId>,
}

/// What came with a form beside the key.
#[derive(Default)]
pub struct Given {
    /// What is ordered, on a page where that is typed beside the code.
    pub order: Option<Order>,
    /// The code as it was typed.
    pub code: Option<Zeroizing<String>>,
    /// The hash and length of a new password, where the order is a change of password.
    pub password: Option<NewPassword>,
    /// The session to begin, where the order is a login.
    pub sign_in: Option<crate::bank_store::session::New>,
    /// The browser that is known from then on, where the order is a login.
    pub browser: Option<BrowserKey>,
}

/// A new password's hash.
#[derive(Clone)]
pub struct NewPassword {
    /// Argon2id, a PHC string.
    pub hash: String,
    /// Its length in characters.
    pub length: i64,
    /// The hash that was verified, in whose place it goes.
    pub instead_of: String,
}

/// What a confirmation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// It is done; asked again, the same.
    Done(Order, Outcome),
    /// It is not done, for good: the page begins anew.
    Refused(Refusal),
    /// The code was not taken; the same page may be sent again.
    Code(CodeRefusal),
    /// There is no such operation for this session.
    Gone,
}

/// What is known before the code is asked about.
enum Prepared {
    Ready(Order, Demand, i64),
    Settled(Confirmed),
}

impl Bank {
    /// Keeps an operation whose page is about to be shown. An order that the policy refuses is not kept.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn show(
        &self,
        visitor: &Visitor,
        kind: OrderKind,
        order: Option<Order>,
    ) -> Result<Result<Shown, Refusal>, BankError> {
        let (key, secret, now) = (self.uid(), random::<32>(&*self.entropy), self.now());
        let (id, session) = (visitor.session.contract, visitor.key());
        let settings = self.settings.clone();
        let shown = self.database.write(move |tx| {
            let Some(stored) = contract::find(tx, id)? else {
                return Ok(Err(Refusal::ServiceStopped));
            };
            let mut token = stored.contract.token_in_use().cloned();
            if let Some(order) = &order {
                match demand(order, &stored.contract) {
                    Demand::Refused(refusal) => return Ok(Err(refusal)),
                    Demand::Nothing(_) => token = None,
                    Demand::Code(challenge) => token = Some(challenge.token().clone()),
                }
                if let Some(refusal) = effect::foresee(tx, order, &stored, &settings, now)? {
                    return Ok(Err(refusal));
                }
            }
            let order = order.as_ref();
            let secret = secret.as_slice();
            let new = operation::New {
                key,
                contract: id,
                session,
                kind,
                order,
                secret,
            };
            operation::insert(tx, &new, now)?;
            Ok(Ok(Shown { key, token }))
        });
        Ok(shown.await?)
    }

    /// An operation of this session, for its page shown again.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn shown(
        &self,
        visitor: &Visitor,
        key: Uid,
    ) -> Result<Option<operation::Stored>, BankError> {
        let (id, session) = (visitor.session.contract, visitor.key());
        let found = self
            .database
            .read(move |tx| operation::find(tx, key))
            .await?;
        Ok(found.filter(|found| found.contract == id && found.session == session))
    }

    /// A settled operation of this contract, for its result page: any session of the contract may read it.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn settled(
        &self,
        visitor: &Visitor,
        key: Uid,
    ) -> Result<Option<operation::Stored>, BankError> {
        let id = visitor.session.contract;
        let found = self.database.read(move |tx| {
            let found = operation::find(tx, key)?
                .filter(|found| found.contract == id && found.state != operation::State::Shown);
            if found.is_some() {
                tx.confirm()?;
            }
            Ok(found)
        });
        Ok(found.await?)
    }

    /// Confirms an operation: checks its code where the policy asks for one, and carries it out once.
    ///
    /// # Errors
    /// [`BankError`]: the outcome is not known, and the same form sent again settles it.
    pub async fn confirm(
        &self,
        visitor: &Visitor,
        kind: OrderKind,
        key: Uid,
        given: Given,
    ) -> Result<Confirmed, BankError> {
        let (order, demand, attempt) =
            match self.ready(visitor, kind, key, given.order.clone()).await? {
                Prepared::Ready(order, demand, attempt) => (order, demand, attempt),
                Prepared::Settled(confirmed) => return Ok(confirmed),
            };
        let proof = match demand {
            Demand::Nothing(proof) => proof,
            Demand::Refused(refusal) => return Ok(Confirmed::Refused(refusal)),
            Demand::Code(challenge) => {
                let Some(code) = given.code.as_deref().and_then(|typed| six_digits(typed)) else {
                    return Ok(Confirmed::Code(CodeRefusal::NotACode));
                };
                let token = challenge.token().clone();
                match self
                    .spend(visitor, key, &order, attempt, &token, &code)
                    .await?
                {
                    Ok(answer @ ValidateAnswer::Rejected { tries_left: 0 }) => {
                        self.tell_locked(visitor).await?;
                        let refused = challenge.settle(answer, self.now().as_second()).err();
                        return Ok(Confirmed::Code(refused.unwrap_or(CodeRefusal::Locked)));
                    }
                    Ok(answer) => match challenge.settle(answer, self.now().as_second()) {
                        Ok(proof) => proof,
                        Err(refused) => return Ok(Confirmed::Code(refused)),
                    },
                    Err(refused) => return Ok(refused),
                }
            }
        };
        self.carry_out(visitor, key, order, proof, given).await
    }

    /// The operation as it stands, with the order of this form.
    async fn ready(
        &self,
        visitor: &Visitor,
        kind: OrderKind,
        key: Uid,
        given: Option<Order>,
    ) -> Result<Prepared, BankError> {
        let (id, session, now) = (visitor.session.contract, visitor.key(), self.now());
        let settings = self.settings.clone();
        let prepared = self.database.write(move |tx| {
            let found = operation::find(tx, key)?.filter(|found| {
                found.contract == id && found.session == session && found.kind == kind
            });
            let Some(found) = found else {
                return Ok(Prepared::Settled(Confirmed::Gone));
            };
            if let Some(confirmed) = as_settled(&found) {
                tx.confirm()?;
                return Ok(Prepared::Settled(confirmed));
            }
            let void = if rule::expired(found.shown_at, now) {
                Some(Refusal::Expired)
            } else if found.attempt >= TRIES {
                Some(Refusal::TooManyTries)
            } else {
                None
            };
            if let Some(refusal) = void {
                operation::refuse(tx, key, &refusal, now)?;
                let refused = Confirmed::Refused(refusal);
                return settled_by_now(tx, key, refused).map(Prepared::Settled);
            }
            let order = match given {
                Some(order) if order.kind() == kind => {
                    if !operation::set_order(tx, key, &order)? {
                        return settled_by_now(tx, key, Confirmed::Gone).map(Prepared::Settled);
                    }
                    order
                }
                Some(_) => return Ok(Prepared::Settled(Confirmed::Gone)),
                None => match found.order {
                    Some(order) => order,
                    None => return Ok(Prepared::Settled(Confirmed::Gone)),
                },
            };
            let Some(stored) = contract::find(tx, id)? else {
                return Ok(Prepared::Settled(Confirmed::Gone));
            };
            // Before the code is spent: what is refused as things stand costs the customer no code.
            let refusal = match effect::foresee(tx, &order, &stored, &settings, now)? {
                Some(refusal) => refusal,
                None => match demand(&order, &stored.contract) {
                    Demand::Refused(refusal) => refusal,
                    asked => return Ok(Prepared::Ready(order, asked, found.attempt)),
                },
            };
            settled_by_now(tx, key, Confirmed::Refused(refusal)).map(Prepared::Settled)
        });
        Ok(prepared.await?)
    }

    /// Spends a code on an order. Whatever happens on the way, the same code for the same order has the same answer.
    async fn spend(
        &self,
        visitor: &Visitor,
        key: Uid,
        order: &Order,
        mut attempt: i64,
        token: &TokenId,
        code: &str,
    ) -> Result<Result<ValidateAnswer, Confirmed>, BankError> {
        let digest = order.digest();
        loop {
            if order.brings_a_token()
                && let Some(seconds) = self.enter_new_token(visitor, key, attempt).await?
            {
                return Ok(Err(Confirmed::Code(CodeRefusal::Wait { seconds })));
            }
            let request = rule::request_id(key, &digest, attempt);
            let verdict = self
                .verifier
                .validate(token, code, order.kind().word(), &request)
                .await?;
            match verdict {
                Verdict::Answer(ValidateAnswer::Accepted) => {
                    return Ok(Ok(ValidateAnswer::Accepted));
                }
                Verdict::Answer(answer) => {
                    self.database
                        .write(move |tx| operation::next_attempt(tx, key, attempt))
                        .await?;
                    return Ok(Ok(answer));
                }
                Verdict::UnknownToken => return Ok(Err(Confirmed::Code(CodeRefusal::Unknown))),
                // This attempt was made with another code, and nobody heard what became of it.
                Verdict::RequestReused if attempt < TRIES => {
                    self.database
                        .write(move |tx| operation::next_attempt(tx, key, attempt))
                        .await?;
                    attempt += 1;
                }
                Verdict::RequestReused => {
                    return Ok(Err(Confirmed::Refused(Refusal::TooManyTries)));
                }
            }
        }
    }

    /// Counts an attempt with a token that is not the contract's own, once however often its form comes; where the lane is
    /// closed, the seconds until it opens. No answer takes it back: a contract is to ask about few tokens, not to be right.
    async fn enter_new_token(
        &self,
        visitor: &Visitor,
        key: Uid,
        attempt: i64,
    ) -> Result<Option<i64>, BankError> {
        let (id, now) = (visitor.session.contract, self.now());
        let name = sign_in_lane::name(Lane::NewToken, &id.to_string(), "");
        let entered = self.database.write(move |tx| {
            if !operation::begin_attempt(tx, key, attempt)? {
                return Ok(None);
            }
            let closed = sign_in_lane::enter(tx, &[(Lane::NewToken, name)], now)?;
            if closed.is_some() {
                operation::forget_attempt(tx, key, attempt)?;
            }
            Ok(closed)
        });
        Ok(entered.await?)
    }

    /// The code that locked the token: the customer is told at once (B14).
    async fn tell_locked(&self, visitor: &Visitor) -> Result<(), BankError> {
        let (id, now, entropy) = (visitor.session.contract, self.now(), self.entropy.clone());
        let address = visitor.address.clone();
        let told = self
            .database
            .write(move |tx| match contract::lock(tx, id)? {
                Some(stored) => {
                    let event = Event::TokenLocked;
                    super::tell(tx, &stored, &event, "customer", &address, now, &*entropy)
                }
                None => Ok(()),
            });
        Ok(told.await?)
    }

    /// One transaction: the contract locked, the proof looked at again, the order carried out, the key settled.
    async fn carry_out(
        &self,
        visitor: &Visitor,
        key: Uid,
        order: Order,
        proof: Proof,
        given: Given,
    ) -> Result<Confirmed, BankError> {
        let now = self.now();
        let act = Act {
            key,
            now,
            contract: visitor.session.contract,
            session: visitor.key(),
            address: visitor.address.clone(),
            settings: self.settings.clone(),
            entropy: self.entropy.clone(),
            given,
        };
        let settled = self.database.write(move |tx| {
            let Some(stored) = contract::lock(tx, act.contract)? else {
                return Ok(Confirmed::Gone);
            };
            let Some(found) = operation::find(tx, key)? else {
                return Ok(Confirmed::Gone);
            };
            if let Some(confirmed) = as_settled(&found) {
                return Ok(confirmed);
            }
            if !proof.covers(&stored.contract, &order) {
                let refusal = match demand(&order, &stored.contract) {
                    Demand::Refused(refusal) => refusal,
                    // The token was changed between the code and now.
                    Demand::Nothing(_) | Demand::Code(_) => Refusal::NeedsRegistration,
                };
                operation::refuse(tx, key, &refusal, now)?;
                return Ok(Confirmed::Refused(refusal));
            }
            match effect::carry_out(tx, &act, &stored, &proof, &order)? {
                Ok(outcome) => {
                    if proof.spent_a_code() {
                        contract::note_code(tx, act.contract, now)?;
                    }
                    operation::done(tx, key, &order, &outcome, now)?;
                    Ok(Confirmed::Done(order, outcome))
                }
                // What was written on the way goes with the transaction.
                Err(refusal) => Err(undo(&refusal)),
            }
        });
        match settled.await {
            Ok(confirmed) => Ok(confirmed),
            Err(DatabaseError::Undone(text)) => self.refuse(key, text, now).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn refuse(&self, key: Uid, text: String, now: Timestamp) -> Result<Confirmed, BankError> {
        let refusal: Refusal = serde_json::from_str(&text)
            .map_err(|_| DatabaseError::Schema("a refusal that no rule made".into()))?;
        let confirmed = self.database.write(move |tx| {
            if operation::refuse(tx, key, &refusal, now)? {
                return Ok(Confirmed::Refused(refusal));
            }
            settled_by_now(tx, key, Confirmed::Gone)
        });
        Ok(confirmed.await?)
    }
}

/// What an operation was settled as since it was looked at, by the same form sent at the same time: what that changed is no
/// reason to refuse it.
fn settled_by_now(
    tx: &mut Tx<'_>,
    key: Uid,
    otherwise: Confirmed,
) -> Result<Confirmed, DatabaseError> {
    let found = operation::find(tx, key)?;
    match found.as_ref().and_then(as_settled) {
        Some(settled) => {
            tx.confirm()?;
            Ok(settled)
        }
        None => Ok(otherwise),
    }
}

fn as_settled(found: &operation::Stored) -> Option<Confirmed> {
    match (&found.state, &found.order) {
        (operation::State::Shown, _) => None,
        (operation::State::Done(outcome), Some(order)) => {
            Some(Confirmed::Done(order.clone(), outcome.clone()))
        }
        (operation::State::Done(_), None) => Some(Confirmed::Gone),
        (operation::State::Refused(refusal), _) => Some(Confirmed::Refused(refusal.clone())),
    }
}

/// Undoes the transaction and carries the refusal out of it.
fn undo(refusal: &Refusal) -> DatabaseError {
    DatabaseError::Undone(serde_json::to_string(refusal).unwrap_or_default())
}

/// A code as people type it: six digits of either width, spaces between.
pub(super) fn six_digits(typed: &str) -> Option<Zeroizing<String>> {
    let mut digits = Zeroizing::new(String::with_capacity(8));
    for letter in typed.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            '０'..='９' => digits.push(char::from_u32(u32::from(letter) - 0xfee0)?),
            ' ' | '\u{3000}' | '-' => {}
            _ => return None,
        }
        if digits.len() > 6 {
            return None;
        }
    }
    (digits.len() == 6).then_some(digits)
}
