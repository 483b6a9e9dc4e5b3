//! The bank as its rules tell it (B2 to B10, B12, B18, M1 to M4, with docs/decisions/0013 and 0017): maps and arithmetic.
//!
//! Two customers; the first has two accounts. A page is a number, a token an index, a day is counted from that on which
//! the case begins.

mod day;
mod form;

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
    /// Codes of tokens that were not its own, the last of them, and until when no other is looked at.
    strange_codes: (i64, i64, i64),
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
            strange_codes: (0, i64::MIN / 2, i64::MIN / 2),
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
    /// The session before a login ended with a stop.
    over: bool,
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
