//! B8, B11: the statement a page at a time, and the payee book.

use jiff::{SignedDuration, Timestamp};
use warifu::bank::{Confirmed, StatementAsked, StatementLine};
use warifu::bank_store::journal;
use warifu_bank::jst;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::Stage;
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, customer_account};

both_engines!(
    pages_of_a_statement_leave_no_line_out_and_tell_none_twice,
    a_payee_is_remembered_once_and_forgotten_on_demand,
);

/// As many deposits, one a minute, every third with another text.
fn deposits(site: &BankSite, count: i64) {
    let start = site.now();
    site.place
        .with(|connection| {
            connection.transaction(|tx| {
                for number in 0..count {
                    let at = start
                        .checked_add(SignedDuration::from_mins(number))
                        .unwrap();
                    let mut random = [0; 10];
                    random[..8].copy_from_slice(&number.to_be_bytes());
                    let text = if number % 3 == 0 {
                        "給与 100%_!"
                    } else {
                        "入金"
                    };
                    let postings =
                        Postings::deposit(customer_account(1), Yen(number + 1), text).unwrap();
                    let new = journal::New {
                        id: Uid::new(at, &random),
                        kind: JournalKind::Deposit,
                        reverses: None,
                        receipt: "",
                        postings: &postings,
                    };
                    assert_eq!(journal::book(tx, &new, at)?, journal::Booked::Done);
                }
                Ok(())
            })
        })
        .unwrap();
}

async fn pages_of_a_statement_leave_no_line_out_and_tell_none_twice(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let stranger = site.contract("12345678902", 2, 0);
    deposits(&site, 100);
    let visitor = site.visitor(contract, Stage::Full);
    let start = site.now();
    let minute = |minutes| {
        start
            .checked_add(SignedDuration::from_mins(minutes))
            .unwrap()
    };
    // Every filter against every line, filtered here.
    let all = pages(&site, &visitor, minute(-1), minute(1_000), "", 100).await;
    assert_eq!(all.len(), 100);
    for (from, until) in [(-1, 1_000), (10, 50), (50, 50), (99, 100)] {
        for text in ["", "給与", "%", "_!", "なし"] {
            let expected: Vec<_> = all
                .iter()
                .filter(|line| line.at >= minute(from) && line.at < minute(until))
                .filter(|line| line.summary.contains(text))
                .cloned()
                .collect();
            for size in [1, 7, 100] {
                let found = pages(&site, &visitor, minute(from), minute(until), text, size).await;
                assert_eq!(found, expected, "{from} {until} {text} {size}");
            }
        }
    }
    let other = site.visitor(stranger, Stage::Full);
    let asked = StatementAsked {
        from: minute(-1),
        until: minute(1_000),
        text: String::new(),
        before: i64::MAX,
        limit: 10,
    };
    let refused = site
        .bank()
        .statement(&other, customer_account(1), asked)
        .await
        .unwrap();
    assert!(refused.is_none());
}

async fn pages(
    site: &BankSite,
    visitor: &warifu::bank::Visitor,
    from: Timestamp,
    until: Timestamp,
    text: &str,
    size: i64,
) -> Vec<StatementLine> {
    let (mut lines, mut before) = (Vec::new(), i64::MAX);
    loop {
        let asked = StatementAsked {
            from,
            until,
            text: text.into(),
            before,
            limit: size,
        };
        let page = site
            .bank()
            .statement(visitor, customer_account(1), asked)
            .await
            .unwrap();
        let page = page.unwrap();
        let Some(last) = page.last() else {
            return lines;
        };
        before = last.sequence;
        lines.extend(page);
    }
}

async fn a_payee_is_remembered_once_and_forgotten_on_demand(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let stranger = site.contract("12345678902", 2, 0);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    for _ in 0..2 {
        let mut order = to_other_bank(1_000, 165, jst::day(site.now()));
        order.remember = true;
        let key = site.show(&visitor, &Order::Transfer(order)).await;
        let code = site.code(&token);
        let done = site
            .confirm(&visitor, OrderKind::Transfer, key, Some(code))
            .await;
        assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
        site.next_code();
    }
    let bank = site.bank();
    let book = bank.payees(&visitor).await.unwrap();
    assert_eq!(book.len(), 1);
    let (payee, _) = book[0];
    let other = site.visitor(stranger, Stage::Full);
    assert!(!bank.forget_payee(&other, payee).await.unwrap());
    assert!(bank.forget_payee(&visitor, payee).await.unwrap());
    assert!(bank.payees(&visitor).await.unwrap().is_empty());
}
