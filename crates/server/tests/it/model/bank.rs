//! The bank beside its model (rules B2 to B10, B12, B18, M1 to M5), with a token service of its own.

mod operation;
mod order;
mod plain;
mod real;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::ToSpan as _;
use tokio::runtime::Runtime;
use warifu::bank::{Bank, BankSettings, Confirmed, Visitor};
use warifu_bank::account::AccountId;
use warifu_bank::contract::ContractId;
use warifu_bank::jst;
use warifu_bank::uid::Uid;
use warifu_oath::TimeStep;

use self::operation::{Cases, Operation, REGISTERED, prelude};
use self::plain::{Answer, Form, Model, TOKENS};
use super::drive::{Plan, World};
use super::token_service::plain::Code;
use crate::harness::{BankSite, Engine, START, Token, second};

/// Operations of a case.
const LENGTH: std::ops::RangeInclusive<usize> = 15..=35;

#[test]
fn on_sqlite_the_bank_answers_as_its_model_for_many_callers() {
    Plan::short(40).run(LENGTH, || Real::new(Engine::Sqlite));
}

#[test]
fn on_postgres_three_copies_of_the_bank_answer_as_one_model() {
    Plan::short(25).run(LENGTH, || Real::new(Engine::Postgres));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_on_sqlite_the_bank_answers_as_its_model() {
    Plan::long().run(LENGTH, || Real::new(Engine::Sqlite));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_on_postgres_three_copies_of_the_bank_answer_as_one_model() {
    Plan::long().run(LENGTH, || Real::new(Engine::Postgres));
}

/// Copies of the bank over one database.
struct Real {
    runtime: Runtime,
    site: BankSite,
    /// Beside the site's own.
    others: Vec<Arc<Bank>>,
    /// Whose turn it is.
    turn: usize,
    cases: u32,
}

/// What a case has, and what its model may be.
struct Case {
    contracts: [ContractId; 2],
    accounts: [AccountId; 3],
    visitors: [Visitor; 2],
    tokens: Vec<Token>,
    /// Pages that were shown, with the session that they were shown in.
    pages: HashMap<u32, (Uid, Visitor)>,
    /// What was done, which is answered so again.
    done: HashMap<u32, Confirmed>,
    deposits: HashMap<u32, Uid>,
    /// More than one where operations at once leave open which of them came first.
    possible: Vec<Model>,
}

impl Real {
    fn new(engine: Engine) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (site, others) = runtime.block_on(async {
            let site = BankSite::new(engine).await;
            let mut others = Vec::new();
            if engine == Engine::Postgres {
                others.push(site.another_copy().await);
                others.push(site.another_copy().await);
            }
            (site, others)
        });
        Self {
            runtime,
            site,
            others,
            turn: 0,
            cases: 0,
        }
    }

    fn copies(&self) -> Vec<Arc<Bank>> {
        let mut copies = vec![self.site.bank()];
        copies.extend(self.others.iter().cloned());
        copies
    }

    /// The next copy.
    fn copy(&mut self) -> Arc<Bank> {
        self.turn += 1;
        let copies = self.copies();
        Arc::clone(&copies[self.turn % copies.len()])
    }

    fn restart(&mut self, copy: usize) {
        let copy = copy % (1 + self.others.len());
        if copy == 0 {
            let started = self.site.start(BankSettings::default());
            return self.runtime.block_on(started);
        }
        let ended = self.others.swap_remove(copy - 1);
        Arc::into_inner(ended).unwrap().close();
        let opened = self.runtime.block_on(self.site.another_copy());
        self.others.push(opened);
    }

    fn advance(&self, seconds: i64) {
        self.site.service.clock.advance(seconds);
    }

    /// Whether the code of each form is right for one step alone, as in the model. A few in 100,000 are not; they are
    /// not sent.
    fn stands_for_one(&self, case: &Case, forms: &[Form]) -> bool {
        let now = self.site.service.step();
        forms.iter().all(|form| {
            let (of, code) = form.code;
            let sent = case.code(form.code);
            (0..TOKENS).all(|token| {
                (-45..=45).map(|offset| now.offset(offset)).all(|step| {
                    let itself = (of, code) == (token, Code::Of(step.0 - START.div_euclid(30)));
                    itself || case.tokens[token].code(step) != sent
                })
            })
        })
    }

    fn send(&mut self, case: &mut Case, forms: &[Form]) -> Result<(), String> {
        if !self.stands_for_one(case, forms) {
            return Ok(());
        }
        let mut shown = Vec::new();
        for form in forms {
            match self.show(case, form)? {
                None => {
                    case.possible.retain_mut(|model| model.show(form).is_none());
                    shown.push(*form);
                }
                Some(answer) => case.possible.retain_mut(|model| {
                    let may_be = model.show(form);
                    may_be.is_some_and(|may_be| may_be.contains(&answer))
                }),
            }
            if case.possible.is_empty() {
                return Err(format!("the page of {form:?} was shown, or was not"));
            }
        }
        let answers = self.confirm(case, &shown)?;
        let mut after: Vec<Model> = Vec::new();
        for model in &case.possible {
            for end in order::after(model, &shown, Some(&answers)) {
                if !after.contains(&end) {
                    after.push(end);
                }
            }
        }
        if after.is_empty() {
            let expected = order::after(&case.possible[0], &shown, None);
            let expected: Vec<_> = shown
                .iter()
                .map(|form| expected[0].last_answer(form))
                .collect();
            return Err(format!(
                "it says {answers:?}\n  and the model, in this order, {expected:?}"
            ));
        }
        case.possible = after;
        Ok(())
    }

    /// Balances, limits, tokens and transfers are as the model says.
    fn compare(&mut self, case: &mut Case) -> Result<(), String> {
        let seen = self.seen(case);
        let is = |model: &Model| seen == case.as_the_model_says(model);
        if !case.possible.iter().any(is) {
            let expected = case.as_the_model_says(&case.possible[0]);
            return Err(format!("found {seen:?}\n  and in the model {expected:?}"));
        }
        let keep: Vec<_> = case.possible.iter().map(is).collect();
        let mut keep = keep.into_iter();
        case.possible.retain(|_| keep.next().unwrap());
        Ok(())
    }
}

impl World for Real {
    type Model = Cases;
    type Case = Case;

    fn begin(&mut self, _: &Model) -> Case {
        self.cases += 1;
        self.site.service.clock.set(second(START + REGISTERED));
        let mut case = self.open(self.cases);
        for operation in prelude() {
            self.apply(&mut case, &operation).unwrap();
        }
        case
    }

    fn apply(&mut self, case: &mut Case, operation: &Operation) -> Result<(), String> {
        let taken = match operation {
            Operation::Time(seconds) => *seconds,
            _ => 1,
        };
        self.advance(taken);
        for model in &mut case.possible {
            model.now += taken;
        }
        match operation {
            Operation::Time(_) => return Ok(()),
            Operation::Restart(copy) => {
                self.restart(*copy);
                return Ok(());
            }
            Operation::Send(form) => self.send(case, std::slice::from_ref(form))?,
            Operation::AtOnce(forms) => self.send(case, forms)?,
            Operation::Deposit {
                number,
                account,
                amount,
            } => {
                self.deposit(case, *number, *account, *amount);
                for model in &mut case.possible {
                    model.deposit(*number, *account, *amount);
                }
            }
            Operation::StaffStop(contract, loss) => {
                let did = self.staff_stop(case, *contract, *loss);
                agree(case, did, |model| model.staff_stop(*contract, *loss))?;
            }
            Operation::Release(contract) => {
                let did = self.by_two(case, *contract, real::RELEASE);
                agree(case, did, |model| model.release(*contract))?;
            }
            Operation::Unlock(contract) => {
                let did = self.by_two(case, *contract, real::UNLOCK);
                agree(case, did, |model| model.unlock(*contract))?;
            }
            Operation::SendDue => self.send_due(case),
        }
        self.tell_token_service();
        self.compare(case)
    }

    fn end(&mut self, mut case: Case) -> Result<(), String> {
        // Every dated transfer comes to its day.
        self.apply(&mut case, &Operation::Time(40 * 86_400))?;
        self.apply(&mut case, &Operation::SendDue)
    }

    fn verify(&mut self) {
        let report = self.site.place.with(warifu::bank_verify::verify).unwrap();
        assert!(report.is_clean(), "{report:?}");
        self.runtime.block_on(self.site.service.require_whole());
    }
}

/// What staff did happened in the model as well.
fn agree(
    case: &mut Case,
    did: bool,
    mut step: impl FnMut(&mut Model) -> bool,
) -> Result<(), String> {
    case.possible.retain_mut(|model| step(model) == did);
    if case.possible.is_empty() {
        return Err(format!(
            "staff's step changed something: {did}, and not in the model"
        ));
    }
    Ok(())
}

impl Case {
    fn code(&self, (token, code): (usize, Code)) -> warifu_oath::Code {
        match code {
            Code::Of(step) => self.tokens[token].code(TimeStep(START.div_euclid(30) + step)),
            Code::Wrong(number) => warifu_oath::Code::parse(&format!("{number:06}")).unwrap(),
        }
    }
}

/// The date of a day that is counted from the one on which cases begin.
fn date(day: i64) -> jiff::civil::Date {
    jst::day(second(START)).checked_add(day.days()).unwrap()
}

fn day(date: jiff::civil::Date) -> i64 {
    let first = jst::day(second(START));
    i64::from(first.until(date).unwrap().get_days())
}

fn answer(confirmed: &Confirmed) -> Result<Answer, String> {
    use warifu_bank::operation::Refusal;
    Ok(match confirmed {
        Confirmed::Done(_, outcome) => Answer::Done {
            effective_on: outcome.effective_on.map(day),
            caution_until: outcome
                .caution_until
                .map(|until| until.div_euclid(1_000_000) - START),
        },
        Confirmed::Refused(Refusal::OverLimit { left, .. }) => Answer::Refused(plain::over(*left)),
        Confirmed::Refused(refusal) => Answer::Refused(refusal.clone()),
        Confirmed::Code(refusal) => Answer::Code(*refusal),
        Confirmed::Gone => return Err("the page is gone".into()),
    })
}
