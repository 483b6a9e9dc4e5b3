//! M2, M3 over a crash: every receipt that was shown exists, and what was not finished is settled by its key.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use warifu::ambient::{Clock as _, SystemClock, SystemEntropy, random};
use warifu::bank_store::{MIGRATIONS, account, session};
use warifu::bank_verify::verify;
use warifu::database::{Connection, Location, migrate};
use warifu::startup::make_private_dir;
use warifu::web::guard::form_token;
use warifu_bank::session::{SessionSecret, Stage};
use warifu_bank::yen::Yen;

use crate::harness::{Client, Engine, Place, Reply, Server, customer_account, open_contract};

both_engines!(every_receipt_that_was_shown_exists_after_five_kills);

mod at_length {
    use super::soak_fifty_kills_of_the_bank;

    both_engines_at_length!(soak_fifty_kills_of_the_bank);
}

const CUSTOMERS: u32 = 4;
/// What the form token is made of.
const FORM: &str = "00112233445566778899aabbccddeeff";

async fn every_receipt_that_was_shown_exists_after_five_kills(engine: Engine) {
    kills(engine, 5);
}

async fn soak_fifty_kills_of_the_bank(engine: Engine) {
    kills(engine, 50);
}

/// A customer's browser: a session's cookie, and his accounts.
pub(crate) struct Customer {
    pub(crate) cookie: String,
    pub(crate) accounts: Vec<i64>,
}

/// What all browsers together were answered so far.
#[derive(Default)]
pub(crate) struct Progress {
    answers: AtomicUsize,
    receipts: AtomicUsize,
}

impl Progress {
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// Whether there were so many answers, and among them a receipt: chance alone may choose thirty transfers
    /// without the funds.
    fn reached(&self, answers: usize) -> bool {
        self.answers() >= answers && self.receipts.load(Ordering::SeqCst) > 0
    }

    fn answer(&self) {
        self.answers.fetch_add(1, Ordering::SeqCst);
    }
}

/// An operation whose page was shown.
pub(crate) struct Started {
    pub(crate) key: String,
    /// What its result page said, where it was seen.
    pub(crate) receipt: Option<String>,
}

fn kills(engine: Engine, times: u32) {
    let (tokens, bank) = (Place::new(engine), Place::of_bank(engine));
    let folder = tokens.folder.path().to_owned();
    let location = location(engine, &tokens, &bank);
    let customers = prepare(&tokens, &location);
    let config = configure(engine, &folder, &tokens, &bank);
    let mut started: Vec<Vec<Started>> = (0..CUSTOMERS).map(|_| Vec::new()).collect();
    for _ in 0..times {
        let server = start(&config);
        let answers = 4 + usize::from(random::<1>(&SystemEntropy)[0] % 40);
        let more = until_killed(server, &customers, answers);
        for (all, more) in started.iter_mut().zip(more) {
            all.extend(more);
        }
    }
    let server = start(&config);
    let mut shown = 0;
    for (customer, all) in customers.iter().zip(&started) {
        let mut client = Client::new(server.bank.unwrap());
        for one in all {
            shown += usize::from(one.receipt.is_some());
            settle(&mut client, customer, one);
        }
    }
    server.kill();
    assert!(shown > 0);
    let report =
        crate::harness::apart(|| verify(&mut Connection::open(&location, 2048).unwrap()).unwrap());
    assert_eq!(report.faults, Vec::<String>::new());
    let keys: usize = started.iter().map(Vec::len).sum();
    println!("{keys} operations over {times} kills, {shown} receipts seen before one");
}

/// Where the bank's database of the program is.
pub(crate) fn location(engine: Engine, tokens: &Place, bank: &Place) -> Location {
    match engine {
        Engine::Sqlite => Location::Sqlite(tokens.data().join("bank.db")),
        Engine::Postgres => bank.location.clone(),
    }
}

/// Contracts with accounts and a session each.
pub(crate) fn prepare(tokens: &Place, location: &Location) -> Vec<Customer> {
    make_private_dir(&tokens.data()).unwrap();
    let now = SystemClock.now();
    crate::harness::apart(|| {
        let mut connection = Connection::open(location, 2048).unwrap();
        migrate(&mut connection, MIGRATIONS, now).unwrap();
        (1..=CUSTOMERS)
            .map(|number| {
                let secret = SessionSecret::from_random(random(&SystemEntropy));
                let ids = [number, number * 100, number * 100 + 1].map(customer_account);
                connection
                    .transaction(|tx| {
                        let id = format!("{}", 12_345_678_900_u64 + u64::from(number));
                        let contract = open_contract(tx, &id, number, 100_000, now)?;
                        for more in &ids[1..] {
                            account::insert(tx, *more, Some(contract), Some(Yen::ZERO), now)?;
                        }
                        let new = session::New {
                            key: secret.key(),
                            contract,
                            stage: Stage::Full,
                            address: "127.0.0.1".into(),
                            agent: "test".into(),
                        };
                        session::begin(tx, &new, now)
                    })
                    .unwrap();
                Customer {
                    cookie: format!(
                        "__Host-warifu={}; __Host-warifu-form={FORM}",
                        *secret.to_cookie()
                    ),
                    accounts: ids.iter().map(|id| id.to_stored()).collect(),
                }
            })
            .collect()
    })
}

pub(crate) fn configure(engine: Engine, folder: &Path, tokens: &Place, bank: &Place) -> PathBuf {
    let database = |place: &Place| match engine {
        Engine::Sqlite => String::new(),
        Engine::Postgres => format!("database = '{}'\n", place.url()),
    };
    let text = format!(
        "data_dir = '{}'\n[token_service]\nlisten = '127.0.0.1:0'\n{}[metrics]\nlisten = '127.0.0.1:0'\n\
         [bank]\nlisten = '127.0.0.1:0'\nstaff_listen = '127.0.0.1:0'\n{}[log]\nformat = 'json'\n",
        tokens.data().display(),
        database(tokens),
        database(bank),
    );
    let config = folder.join("bank.toml");
    std::fs::write(&config, text).unwrap();
    config
}

pub(crate) fn start(config: &Path) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warifu"));
    command.arg("--config").arg(config).env("LC_ALL", "C");
    Server::spawn(command, &config.with_extension("log"))
}

/// Transfers between own accounts by every customer until the bank is killed, after some answers and a receipt.
pub(crate) fn until_killed(
    server: Server,
    customers: &[Customer],
    answers: usize,
) -> Vec<Vec<Started>> {
    let (address, progress) = (server.bank.unwrap(), Progress::default());
    std::thread::scope(|scope| {
        let callers: Vec<_> = customers
            .iter()
            .map(|customer| {
                let progress = &progress;
                scope.spawn(move || transfers(Client::new(address), customer, progress))
            })
            .collect();
        while !progress.reached(answers) {
            assert!(
                !callers
                    .iter()
                    .all(std::thread::ScopedJoinHandle::is_finished)
            );
            std::thread::yield_now();
        }
        server.kill();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    })
}

pub(crate) fn transfers(
    mut client: Client,
    customer: &Customer,
    progress: &Progress,
) -> Vec<Started> {
    let mut all = Vec::new();
    loop {
        let [a, b, c] = *random::<3>(&SystemEntropy);
        let from = customer.accounts[usize::from(a) % customer.accounts.len()];
        let to = customer.accounts[usize::from(b) % customer.accounts.len()];
        let amount = u32::from(c) + 1;
        let form = format!("from={from}&to={to}&amount={amount}");
        let Some(shown) = post(&mut client, customer, "/internal-transfer", &form) else {
            return all;
        };
        progress.answer();
        // Short of funds, or one account twice: its own page says so.
        let Some(key) = shown
            .header("location")
            .and_then(|to| to.strip_prefix("/confirm/"))
        else {
            assert_eq!(shown.status, 422);
            continue;
        };
        all.push(Started {
            key: key.to_owned(),
            receipt: None,
        });
        let one = all.last_mut().unwrap();
        let confirm = format!("/confirm/{}", one.key);
        // Twice: a double click.
        for _ in 0..2 {
            if post(&mut client, customer, &confirm, "").is_none() {
                return all;
            }
            progress.answer();
        }
        match result(&mut client, customer, &one.key) {
            Some(reply) => one.receipt = receipt(&reply),
            None => return all,
        }
        if one.receipt.is_some() {
            progress.receipts.fetch_add(1, Ordering::SeqCst);
        }
        progress.answer();
    }
}

/// Sends a form; none when the bank is gone.
pub(crate) fn post(
    client: &mut Client,
    customer: &Customer,
    path: &str,
    fields: &str,
) -> Option<Reply> {
    let body = format!("form={}&{fields}", form_token(FORM));
    let headers = [
        ("Cookie", customer.cookie.as_str()),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let body = body.trim_end_matches('&').as_bytes().to_vec();
    let reply = client.request("POST", path, &headers, &body).ok()?;
    assert!(
        matches!(reply.status, 303 | 422 | 503),
        "{path}: {}",
        reply.status
    );
    Some(reply)
}

pub(crate) fn result(client: &mut Client, customer: &Customer, key: &str) -> Option<Reply> {
    let headers = [("Cookie", customer.cookie.as_str())];
    client
        .request("GET", &format!("/result/{key}"), &headers, b"")
        .ok()
}

/// 受付番号 of a result page that says that it is done.
pub(crate) fn receipt(reply: &Reply) -> Option<String> {
    let (_, rest) = reply.text().split_once("<dd>")?;
    let (receipt, _) = rest.split_once("</dd>")?;
    (reply.status == 200).then(|| receipt.to_owned())
}

/// What was shown is there still; what was not is settled by its key, and stays so.
fn settle(client: &mut Client, customer: &Customer, one: &Started) {
    let before = result(client, customer, &one.key).unwrap();
    if let Some(seen) = &one.receipt {
        assert_eq!(receipt(&before).as_ref(), Some(seen));
    }
    let confirm = format!("/confirm/{}", one.key);
    post(client, customer, &confirm, "").unwrap();
    let settled = result(client, customer, &one.key).unwrap();
    assert!(
        matches!(settled.status, 200 | 404 | 422),
        "{}",
        settled.status
    );
    if before.status == 200 {
        assert_eq!(receipt(&settled), receipt(&before));
    }
}
