//! Staff sign in with name, password and always a code (rule F1). Who has no token yet registers one with his first code.

use warifu_bank::operation::TRIES;
use warifu_bank::otp_policy::{CodeRefusal, OtpVerifier as _, Verdict, refusal_of};
use warifu_bank::session::{SessionKey, SessionSecret, expired};
use warifu_bank::sign_in::Lane;
use warifu_bank::token_id::TokenId;
use warifu_wire::ValidateAnswer;

use super::Member;
use crate::ambient::random;
use crate::bank::operation::six_digits;
use crate::bank::{Bank, BankError, Caller};
use crate::bank_store::{sign_in_lane, staff};

/// What a name and a password came to.
#[derive(Debug)]
pub enum StaffSignIn {
    /// Not known, not right, or no longer here: one answer.
    Wrong,
    /// Too many tries: the next one in so many seconds.
    Wait(i64),
    /// Too many at once.
    Busy,
    /// On to the code.
    Begun(SessionSecret),
}

/// What a code came to.
#[derive(Debug)]
pub enum StaffCode {
    /// Signed in.
    Done(SessionSecret),
    /// Not taken.
    Code(CodeRefusal),
    /// No token, and none may be registered: the enrolment has run out.
    NoToken,
    /// The token is another member's.
    TokenTaken,
    /// No such session, or too many wrong codes: begin anew.
    Gone,
}

impl Bank {
    /// Signs a member in with name and password.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn staff_sign_in(
        &self,
        name: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<StaffSignIn, BankError> {
        let now = self.now();
        let address = &caller.address;
        let pair = sign_in_lane::name(Lane::Pair, &format!("staff {name}"), address);
        let all = sign_in_lane::name(Lane::Address, "staff", address);
        let lanes = [(Lane::Address, all), (Lane::Pair, pair)];
        let typed = name.to_owned();
        let entered = self.database.write(move |tx| {
            if let Some(seconds) = sign_in_lane::enter(tx, &lanes, now)? {
                return Ok(Err(seconds));
            }
            staff::find(tx, &typed).map(Ok)
        });
        let found = match entered.await? {
            Ok(found) => found,
            Err(seconds) => return Ok(StaffSignIn::Wait(seconds)),
        };
        let hash = found.as_ref().map(|found| found.password.as_str());
        let Ok(right) = self.hasher.verify(password, hash).await else {
            self.database
                .write(move |tx| sign_in_lane::leave(tx, &lanes, false))
                .await?;
            return Ok(StaffSignIn::Busy);
        };
        let Some(member) = found.filter(|found| right && found.active) else {
            return Ok(StaffSignIn::Wrong);
        };
        let secret = SessionSecret::from_random(random(&*self.entropy));
        let (key, own) = (secret.key(), random::<32>(&*self.entropy));
        let address = caller.address.clone();
        let begun = self.database.write(move |tx| {
            sign_in_lane::leave(tx, &lanes, true)?;
            staff::begin_session(tx, key, &member.name, false, &address, own.as_slice(), now)
        });
        begun.await?;
        Ok(StaffSignIn::Begun(secret))
    }

    /// Whether the member of a half session has to register a token first.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn staff_needs_token(&self, half: &SessionSecret) -> Result<Option<bool>, BankError> {
        let key = half.key();
        let now = self.now();
        let found = self.database.read(move |tx| {
            let session = staff::find_session(tx, key)?
                .filter(|it| !it.full && expired(it.created_at, it.seen_at, now).is_none());
            match session {
                Some(session) => staff::find(tx, &session.staff),
                None => Ok(None),
            }
        });
        Ok(found.await?.map(|member| member.token.is_none()))
    }

    /// The code of a member's token; where he has none, of the token that he registers with it.
    ///
    /// # Errors
    /// [`BankError`]: the same form sent again settles it.
    pub async fn staff_code(
        &self,
        half: &SessionSecret,
        typed_token: Option<TokenId>,
        typed_code: &str,
        caller: &Caller,
    ) -> Result<StaffCode, BankError> {
        let (key, now) = (half.key(), self.now());
        let found = self.database.read(move |tx| {
            let session = staff::find_session(tx, key)?
                .filter(|it| !it.full && expired(it.created_at, it.seen_at, now).is_none());
            let Some(session) = session else {
                return Ok(None);
            };
            let member = staff::find(tx, &session.staff)?;
            Ok(member.map(|member| (session, member)))
        });
        let Some((session, member)) = found.await?.filter(|(session, _)| session.attempt < TRIES)
        else {
            return Ok(StaffCode::Gone);
        };
        let Some(code) = six_digits(typed_code) else {
            return Ok(StaffCode::Code(CodeRefusal::NotACode));
        };
        let enrols = member.token.is_none();
        let Some(token) = member.token.clone().or(typed_token) else {
            return Ok(StaffCode::NoToken);
        };
        match self.spend_staff_code(&session, key, &token, &code).await? {
            Some(None) => {}
            Some(Some(refusal)) => return Ok(StaffCode::Code(refusal)),
            None => return Ok(StaffCode::Gone),
        }
        let full = half.followed_by(&session.secret);
        let entrance = Entrance {
            half: key,
            full: full.key(),
            name: member.name,
            enrols: enrols.then_some(token),
            address: caller.address.clone(),
        };
        Ok(match self.let_in(entrance).await? {
            StaffCodeEnd::Done => StaffCode::Done(full),
            StaffCodeEnd::NoToken => StaffCode::NoToken,
            StaffCodeEnd::Taken => StaffCode::TokenTaken,
            StaffCodeEnd::Gone => StaffCode::Gone,
        })
    }

    /// Spends a code on a half session: taken, or why not; none when the session has no attempt left. Bound to the
    /// session and the attempt: sent again, the same answer.
    async fn spend_staff_code(
        &self,
        session: &staff::Session,
        key: SessionKey,
        token: &TokenId,
        code: &str,
    ) -> Result<Option<Option<CodeRefusal>>, BankError> {
        let place = data_encoding::HEXLOWER.encode(key.0.get(..16).unwrap_or_default());
        for attempt in session.attempt..TRIES {
            let request = format!("staff-{place}-{attempt}");
            let verdict = self
                .verifier
                .validate(token, code, "staff-login", &request)
                .await?;
            let refusal = match verdict {
                Verdict::Answer(answer) => refusal_of(answer, self.now().as_second()),
                Verdict::UnknownToken => Some(CodeRefusal::Unknown),
                // This attempt was made with another code, and nobody heard what became of it.
                Verdict::RequestReused => None,
            };
            if verdict == Verdict::Answer(ValidateAnswer::Accepted) {
                return Ok(Some(None));
            }
            self.database
                .write(move |tx| staff::next_attempt(tx, key, attempt))
                .await?;
            if refusal.is_some() {
                return Ok(Some(refusal));
            }
        }
        Ok(None)
    }

    /// From the half session to the full one, with the token tied to its member where he registers it.
    async fn let_in(&self, entrance: Entrance) -> Result<StaffCodeEnd, BankError> {
        let (now, own) = (self.now(), random::<32>(&*self.entropy));
        let done = self.database.write(move |tx| {
            if let Some(token) = &entrance.enrols {
                match staff::enrol(tx, &entrance.name, token, now) {
                    Ok(true) => {}
                    Ok(false) => return Ok(StaffCodeEnd::NoToken),
                    Err(error) if error.unique_violation() => return Ok(StaffCodeEnd::Taken),
                    Err(error) => return Err(error),
                }
            }
            if !staff::end_session(tx, entrance.half, now)? {
                return Ok(StaffCodeEnd::Gone);
            }
            let (full, own) = (entrance.full, own.as_slice());
            staff::begin_session(tx, full, &entrance.name, true, &entrance.address, own, now)?;
            Ok(StaffCodeEnd::Done)
        });
        Ok(done.await?)
    }

    /// The member of a full session.
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn member(
        &self,
        secret: &SessionSecret,
        address: &str,
    ) -> Result<Option<Member>, BankError> {
        let (key, now, address) = (secret.key(), self.now(), address.to_owned());
        let found = self.database.write(move |tx| {
            let session = staff::find_session(tx, key)?
                .filter(|it| it.full && expired(it.created_at, it.seen_at, now).is_none());
            let Some(session) = session else {
                return Ok(None);
            };
            staff::seen(tx, key, now)?;
            let member = staff::find(tx, &session.staff)?.filter(|member| member.active);
            Ok(member.map(|member| Member {
                name: member.name,
                display_name: member.display_name,
                role: member.role,
                session: key,
                address,
            }))
        });
        Ok(found.await?)
    }

    /// ログアウト
    ///
    /// # Errors
    /// [`BankError`].
    pub async fn staff_sign_out(&self, member: &Member) -> Result<(), BankError> {
        let (key, now) = (member.session, self.now());
        self.database
            .write(move |tx| staff::end_session(tx, key, now))
            .await?;
        Ok(())
    }
}

/// Who is let in.
struct Entrance {
    half: SessionKey,
    full: SessionKey,
    name: String,
    enrols: Option<TokenId>,
    address: String,
}

/// What the last transaction of a sign-in came to.
enum StaffCodeEnd {
    Done,
    NoToken,
    Taken,
    Gone,
}
