//! S3: a code is accepted at most once, however many ask at the same moment, at however many copies of the service.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Barrier;

use warifu_wire::ValidateAnswer;

use crate::harness::{Engine, Party, Server, Service, Site, Token, fresh_key, now_step, relation};

both_engines!(
    a_code_is_accepted_once_even_by_32_callers_at_once,
    a_code_accepted_at_one_relying_party_is_replayed_at_another,
    a_code_accepted_for_one_purpose_is_replayed_for_another,
    a_code_of_an_older_step_is_refused_after_a_newer_one,
    neighbours_at_once_do_not_disturb_each_other,
);

/// 32 callers with one code of a new token, every second one for another relying party.
pub(crate) async fn one_code_of_many_callers(
    service: &Service,
    shop: warifu_credentials::party::PartyId,
) {
    let token = service.token().await;
    let code = token.code(service.step());
    let asked = (0..32)
        .map(|number| {
            let party = if number % 2 == 0 { service.bank } else { shop };
            (fresh_key(), party, token.clone(), code.clone())
        })
        .collect();
    let mut counts = HashMap::new();
    for answer in service.check_at_once(asked).await {
        *counts.entry(answer.unwrap()).or_insert(0) += 1;
    }
    let expected = HashMap::from([
        (ValidateAnswer::Accepted, 1),
        (ValidateAnswer::Replayed, 31),
    ]);
    assert_eq!(counts, expected);
}

/// 60 different wrong codes for a new token, 16 at a time.
pub(crate) async fn sixty_wrong_codes(service: &Service) {
    let token = service.token().await;
    let codes: Vec<_> = token.wrong_codes(service.step()).take(60).collect();
    let mut answers = Vec::new();
    for group in codes.chunks(16) {
        let asked = group
            .iter()
            .map(|code| (fresh_key(), service.bank, token.clone(), code.clone()))
            .collect();
        answers.extend(service.check_at_once(asked).await);
    }
    let mut tries: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Ok(ValidateAnswer::Rejected { tries_left }) => Some(*tries_left),
            _ => None,
        })
        .collect();
    tries.sort_unstable();
    assert_eq!(tries, [0, 1, 2, 3, 4]);
    let locked = answers
        .iter()
        .filter(|answer| **answer == Ok(ValidateAnswer::Locked))
        .count();
    assert_eq!(locked, 55);
    let right = token.code(service.step());
    assert_eq!(service.check(&token, right).await, ValidateAnswer::Locked);
}

async fn a_code_is_accepted_once_even_by_32_callers_at_once(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    for _ in 0..25 {
        one_code_of_many_callers(&service, shop).await;
    }
    service.require_whole().await;
}

async fn a_code_accepted_at_one_relying_party_is_replayed_at_another(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    let token = service.token().await;
    let code = token.code(service.step());
    let first = service.check(&token, code.clone()).await;
    assert_eq!(first, ValidateAnswer::Accepted);
    let second = service.check_for(shop, &token, code).await;
    assert_eq!(second, ValidateAnswer::Replayed);
}

async fn a_code_accepted_for_one_purpose_is_replayed_for_another(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token().await;
    let relation = warifu::service::Relation {
        party: service.bank,
        credential: token.id,
    };
    let (running, mut answers) = (service.running(), Vec::new());
    for purpose in ["login", "transfer", "login"] {
        let (key, purpose) = (fresh_key().parse().unwrap(), purpose.parse().unwrap());
        let code = token.code(service.step());
        let answer = running.validate(relation, &key, code, purpose).await;
        answers.push(answer.unwrap().unwrap());
    }
    let [accepted, replayed] = [ValidateAnswer::Accepted, ValidateAnswer::Replayed];
    assert_eq!(answers, [accepted, replayed, replayed]);
}

async fn a_code_of_an_older_step_is_refused_after_a_newer_one(engine: Engine) {
    let service = Service::new(engine);
    let token = service.token().await;
    let now = service.step();
    let ahead = service.check(&token, token.code(now.offset(1))).await;
    assert_eq!(ahead, ValidateAnswer::Accepted);
    for offset in [1, 0, -1] {
        let answer = service.check(&token, token.code(now.offset(offset))).await;
        assert_eq!(answer, ValidateAnswer::Replayed, "{offset}");
    }
    assert_eq!(service.status(service.bank, &token).await.failures, 0);
}

/// Many tokens in the same groups: each gets its own answer, in the order of its own requests.
async fn neighbours_at_once_do_not_disturb_each_other(engine: Engine) {
    let service = Service::new(engine);
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(service.token().await);
    }
    let now = service.step();
    let right = |token: &Token| (fresh_key(), service.bank, token.clone(), token.code(now));
    let wrong = |token: &Token| {
        let code = token.wrong_code(now);
        (fresh_key(), service.bank, token.clone(), code)
    };
    let asked = tokens
        .iter()
        .enumerate()
        .flat_map(|(number, token)| {
            if number % 2 == 0 {
                [right(token), right(token)]
            } else {
                [wrong(token), wrong(token)]
            }
        })
        .collect();
    let answers = service.check_at_once(asked).await;
    for (number, pair) in answers.chunks(2).enumerate() {
        let mut pair: Vec<_> = pair.iter().map(|answer| answer.unwrap()).collect();
        pair.sort_by_key(|answer| format!("{answer:?}"));
        if number % 2 == 0 {
            assert_eq!(pair, [ValidateAnswer::Accepted, ValidateAnswer::Replayed]);
        } else {
            let tries = [3, 4].map(|tries_left| ValidateAnswer::Rejected { tries_left });
            assert_eq!(pair, tries);
        }
    }
    service.require_whole().await;
}

/// Two copies of the service over one PostgreSQL.
pub(crate) struct TwoCopies {
    pub(crate) key: String,
    pub(crate) servers: [Server; 2],
    pub(crate) checkpoints: [std::path::PathBuf; 2],
    pub(crate) site: Site,
}

impl TwoCopies {
    pub(crate) fn start() -> Self {
        let site = Site::new(Engine::Postgres);
        let key = site.add_party("Bank");
        let (config, data) = site.another_copy("second");
        Self {
            key,
            servers: [site.serve(), Server::start(&config)],
            checkpoints: [site.checkpoints(), data.join("audit-checkpoints.jsonl")],
            site,
        }
    }

    /// One code of a new token, each caller under a name of his own.
    pub(crate) fn one_code_of_many_callers(&self, callers: &mut [Party]) {
        let token = self.servers[0].client().token();
        let code = token.text(now_step());
        let answers = at_once(callers, |_, party| {
            party
                .validate(token.id, &fresh_key(), &code)
                .unwrap()
                .result()
        });
        let accepted = answers
            .iter()
            .filter(|answer| *answer == "accepted")
            .count();
        let replayed = answers
            .iter()
            .filter(|answer| *answer == "replayed")
            .count();
        assert_eq!((accepted, replayed), (1, callers.len() - 1), "{answers:?}");
    }

    pub(crate) fn callers(&self) -> Vec<Party> {
        let addresses: Vec<SocketAddr> = self.servers.iter().map(|server| server.address).collect();
        (0..32)
            .map(|number| Party::new(addresses[number % 2], &self.key))
            .collect()
    }

    pub(crate) fn require_whole(&self) {
        let [first, second] = &self.checkpoints;
        let arguments = ["audit", "verify", "--checkpoints", first.to_str().unwrap()];
        let both = [&arguments[..], &["--checkpoints", second.to_str().unwrap()]].concat();
        self.site.warifu(&both).require_success();
    }
}

/// Callers who wait for each other and then ask.
fn at_once<T: Send>(callers: &mut [Party], ask: impl Fn(usize, &mut Party) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(callers.len());
    std::thread::scope(|scope| {
        let (barrier, ask) = (&barrier, &ask);
        let threads: Vec<_> = callers
            .iter_mut()
            .enumerate()
            .map(|(number, party)| {
                scope.spawn(move || {
                    barrier.wait();
                    ask(number, party)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn a_code_is_accepted_once_by_32_callers_over_two_processes_on_one_postgres() {
    let copies = TwoCopies::start();
    let mut callers = copies.callers();
    for _ in 0..10 {
        copies.one_code_of_many_callers(&mut callers);
    }
    copies.require_whole();
}

#[test]
fn one_request_over_two_processes_on_one_postgres_is_one_acceptance_with_equal_answers() {
    let copies = TwoCopies::start();
    let mut callers = copies.callers();
    for _ in 0..5 {
        let token = copies.servers[1].client().token();
        let (key, code) = (fresh_key(), token.text(now_step()));
        let answers = at_once(&mut callers, |_, party| {
            party.validate(token.id, &key, &code).unwrap().result()
        });
        assert!(
            answers.iter().all(|answer| answer == "accepted"),
            "{answers:?}"
        );
    }
    let accepted = "SELECT COUNT(*) FROM audit WHERE kind = 3";
    assert_eq!(copies.site.place.count(accepted), 5);
    copies.require_whole();
}

#[test]
fn wrong_codes_are_counted_together_over_two_processes_on_one_postgres() {
    let copies = TwoCopies::start();
    let token = copies.servers[0].client().token();
    let codes: Vec<_> = token.wrong_codes(now_step()).take(32).collect();
    let answers = at_once(&mut copies.callers(), |number, party| {
        let code = codes[number].to_string();
        party
            .validate(token.id, &fresh_key(), &code)
            .unwrap()
            .result()
    });
    let count = |word: &str| answers.iter().filter(|answer| *answer == word).count();
    assert_eq!((count("rejected"), count("locked")), (5, 27), "{answers:?}");
}

#[test]
fn a_validation_that_postgresql_undid_for_a_deadlock_is_done_again() {
    crate::harness::run(async {
        let service = Service::new(Engine::Postgres);
        let token = service.token().await;
        let (running, code) = (service.running(), token.code(service.step()));
        let relation = relation(service.bank, &token);
        let asked = std::sync::Mutex::new(None);
        let handle = tokio::runtime::Handle::current();
        let id = token.id.to_stored();
        service.place.with(|connection| {
            let stranger = connection.transaction(|tx| {
                // Whoever waits first finds the deadlock: not the stranger.
                tx.batch("SET LOCAL deadlock_timeout = '60s'; LOCK TABLE audit_streams IN ACCESS EXCLUSIVE MODE")?;
                *asked.lock().unwrap() = Some(handle.spawn(async move {
                    let (key, purpose) = (fresh_key().parse().unwrap(), "login".parse().unwrap());
                    running.validate(relation, &key, code, purpose).await
                }));
                let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
                while tx.query_one(waiting, &[], |row| row.int(0))? != Some(1) {}
                tx.batch(&format!("SELECT 1 FROM credentials WHERE id = {id} FOR UPDATE"))?;
                // It held that row: it was undone, and is not answered.
                assert!(!asked.lock().unwrap().as_ref().unwrap().is_finished());
                Ok(())
            });
            stranger.unwrap();
        });
        let asked = asked.into_inner().unwrap().unwrap();
        assert_eq!(asked.await.unwrap().unwrap(), Ok(ValidateAnswer::Accepted));
        service.require_whole().await;
    });
}
