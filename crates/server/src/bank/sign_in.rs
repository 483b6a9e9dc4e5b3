//! From ID and password to a session (rules B1, B3, B15, B17).

use warifu_bank::contract::{ContractId, Service};
use warifu_bank::operation::{self as rule, Order, OrderKind};
use warifu_bank::otp_policy::{OtpVerifier as _, Verdict};
use warifu_bank::session::{
    BrowserKey, Ending, Expired, SessionKey, SessionSecret, Stage, Wizard, expired,
};
use warifu_bank::sign_in::Lane;
use warifu_bank::uid::Uid;
use warifu_wire::ValidateAnswer;
use zeroize::Zeroizing;

use super::operation::{Confirmed, Given, six_digits};
use super::{Bank, BankError, Visitor};
use crate::ambient::random;
use crate::bank_store::operation::{self, State};
use crate::bank_store::{contract, known_browser, session, sign_in, sign_in_lane};
use crate::database::DatabaseError;

/// How often a session's last use is noted, seconds.
const NOTED_EVERY: i64 = 5;

/// Characters of a browser's name that are kept.
const AGENT: usize = 200;

/// Who stands at the door.
#[derive(Debug, Clone)]
pub struct Caller {
    /// His network address.
    pub address: String,
    /// His browser, as it calls itself.
    pub agent: String,
    /// His browser, as its cookie names it, or is going to.
    pub browser: BrowserKey,
}

/// A try that its lanes let through.
struct Entered {
    lanes: Vec<sign_in_lane::Named>,
    stored: Option<contract::Stored>,
}

/// What an ID and a password came to.
#[derive(Debug)]
pub enum SignIn {
    /// Not known, not right, or stopped: one answer.
    Wrong,
    /// Too many tries: the next one in so many seconds.
    Wait(i64),
    /// Too many people sign in at once.
    Busy,
    /// A session begins.
    Begun(SessionSecret, Stage),
}

/// Why a cookie is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSession {
    /// There is none, or nobody knows it.
    None,
    /// Its time is over.
    Expired(Expired),
    /// It was ended.
    Ended(Ending),
}

impl Bank {
    /// Signs in with ID and password: for the bank, or for one wizard of the login page.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn sign_in(
        &self,
        typed_id: &str,
        password: &str,
        wizard: Option<Wizard>,
        caller: &Caller,
    ) -> Result<SignIn, BankError> {
        let caller = Caller {
            agent: caller.agent.chars().take(AGENT).collect(),
            ..caller.clone()
        };
        let id = typed_id.parse::<ContractId>().ok();
        // Every spelling of one ID is one lane; what is no ID has lanes of its own.
        let lane_id = id.map_or_else(|| typed_id.trim().to_owned(), |id| id.to_string());
        let Entered { lanes, stored } = match self.enter(id, &lane_id, &caller).await? {
            Ok(entered) => entered,
            Err(seconds) => return Ok(SignIn::Wait(seconds)),
        };
        let hash = stored.as_ref().map(|stored| stored.password.as_str());
        let Ok(right) = self.hasher.verify(password, hash).await else {
            self.leave(lanes, false).await?;
            return Ok(SignIn::Busy);
        };
        let now = self.now();
        let open = stored.filter(|stored| {
            // A loss may be reported whatever else is stopped.
            let may = stored.contract.service == Service::Open
                || (stored.contract.service == Service::EmergencyStopped
                    && wizard == Some(Wizard::Loss));
            right && may && !stored.contract.password_expired(now)
        });
        let Some(stored) = open else {
            self.note_wrong(id, lanes, &caller).await?;
            return Ok(SignIn::Wrong);
        };
        self.leave(lanes, true).await?;
        self.renew_hash(&stored, password).await?;
        let due = stored.contract.password_change_due;
        let stage = match wizard {
            // A loss is reported whatever else is due; anything else begins with a password of the customer's own.
            Some(wizard) if !due || wizard == Wizard::Loss => Stage::Wizard(wizard),
            _ if due => Stage::AwaitingNewPassword,
            _ => Stage::AwaitingCode,
        };
        let (secret, visitor) = self.begin(stored.contract.id, stage, &caller).await?;
        if stage != Stage::AwaitingCode {
            return Ok(SignIn::Begun(secret, stage));
        }
        self.past_password(secret, visitor, &caller).await
    }

    /// What follows a right password: the page for the code, or the bank itself where login asks for none (B4).
    pub(super) async fn past_password(
        &self,
        secret: SessionSecret,
        visitor: Visitor,
        caller: &Caller,
    ) -> Result<SignIn, BankError> {
        let Ok(shown) = self
            .show(&visitor, OrderKind::Login, Some(Order::Login))
            .await?
        else {
            return Ok(SignIn::Wrong);
        };
        if shown.token.is_some() {
            return Ok(SignIn::Begun(secret, Stage::AwaitingCode));
        }
        match self
            .confirm_sign_in(&visitor, &secret, shown.key, None, caller.browser)
            .await?
        {
            (Confirmed::Done(..), Some(full)) => Ok(SignIn::Begun(full, Stage::Full)),
            _ => Ok(SignIn::Wrong),
        }
    }

    /// The login's operation for the page that asks for the code. Shown anew when the page is loaded again.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn show_sign_in(&self, visitor: &Visitor) -> Result<Option<Uid>, BankError> {
        let shown = self
            .show(visitor, OrderKind::Login, Some(Order::Login))
            .await?;
        Ok(shown.ok().map(|shown| shown.key))
    }

    /// Confirms a login with its code. The full session's secret is made of the half one's and of random bytes that only
    /// the bank has: the same form sent twice gives the same session, and who knew the half one's secret does not know it.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn confirm_sign_in(
        &self,
        visitor: &Visitor,
        half: &SessionSecret,
        key: Uid,
        code: Option<Zeroizing<String>>,
        browser: BrowserKey,
    ) -> Result<(Confirmed, Option<SessionSecret>), BankError> {
        let Some(operation) = self.shown(visitor, key).await? else {
            return Ok((Confirmed::Gone, None));
        };
        // Sent again after it was settled: the same code gets the same session, another code none.
        if matches!(operation.state, State::Done(_))
            && let Some(code) = &code
            && !self.is_its_code(&operation, visitor, code).await?
        {
            return Ok((Confirmed::Gone, None));
        }
        let full = half.followed_by(&operation.secret);
        let given = Given {
            code,
            sign_in: Some(session::New {
                key: full.key(),
                contract: visitor.session.contract,
                stage: Stage::Full,
                address: visitor.address.clone(),
                agent: visitor.session.agent.clone(),
            }),
            browser: Some(browser),
            ..Given::default()
        };
        let confirmed = self.confirm(visitor, OrderKind::Login, key, given).await?;
        if let Confirmed::Code(_) = confirmed {
            let caller = Caller {
                address: visitor.address.clone(),
                agent: visitor.session.agent.clone(),
                browser,
            };
            self.note(
                visitor.session.contract,
                sign_in::Outcome::WrongCode,
                &caller,
            )
            .await?;
        }
        let done = matches!(confirmed, Confirmed::Done(..));
        Ok((confirmed, done.then_some(full)))
    }

    /// Whether this is the code that a settled login was confirmed with: the token service gives its answer again (S7).
    async fn is_its_code(
        &self,
        operation: &operation::Stored,
        visitor: &Visitor,
        code: &str,
    ) -> Result<bool, BankError> {
        let id = visitor.session.contract;
        let stored = self.database.read(move |tx| contract::find(tx, id)).await?;
        let token = stored.and_then(|stored| stored.contract.token_in_use().cloned());
        let (Some(token), Some(code)) = (token, six_digits(code)) else {
            return Ok(false);
        };
        let digest = Order::Login.digest();
        let request = rule::request_id(operation.key, &digest, operation.attempt);
        let word = OrderKind::Login.word();
        let verdict = self
            .verifier
            .validate(&token, &code, word, &request)
            .await?;
        Ok(verdict == Verdict::Answer(ValidateAnswer::Accepted))
    }

    /// The half session of a login form that is sent again: ended a moment ago, by the first copy of the form.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn just_passed(
        &self,
        secret: &SessionSecret,
        address: &str,
    ) -> Result<Option<Visitor>, BankError> {
        let (key, now) = (secret.key(), self.now());
        let found = self.database.read(move |tx| session::find(tx, key)).await?;
        let passed = found.filter(|session| {
            session.stage == Stage::AwaitingCode
                && session.ending == Some(Ending::LoggedOut)
                && expired(session.created_at, session.seen_at, now).is_none()
        });
        Ok(passed.map(|session| Visitor {
            session,
            address: address.to_owned(),
        }))
    }

    /// The session of a cookie, with its use noted.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn visitor(
        &self,
        secret: &SessionSecret,
        address: &str,
    ) -> Result<Result<Visitor, NoSession>, BankError> {
        let (key, now) = (secret.key(), self.now());
        let found = self.database.read(move |tx| session::find(tx, key)).await?;
        let Some(session) = found else {
            return Ok(Err(NoSession::None));
        };
        if let Some(ending) = session.ending {
            return Ok(Err(NoSession::Ended(ending)));
        }
        if let Some(expired) = expired(session.created_at, session.seen_at, now) {
            return Ok(Err(NoSession::Expired(expired)));
        }
        if now.duration_since(session.seen_at).as_secs() >= NOTED_EVERY {
            let noted = self.database.write(move |tx| session::seen(tx, key, now));
            // Whoever only reads is answered though nothing can be written; his session ends the sooner.
            if let Err(error) = noted.await {
                tracing::warn!(%error, "the use of a session could not be noted");
            }
        }
        Ok(Ok(Visitor {
            session,
            address: address.to_owned(),
        }))
    }

    /// ログアウト
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn sign_out(&self, visitor: &Visitor) -> Result<(), BankError> {
        let (id, key, now) = (visitor.session.contract, visitor.key(), self.now());
        self.database
            .write(move |tx| session::end(tx, id, key, Ending::LoggedOut, now))
            .await?;
        Ok(())
    }

    pub(super) async fn begin(
        &self,
        id: ContractId,
        stage: Stage,
        caller: &Caller,
    ) -> Result<(SessionSecret, Visitor), BankError> {
        let secret = SessionSecret::from_random(random(&*self.entropy));
        let now = self.now();
        let new = session::New {
            key: secret.key(),
            contract: id,
            stage,
            address: caller.address.clone(),
            agent: caller.agent.clone(),
        };
        let begun = self.database.write(move |tx| {
            session::begin(tx, &new, now)?;
            session::find(tx, new.key)
        });
        let session = begun.await?.ok_or(DatabaseError::Gone)?;
        Ok((
            secret,
            Visitor {
                session,
                address: caller.address.clone(),
            },
        ))
    }

    /// Counts the try in its lanes; the contract if it exists, or the seconds to wait.
    async fn enter(
        &self,
        id: Option<ContractId>,
        lane_id: &str,
        caller: &Caller,
    ) -> Result<Result<Entered, i64>, BankError> {
        let (now, lane_id, caller) = (self.now(), lane_id.to_owned(), caller.clone());
        let entered = self.database.write(move |tx| {
            let acquaintance = match id {
                Some(id) if known_browser::knows(tx, id, &caller.browser, now)? => {
                    Acquaintance::Browser
                }
                Some(id) if sign_in::knows_address(tx, id, &caller.address)? => {
                    Acquaintance::Address
                }
                _ => Acquaintance::None,
            };
            let lanes = lanes(&lane_id, &caller, acquaintance);
            if let Some(seconds) = sign_in_lane::enter(tx, &lanes, now)? {
                return Ok(Err(seconds));
            }
            let stored = match id {
                Some(id) => contract::find(tx, id)?,
                None => None,
            };
            Ok(Ok(Entered { lanes, stored }))
        });
        Ok(entered.await?)
    }

    /// Takes the try back: it was right, or was not looked at.
    pub(super) async fn leave(
        &self,
        lanes: Vec<sign_in_lane::Named>,
        right: bool,
    ) -> Result<(), BankError> {
        let left = self
            .database
            .write(move |tx| sign_in_lane::leave(tx, &lanes, right));
        Ok(left.await?)
    }

    /// Keeps a wrong try in the history of its contract. An ID that is nobody's costs a write as well, so that nobody
    /// learns from the time which ID exists (B17).
    async fn note_wrong(
        &self,
        id: Option<ContractId>,
        lanes: Vec<sign_in_lane::Named>,
        caller: &Caller,
    ) -> Result<(), BankError> {
        let (row, now, caller) = (self.uid(), self.now(), caller.clone());
        let noted = self.database.write(move |tx| {
            if let Some((_, name)) = lanes.first() {
                sign_in_lane::touch(tx, name, now)?;
            }
            let Some(id) = id else { return Ok(()) };
            if contract::find(tx, id)?.is_none() {
                return Ok(());
            }
            let outcome = sign_in::Outcome::WrongPassword;
            sign_in::insert(tx, row, id, outcome, &caller.address, &caller.agent, now)
        });
        Ok(noted.await?)
    }

    async fn note(
        &self,
        id: ContractId,
        outcome: sign_in::Outcome,
        caller: &Caller,
    ) -> Result<(), BankError> {
        let (row, now, caller) = (self.uid(), self.now(), caller.clone());
        let noted = self.database.write(move |tx| {
            if contract::find(tx, id)?.is_none() {
                return Ok(());
            }
            sign_in::insert(tx, row, id, outcome, &caller.address, &caller.agent, now)
        });
        Ok(noted.await?)
    }
}

/// What the bank knows of who stands at the door, before his password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acquaintance {
    /// The customer has signed in in this browser.
    Browser,
    /// The customer has signed in from this address.
    Address,
    None,
}

/// The lanes of a try, in the order in which their rows are locked.
fn lanes(id: &str, caller: &Caller, acquaintance: Acquaintance) -> Vec<sign_in_lane::Named> {
    if acquaintance == Acquaintance::Browser {
        let browser = data_encoding::HEXLOWER.encode(caller.browser.as_bytes());
        let name = sign_in_lane::name(Lane::Browser, id, &browser);
        return vec![(Lane::Browser, name)];
    }
    let mut lanes = vec![
        (
            Lane::Address,
            sign_in_lane::name(Lane::Address, "", &caller.address),
        ),
        (
            Lane::Pair,
            sign_in_lane::name(Lane::Pair, id, &caller.address),
        ),
    ];
    if acquaintance == Acquaintance::None {
        lanes.push((Lane::Strangers, sign_in_lane::name(Lane::Strangers, id, "")));
    }
    lanes
}

impl Bank {
    /// Ends a session of the same contract (セッション一覧, B13); `false` when it has ended.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn end_session(&self, visitor: &Visitor, key: SessionKey) -> Result<bool, BankError> {
        let (id, now) = (visitor.session.contract, self.now());
        let ended = self
            .database
            .write(move |tx| session::end(tx, id, key, Ending::EndedByCustomer, now));
        Ok(ended.await?)
    }
}
