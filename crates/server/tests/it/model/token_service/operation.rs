//! Which operations a case is made of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest_state_machine::ReferenceStateMachine;
use warifu_wire::StopReason;

use super::plain::{Action, Code, Model, PARTIES, Request, Token};

/// How far a case's clock goes back and on, in seconds: the codes of these steps and the ones near them are all
/// different, so that a code stands for one step.
pub(super) const CLOCK: std::ops::RangeInclusive<i64> = -900..=9_000;

/// Steps whose codes a case may use.
pub(super) const STEPS: std::ops::RangeInclusive<i64> = -60..=360;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// A new token becomes known.
    Provision,
    Ask(Request),
    /// At the same time, at several copies.
    AtOnce(Vec<Request>),
    /// The clock goes on by so many seconds, or back.
    Time(i64),
    /// A copy ends and starts anew on what is kept.
    Restart(usize),
    /// So many tokens of others are used, so that what waits in memory is folded.
    Others,
}

/// Makes cases.
#[derive(Debug)]
pub(super) struct Cases;

impl ReferenceStateMachine for Cases {
    type State = Model;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::new()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Operation> {
        let time = prop_oneof![
            6 => 1..=31_i64,
            2 => 32..=700_i64,
            1 => -40..=-1_i64,
            1 => -400..=-41_i64,
        ];
        let again = again(model);
        prop_oneof![
            1 => Just(Operation::Provision),
            20 => request(model).prop_map(Operation::Ask),
            4 => again.prop_map(Operation::Ask),
            4 => at_once(model).prop_map(Operation::AtOnce),
            8 => time.prop_map(Operation::Time),
            1 => (0..3_usize).prop_map(Operation::Restart),
            1 => Just(Operation::Others),
        ]
        .boxed()
    }

    fn apply(mut model: Model, operation: &Operation) -> Model {
        match operation {
            Operation::Provision => model.tokens.push(Token::default()),
            Operation::Ask(request) => drop(model.ask(request)),
            Operation::AtOnce(requests) => requests.iter().for_each(|request| {
                model.ask(request);
            }),
            Operation::Time(seconds) => model.now += seconds,
            Operation::Restart(_) | Operation::Others => {}
        }
        model
    }

    fn preconditions(model: &Model, operation: &Operation) -> bool {
        let known = |request: &Request| request.token < model.tokens.len();
        match operation {
            Operation::Provision => model.tokens.len() < 3,
            Operation::Ask(request) => known(request),
            Operation::AtOnce(requests) => requests.iter().all(known),
            Operation::Time(seconds) => CLOCK.contains(&(model.now + seconds)),
            Operation::Restart(_) | Operation::Others => true,
        }
    }
}

/// A new request of any token.
fn request(model: &Model) -> BoxedStrategy<Request> {
    let of_each: Vec<_> = (0..model.tokens.len())
        .map(|token| request_of(model, token))
        .collect();
    Union::new(of_each).boxed()
}

fn request_of(model: &Model, token: usize) -> BoxedStrategy<Request> {
    let number = model.next;
    (0..PARTIES, action(model, token))
        .prop_map(move |(party, action)| Request {
            number,
            party,
            token,
            action,
        })
        .boxed()
}

fn action(model: &Model, token: usize) -> impl Strategy<Value = Action> + use<> {
    let (step, reasons) = (model.step(), reasons());
    let first = step - 22..=step + 22;
    prop_oneof![
        18 => (code(model, token), purpose()).prop_map(|(code, purpose)| Action::Validate(code, purpose)),
        3 => first.clone().prop_map(|first| Action::Resync(Code::Of(first), Code::Of(first + 1))),
        1 => (first, code(model, token)).prop_map(|(first, second)| Action::Resync(Code::Of(first), second)),
        2 => reasons.prop_map(Action::Stop),
        4 => Just(Action::Enable),
        2 => Just(Action::Unlock),
    ]
}

fn purpose() -> impl Strategy<Value = &'static str> {
    select(vec!["login", "transfer"])
}

/// A stop for good makes the rest of a case dull, so it is seldom.
fn reasons() -> impl Strategy<Value = StopReason> {
    prop_oneof![
        3 => Just(StopReason::Lost),
        1 => Just(StopReason::Stolen),
        2 => Just(StopReason::Replaced),
        2 => Just(StopReason::Left),
        2 => Just(StopReason::Other),
    ]
}

/// Codes where something may go wrong: around the service's clock, around the token's, around what is spent.
fn code(model: &Model, token: usize) -> BoxedStrategy<Code> {
    let now = model.step();
    let Token { drift, spent, .. } = model.tokens[token];
    let around = |step: i64, reach: i64| (step - reach..=step + reach).prop_map(Code::Of);
    prop_oneof![
        6 => around(now + drift, 1),
        3 => around(now + drift, 2),
        3 => around(spent.unwrap_or(now), 1),
        2 => around(now, 1),
        2 => around(now, 25),
        4 => (0..3_u8).prop_map(Code::Wrong),
    ]
    .prop_filter("a step beyond the case's", |code| match code {
        Code::Of(step) => STEPS.contains(step),
        Code::Wrong(_) => true,
    })
    .boxed()
}

/// A number that was used: the same request, or another one.
fn again(model: &Model) -> BoxedStrategy<Request> {
    let asked = model.asked();
    if asked.is_empty() {
        return request(model);
    }
    let new = request(model);
    prop_oneof![
        3 => select(asked.clone()),
        1 => (select(asked), new).prop_map(|(before, new)| Request {
            number: before.number,
            party: before.party,
            ..new
        }),
    ]
    .boxed()
}

/// What several callers ask at once of one token.
fn at_once(model: &Model) -> BoxedStrategy<Vec<Request>> {
    let number = model.next;
    let numbered = move |mut requests: Vec<Request>| {
        for (request, number) in requests.iter_mut().zip(number..) {
            request.number = number;
        }
        requests
    };
    let of_each = (0..model.tokens.len()).map(|token| {
        let one = request_of(model, token);
        let code = code(model, token);
        let parties = proptest::collection::vec(0..PARTIES, 2..=8);
        prop_oneof![
            // One code of many callers: one of them has it.
            3 => (code, purpose(), parties).prop_map(move |(code, purpose, parties)| {
                let request = |party| Request {
                    number,
                    party,
                    token,
                    action: Action::Validate(code, purpose),
                };
                numbered(parties.into_iter().map(request).collect())
            }),
            // One request sent to several copies.
            1 => (one.clone(), 2..=3_usize).prop_map(|(one, times)| vec![one; times]),
            // Anything.
            2 => proptest::collection::vec(one, 2..=5).prop_map(numbered),
        ]
        .boxed()
    });
    Union::new(of_each).boxed()
}
