//! Which operation asks for the code, and the proof that it was given (rules B3–B10, B13).
//!
//! What moves money, changes a limit or changes a setting takes a [`Proof`], and only this file makes one.

use std::future::Future;

use warifu_wire::{ResyncAnswer, StopReason, ValidateAnswer};

use crate::contract::{Contract, ContractId, Service, TokenStanding};
use crate::operation::{Order, OrderDigest, Refusal};
use crate::token_id::TokenId;

/// What an order asks of the customer.
#[derive(Debug)]
pub enum Demand {
    /// No code; here is the proof.
    Nothing(Proof),
    /// The code of a token.
    Code(Challenge),
    /// It cannot be done as things stand.
    Refused(Refusal),
}

/// A code that is still to be given.
#[derive(Debug, Clone)]
pub struct Challenge {
    token: TokenId,
    bound: Bound,
}

/// The order was authorised: by its code, or because it asks for none. Good for one contract and one order.
#[derive(Debug)]
pub struct Proof {
    bound: Bound,
    token: Option<TokenId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    contract: ContractId,
    order: OrderDigest,
}

/// Why a code was not taken. The customer may try again where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefusal {
    /// Not six digits; nothing was asked of the token service.
    NotACode,
    /// Wrong.
    Wrong {
        /// Tries until the token is locked.
        tries_left: u8,
    },
    /// Used already: the next one comes in at most this many seconds (B10).
    Used {
        /// Seconds until the next code.
        wait_seconds: u8,
    },
    /// Locked after five wrong codes: staff unlock it.
    Locked,
    /// The token was stopped.
    Stopped,
    /// Right for a far moment: the token's clock is to be adjusted with two codes in a row (S4).
    ClockOff,
    /// The token service knows no such token.
    Unknown,
    /// Not looked at: after many codes of tokens that are not the customer's own he has to wait (B17).
    Wait {
        /// Seconds until the next is looked at.
        seconds: i64,
    },
}

/// What is asked for an order, as the contract stands: one match over every order.
#[must_use]
pub fn demand(order: &Order, contract: &Contract) -> Demand {
    let bound = Bound {
        contract: contract.id,
        order: order.digest(),
    };
    if contract.service != Service::Open && !matches!(order, Order::LossStop { .. }) {
        return Demand::Refused(Refusal::ServiceStopped);
    }
    match order {
        // B3, B4: as the login setting says, while there is a token.
        Order::Login => match (contract.token_in_use(), contract.login_asks_code) {
            (Some(token), true) => bound.code_of(token),
            _ => bound.nothing(),
        },
        // B2: the new token's own code.
        Order::Registration { token } => match &contract.token {
            TokenStanding::None => bound.code_of_text(token),
            TokenStanding::InUse { .. } => Demand::Refused(Refusal::AlreadyRegistered),
            TokenStanding::AwaitingRelease { .. } => Demand::Refused(Refusal::NeedsRelease),
        },
        // B6: the new token's code; the old one's was given to the operation that began it.
        Order::TokenChange { token, .. } => match &contract.token {
            TokenStanding::InUse { token: old, .. } if old.as_str() == token => {
                Demand::Refused(Refusal::SameToken)
            }
            TokenStanding::InUse { .. } => bound.code_of_text(token),
            TokenStanding::None => Demand::Refused(Refusal::NeedsRegistration),
            TokenStanding::AwaitingRelease { .. } => Demand::Refused(Refusal::NeedsRelease),
        },
        // B4–B6, B8, B9, B12, B13: always, whatever the login setting.
        Order::StopUse
        | Order::TokenChangeBegin
        | Order::LoginSetting { .. }
        | Order::Transfer(_)
        | Order::TransferCancel { .. }
        | Order::LimitChange { .. }
        | Order::MailChange { .. } => match &contract.token {
            TokenStanding::InUse { token, .. } => bound.code_of(token),
            TokenStanding::None => Demand::Refused(Refusal::NeedsRegistration),
            TokenStanding::AwaitingRelease { .. } => Demand::Refused(Refusal::NeedsRelease),
        },
        // B13: the old password, and the code where there is a token.
        Order::PasswordChange => match contract.token_in_use() {
            Some(token) => bound.code_of(token),
            None => bound.nothing(),
        },
        // Between the customer's own accounts; and what only takes power away (B7, B13).
        Order::InternalTransfer { .. } | Order::LossStop { .. } | Order::EmergencyStop => {
            bound.nothing()
        }
    }
}

impl Bound {
    fn nothing(self) -> Demand {
        Demand::Nothing(Proof {
            bound: self,
            token: None,
        })
    }

    fn code_of(self, token: &TokenId) -> Demand {
        Demand::Code(Challenge {
            token: token.clone(),
            bound: self,
        })
    }

    fn code_of_text(self, token: &str) -> Demand {
        match token.parse() {
            Ok(token) => Demand::Code(Challenge { token, bound: self }),
            Err(_) => Demand::Refused(Refusal::UnknownToken),
        }
    }
}

impl Challenge {
    /// Whose code.
    #[must_use]
    pub fn token(&self) -> &TokenId {
        &self.token
    }

    /// The token service's answer to the code that was given for this very order. `second` is the second of the minute's
    /// half in which it was given: codes change every 30 s.
    ///
    /// # Errors
    /// [`CodeRefusal`] when it is not an acceptance.
    pub fn settle(self, answer: ValidateAnswer, unix_second: i64) -> Result<Proof, CodeRefusal> {
        match refusal_of(answer, unix_second) {
            None => Ok(Proof {
                bound: self.bound,
                token: Some(self.token),
            }),
            Some(refusal) => Err(refusal),
        }
    }
}

impl Proof {
    /// Whether a code was spent on it.
    #[must_use]
    pub fn spent_a_code(&self) -> bool {
        self.token.is_some()
    }

    /// Whether it is for this contract and this very order, and the token that gave the code is still what the order
    /// asks for. Looked at inside the transaction that carries the order out.
    #[must_use]
    pub fn covers(&self, contract: &Contract, order: &Order) -> bool {
        let asked = match demand(order, contract) {
            Demand::Nothing(proof) => (proof.bound, None),
            Demand::Code(challenge) => (challenge.bound, Some(challenge.token)),
            Demand::Refused(_) => return false,
        };
        asked.0 == self.bound && (asked.1.is_none() || asked.1 == self.token)
    }
}

/// Seconds until the next code, 1 to 30.
#[must_use]
pub fn seconds_to_next_code(unix_second: i64) -> u8 {
    u8::try_from(30 - unix_second.rem_euclid(30)).unwrap_or(30)
}

/// Seconds until a code can be given again after one was spent at `used`; none: at once (B10). Codes change every 30 s.
#[must_use]
pub fn wait_after(used: Option<jiff::Timestamp>, now: jiff::Timestamp) -> Option<u8> {
    let step = |at: jiff::Timestamp| at.as_second().div_euclid(30);
    used.filter(|used| step(*used) >= step(now))
        .map(|_| seconds_to_next_code(now.as_second()))
}

/// The token service, as the bank knows it: in this process or far away.
pub trait OtpVerifier: Send + Sync {
    /// Why there is no answer.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Checks a six-digit code; the same request has the same answer again (S7).
    fn validate(
        &self,
        token: &TokenId,
        code: &str,
        purpose: &str,
        request_id: &str,
    ) -> impl Future<Output = Result<Verdict<ValidateAnswer>, Self::Error>> + Send;

    /// Adjusts to a token's clock with two codes in a row (S4).
    fn resync(
        &self,
        token: &TokenId,
        first: &str,
        second: &str,
        request_id: &str,
    ) -> impl Future<Output = Result<Verdict<ResyncAnswer>, Self::Error>> + Send;

    /// Takes a token out of use everywhere (S6).
    fn stop(
        &self,
        token: &TokenId,
        reason: StopReason,
        request_id: &str,
    ) -> impl Future<Output = Result<Verdict<()>, Self::Error>> + Send;

    /// Takes it back into use; `false` when it was stolen, or stopped by another (S6).
    fn enable(
        &self,
        token: &TokenId,
        request_id: &str,
    ) -> impl Future<Output = Result<Verdict<bool>, Self::Error>> + Send;

    /// Forgets wrong codes (S5).
    fn unlock(
        &self,
        token: &TokenId,
        request_id: &str,
    ) -> impl Future<Output = Result<Verdict<()>, Self::Error>> + Send;
}

/// Why a code was not taken at `unix_second`; none: it was accepted.
#[must_use]
pub fn refusal_of(answer: ValidateAnswer, unix_second: i64) -> Option<CodeRefusal> {
    Some(match answer {
        ValidateAnswer::Accepted => return None,
        ValidateAnswer::Rejected { tries_left } => CodeRefusal::Wrong { tries_left },
        ValidateAnswer::Replayed => CodeRefusal::Used {
            wait_seconds: seconds_to_next_code(unix_second),
        },
        ValidateAnswer::Locked => CodeRefusal::Locked,
        ValidateAnswer::Stopped => CodeRefusal::Stopped,
        ValidateAnswer::ResyncNeeded => CodeRefusal::ClockOff,
    })
}

/// What the token service says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<A> {
    /// Its answer.
    Answer(A),
    /// No such token.
    UnknownToken,
    /// The request was made before with another code: what became of that one is open.
    RequestReused,
}

impl<A> Verdict<A> {
    /// The same with another answer.
    #[must_use]
    pub fn map<B>(self, to: impl FnOnce(A) -> B) -> Verdict<B> {
        match self {
            Self::Answer(answer) => Verdict::Answer(to(answer)),
            Self::UnknownToken => Verdict::UnknownToken,
            Self::RequestReused => Verdict::RequestReused,
        }
    }
}

#[cfg(test)]
mod tests;
