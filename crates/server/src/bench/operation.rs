//! What one customer, or a relying party, does: page by page as a browser does it, without a pause.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use warifu_bank::jst;

use super::BenchError;
use super::afterwards::Journal;
use super::browser::hidden;
use super::client::{Answer, Asking, Client, NoAnswer, Sent};
use super::customers::{Customer, Customers, Token, Tokens, now};
use super::prepare::{BRANCH, KANA, account_id, contract_id};
use super::record::{Outcome, Trouble};
use super::schedule::Kind;
use super::secrets::BenchSecrets;
use super::steps::Given;
use crate::ambient::{Clock as _, SystemClock};
use crate::bank_directory::directory;

/// What a code is checked for.
pub const PURPOSE: &str = "bench";

/// The installation under load.
#[derive(Debug)]
pub struct Site {
    bank: Client,
    tokens: Client,
    secrets: BenchSecrets,
    /// An existing branch of another bank: every second transfer goes there.
    elsewhere: (&'static str, &'static str),
    /// When this run began, milliseconds since 1970: its name in the keys of its requests.
    run: u64,
    asked: AtomicU64,
    patience: Duration,
    /// The customers.
    pub customers: Customers,
    /// The tokens of the relying party's validations.
    pub codes: Tokens,
    /// What was acknowledged.
    pub journal: Journal,
}

/// Where the installation is and how it is used.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    /// `http://HOST:PORT` of the customers' pages.
    pub bank: &'a str,
    /// `http://HOST:PORT` of the token service.
    pub tokens: &'a str,
    /// Connections to each of both at most.
    pub connections: usize,
    /// Customers who take part.
    pub customers: u32,
    /// How long an operation may take until it is given up.
    pub patience: Duration,
}

type Step<T> = Result<T, Outcome>;

impl From<NoAnswer> for Outcome {
    fn from(none: NoAnswer) -> Self {
        Self::Failed(match none {
            NoAnswer::Connect => Trouble::Connection,
            NoAnswer::Broken => Trouble::Broken,
        })
    }
}

/// What an answer is that is not the one that follows.
fn other(answer: &Answer) -> Outcome {
    match answer.status {
        StatusCode::SERVICE_UNAVAILABLE if answer.headers.contains_key(header::RETRY_AFTER) => {
            Outcome::TurnedAway
        }
        StatusCode::TOO_MANY_REQUESTS => Outcome::Failed(Trouble::Throttled),
        status if status.is_server_error() => Outcome::Failed(Trouble::Fault),
        StatusCode::SEE_OTHER if answer.header(header::LOCATION).starts_with("/?ended") => {
            Outcome::Failed(Trouble::SessionEnded)
        }
        _ => Outcome::Failed(Trouble::Unexpected),
    }
}

fn page(answer: Answer) -> Step<Answer> {
    if answer.status == StatusCode::OK {
        Ok(answer)
    } else {
        Err(other(&answer))
    }
}

/// Where a form leads on to.
fn onward<'a>(answer: &'a Answer, to: &str) -> Step<&'a str> {
    let location = answer.header(header::LOCATION);
    if answer.status == StatusCode::SEE_OTHER && location.starts_with(to) {
        Ok(location)
    } else if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        Err(Outcome::Failed(Trouble::Refused))
    } else {
        Err(other(answer))
    }
}

impl Site {
    /// An installation that `bench prepare` filled.
    ///
    /// # Errors
    /// When an address is none.
    pub fn new(
        secrets: BenchSecrets,
        given: &BTreeMap<u32, Given>,
        reach: &Reach<'_>,
    ) -> Result<Self, BenchError> {
        let elsewhere = directory()
            .branch("0001", "001")
            .map_or(("", ""), |_| ("0001", "001"));
        let contracts = secrets.contracts;
        Ok(Self {
            bank: Client::new(reach.bank, reach.connections)?,
            tokens: Client::new(reach.tokens, reach.connections)?,
            elsewhere,
            run: SystemClock.now().as_millisecond().unsigned_abs(),
            asked: AtomicU64::new(0),
            patience: reach.patience,
            customers: Customers::new(reach.customers.min(contracts), given),
            codes: Tokens::new(contracts..secrets.credentials, given),
            journal: Journal::default(),
            secrets,
        })
    }

    /// Does it, and tells when its requests went out.
    pub async fn perform(&self, kind: Kind) -> (Outcome, Sent) {
        let mut sent = Sent::default();
        let outcome = match kind {
            Kind::Validation => self.check_code(&mut sent).await,
            Kind::Login | Kind::Transfer | Kind::Statement => {
                let Some(mut customer) = self.customers.take(kind, now()) else {
                    return (Outcome::Failed(Trouble::NobodyFree), sent);
                };
                let done = self.as_customer(kind, &mut customer, &mut sent).await;
                self.customers.put(customer);
                done
            }
        };
        (outcome, sent)
    }

    /// The same for one customer.
    pub async fn as_customer(
        &self,
        kind: Kind,
        customer: &mut Customer,
        sent: &mut Sent,
    ) -> Outcome {
        let done = async {
            match kind {
                Kind::Login => self.login(customer, sent).await,
                Kind::Transfer => self.transfer(customer, sent).await,
                Kind::Statement | Kind::Validation => self.statement(customer, sent).await,
            }
        };
        let outcome = match tokio::time::timeout(self.patience, done).await {
            Ok(Ok(())) => Outcome::Done,
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Failed(Trouble::Timeout),
        };
        if outcome == Outcome::Failed(Trouble::SessionEnded) {
            customer.signed_in = false;
        }
        outcome
    }

    async fn login(&self, customer: &mut Customer, sent: &mut Sent) -> Step<()> {
        let (bank, number) = (&self.bank, customer.token.number);
        let id = contract_id(number).ok_or(Outcome::Failed(Trouble::NobodyFree))?;
        customer.signed_in = false;
        let browser = &mut customer.browser;
        browser.close();
        page(browser.get(bank, "/", sent).await?)?;
        let fields = [
            ("id", &*id.to_string()),
            ("password", self.secrets.password.as_str()),
        ];
        onward(
            &browser.post(bank, "/login", &fields, sent).await?,
            "/login/code",
        )?;
        let form = page(browser.get(bank, "/login/code", sent).await?)?;
        let key = hidden(form.text(), "key").ok_or(Outcome::Failed(Trouble::Unexpected))?;
        let shown = self.show(&customer.token)?;
        let fields = [("key", key), ("code", &*shown.code.to_string())];
        // Until the answer is there, nobody knows whether the code was spent.
        customer.token.gave(&shown, false);
        let answer = browser.post(bank, "/login/code", &fields, sent).await?;
        onward(&answer, "/top")?;
        customer.token.gave(&shown, true);
        customer.signed_in = true;
        page(browser.get(bank, "/top", sent).await?).map(drop)
    }

    async fn transfer(&self, customer: &mut Customer, sent: &mut Sent) -> Step<()> {
        let (bank, number) = (&self.bank, customer.token.number);
        let browser = &mut customer.browser;
        page(browser.get(bank, "/transfer", sent).await?)?;
        let fields = self.order(number);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let answer = browser.post(bank, "/transfer", &fields, sent).await?;
        let confirm = onward(&answer, "/confirm/")?;
        page(browser.get(bank, confirm, sent).await?)?;
        let shown = self.show(&customer.token)?;
        customer.token.gave(&shown, false);
        let mut kept = self.journal.transfer(number, confirm);
        let fields = [("code", &*shown.code.to_string())];
        let answer = browser.post(bank, confirm, &fields, sent).await?;
        let result = onward(&answer, "/result/").inspect_err(|outcome| {
            if *outcome == Outcome::Failed(Trouble::Refused) {
                kept.refused();
            }
        })?;
        kept.acknowledged();
        customer.token.gave(&shown, true);
        page(browser.get(bank, result, sent).await?).map(drop)
    }

    /// One yen to the next customer, or to another bank.
    fn order(&self, number: u32) -> Vec<(&'static str, String)> {
        let own = |number| account_id(number).map(|account| account.to_stored().to_string());
        let (elsewhere, branch) = self.elsewhere;
        let next = (number + 1) % self.secrets.contracts.max(1);
        let inside =
            elsewhere.is_empty() || self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let (bank, branch, receiver) = if inside {
            (
                self.secrets.bank.clone(),
                format!("{BRANCH:03}"),
                1_000_000 + next,
            )
        } else {
            (elsewhere.to_owned(), branch.to_owned(), 1_234_567)
        };
        vec![
            ("from", own(number).unwrap_or_default()),
            ("bank", bank),
            ("branch", branch),
            ("kind", "1".into()),
            ("number", receiver.to_string()),
            ("name", KANA.into()),
            ("amount", "1".into()),
            ("date", jst::day(SystemClock.now()).to_string()),
        ]
    }

    async fn statement(&self, customer: &mut Customer, sent: &mut Sent) -> Step<()> {
        let account = account_id(customer.token.number)
            .ok_or(Outcome::Failed(Trouble::NobodyFree))?
            .to_stored();
        let path = format!("/accounts/{account}");
        page(customer.browser.get(&self.bank, &path, sent).await?).map(drop)
    }

    fn show(&self, token: &Token) -> Step<super::customers::Shown> {
        token
            .show(&self.secrets.seed, now())
            .ok_or(Outcome::Failed(Trouble::NobodyFree))
    }

    async fn check_code(&self, sent: &mut Sent) -> Outcome {
        let Some(mut token) = self.codes.take(now()) else {
            return Outcome::Failed(Trouble::NobodyFree);
        };
        let outcome = match self.show(&token) {
            Err(none) => none,
            Ok(shown) => {
                let number = self.asked.fetch_add(1, Ordering::Relaxed);
                let code = shown.code.to_string();
                let mut kept = self.journal.validation(token.number, number, &code);
                let asked = self.validate(token.number, number, &code, sent);
                let outcome = match tokio::time::timeout(self.patience, asked).await {
                    Ok(outcome) => outcome,
                    Err(_) => Outcome::Failed(Trouble::Timeout),
                };
                match outcome {
                    Outcome::Done => kept.acknowledged(),
                    Outcome::Failed(Trouble::Refused) => kept.refused(),
                    _ => {}
                }
                token.gave(&shown, outcome == Outcome::Done);
                outcome
            }
        };
        self.codes.put(token);
        outcome
    }

    /// The key of a request of this run: a UUID of version 7, a millisecond after the one before it.
    fn key(&self, number: u64) -> String {
        format!("{:012x}70008000{number:012x}", self.run + number)
    }

    /// Has a code checked under the key of this number: the same again gets the same answer (S7).
    pub async fn validate(&self, token: u32, number: u64, code: &str, sent: &mut Sent) -> Outcome {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", *self.secrets.api_key);
        for (name, value) in [
            ("authorization", bearer),
            ("idempotency-key", self.key(number)),
            ("content-type", "application/json".to_owned()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        let id = Token::new(token).id();
        let asking = Asking {
            method: Method::POST,
            path: &format!("/v1/credentials/{id}/validate"),
            headers,
            body: Bytes::from(format!("{{\"code\":\"{code}\",\"purpose\":\"{PURPOSE}\"}}")),
        };
        match self.tokens.ask(asking, sent).await {
            Err(none) => none.into(),
            Ok(answer) if answer.status != StatusCode::OK => other(&answer),
            Ok(answer) if answer.text() == "{\"result\":\"accepted\"}" => Outcome::Done,
            Ok(_) => Outcome::Failed(Trouble::Refused),
        }
    }

    /// Whether the receipt of a transfer is there, as its customer sees it.
    pub async fn receipt(&self, customer: &mut Customer, key: &str) -> Outcome {
        let path = format!("/result/{key}");
        let mut sent = Sent::default();
        let asked = customer.browser.get(&self.bank, &path, &mut sent);
        match tokio::time::timeout(self.patience, asked).await {
            Ok(Ok(answer)) => match answer.status {
                StatusCode::OK => Outcome::Done,
                StatusCode::NOT_FOUND => Outcome::Failed(Trouble::Refused),
                _ => other(&answer),
            },
            Ok(Err(none)) => none.into(),
            Err(_) => Outcome::Failed(Trouble::Timeout),
        }
    }
}
