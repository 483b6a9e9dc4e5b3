//! The token service beside its model (rules S1 to S7 and S9).

mod operation;
pub(super) mod plain;

use std::sync::Arc;

use tokio::runtime::Runtime;
use warifu::database::{PoolSettings, Waiting};
use warifu::service::TokenService;
use warifu_credentials::party::PartyId;
use warifu_oath::TimeStep;
use warifu_wire::{CredentialState, CredentialStatus};

use self::operation::{Cases, Operation, STEPS};
use self::plain::{Action, Answer, Code, Model, PARTIES, Request};
use super::drive::{Plan, World, after_some_order};
use crate::harness::{Engine, START, Service, Token, fresh_key, relation, second, timed_key};

/// Operations of a case.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=40;

/// Rows that wait in SQLite's memory: so few that every case sees folds.
const GENERATION: usize = 16;

#[test]
fn on_sqlite_the_token_service_answers_as_its_model_for_many_callers() {
    Plan::short(60).run(LENGTH, || Real::new(Engine::Sqlite));
}

#[test]
fn on_postgres_three_copies_of_the_token_service_answer_as_one_model() {
    Plan::short(40).run(LENGTH, || Real::new(Engine::Postgres));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_on_sqlite_the_token_service_answers_as_its_model() {
    Plan::long().run(LENGTH, || Real::new(Engine::Sqlite));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_on_postgres_three_copies_of_the_token_service_answer_as_one_model() {
    Plan::long().run(LENGTH, || Real::new(Engine::Postgres));
}

/// Copies of the service over one database.
struct Real {
    runtime: Runtime,
    service: Service,
    parties: [PartyId; PARTIES],
    copies: Vec<Arc<TokenService>>,
    /// Tokens of nobody in any case.
    others: Vec<Token>,
    /// Whose turn it is.
    turn: usize,
    cases: u64,
}

/// What a case has, and what its model may be.
struct Case {
    number: u64,
    tokens: Vec<RealToken>,
    /// More than one where operations at once leave open which of them came first.
    possible: Vec<Model>,
}

/// A token with its codes.
struct RealToken {
    token: Token,
    wrong: Vec<warifu_oath::Code>,
}

impl Real {
    fn new(engine: Engine) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut service = Service::new(engine);
        let parties = [service.bank, service.add_party("Shop")];
        let others = runtime.block_on(async {
            let mut others = Vec::new();
            for _ in 0..4 {
                others.push(service.token().await);
            }
            others
        });
        service.stop_running();
        let copies = match engine {
            Engine::Sqlite => 1,
            Engine::Postgres => 3,
        };
        let mut real = Self {
            runtime,
            service,
            parties,
            copies: Vec::new(),
            others,
            turn: 0,
            cases: 0,
        };
        for _ in 0..copies {
            real.copies.push(real.open());
        }
        real
    }

    fn open(&self) -> Arc<TokenService> {
        self.service.open(&PoolSettings {
            connections: 1,
            gatherers: 1,
            waiting: Waiting {
                generation: GENERATION,
                round: 2 * GENERATION,
            },
            ..self.service.pool()
        })
    }

    fn restart(&mut self, copy: usize) {
        let copy = copy % self.copies.len();
        let ended = self.copies.swap_remove(copy);
        Arc::into_inner(ended).unwrap().close();
        self.copies.push(self.open());
    }

    /// The next copy.
    fn copy(&mut self) -> Arc<TokenService> {
        self.turn += 1;
        Arc::clone(&self.copies[self.turn % self.copies.len()])
    }

    /// A token whose codes are all different, so that each stands for one step, as in the model.
    fn provision(&mut self) -> RealToken {
        let place = |step| TimeStep(START.div_euclid(30) + step);
        // An address a case: the clock of the next begins before the one of the last ended.
        let address = format!("2001:db8::{:x}", self.cases);
        loop {
            let copy = self.copy();
            let token = self.runtime.block_on(async {
                let beginning = crate::harness::Beginning::new();
                let request = beginning.request(warifu_wire::Platform::Web);
                match copy.provision(&request, &address).await.unwrap() {
                    warifu::service::Provisioned::Done(answer) => beginning.end(&answer),
                    other => panic!("{other:?}"),
                }
            });
            if !token.tells_apart(STEPS.map(place)) {
                continue;
            }
            let right: Vec<_> = STEPS.map(|step| token.text(place(step))).collect();
            let wrong = (0..)
                .map(|number| format!("{number:06}"))
                .filter(|code| !right.contains(code))
                .map(|code| warifu_oath::Code::parse(&code).unwrap())
                .take(3)
                .collect();
            return RealToken { token, wrong };
        }
    }

    fn ask(&mut self, case: &Case, requests: &[Request]) -> Result<Vec<Answer>, String> {
        let prepared: Vec<_> = requests
            .iter()
            .map(|request| {
                // Of two keys one tells when it was made.
                let key = if request.number.is_multiple_of(2) {
                    timed_key((case.number << 16) | u64::from(request.number))
                } else {
                    format!("case-{}-{}", case.number, request.number)
                };
                let real = &case.tokens[request.token];
                let party = self.parties[request.party];
                (self.copy(), key, party, real.sent(request.action))
            })
            .collect();
        self.runtime.block_on(async {
            let asked: Vec<_> = prepared
                .into_iter()
                .map(|(copy, key, party, sent)| tokio::spawn(sent.to(copy, key, party)))
                .collect();
            let mut answers = Vec::with_capacity(asked.len());
            for one in asked {
                answers.push(one.await.unwrap()?);
            }
            Ok(answers)
        })
    }

    /// How every token stands with everyone is as the model says.
    fn compare(&mut self, case: &mut Case) -> Result<(), String> {
        for (number, real) in case.tokens.iter().enumerate() {
            for party in 0..PARTIES {
                let copy = self.copy();
                let relation = relation(self.parties[party], &real.token);
                let status = self.runtime.block_on(copy.status(relation));
                let status = status.unwrap().unwrap();
                let is = |model: &Model| stands(&status, model, number, party);
                if !case.possible.iter().any(is) {
                    return Err(format!(
                        "token {number} stands with party {party} as {status:?}\n  and not as in {:?}",
                        case.possible[0].tokens[number]
                    ));
                }
                case.possible.retain(is);
            }
        }
        Ok(())
    }
}

impl World for Real {
    type Model = Cases;
    type Case = Case;

    fn begin(&mut self, model: &Model) -> Case {
        self.cases += 1;
        self.service.clock.set(second(START));
        Case {
            number: self.cases,
            tokens: vec![self.provision()],
            possible: vec![model.clone()],
        }
    }

    fn apply(&mut self, case: &mut Case, operation: &Operation) -> Result<(), String> {
        let requests = match operation {
            Operation::Provision => {
                case.tokens.push(self.provision());
                for model in &mut case.possible {
                    model.tokens.push(plain::Token::default());
                }
                return Ok(());
            }
            Operation::Time(seconds) => {
                self.service.clock.advance(*seconds);
                for model in &mut case.possible {
                    model.now += seconds;
                }
                return Ok(());
            }
            Operation::Restart(copy) => {
                self.restart(*copy);
                return Ok(());
            }
            Operation::Others => {
                self.use_others();
                return Ok(());
            }
            Operation::Ask(request) => std::slice::from_ref(request),
            Operation::AtOnce(requests) => requests,
        };
        let answers = self.ask(case, requests)?;
        let answered: Vec<_> = requests.iter().copied().zip(answers).collect();
        let mut after: Vec<Model> = Vec::new();
        for model in &case.possible {
            for end in after_some_order(model, &answered, &Model::ask) {
                if !after.contains(&end) {
                    after.push(end);
                }
            }
        }
        if after.is_empty() {
            return Err(differs(&case.possible, &answered));
        }
        case.possible = after;
        if requests.len() > 1 {
            self.compare(case)?;
        }
        Ok(())
    }

    fn end(&mut self, mut case: Case) -> Result<(), String> {
        self.compare(&mut case)
    }

    fn verify(&mut self) {
        let heads = self.runtime.block_on(self.copies[0].audit_heads()).unwrap();
        let now = warifu::ambient::Clock::now(&*self.service.clock);
        let checkpoint = self.service.secrets.signer.sign(now, &heads);
        let report = self.service.verify(&[checkpoint]).unwrap();
        assert_eq!(report.faults, Vec::<String>::new());
        assert!(report.rows > 0);
    }
}

impl Real {
    fn use_others(&mut self) {
        let step = self.service.step();
        let asked: Vec<_> = (0..GENERATION + GENERATION / 4)
            .map(|number| {
                let token = &self.others[number % self.others.len()];
                let sent = Sent {
                    token: token.clone(),
                    action: SentAction::Validate(token.code(step), "login"),
                };
                sent.to(self.copy(), fresh_key(), self.parties[0])
            })
            .collect();
        self.runtime.block_on(async {
            for one in asked {
                one.await.unwrap();
            }
        });
    }
}

impl RealToken {
    fn code(&self, code: Code) -> warifu_oath::Code {
        match code {
            Code::Of(step) => self.token.code(TimeStep(START.div_euclid(30) + step)),
            Code::Wrong(number) => self.wrong[usize::from(number)].clone(),
        }
    }

    fn sent(&self, action: Action) -> Sent {
        let action = match action {
            Action::Validate(code, purpose) => SentAction::Validate(self.code(code), purpose),
            Action::Resync(first, second) => {
                SentAction::Resync(self.code(first), self.code(second))
            }
            other => SentAction::Other(other),
        };
        Sent {
            token: self.token.clone(),
            action,
        }
    }
}

/// A request with real codes.
struct Sent {
    token: Token,
    action: SentAction,
}

enum SentAction {
    Validate(warifu_oath::Code, &'static str),
    Resync(warifu_oath::Code, warifu_oath::Code),
    Other(Action),
}

impl Sent {
    async fn to(
        self,
        copy: Arc<TokenService>,
        key: String,
        party: PartyId,
    ) -> Result<Answer, String> {
        let (to, key) = (relation(party, &self.token), key.parse().unwrap());
        let settled = match self.action {
            SentAction::Validate(code, purpose) => copy
                .validate(to, &key, code, purpose.parse().unwrap())
                .await
                .map(|settled| settled.map(Answer::Validate)),
            SentAction::Resync(first, second) => copy
                .resync(to, &key, first, second)
                .await
                .map(|settled| settled.map(Answer::Resync)),
            SentAction::Other(Action::Stop(reason)) => copy
                .stop(to, &key, reason)
                .await
                .map(|settled| settled.map(Answer::Stop)),
            SentAction::Other(Action::Enable) => copy
                .enable(to, &key)
                .await
                .map(|settled| settled.map(Answer::Enable)),
            SentAction::Other(_) => copy
                .unlock(to, &key)
                .await
                .map(|settled| settled.map(Answer::Unlock)),
        };
        match settled.map_err(|error| format!("no answer: {error}"))? {
            Ok(answer) => Ok(answer),
            Err(warifu::store::settle::Refusal::RequestReused) => Ok(Answer::Reused),
            Err(other) => Err(format!("refused: {other:?}")),
        }
    }
}

fn stands(status: &CredentialStatus, model: &Model, token: usize, party: usize) -> bool {
    let plain = &model.tokens[token];
    let state = if plain.stopped.is_some() {
        CredentialState::Stopped
    } else {
        CredentialState::Enabled
    };
    status.state == state
        && status.stop_reason == plain.stopped.map(|(reason, _)| reason)
        && i64::from(status.drift) == plain.drift
        && status.failures == plain.wrong[party]
        && status.locked == (plain.wrong[party] == 5)
        && status.last_accepted_at == plain.spent_at.map(|at| second(START + at))
}

fn differs(possible: &[Model], answered: &[(Request, Answer)]) -> String {
    let mut model = possible[0].clone();
    let expected: Vec<_> = answered
        .iter()
        .map(|(request, _)| model.ask(request))
        .collect();
    let found: Vec<_> = answered.iter().map(|(_, answer)| answer).collect();
    format!("it says {found:?}\n  and the model, in this order, {expected:?}")
}
