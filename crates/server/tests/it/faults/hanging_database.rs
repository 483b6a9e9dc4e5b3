//! A database that hangs: an answer within a bounded time, and everything is well again when it goes on.

use std::sync::mpsc;

use warifu::bank_verify::verify;
use warifu::database::{Connection, Location};

use super::*;
use crate::bank::crash;
use crate::harness::{Client, Place};
use crate::overload::hold;

both_engines!(
    while_a_stranger_holds_the_database_the_answer_is_503_and_then_all_is_settled,
    while_the_banks_database_is_held_pages_that_need_none_go_on,
);

async fn while_a_stranger_holds_the_database_the_answer_is_503_and_then_all_is_settled(
    engine: Engine,
) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    let tokens: Vec<Token> = (0..4).map(|_| server.client().token()).collect();
    while server.party(&key).status(tokens[0].id).status != 200 {}
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let asked: Vec<Asked> = std::thread::scope(|scope| {
        let (place, server, key) = (&site.place, &server, &key);
        scope.spawn(move || hold(place, held, released));
        is_held.recv().unwrap();
        let asking: Vec<_> = tokens
            .iter()
            .map(|token| scope.spawn(move || ask(&mut server.party(key), token)))
            .collect();
        // The client would not wait for longer than half a minute.
        let asked = asking.into_iter().map(|one| one.join().unwrap()).collect();
        require_pages_without_database(server);
        let mut client = server.client();
        client.get("/readyz").require(503, ProblemType::Unavailable);
        drop(release);
        asked
    });
    assert!(asked.iter().all(|asked| asked.answer.is_none()));
    wait_until_ready(&server, 200);
    let mut party = server.party(&key);
    for asked in &asked {
        settle(&mut party, asked);
    }
    let log = server.log();
    for words in ["takes no writes", "takes writes again"] {
        assert!(log.contains(words), "{log}");
    }
    site.require_whole();
}

#[test]
fn a_postgresql_that_hangs_is_answered_503_and_goes_on_where_it_was() {
    let stage = Stage::new(Engine::Postgres);
    let cluster = stage.cluster.as_ref().unwrap();
    let server = stage.serve();
    let tokens: Vec<Token> = (0..6).map(|_| server.client().token()).collect();
    while stage.party(&server).status(tokens[0].id).status != 200 {}
    cluster.hang();
    let asked: Vec<Asked> = std::thread::scope(|scope| {
        let asking: Vec<_> = tokens
            .iter()
            .map(|token| {
                let mut party = stage.party(&server);
                scope.spawn(move || ask(&mut party, token))
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(asked.iter().all(|asked| asked.answer.is_none()));
    require_pages_without_database(&server);
    for _ in 0..3 {
        let mut client = server.client();
        client.get("/readyz").require(503, ProblemType::Unavailable);
    }
    cluster.go_on();
    wait_until_ready(&server, 200);
    let mut party = stage.party(&server);
    for asked in &asked {
        settle(&mut party, asked);
    }
    stage.site.require_whole();
}

/// Holds the bank's database so that nothing is written, and on PostgreSQL no contract read, until the sender is dropped.
fn hold_bank(
    engine: Engine,
    location: &Location,
    held: mpsc::Sender<()>,
    release: mpsc::Receiver<()>,
) {
    crate::harness::apart(move || {
        let lock = match engine {
            Engine::Sqlite => "SELECT 1",
            Engine::Postgres => "LOCK TABLE contracts IN ACCESS EXCLUSIVE MODE",
        };
        let mut connection = Connection::open(location, 2048).unwrap();
        let done = connection.transaction(|tx| {
            tx.batch(lock)?;
            held.send(()).unwrap();
            let _ = release.recv();
            Ok(())
        });
        done.unwrap();
    });
}

async fn while_the_banks_database_is_held_pages_that_need_none_go_on(engine: Engine) {
    let (tokens, bank) = (Place::new(engine), Place::of_bank(engine));
    let location = crash::location(engine, &tokens, &bank);
    let customers = crash::prepare(&tokens, &location);
    let folder = tokens.folder.path().to_owned();
    let server = crash::start(&crash::configure(engine, &folder, &tokens, &bank));
    let address = server.bank.unwrap();
    let customer = &customers[0];
    let [from, to] = [customer.accounts[0], customer.accounts[1]];
    let form = format!("from={from}&to={to}&amount=1");
    let mut client = Client::new(address);
    let shown = crash::post(&mut client, customer, "/internal-transfer", &form).unwrap();
    let path = shown.header("location").unwrap().to_owned();
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel();
    std::thread::scope(|scope| {
        let location = &location;
        scope.spawn(move || hold_bank(engine, location, held, released));
        is_held.recv().unwrap();
        let refused = crash::post(&mut client, customer, &path, "").unwrap();
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("retry-after"), Some("5"));
        let page = refused.text();
        assert!(page.contains("二重に行われることはありません"), "{page}");
        for page in ["/", "/healthz"] {
            assert_eq!(Client::new(address).get(page).status, 200, "{page}");
        }
        assert_eq!(Client::new(address).get("/readyz").status, 503);
        drop(release);
    });
    let begun = stopwatch();
    while Client::new(address).get("/readyz").status != 200 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    for _ in 0..2 {
        let done = crash::post(&mut client, customer, &path, "").unwrap();
        assert_eq!(done.status, 303);
    }
    let key = path.rsplit('/').next().unwrap();
    let result = crash::result(&mut client, customer, key).unwrap();
    assert!(crash::receipt(&result).is_some());
    server.kill();
    let report =
        crate::harness::apart(|| verify(&mut Connection::open(&location, 2048).unwrap()).unwrap());
    assert_eq!(report.faults, Vec::<String>::new());
}
