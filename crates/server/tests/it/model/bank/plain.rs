//! The bank as flows.md tells it (B2 to B10, B12, B18, M1 to M4, with docs/decisions/0013 and 0017): maps and arithmetic.
//!
//! Two customers; the first has two accounts. A page is a number, a token an index, a day is counted from that on which
//! the case begins.

use std::collections::{BTreeMap, BTreeSet};

use warifu_bank::operation::Refusal;
use warifu_bank::otp_policy::CodeRefusal;

use crate::model::token_service::plain::{Code, Token};

pub(super) const TOKENS: usize = 3;
/// Whose each account is.
pub(super) const HOLDERS: [usize; 3] = [0, 0, 1];
pub(super) const OPENED_WITH: [i64; 3] = [300_000, 50_000, 200_000];

/// Seconds of the day in Japan that are gone when a case begins.
const OF_DAY: i64 = 17 * 3600 + 15;
const PAGE_OPEN: i64 = 600;
const TRIES: u8 = 5;
const CAUTION: i64 = 24 * 3600;
const CAUTION_CAP: i64 = 100_000;
const FIRST_LIMIT: i64 = 1_000_000;
const CEILING: i64 = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Login,
    Register {
        token: usize,
    },
    StopUse,
    ChangeBegin,
    Change {
        token: usize,
        begun: u32,
    },
    LoginSetting {
        asks: bool,
    },
    /// To an account here, or to another bank.
    Transfer {
        from: usize,
        to: Option<usize>,
        amount: i64,
        day: i64,
    },
    Internal {
        from: usize,
        to: usize,
        amount: i64,
    },
    Limit {
        to: i64,
    },
    Cancel {
        page: u32,
    },
    LossStop {
        stolen: bool,
    },
}

/// A page that is sent with a code of some token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) page: u32,
    pub(super) contract: usize,
    pub(super) order: Order,
    pub(super) code: (usize, Code),
}

/// What the customer sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Done {
        effective_on: Option<i64>,
        caution_until: Option<i64>,
    },
    Refused(Refusal),
    Code(CodeRefusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Lost,
    Stolen,
    Broken,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contract {
    /// The token in use, and since when.
    pub(super) token: Option<(usize, i64)>,
    /// It waits for two of the staff.
    pub(super) loss: Option<Loss>,
    last_stopped: Option<usize>,
    /// Whether login asks for the code while there is a token.
    pub(super) asks: bool,
    /// Changes of the limit in the order they were asked for: from which day, how much.
    limits: Vec<(i64, i64)>,
    used: BTreeMap<i64, i64>,
}

impl Contract {
    fn new() -> Self {
        Self {
            token: None,
            loss: None,
            last_stopped: None,
            asks: true,
            limits: Vec::new(),
            used: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Reserved,
    Sent,
    Cancelled,
    NotSent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) contract: usize,
    pub(super) order: Order,
    pub(super) state: Sending,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Page {
    contract: usize,
    order: Order,
    code: (usize, Code),
    shown: i64,
    attempt: u8,
    end: Option<(i64, Answer)>,
    /// For the begin of a change: the token that proved itself, and since when it was in use.
    proved: Option<(usize, i64)>,
}

/// What was asked of the token service, under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    name: (u32, Order, u8),
    code: (usize, Code),
    refusal: Option<CodeRefusal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    /// Seconds since the case began.
    pub(super) now: i64,
    pub(super) balances: [i64; 3],
    pub(super) contracts: [Contract; 2],
    pub(super) tokens: Vec<Token>,
    pages: BTreeMap<u32, Page>,
    heard: Vec<Heard>,
    pub(super) transfers: BTreeMap<u32, Transfer>,
    deposits: BTreeSet<u32>,
    /// The next number that no page and no deposit has.
    pub(super) next: u32,
}

/// How far a form that is sent beside others has come.
pub(super) enum Step {
    /// One of these is the answer.
    Answered(Vec<Answer>),
    /// Its code was taken, or none is asked for.
    Authorised,
}

impl Model {
    pub(super) fn new(now: i64) -> Self {
        Self {
            now,
            balances: OPENED_WITH,
            contracts: [Contract::new(), Contract::new()],
            tokens: vec![Token::default(); TOKENS],
            pages: BTreeMap::new(),
            heard: Vec::new(),
            transfers: BTreeMap::new(),
            deposits: BTreeSet::new(),
            next: 0,
        }
    }

    pub(super) fn step(&self) -> i64 {
        (self.now + 15).div_euclid(30)
    }

    pub(super) fn today(&self) -> i64 {
        (self.now + OF_DAY).div_euclid(86_400)
    }

    /// Seconds until a day begins.
    pub(super) fn until(&self, day: i64) -> i64 {
        day * 86_400 - OF_DAY - self.now
    }

    pub(super) fn pages(&self) -> Vec<(u32, Order)> {
        let pages = self.pages.iter();
        pages.map(|(number, page)| (*number, page.order)).collect()
    }

    /// Every page as it was sent last.
    pub(super) fn sent_forms(&self) -> Vec<Form> {
        let pages = self.pages.iter();
        pages
            .map(|(number, page)| Form {
                page: *number,
                contract: page.contract,
                order: page.order,
                code: page.code,
            })
            .collect()
    }

    /// What a page was answered, if for good.
    pub(super) fn last_answer(&self, form: &Form) -> Option<&Answer> {
        let (_, answer) = self.pages.get(&form.page)?.end.as_ref()?;
        Some(answer)
    }

    pub(super) fn open_transfers(&self) -> usize {
        let open = |transfer: &&Transfer| transfer.state == Sending::Reserved;
        self.transfers.values().filter(open).count()
    }

    pub(super) fn limit(&self, contract: usize, day: i64) -> i64 {
        let begun = self.contracts[contract].limits.iter().rev();
        let mut begun = begun.filter(|(from, _)| *from <= day);
        begun.next().map_or(FIRST_LIMIT, |(_, amount)| *amount)
    }

    pub(super) fn used(&self, contract: usize, day: i64) -> i64 {
        let used = &self.contracts[contract].used;
        used.get(&day).copied().unwrap_or(0)
    }

    /// The most that may leave today.
    fn cap(&self, contract: usize) -> i64 {
        let limit = self.limit(contract, self.today());
        match self.contracts[contract].token {
            Some((_, since)) if self.now < since + CAUTION => limit.min(CAUTION_CAP),
            _ => limit,
        }
    }

    /// Everything for which an order is refused before its code is looked at.
    fn refusals(&self, contract: usize, order: &Order) -> Vec<Refusal> {
        let mut found = Vec::new();
        let own = &self.contracts[contract];
        let needs_token = !matches!(
            order,
            Order::Login | Order::Register { .. } | Order::Internal { .. } | Order::LossStop { .. }
        );
        let loss = own.loss.map(|_| Refusal::NeedsRelease);
        if needs_token && own.token.is_none() {
            found.push(loss.clone().unwrap_or(Refusal::NeedsRegistration));
        }
        match *order {
            Order::Register { token } => {
                found.extend(own.token.map(|_| Refusal::AlreadyRegistered));
                found.extend(loss);
                found.extend(self.taken(contract, token));
            }
            Order::Change { token, .. } => {
                let same = own.token.filter(|(old, _)| *old == token);
                found.extend(same.map(|_| Refusal::SameToken));
                found.extend(self.taken(contract, token));
            }
            Order::LoginSetting { asks } if own.asks == asks => found.push(Refusal::Unchanged),
            Order::Transfer { .. } => found.extend(self.transfer_refusals(contract, order)),
            Order::Internal { from, to, amount } => {
                if HOLDERS[from] != contract || HOLDERS[to] != contract {
                    found.push(Refusal::NoSuchAccount);
                }
                if from == to {
                    found.push(Refusal::SameAccount);
                }
                if amount < 1 {
                    found.push(Refusal::BadAmount);
                }
                if amount > self.balances[from] {
                    found.push(Refusal::ShortOfFunds);
                }
            }
            Order::Limit { to } if to > CEILING => {
                found.push(Refusal::AboveCeiling { ceiling: CEILING });
            }
            Order::Limit { to } if to == self.limit_to_come(contract) => {
                found.push(Refusal::Unchanged);
            }
            Order::Cancel { page } => {
                let open = self.transfers.get(&page).is_some_and(|transfer| {
                    let Order::Transfer { day, .. } = transfer.order else {
                        return false;
                    };
                    transfer.contract == contract
                        && transfer.state == Sending::Reserved
                        && self.today() < day
                });
                if !open {
                    found.push(Refusal::NotCancellable);
                }
            }
            _ => {}
        }
        found
    }

    fn taken(&self, contract: usize, token: usize) -> Option<Refusal> {
        let other = self.contracts[1 - contract].token;
        let taken = other.is_some_and(|(held, _)| held == token);
        taken.then_some(Refusal::TokenTaken)
    }

    /// One of a later day is measured against that day's limit alone.
    fn transfer_refusals(&self, contract: usize, order: &Order) -> Vec<Refusal> {
        let &Order::Transfer {
            from, amount, day, ..
        } = order
        else {
            return Vec::new();
        };
        let (mut found, today) = (Vec::new(), self.today());
        if HOLDERS[from] != contract {
            found.push(Refusal::NoSuchAccount);
        }
        if amount < 1 {
            found.push(Refusal::BadAmount);
        }
        if !(today..=today + 30).contains(&day) {
            found.push(Refusal::DateOutOfRange);
        }
        let left = if day == today {
            (self.cap(contract) - self.used(contract, day)).max(0)
        } else {
            self.limit(contract, day)
        };
        if amount > left {
            found.push(over(left));
        }
        if day == today && amount + fee(order) > self.balances[from] {
            found.push(Refusal::ShortOfFunds);
        }
        found
    }

    /// The limit that holds when nothing more is asked for.
    fn limit_to_come(&self, contract: usize) -> i64 {
        let newest = self.contracts[contract].limits.last();
        newest.map_or(FIRST_LIMIT, |(_, amount)| *amount)
    }

    /// Shows a page that was not shown before; some where it is refused.
    pub(super) fn show(&mut self, form: &Form) -> Option<Vec<Answer>> {
        self.next = self.next.max(form.page + 1);
        if self.pages.contains_key(&form.page) {
            return None;
        }
        let refusals = self.refusals(form.contract, &form.order);
        if !refusals.is_empty() {
            return Some(refusals.into_iter().map(Answer::Refused).collect());
        }
        let page = Page {
            contract: form.contract,
            order: form.order,
            code: form.code,
            shown: self.now,
            attempt: 0,
            end: None,
            proved: None,
        };
        self.pages.insert(form.page, page);
        None
    }

    /// From a form to its code, in every way that may be where others are sent at the same time.
    pub(super) fn authorise(&self, form: &Form, beside_others: bool) -> Vec<(Self, Step)> {
        let mut after = self.clone();
        let page = after.pages.get_mut(&form.page).unwrap();
        let void = if let Some((_, answer)) = &page.end {
            return vec![(self.clone(), Step::Answered(vec![answer.clone()]))];
        } else if self.now - page.shown >= PAGE_OPEN {
            Some(Refusal::Expired)
        } else if page.attempt >= TRIES {
            Some(Refusal::TooManyTries)
        } else {
            None
        };
        if let Some(refusal) = void {
            let answer = Answer::Refused(refusal);
            page.end = Some((self.now, answer.clone()));
            return vec![(after, Step::Answered(vec![answer]))];
        }
        (page.order, page.code) = (form.order, form.code);
        let mut ways = Vec::new();
        let refusals = self.refusals(form.contract, &form.order);
        let refused = !refusals.is_empty();
        if refused {
            let answers = refusals.into_iter().map(Answer::Refused).collect();
            ways.push((after.clone(), Step::Answered(answers)));
        }
        // Beside others it may have been looked at before they were done.
        if !refused || beside_others {
            if beside_others {
                let attempts = 0..after.pages[&form.page].attempt;
                for heard in attempts.filter_map(|attempt| after.find(form, attempt)) {
                    ways.push((after.clone(), step_of(heard.refusal)));
                }
            }
            let step = after.spend_code(form);
            ways.push((after, step));
        }
        ways
    }

    fn asked_token(&self, form: &Form) -> Option<usize> {
        let own = &self.contracts[form.contract];
        match form.order {
            Order::Internal { .. } | Order::LossStop { .. } => None,
            Order::Register { token } | Order::Change { token, .. } => Some(token),
            Order::Login if !own.asks => None,
            _ => own.token.map(|(token, _)| token),
        }
    }

    fn find(&self, form: &Form, attempt: u8) -> Option<&Heard> {
        let name = (form.page, form.order, attempt);
        self.heard.iter().find(|heard| heard.name == name)
    }

    /// The token service under the name of page, order and attempt.
    fn spend_code(&mut self, form: &Form) -> Step {
        let Some(token) = self.asked_token(form) else {
            return Step::Authorised;
        };
        loop {
            let attempt = self.pages[&form.page].attempt;
            let refusal = match self.find(form, attempt) {
                Some(heard) if heard.code == form.code => heard.refusal,
                // Another code under this name: what became of that is not known.
                Some(_) if attempt < TRIES => {
                    self.pages.get_mut(&form.page).unwrap().attempt += 1;
                    continue;
                }
                Some(_) => {
                    return Step::Answered(vec![Answer::Refused(Refusal::TooManyTries)]);
                }
                None => {
                    let (now, step) = (self.now, self.step());
                    let code = match form.code {
                        (of, code) if of == token => code,
                        _ => Code::Wrong(0),
                    };
                    let answer = self.tokens[token].validate(0, code, step, now);
                    let refusal = refusal_of(answer, now);
                    self.heard.push(Heard {
                        name: (form.page, form.order, attempt),
                        code: form.code,
                        refusal,
                    });
                    refusal
                }
            };
            if refusal.is_some() {
                self.pages.get_mut(&form.page).unwrap().attempt += 1;
            }
            return step_of(refusal);
        }
    }

    /// Carries an authorised form out; none where this is not what was answered.
    pub(super) fn carry_out(&self, form: &Form, answered: Option<&Answer>) -> Option<Self> {
        let mut after = self.clone();
        if let Some((_, answer)) = &self.pages[&form.page].end {
            return answered.is_none_or(|seen| seen == answer).then_some(after);
        }
        let mut refusals = self.refusals(form.contract, &form.order);
        let own = &self.contracts[form.contract];
        match form.order {
            Order::Change { begun, .. } if !self.is_begun(form.contract, begun) => {
                refusals.push(Refusal::ChangeNotBegun);
            }
            Order::LossStop { .. } if own.token.is_none() => refusals.extend([
                Refusal::NeedsRegistration,
                Refusal::NeedsRelease,
                Refusal::Unchanged,
            ]),
            _ => {}
        }
        let may_be: Vec<_> = if refusals.is_empty() {
            vec![after.effect(form)]
        } else {
            refusals.into_iter().map(Answer::Refused).collect()
        };
        let answer = match answered {
            Some(seen) => may_be.into_iter().find(|answer| answer == seen)?,
            None => may_be.into_iter().next()?,
        };
        let page = after.pages.get_mut(&form.page).unwrap();
        page.end = Some((self.now, answer));
        Some(after)
    }

    /// Whether the old token proved itself on that page, a short while ago.
    fn is_begun(&self, contract: usize, begun: u32) -> bool {
        self.pages.get(&begun).is_some_and(|page| {
            let done = matches!(&page.end, Some((at, Answer::Done { .. })) if self.now - at < PAGE_OPEN);
            done && page.proved.is_some() && page.proved == self.contracts[contract].token
        })
    }

    fn effect(&mut self, form: &Form) -> Answer {
        let (now, today) = (self.now, self.today());
        let own = &mut self.contracts[form.contract];
        let (mut effective_on, mut caution_until) = (None, None);
        match form.order {
            Order::Login => {}
            Order::Register { token } | Order::Change { token, .. } => {
                // B3: from a registration on login asks; a change leaves the setting as it is.
                own.asks |= matches!(form.order, Order::Register { .. });
                own.token = Some((token, now));
                caution_until = Some(now + CAUTION);
            }
            Order::StopUse => own.token = None,
            Order::ChangeBegin => {
                let proved = own.token;
                self.pages.get_mut(&form.page).unwrap().proved = proved;
            }
            Order::LoginSetting { asks } => own.asks = asks,
            Order::Transfer { day, .. } => {
                let state = if day == today {
                    self.send(form.contract, &form.order);
                    Sending::Sent
                } else {
                    Sending::Reserved
                };
                let transfer = Transfer {
                    contract: form.contract,
                    order: form.order,
                    state,
                };
                self.transfers.insert(form.page, transfer);
                effective_on = Some(day);
            }
            Order::Internal { from, to, amount } => {
                self.balances[from] -= amount;
                self.balances[to] += amount;
            }
            Order::Limit { to } => {
                let from = today + i64::from(to > self.limit(form.contract, today));
                self.contracts[form.contract].limits.push((from, to));
                effective_on = Some(from);
            }
            Order::Cancel { page } => {
                self.transfers.get_mut(&page).unwrap().state = Sending::Cancelled;
            }
            Order::LossStop { stolen } => {
                let loss = if stolen { Loss::Stolen } else { Loss::Lost };
                self.lose(form.contract, loss);
            }
        }
        Answer::Done {
            effective_on,
            caution_until,
        }
    }

    fn send(&mut self, contract: usize, order: &Order) {
        let &Order::Transfer {
            from, to, amount, ..
        } = order
        else {
            return;
        };
        self.balances[from] -= amount + fee(order);
        if let Some(to) = to {
            self.balances[to] += amount;
        }
        let today = self.today();
        *self.contracts[contract].used.entry(today).or_default() += amount;
    }

    fn lose(&mut self, contract: usize, loss: Loss) {
        let own = &mut self.contracts[contract];
        own.loss = Some(loss);
        if let Some((token, _)) = own.token.take() {
            own.last_stopped = Some(token);
            let reason = match loss {
                Loss::Stolen => warifu_wire::StopReason::Stolen,
                Loss::Lost | Loss::Broken => warifu_wire::StopReason::Lost,
            };
            self.tokens[token].stop(0, reason);
        }
        for transfer in self.transfers.values_mut() {
            if transfer.contract == contract && transfer.state == Sending::Reserved {
                transfer.state = Sending::Cancelled;
            }
        }
    }

    /// Staff stop a token; whether anything changed.
    pub(super) fn staff_stop(&mut self, contract: usize, loss: Loss) -> bool {
        let stops = match self.contracts[contract].loss {
            None => true,
            Some(held) => held != Loss::Stolen && loss == Loss::Stolen,
        };
        if stops {
            self.lose(contract, loss);
        }
        stops
    }

    /// Two of the staff release a contract after a loss; whether it was to be released.
    pub(super) fn release(&mut self, contract: usize) -> bool {
        let own = &mut self.contracts[contract];
        let Some(loss) = own.loss.take() else {
            return false;
        };
        if let Some(token) = own.last_stopped.filter(|_| loss != Loss::Stolen) {
            self.tokens[token].enable(0);
        }
        true
    }

    /// Two of the staff unlock the token in use; whether there is one.
    pub(super) fn unlock(&mut self, contract: usize) -> bool {
        let Some((token, _)) = self.contracts[contract].token else {
            return false;
        };
        self.tokens[token].wrong[0] = 0;
        true
    }

    /// The same number books once.
    pub(super) fn deposit(&mut self, number: u32, account: usize, amount: i64) {
        self.next = self.next.max(number + 1);
        if self.deposits.insert(number) {
            self.balances[account] += amount;
        }
    }

    pub(super) fn due(&self) -> Vec<u32> {
        let today = self.today();
        let due = |transfer: &Transfer| {
            transfer.state == Sending::Reserved
                && matches!(transfer.order, Order::Transfer { day, .. } if day <= today)
        };
        let found = self.transfers.iter().filter(|(_, transfer)| due(transfer));
        found.map(|(page, _)| *page).collect()
    }

    /// Sends everything that is due, in every order there is.
    pub(super) fn send_due(&self) -> Vec<Self> {
        let due = self.due();
        if due.is_empty() {
            return vec![self.clone()];
        }
        let mut ends: Vec<Self> = Vec::new();
        for page in due {
            for end in self.send_one(page).send_due() {
                if !ends.contains(&end) {
                    ends.push(end);
                }
            }
        }
        ends
    }

    fn send_one(&self, page: u32) -> Self {
        let mut after = self.clone();
        let Transfer {
            contract, order, ..
        } = self.transfers[&page];
        let Order::Transfer { from, amount, .. } = order else {
            return after;
        };
        let today = self.today();
        let fits = amount <= self.cap(contract) - self.used(contract, today)
            && amount + fee(&order) <= self.balances[from];
        let state = if fits {
            after.send(contract, &order);
            Sending::Sent
        } else {
            Sending::NotSent
        };
        after.transfers.get_mut(&page).unwrap().state = state;
        after
    }
}

/// M4: by where it goes and how much it is.
pub(super) fn fee(order: &Order) -> i64 {
    match order {
        Order::Transfer {
            to: None, amount, ..
        } if *amount >= 30_000 => 330,
        Order::Transfer { to: None, .. } => 165,
        _ => 0,
    }
}

/// Whether it was the low cap that held is a word of the page, which is not compared.
pub(super) fn over(left: i64) -> Refusal {
    Refusal::OverLimit {
        left,
        caution: false,
    }
}

fn step_of(refusal: Option<CodeRefusal>) -> Step {
    match refusal {
        None => Step::Authorised,
        Some(refusal) => Step::Answered(vec![Answer::Code(refusal)]),
    }
}

fn refusal_of(answer: warifu_wire::ValidateAnswer, now: i64) -> Option<CodeRefusal> {
    use warifu_wire::ValidateAnswer as Said;
    Some(match answer {
        Said::Accepted => return None,
        Said::Rejected { tries_left } => CodeRefusal::Wrong { tries_left },
        Said::Replayed => CodeRefusal::Used {
            wait_seconds: u8::try_from(30 - (now + 15).rem_euclid(30)).unwrap(),
        },
        Said::Locked => CodeRefusal::Locked,
        Said::Stopped => CodeRefusal::Stopped,
        Said::ResyncNeeded => CodeRefusal::ClockOff,
    })
}
