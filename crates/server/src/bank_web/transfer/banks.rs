//! The directory of banks (rule B8).

use warifu_bank::directory::Bank;

use super::*;

/// `GET /banks`: every bank and branch of Japan, by name, kana or code.
pub(in crate::bank_web) async fn banks(
    In { ask, signed }: In,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let form = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let (typed, bank) = (form.text("q"), form.text("bank"));
    let chosen = directory().bank(bank);
    let found = found(typed, chosen.as_ref());
    let hidden = chosen.map(|chosen| ("bank".to_owned(), chosen.code.to_owned()));
    let mut blocks = Vec::new();
    if let Some(chosen) = &chosen {
        let text = format!("{} ({})", chosen.name, chosen.code);
        blocks.push(Block::Summary(vec![(ask.say("to-bank"), text)]));
    }
    blocks.extend([
        Block::Form(PageForm {
            asks: true,
            action: "/banks".into(),
            hidden: hidden.into_iter().collect(),
            fields: vec![
                Field::new("q", ask.say("banks-query"), FieldKind::Text)
                    .hint(ask.say("banks-query-hint"))
                    .value(typed),
            ],
            submit: ask.say("do-search"),
            cancel: Some(("/transfer".into(), ask.say("do-back"))),
            ..PageForm::default()
        }),
        Block::Table(Table {
            caption: ask.say(if chosen.is_some() {
                "branches-found"
            } else {
                "banks-found"
            }),
            head: vec![ask.say("code-column"), ask.say("name-column")],
            rows: found
                .into_iter()
                .map(|(code, name, to)| vec![Cell::text(code), Cell::link(name, to)])
                .collect(),
            none: ask.say("banks-none"),
        }),
    ]);
    let page = Page {
        title: ask.say("title-banks"),
        blocks,
        menu: "/transfer",
        ..Page::default()
    };
    Ok(ask.page_for(&signed, &page))
}

/// Code, name and where it leads.
fn found(typed: &str, chosen: Option<&Bank<'_>>) -> Vec<(String, String, String)> {
    match chosen {
        Some(chosen) => directory()
            .branches(chosen.code, typed, 100)
            .into_iter()
            .map(|it| {
                let to = format!("/transfer?bank={}&branch={}", chosen.code, it.code);
                (it.code.to_owned(), it.name.to_owned(), to)
            })
            .collect(),
        None if typed.is_empty() => Vec::new(),
        None => directory()
            .banks(typed, 100)
            .into_iter()
            .map(|it| {
                (
                    it.code.to_owned(),
                    it.name.to_owned(),
                    format!("/banks?bank={}", it.code),
                )
            })
            .collect(),
    }
}
