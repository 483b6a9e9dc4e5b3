//! Customers of the bank: each signs in, orders a transfer on the bank's pages, and confirms it with a new code of his token
//! until there is a receipt, or the page says that it is not done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::browser::{Addresses, Browser, Http, Reply, after};
use super::record::{Kind, Paper, Record, Transfer};
use super::sample::{Sample, Token, now};

/// How long one outcome is asked for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// From one transfer to the next: with so many customers that each has a new code whenever it is his turn again.
pub(super) const PACE: Duration = Duration::from_millis(1_300);
/// So many customers.
pub(super) const CUSTOMERS: u32 = 24;

/// The account numbers of sample contracts begin here, in this branch.
const FIRST_ACCOUNT: u32 = 1_000_000;
const BRANCH: &str = "101";
/// What a payee of ours is called.
const NAME: &str = "ﾐﾎﾝ ｹｲﾔｸ";

/// A customer and his browser.
struct Customer {
    token: Token,
    browser: Browser,
}

/// Some customers, one of whom does something at a time.
pub(super) struct Teller<'a> {
    number: usize,
    copies: &'a [Addresses],
    sample: &'a Sample,
    record: &'a Record,
    customers: Vec<Customer>,
    paper: Paper,
    http: Http,
    turn: usize,
}

/// What a confirmation came to.
enum Confirmed {
    Done,
    NotDone,
    Unknown,
    Wrong(String),
}

impl<'a> Teller<'a> {
    /// With customers who have not signed in yet.
    pub(super) fn new(
        number: usize,
        (copies, sample, record): (&'a [Addresses], &'a Sample, &'a Record),
        tokens: Vec<Token>,
        paper: Paper,
    ) -> Self {
        let customers = tokens.into_iter().map(|token| Customer {
            token,
            browser: Browser::default(),
        });
        Self {
            number,
            copies,
            sample,
            record,
            customers: customers.collect(),
            paper,
            http: Http::new(),
            turn: 0,
        }
    }

    fn copy(&self, attempt: usize) -> Result<&'a Addresses> {
        let number = (self.number + attempt) % self.copies.len();
        self.copies.get(number).context("no copies")
    }

    /// Every customer signs in, with a code.
    pub(super) fn sign_in(&mut self) -> Result<()> {
        let copy = self.copy(0)?;
        for customer in &mut self.customers {
            let number = customer.token.number;
            let mut tries = 0;
            while let Err(error) = customer.sign_in(&self.http, copy, &self.sample.password) {
                tries += 1;
                if tries == 5 {
                    return Err(error.context(format!("contract {number} cannot sign in")));
                }
                std::thread::sleep(PAUSE);
            }
        }
        Ok(())
    }

    /// The next customer orders and confirms a transfer, if his token shows a code that nobody has seen.
    pub(super) fn next(&mut self) -> Result<()> {
        self.turn += 1;
        let place = self.turn % self.customers.len();
        let step = now()?;
        let fresh = |customer: &Customer| customer.token.is_fresh(step);
        if !self.customers.get(place).is_some_and(fresh) {
            return Ok(());
        }
        let Some(key) = self.order(place)? else {
            return Ok(());
        };
        let customer = self.customers.get_mut(place).context("no customer")?;
        let Some(code) = customer.token.show(now()?)? else {
            return Ok(());
        };
        self.paper
            .write(&format!("{key} {} {code}", customer.token.id))?;
        let begun = Instant::now();
        let mut receipt = None;
        for attempt in 0.. {
            match self.confirm(place, attempt, &key, &code)? {
                Confirmed::Done => {
                    self.record.acknowledged(Kind::Transfer);
                    receipt = self.receipt(place, &key)?;
                    break;
                }
                Confirmed::NotDone => {
                    receipt = self.receipt(place, &key)?;
                    break;
                }
                Confirmed::Wrong(what) => {
                    self.record.fault(format!("transfer {key}: {what}"));
                    break;
                }
                Confirmed::Unknown if begun.elapsed() > PATIENCE => {
                    self.record.fault(format!("transfer {key}: no answer"));
                    break;
                }
                Confirmed::Unknown => {
                    self.record.settled().unknown += usize::from(attempt == 0);
                    std::thread::sleep(PAUSE);
                }
            }
        }
        let whose = (self.number, place);
        let one = Transfer {
            whose,
            key,
            receipt,
        };
        self.record.settled().transfers.push(one);
        Ok(())
    }

    /// Orders a transfer of one yen to the next contract; the key of its confirm page. None: nobody knows, and nothing is
    /// lost by beginning anew.
    fn order(&mut self, place: usize) -> Result<Option<String>> {
        let copy = self.copy(self.turn / self.customers.len())?;
        let customer = self.customers.get_mut(place).context("no customer")?;
        let Some(page) = customer.browser.get(&self.http, copy, "/transfer") else {
            return Ok(None);
        };
        let number = customer.token.number;
        let (Some(from), Some(date)) = (
            after(&page.text, &["name=\"from\"", "value=\""]),
            after(&page.text, &["name=\"date\"", "value=\""]),
        ) else {
            let what = format!(
                "contract {number}: no form of a transfer: {}",
                outline(&page)
            );
            self.record.fault(what);
            return Ok(None);
        };
        let to = FIRST_ACCOUNT + (number + 1) % self.sample.contracts;
        let fields = [
            ("from", from),
            ("bank", &self.sample.bank),
            ("branch", BRANCH),
            ("kind", "1"),
            ("number", &to.to_string()),
            ("name", NAME),
            ("amount", "1"),
            ("date", date),
        ];
        let Some(reply) = customer
            .browser
            .post(&self.http, copy, "/transfer", &fields)
        else {
            return Ok(None);
        };
        match reply.location.strip_prefix("/confirm/") {
            Some(key) if reply.status == 303 => Ok(Some(key.to_owned())),
            _ => {
                let what = format!("contract {number}: no confirm page: {}", outline(&reply));
                self.record.fault(what);
                Ok(None)
            }
        }
    }

    fn confirm(
        &mut self,
        place: usize,
        attempt: usize,
        key: &str,
        code: &str,
    ) -> Result<Confirmed> {
        let copy = self.copy(attempt)?;
        let customer = self.customers.get_mut(place).context("no customer")?;
        let path = format!("/confirm/{key}");
        let reply = customer
            .browser
            .post(&self.http, copy, &path, &[("code", code)]);
        Ok(match reply {
            None => Confirmed::Unknown,
            Some(reply) if reply.status == 303 && reply.location == format!("/result/{key}") => {
                Confirmed::Done
            }
            Some(reply) if reply.status == 422 => Confirmed::NotDone,
            Some(reply) => Confirmed::Wrong(outline(&reply)),
        })
    }

    /// 受付番号 of a result page; none: the page says that it is not done.
    fn receipt(&mut self, place: usize, key: &str) -> Result<Option<String>> {
        let begun = Instant::now();
        for attempt in 0.. {
            let copy = self.copy(attempt)?;
            let customer = self.customers.get_mut(place).context("no customer")?;
            let path = format!("/result/{key}");
            match customer.browser.get(&self.http, copy, &path) {
                Some(reply) if reply.status == 200 => {
                    let receipt = after(&reply.text, &["<dd>"]).map(str::to_owned);
                    return receipt.context("a receipt without a number").map(Some);
                }
                Some(reply) if matches!(reply.status, 404 | 422) => return Ok(None),
                Some(reply) => {
                    self.record
                        .fault(format!("receipt of {key}: {}", outline(&reply)));
                    return Ok(None);
                }
                None if begun.elapsed() > PATIENCE => {
                    self.record.fault(format!("receipt of {key}: no answer"));
                    return Ok(None);
                }
                None => std::thread::sleep(PAUSE),
            }
        }
        Ok(None)
    }

    /// Asks again for the receipts of these transfers: the same number must be shown, and what was refused may not be done
    /// later. Gives what is wrong.
    pub(super) fn ask_again(&mut self, settled: &[Transfer]) -> Result<Vec<String>> {
        let (mut faults, own) = (Vec::new(), self.number);
        for one in settled.iter().filter(|one| one.whose.0 == own) {
            let now = self.receipt(one.whose.1, &one.key)?;
            if now != one.receipt {
                let was = &one.receipt;
                faults.push(format!("transfer {}: was {was:?}, now {now:?}", one.key));
            }
        }
        Ok(faults)
    }
}

impl Customer {
    fn sign_in(&mut self, http: &Http, copy: &Addresses, password: &str) -> Result<()> {
        let got = |reply: Option<Reply>| reply.context("no answer");
        let id = (20_000_000_000 + u64::from(self.token.number)).to_string();
        got(self.browser.get(http, copy, "/"))?;
        let fields = [("id", id.as_str()), ("password", password)];
        let reply = got(self.browser.post(http, copy, "/login", &fields))?;
        if reply.location != "/login/code" {
            bail!("the password is not taken: {}", outline(&reply));
        }
        let page = got(self.browser.get(http, copy, "/login/code"))?;
        let key = after(&page.text, &["name=\"key\" value=\""]).context("a form without a key")?;
        let code = self.token.show(now()?)?;
        let Some(code) = code else {
            std::thread::sleep(Duration::from_secs(10));
            bail!("no new code yet");
        };
        let fields = [("key", key), ("code", code.as_str())];
        let reply = got(self.browser.post(http, copy, "/login/code", &fields))?;
        if reply.location != "/top" {
            bail!("the code is not taken: {}", outline(&reply));
        }
        Ok(())
    }
}

/// An answer in one line: its status, where it leads, its errors or its title.
fn outline(reply: &Reply) -> String {
    let text = after(&reply.text, &["class=\"error"])
        .or_else(|| after(&reply.text, &["<h1>"]))
        .unwrap_or_default();
    format!("{} {} {text}", reply.status, reply.location)
}
