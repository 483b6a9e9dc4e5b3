//! 入出金明細照会 (rule B11).

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use warifu_bank::account::AccountId;
use warifu_bank::jst;
use warifu_bank::written::is_unseen;
use warifu_bank::yen::Yen;

use super::Failure;
use super::ask::{Ask, In};
use super::confirm::UNPROCESSABLE;
use crate::bank::{StatementAsked, StatementLine};
use crate::web::form::Form;
use crate::web::page::{Block, Cell, Field, FieldKind, Form as PageForm, Page, Table};

/// Lines of a page.
const LINES: i64 = 50;

/// Lines of a file at most.
const FILE_LINES: i64 = 10_000;

/// What was asked for, as it was typed.
struct Asked {
    from: Date,
    to: Date,
    text: String,
    before: i64,
    errors: Vec<(String, String)>,
}

fn read(ask: &Ask, query: Option<String>) -> Result<Asked, Failure> {
    let query =
        Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let today = ask.web.bank.today();
    let mut errors = Vec::new();
    let mut day = |name: &str, otherwise: Date| match query.text(name) {
        "" => otherwise,
        typed => typed.parse().unwrap_or_else(|_| {
            errors.push((name.to_owned(), ask.say("date-bad")));
            otherwise
        }),
    };
    let from = day("from", today.checked_sub(90.days()).unwrap_or(today));
    let to = day("to", today);
    if from > to {
        errors.push(("to".into(), ask.say("dates-reversed")));
    }
    Ok(Asked {
        from,
        to,
        text: query.text("text").to_owned(),
        before: query.text("before").parse().unwrap_or(i64::MAX),
        errors,
    })
}

impl Asked {
    fn statement(&self, limit: i64) -> StatementAsked {
        let end = jst::next_day(self.to).and_then(jst::start_of);
        StatementAsked {
            from: jst::start_of(self.from).unwrap_or(Timestamp::UNIX_EPOCH),
            until: end.unwrap_or(Timestamp::MAX),
            text: self.text.clone(),
            before: self.before,
            limit,
        }
    }

    fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("from", &self.from.to_string())
            .append_pair("to", &self.to.to_string())
            .append_pair("text", &self.text)
            .finish()
    }
}

fn account_of(path: &str) -> Result<AccountId, Failure> {
    path.parse()
        .ok()
        .and_then(AccountId::from_stored)
        .ok_or(Failure::NotFound)
}

/// `GET /accounts/{account}`
pub(super) async fn page(
    In { ask, signed }: In,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let account = account_of(&account)?;
    let asked = read(&ask, query)?;
    let statement = asked.statement(LINES + 1);
    let Some(mut lines) = ask
        .web
        .bank
        .statement(&signed.visitor, account, statement)
        .await?
    else {
        return Err(Failure::NotFound);
    };
    let address = format!("/accounts/{}", account.to_stored());
    let more = i64::try_from(lines.len()).unwrap_or(0) > LINES;
    lines.truncate(usize::try_from(LINES).unwrap_or(50));
    let mut links = Vec::new();
    if let (true, Some(last)) = (more, lines.last()) {
        let to = format!("{address}?{}&before={}", asked.query(), last.sequence);
        links.push((to, ask.say("statement-more")));
    }
    links.push((
        format!("{address}/csv?{}", asked.query()),
        ask.say("statement-csv"),
    ));
    let date = |name: &str, key: &str, value: Date| {
        Field::new(name, ask.say(key), FieldKind::Date)
            .value(&value.to_string())
            .error(&asked.errors)
    };
    let page = Page {
        title: ask.say("title-statement"),
        blocks: vec![
            Block::Errors(asked.errors.clone()),
            Block::Summary(vec![(ask.say("account-label"), ask.account(account))]),
            Block::Form(PageForm {
                asks: true,
                action: address,
                fields: vec![
                    date("from", "date-from", asked.from),
                    date("to", "date-to", asked.to),
                    Field::new("text", ask.say("statement-text"), FieldKind::Text)
                        .value(&asked.text),
                ],
                submit: ask.say("do-search"),
                ..PageForm::default()
            }),
            Block::Table(table(&ask, &lines)),
            Block::Links(links),
        ],
        menu: "/top",
        ..Page::default()
    };
    if asked.errors.is_empty() {
        Ok(ask.page_for(&signed, &page))
    } else {
        let mut response = ask.page_for(&signed, &page);
        *response.status_mut() = UNPROCESSABLE;
        Ok(response)
    }
}

fn table(ask: &Ask, lines: &[StatementLine]) -> Table {
    Table {
        caption: ask.say("statement-caption"),
        head: ["date", "summary", "money-out", "money-in", "balance"]
            .iter()
            .map(|key| ask.say(key))
            .collect(),
        rows: lines
            .iter()
            .map(|line| {
                let (out, into) = sides(ask, line);
                vec![
                    Cell::short(ask.moment(line.at)),
                    Cell::text(&line.summary),
                    Cell::number(out),
                    Cell::number(into),
                    Cell::number(ask.yen(line.balance)),
                ]
            })
            .collect(),
        none: ask.say("statement-none"),
    }
}

fn sides(ask: &Ask, line: &StatementLine) -> (String, String) {
    if line.amount < Yen::ZERO {
        (ask.yen(Yen(-line.amount.0)), String::new())
    } else {
        (String::new(), ask.yen(line.amount))
    }
}

/// `GET /accounts/{account}/csv`: UTF-8 with a byte order mark, as spreadsheets of Japan expect; no cell is a formula.
pub(super) async fn csv(
    In { ask, signed }: In,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let account = account_of(&account)?;
    let asked = read(&ask, query)?.statement(FILE_LINES);
    let Some(lines) = ask
        .web
        .bank
        .statement(&signed.visitor, account, asked)
        .await?
    else {
        return Err(Failure::NotFound);
    };
    let head: Vec<String> = ["date", "summary", "money-out", "money-in", "balance"]
        .iter()
        .map(|key| cell(&ask.say(key)))
        .collect();
    let mut text = format!("\u{feff}{}\r\n", head.join(","));
    for line in lines.iter().rev() {
        let (out, into) = if line.amount < Yen::ZERO {
            ((-line.amount.0).to_string(), String::new())
        } else {
            (String::new(), line.amount.0.to_string())
        };
        let day = jst::day(line.at).to_string();
        text.push_str(&format!(
            "{day},{},{out},{into},{}\r\n",
            cell(&line.summary),
            line.balance.0
        ));
    }
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"statement.csv\""),
        ),
    ];
    Ok((headers, text).into_response())
}

/// A text as a cell: quoted, and with a mark before what a spreadsheet would take for a formula (OWASP CSV Injection), also
/// behind what some of them skip.
fn cell(text: &str) -> String {
    let skipped = |letter: char| letter.is_whitespace() || letter.is_control() || is_unseen(letter);
    let formula = text
        .trim_start_matches(skipped)
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(char::is_control);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("振込 ﾐﾎﾝ"), "\"振込 ﾐﾎﾝ\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("-2+3|cmd"), "\"'-2+3|cmd\"");
        assert_eq!(cell("a\"b"), "\"a\"\"b\"");
        for text in ["\t1", "\r1", "\n1", " =1", "\u{feff}=1", "\u{200b}＝1"] {
            assert_eq!(cell(text), format!("\"'{text}\""));
        }
    }
}
