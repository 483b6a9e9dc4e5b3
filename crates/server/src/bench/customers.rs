//! Who is free to do something: customers with their browsers and tokens, and tokens whose codes a relying party checks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use warifu_credentials::credential_id::CredentialId;
use warifu_credentials::{Code, Period, TimeStep};

use super::browser::Browser;
use super::sample::{self, Seed, shuffle};
use super::schedule::Kind;
use super::steps::{self, Given};
use crate::ambient::{Clock as _, SystemClock};

/// How many customers are looked at for one whose token has a new code.
const LOOKED_AT: usize = 4_096;

/// A sample token.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// Its number among the sample credentials.
    pub number: u32,
    last: Option<Given>,
}

/// A code that a token shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The digits.
    pub code: Code,
    step: TimeStep,
    at: TimeStep,
}

/// The service's time step now, by this machine's clock.
#[must_use]
pub fn now() -> TimeStep {
    TimeStep::from_unix_seconds(SystemClock.now().as_second(), Period::DEFAULT)
}

impl Token {
    /// The token of this number, which has shown no code yet.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { number, last: None }
    }

    /// The same that gave this code away last.
    #[must_use]
    pub fn after(number: u32, last: Option<Given>) -> Self {
        Self { number, last }
    }

    /// Its ID.
    #[must_use]
    pub fn id(&self) -> CredentialId {
        sample::id(u64::from(self.number))
    }

    /// Whether it has a code that nobody has seen.
    #[must_use]
    pub fn is_ready(&self, now: TimeStep) -> bool {
        steps::next(self.last, now).is_some()
    }

    /// Its next code; none while there is none.
    #[must_use]
    pub fn show(&self, seed: &Seed, now: TimeStep) -> Option<Shown> {
        let step = steps::next(self.last, now)?;
        let generator = seed.generator(self.id()).ok()?;
        let code = steps::clear_code(&generator, step)?;
        Some(Shown {
            code,
            step,
            at: now,
        })
    }

    /// The code that was given away last.
    #[must_use]
    pub fn last(&self) -> Option<Given> {
        self.last
    }

    /// Notes that a code was given away, and whether it is known that it was taken.
    pub fn gave(&mut self, shown: &Shown, taken: bool) {
        self.last = Some(Given {
            step: shown.step,
            at: shown.at,
            taken,
        });
    }
}

/// A customer.
#[derive(Debug)]
pub struct Customer {
    /// His token, whose number is his contract's too.
    pub token: Token,
    /// His browser.
    pub browser: Browser,
    /// Whether he is signed in, as far as he knows.
    pub signed_in: bool,
}

/// Customers who do nothing just now; whoever did something last stands last.
#[derive(Debug)]
pub struct Customers(Mutex<VecDeque<Customer>>);

impl Customers {
    /// The first `count` of the contracts, whose tokens have given away these codes.
    #[must_use]
    pub fn new(count: u32, given: &BTreeMap<u32, Given>) -> Self {
        let customer = |number| Customer {
            token: Token::after(number, given.get(&number).copied()),
            browser: Browser::default(),
            signed_in: false,
        };
        Self(Mutex::new((0..count).map(customer).collect()))
    }

    /// One who can do this now.
    #[must_use]
    pub fn take(&self, kind: Kind, now: TimeStep) -> Option<Customer> {
        let mut waiting = self.waiting();
        let place = waiting.iter().take(LOOKED_AT).position(|customer| {
            let ready = customer.token.is_ready(now);
            match kind {
                Kind::Login => ready,
                Kind::Transfer => ready && customer.signed_in,
                Kind::Statement | Kind::Validation => customer.signed_in,
            }
        })?;
        waiting.remove(place)
    }

    /// He is done.
    pub fn put(&self, customer: Customer) {
        self.waiting().push_back(customer);
    }

    /// What their tokens have given away.
    #[must_use]
    pub fn given(&self) -> Vec<(u32, Given)> {
        let waiting = self.waiting();
        let given = waiting.iter().map(|it| it.token);
        given.filter_map(|it| Some((it.number, it.last?))).collect()
    }

    /// Everybody who does nothing just now.
    #[must_use]
    pub fn take_all(&self) -> Vec<Customer> {
        self.waiting().drain(..).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Customer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tokens whose codes a relying party has checked, in no order that the database knows.
#[derive(Debug)]
pub struct Tokens(Mutex<VecDeque<Token>>);

impl Tokens {
    /// Those of these numbers, which have given away these codes.
    #[must_use]
    pub fn new(numbers: std::ops::Range<u32>, given: &BTreeMap<u32, Given>) -> Self {
        let mut numbers: Vec<_> = numbers.collect();
        shuffle(&mut numbers);
        let token = |number| Token::after(number, given.get(&number).copied());
        Self(Mutex::new(numbers.into_iter().map(token).collect()))
    }

    /// What those have given away that nobody uses just now.
    #[must_use]
    pub fn given(&self) -> Vec<(u32, Given)> {
        let waiting = self.waiting();
        let given = waiting.iter().filter_map(|it| Some((it.number, it.last?)));
        given.collect()
    }

    /// One with a new code.
    #[must_use]
    pub fn take(&self, now: TimeStep) -> Option<Token> {
        let mut waiting = self.waiting();
        let place = waiting
            .iter()
            .take(LOOKED_AT)
            .position(|token| token.is_ready(now))?;
        waiting.remove(place)
    }

    /// It is free again.
    pub fn put(&self, token: Token) {
        self.waiting().push_back(token);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_signed_in_can_only_sign_in() {
        let customers = Customers::new(1, &BTreeMap::new());
        let now = now();
        assert!(customers.take(Kind::Statement, now).is_none());
        assert!(customers.take(Kind::Transfer, now).is_none());
        let mut customer = customers.take(Kind::Login, now).unwrap();
        assert!(customers.take(Kind::Login, now).is_none());
        customer.signed_in = true;
        customers.put(customer);
        assert!(customers.take(Kind::Statement, now).is_some());
    }

    #[test]
    fn a_token_with_no_new_code_is_passed_over() {
        let tokens = Tokens::new(3..5, &BTreeMap::new());
        let now = now();
        let seed = Seed::new(zeroize::Zeroizing::new([1; 32]));
        let mut first = tokens.take(now).unwrap();
        let shown = first.show(&seed, now).unwrap();
        first.gave(&shown, false);
        let number = first.number;
        tokens.put(first);
        let second = tokens.take(now).unwrap();
        assert_ne!(second.number, number);
        assert!(tokens.take(now).is_none());
    }
}
