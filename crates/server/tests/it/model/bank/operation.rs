//! Which operations a case is made of.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

use super::order;
use super::plain::{Form, HOLDERS, Loss, Model, Order, TOKENS};
use crate::model::token_service::plain::Code;

/// A case begins this long after its first customer registered a token: longer ago than B18 is cautious.
pub(super) const REGISTERED: i64 = -25 * 3600;

/// The furthest that a case's clock goes, in seconds; and back to where it began.
const CLOCK: std::ops::RangeInclusive<i64> = 0..=6 * 86_400;

const AMOUNTS: [i64; 8] = [1, 1_000, 29_999, 30_000, 60_000, 100_000, 150_000, 400_000];
const LIMITS: [i64; 7] = [
    0, 50_000, 100_000, 200_000, 1_000_000, 10_000_000, 10_000_001,
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// A page is shown, if it was not, and sent.
    Send(Form),
    /// New pages are shown, and then sent at the same time to several copies; one page, so many times.
    AtOnce(Vec<Form>),
    /// Staff book money that was brought; the same number is the same form.
    Deposit {
        number: u32,
        account: usize,
        amount: i64,
    },
    StaffStop(usize, Loss),
    /// By two of the staff.
    Release(usize),
    Unlock(usize),
    /// What is due is sent, by every copy at once.
    SendDue,
    /// The clock goes on by so many seconds, or back.
    Time(i64),
    /// A copy ends and starts anew on what is kept.
    Restart(usize),
}

/// Makes cases.
#[derive(Debug)]
pub(super) struct Cases;

/// What happens before the first operation of every case.
pub(super) fn prelude() -> Vec<Operation> {
    let registration = Form {
        page: 0,
        contract: 0,
        order: Order::Register { token: 0 },
        code: (0, Code::Of((REGISTERED + 15).div_euclid(30))),
    };
    vec![
        Operation::Send(registration),
        Operation::Time(-1 - REGISTERED),
    ]
}

impl ReferenceStateMachine for Cases {
    type State = Model;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Model> {
        let begun = |model, operation| Self::apply(model, &operation);
        let model = prelude().into_iter().fold(Model::new(REGISTERED), begun);
        Just(model).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Operation> {
        let number = model.next;
        let midnight = model.until(model.today() + 1);
        let time = prop_oneof![
            12 => 25..=35_i64,
            3 => 1..=700_i64,
            2 => select(vec![midnight - 1, midnight, midnight + 1]),
            1 => select(vec![CAUTION - 60, CAUTION]),
            1 => -300..=-1_i64,
        ];
        let contract = 0..2_usize;
        let loss = select(vec![Loss::Lost, Loss::Stolen, Loss::Broken]);
        prop_oneof![
            30 => form(model).prop_map(Operation::Send),
            3 => again(model).prop_map(Operation::Send),
            4 => at_once(model).prop_map(Operation::AtOnce),
            3 => (0..HOLDERS.len(), select(AMOUNTS.to_vec()), 0..2_u32).prop_map(
                move |(account, amount, back)| Operation::Deposit {
                    number: number.saturating_sub(back),
                    account,
                    amount,
                }
            ),
            1 => (contract.clone(), loss).prop_map(|(id, loss)| Operation::StaffStop(id, loss)),
            3 => contract.clone().prop_map(Operation::Release),
            2 => contract.prop_map(Operation::Unlock),
            4 => Just(Operation::SendDue),
            16 => time.prop_map(Operation::Time),
            1 => (0..3_usize).prop_map(Operation::Restart),
        ]
        .boxed()
    }

    fn apply(model: Model, operation: &Operation) -> Model {
        apply(&model, operation).into_iter().next().unwrap()
    }

    fn preconditions(model: &Model, operation: &Operation) -> bool {
        match operation {
            Operation::Time(seconds) => CLOCK.contains(&(model.now + seconds)),
            // Those due at once are tried in every order.
            Operation::Send(form) => model.open_transfers() < 4 || !is_transfer(form),
            Operation::AtOnce(forms) => {
                model.open_transfers() < 2 || !forms.iter().any(is_transfer)
            }
            _ => true,
        }
    }
}

const CAUTION: i64 = 24 * 3600;

fn is_transfer(form: &Form) -> bool {
    matches!(form.order, Order::Transfer { .. })
}

/// What a model may be after an operation whose answers are not known.
pub(super) fn apply(model: &Model, operation: &Operation) -> Vec<Model> {
    let mut after = model.clone();
    // Each operation takes a second, so that none of two is the newer one by chance.
    after.now += 1;
    match operation {
        Operation::Send(form) => return sent(after, std::slice::from_ref(form)),
        Operation::AtOnce(forms) => return sent(after, forms),
        Operation::Deposit {
            number,
            account,
            amount,
        } => after.deposit(*number, *account, *amount),
        Operation::StaffStop(contract, loss) => drop(after.staff_stop(*contract, *loss)),
        Operation::Release(contract) => drop(after.release(*contract)),
        Operation::Unlock(contract) => drop(after.unlock(*contract)),
        Operation::SendDue => return after.send_due(),
        Operation::Time(seconds) => after.now += seconds - 1,
        Operation::Restart(_) => {}
    }
    vec![after]
}

fn sent(mut model: Model, forms: &[Form]) -> Vec<Model> {
    let shown: Vec<_> = forms
        .iter()
        .filter(|form| model.show(form).is_none())
        .copied()
        .collect();
    order::after(&model, &shown, None)
}

/// A new page.
fn form(model: &Model) -> BoxedStrategy<Form> {
    // The first customer has a token from the beginning.
    let contract = prop_oneof![3 => Just(0), 1 => Just(1)];
    let (page, model) = (model.next, model.clone());
    contract
        .prop_flat_map(move |contract| {
            let coded = model.clone();
            order_of(&model, contract).prop_flat_map(move |order| {
                code(&coded, contract, &order).prop_map(move |code| Form {
                    page,
                    contract,
                    order,
                    code,
                })
            })
        })
        .boxed()
}

fn order_of(model: &Model, contract: usize) -> BoxedStrategy<Order> {
    let today = model.today();
    let token = 0..TOKENS;
    let own = &model.contracts[contract];
    let begun: Vec<_> = pages_of(model, |order| matches!(order, Order::ChangeBegin));
    let sent: Vec<_> = pages_of(model, |order| matches!(order, Order::Transfer { .. }));
    let register = if own.token.is_none() { 12 } else { 1 };
    let day = prop_oneof![
        6 => Just(today),
        2 => Just(today + 1),
        2 => today..=today + 3,
        1 => select(vec![today - 1, today + 30, today + 31]),
    ];
    let to = prop_oneof![2 => Just(None), 1 => Just(Some(2 - 2 * contract))];
    let from = prop_oneof![8 => Just(2 * contract), 1 => 0..HOLDERS.len()];
    let amount = prop_oneof![8 => select(AMOUNTS.to_vec()), 1 => Just(0)];
    let transfer = (from, to, amount.clone(), day)
        .prop_filter("one account is no transfer", |(from, to, ..)| {
            Some(*from) != *to
        });
    let internal = (0..HOLDERS.len(), 0..HOLDERS.len(), amount);
    prop_oneof![
        register => token.clone().prop_map(|token| Order::Register { token }),
        3 => Just(Order::Login),
        1 => Just(Order::StopUse),
        2 => Just(Order::ChangeBegin),
        3 => (token, select(begun)).prop_map(|(token, begun)| Order::Change { token, begun }),
        2 => any::<bool>().prop_map(|asks| Order::LoginSetting { asks }),
        14 => transfer.prop_map(|(from, to, amount, day)| Order::Transfer { from, to, amount, day }),
        2 => internal.prop_map(|(from, to, amount)| Order::Internal { from, to, amount }),
        4 => select(LIMITS.to_vec()).prop_map(|to| Order::Limit { to }),
        2 => select(sent).prop_map(|page| Order::Cancel { page }),
        1 => any::<bool>().prop_map(|stolen| Order::LossStop { stolen }),
    ]
    .boxed()
}

/// Pages of a kind, or one that was never shown.
fn pages_of(model: &Model, kind: impl Fn(&Order) -> bool) -> Vec<u32> {
    let pages = model.pages().into_iter();
    let mut found: Vec<_> = pages
        .filter(|(_, order)| kind(order))
        .map(|(page, _)| page)
        .collect();
    if found.is_empty() {
        found.push(u32::MAX);
    }
    found
}

/// A code for an order: mostly the next one of the right token.
fn code(model: &Model, contract: usize, order: &Order) -> BoxedStrategy<(usize, Code)> {
    let token = match *order {
        Order::Register { token } | Order::Change { token, .. } => token,
        _ => model.contracts[contract]
            .token
            .map_or(0, |(token, _)| token),
    };
    let fresh = fresh(model, token);
    let step = model.step();
    let spent = model.tokens[token].spent.unwrap_or(step - 1);
    prop_oneof![
        14 => Just((token, Code::Of(fresh))),
        1 => (step - 22..=step + 22).prop_map(move |step| (token, Code::Of(step))),
        2 => Just((token, Code::Of(spent))),
        1 => (0..2_u8).prop_map(move |number| (token, Code::Wrong(number))),
        1 => (0..TOKENS).prop_map(move |other| (other, Code::Of(step))),
    ]
    .boxed()
}

/// The next step that can be accepted.
fn fresh(model: &Model, token: usize) -> i64 {
    let center = model.step() + model.tokens[token].drift;
    let next = model.tokens[token].spent.map_or(center, |spent| spent + 1);
    next.clamp(center - 1, center + 1)
}

/// A page that was shown before: the same, with another code, or for another amount.
fn again(model: &Model) -> BoxedStrategy<Form> {
    let pages = model.sent_forms();
    if pages.is_empty() {
        return form(model);
    }
    let coded = model.clone();
    select(pages)
        .prop_flat_map(move |before| {
            let other = code(&coded, before.contract, &before.order);
            (Just(before), other, select(AMOUNTS.to_vec()), 0..4_u8)
        })
        .prop_map(|(before, other, other_amount, how)| {
            let mut form = before;
            if how > 1 {
                form.code = other;
            }
            if let (3, Order::Transfer { amount, .. }) = (how, &mut form.order) {
                *amount = other_amount;
            }
            form
        })
        .boxed()
}

fn at_once(model: &Model) -> BoxedStrategy<Vec<Form>> {
    let page = model.next;
    let numbered = move |forms: Vec<Form>| {
        let number = |(form, page)| Form { page, ..form };
        forms
            .into_iter()
            .zip(page..)
            .map(number)
            .collect::<Vec<_>>()
    };
    let token = model.contracts[0].token.map_or(0, |(token, _)| token);
    let (first, today) = (fresh(model, token), model.today());
    let transfers = proptest::collection::vec((select(AMOUNTS.to_vec()), 0..2_i64), 2..=3);
    let transfer = move |(amount, later): (i64, i64)| Form {
        page,
        contract: 0,
        order: Order::Transfer {
            from: 0,
            to: None,
            amount,
            day: today,
        },
        code: (token, Code::Of(first + later)),
    };
    let registered = (0..TOKENS).prop_map({
        let steps: Vec<_> = (0..TOKENS).map(|token| fresh(model, token)).collect();
        move |token| {
            let one = |contract: usize| Form {
                page,
                contract,
                order: Order::Register { token },
                code: (token, Code::Of(steps[token] + i64::from(contract == 1))),
            };
            vec![one(0), one(1)]
        }
    });
    let internal =
        proptest::collection::vec(select(AMOUNTS.to_vec()), 2..=3).prop_map(move |amounts| {
            let one = |amount| Form {
                page,
                contract: 0,
                order: Order::Internal {
                    from: 0,
                    to: 1,
                    amount,
                },
                code: (token, Code::Of(first)),
            };
            amounts.into_iter().map(one).collect::<Vec<_>>()
        });
    prop_oneof![
        3 => (form(model), 2..=3_usize).prop_map(|(one, times)| vec![one; times]),
        4 => transfers.prop_map(move |some| numbered(some.into_iter().map(transfer).collect())),
        1 => registered.prop_map(numbered),
        1 => internal.prop_map(numbered),
    ]
    .boxed()
}
