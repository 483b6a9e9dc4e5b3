//! M1–M3 under load: random transfers by sixteen clients, with double clicks and forms that are sent again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use warifu::ambient::{SystemEntropy, random, stopwatch};
use warifu::bank::{Bank, Confirmed, Given, Visitor};
use warifu::bank_store::account;
use warifu_bank::account::{AccountId, AccountKind};
use warifu_bank::jst;
use warifu_bank::operation::Order;
use warifu_bank::session::Stage;
use warifu_bank::transfer::{Payee, TransferOrder};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use crate::harness::{BankSite, Engine, Token, customer_account};

both_engines!(random_transfers_by_sixteen_clients_keep_the_sum_and_every_floor);

mod at_length {
    use super::soak_random_transfers_for_a_minute;

    both_engines_at_length!(soak_random_transfers_for_a_minute);
}

const CLIENTS: u32 = 16;
/// With the sixteen clients' own first accounts: a hundred and more.
const MORE_ACCOUNTS: u32 = 6;
const OPENING: i64 = 50_000;

async fn random_transfers_by_sixteen_clients_keep_the_sum_and_every_floor(engine: Engine) {
    storm(engine, Duration::ZERO, 6).await;
}

async fn soak_random_transfers_for_a_minute(engine: Engine) {
    storm(engine, Duration::from_secs(60), 1).await;
}

/// One customer at his browser.
#[derive(Clone)]
struct Client {
    visitor: Visitor,
    accounts: Vec<AccountId>,
    token: Token,
}

fn pick(below: usize) -> usize {
    usize::try_from(u64::from_be_bytes(*random(&SystemEntropy))).unwrap() % below
}

async fn storm(engine: Engine, at_least: Duration, rounds: u32) {
    let site = BankSite::new(engine).await;
    let mut clients = Vec::new();
    for number in 1..=CLIENTS {
        clients.push(client(&site, number).await);
    }
    // The caution of the first day would hold every transfer back.
    site.service.clock.advance(25 * 3600);
    for client in &mut clients {
        client.visitor = site.visitor(client.visitor.session.contract, Stage::Full);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn(watch(site.bank(), Arc::clone(&stop)));
    let (begun, mut round, mut done) = (stopwatch(), 0, HashMap::new());
    while round < rounds || begun.elapsed() < at_least {
        round += 1;
        site.next_code();
        let mut tasks = Vec::new();
        for client in &clients {
            let code = site.code(&client.token).to_string();
            let (bank, client, all) = (site.bank(), client.clone(), clients.clone());
            tasks.push(tokio::spawn(async move {
                visit(&bank, &client, &all, &code).await
            }));
        }
        for task in tasks {
            done.extend(task.await.unwrap());
        }
        // Sessions that were not used for ten minutes are over: people come back.
        for client in &mut clients {
            client.visitor = site.visitor(client.visitor.session.contract, Stage::Full);
        }
    }
    stop.store(true, Ordering::SeqCst);
    let looks = watching.await.unwrap();
    assert!(looks > 0);
    // Every key that was told as done has its journal, and no other key has one.
    let journals = site
        .place
        .count("SELECT COUNT(*) FROM journals WHERE kind <> 1");
    assert_eq!(usize::try_from(journals).unwrap(), done.len());
    let report = site.verify();
    assert_eq!(report.faults, Vec::<String>::new());
    println!(
        "{} transfers in {round} rounds, {looks} looks at the sum",
        done.len()
    );
    assert!(
        done.len() > usize::try_from(rounds).unwrap() * 5,
        "{}",
        done.len()
    );
}

async fn client(site: &BankSite, number: u32) -> Client {
    let id = format!("{}", 12_345_678_900_u64 + u64::from(number));
    let contract = site.contract(&id, number, OPENING);
    let token = site.registered(contract).await;
    let mut accounts = vec![customer_account(number)];
    let now = site.now();
    site.place
        .with(|connection| {
            connection.transaction(|tx| {
                for more in 0..MORE_ACCOUNTS {
                    let account = customer_account(number * 100 + more);
                    assert!(account::insert(
                        tx,
                        account,
                        Some(contract),
                        Some(Yen::ZERO),
                        now
                    )?);
                    accounts.push(account);
                }
                Ok(())
            })
        })
        .unwrap();
    Client {
        visitor: site.visitor(contract, Stage::Full),
        accounts,
        token,
    }
}

/// Some transfers between own accounts, and one to somebody else with the code of this half minute.
async fn visit(bank: &Arc<Bank>, client: &Client, all: &[Client], code: &str) -> Vec<(Uid, ())> {
    let mut done = Vec::new();
    for _ in 0..3 {
        let [from, to] = [0, 1].map(|_| client.accounts[pick(client.accounts.len())]);
        let amount = i64::try_from(pick(2_000)).unwrap() + 1;
        done.extend(
            order(
                bank,
                client,
                Order::InternalTransfer { from, to, amount },
                None,
            )
            .await,
        );
    }
    let other = &all[pick(all.len())];
    let to = other.accounts[pick(other.accounts.len())];
    let transfer = Order::Transfer(TransferOrder {
        from: client.accounts[pick(client.accounts.len())],
        to: Payee {
            bank: "9999".into(),
            branch: "101".into(),
            kind: AccountKind::Ordinary,
            number: to.number(),
            name: "ﾐﾎﾝ ﾊﾅｺ".into(),
        },
        amount: i64::try_from(pick(2_000)).unwrap() + 1,
        fee: 0,
        date: jst::day(bank.now()),
        remember: false,
    });
    done.extend(order(bank, client, transfer, Some(code)).await);
    done
}

/// Shows an order and confirms it three times at once, then once more: every answer is the same.
async fn order(
    bank: &Arc<Bank>,
    client: &Client,
    order: Order,
    code: Option<&str>,
) -> Option<(Uid, ())> {
    let kind = order.kind();
    let shown = bank
        .show(&client.visitor, kind, Some(order))
        .await
        .unwrap()
        .ok()?;
    let confirm = || {
        let (bank, visitor) = (Arc::clone(bank), client.visitor.clone());
        let code = code.map(|code| code.to_owned().into());
        tokio::spawn(async move {
            let given = Given {
                code,
                ..Given::default()
            };
            bank.confirm(&visitor, kind, shown.key, given)
                .await
                .unwrap()
        })
    };
    let clicks = [confirm(), confirm(), confirm()];
    let mut answers = Vec::new();
    for click in clicks {
        answers.push(click.await.unwrap());
    }
    answers.push(confirm().await.unwrap());
    let done = answers
        .iter()
        .any(|answer| matches!(answer, Confirmed::Done(..)));
    if done {
        // What was refused as things stood before the first click settled it is refused no more by its key.
        assert!(
            matches!(answers.last(), Some(Confirmed::Done(..))),
            "{answers:?}"
        );
    }
    done.then_some((shown.key, ()))
}

/// Looks at the sum of all balances and at every floor, until it is told to stop.
async fn watch(bank: Arc<Bank>, stop: Arc<AtomicBool>) -> u32 {
    let mut looks = 0;
    while !stop.load(Ordering::SeqCst) {
        let seen = bank
            .database()
            .read(|tx| {
                tx.query_one(
                    "SELECT CAST(SUM(balance) AS BIGINT),
                            CAST(SUM(CASE WHEN balance < lowest THEN 1 ELSE 0 END) AS BIGINT) FROM accounts",
                    &[],
                    |row| Ok((row.int(0)?, row.int(1)?)),
                )
            })
            .await
            .unwrap();
        assert_eq!(
            seen,
            Some((0, 0)),
            "the sum, and accounts below their floor"
        );
        looks += 1;
        tokio::task::yield_now().await;
    }
    looks
}
