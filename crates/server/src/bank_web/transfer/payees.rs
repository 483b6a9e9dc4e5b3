//! 振込先: the payee book (rule B8).

use super::*;

/// `GET /payees`: 振込先の一覧.
pub(in crate::bank_web) async fn payees(In { ask, signed }: In) -> Result<Response, Failure> {
    let book = ask.web.bank.payees(&signed.visitor).await?;
    let rows = book
        .iter()
        .map(|(id, payee)| {
            vec![
                Cell::text(&payee.name),
                Cell::text(ask.bank_and_branch(&payee.bank, &payee.branch)),
                Cell::text(format!(
                    "{} {}",
                    say::kind(ask.texts(), payee.kind),
                    payee.number
                )),
                Cell::button(
                    "/payees/remove",
                    vec![("payee".into(), id.to_string())],
                    ask.say("do-remove"),
                ),
            ]
        })
        .collect();
    let page = Page {
        title: ask.say("title-payees"),
        blocks: vec![Block::Table(Table {
            caption: ask.say("title-payees"),
            head: ["payee-name", "to-bank", "to-account", "act"]
                .iter()
                .map(|key| ask.say(key))
                .collect(),
            rows,
            none: ask.say("payees-none"),
        })],
        menu: "/profile",
        ..Page::default()
    };
    Ok(ask.page_for(&signed, &page))
}

/// `POST /payees/remove`
pub(in crate::bank_web) async fn remove_payee(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    if let Ok(payee) = form.text("payee").parse::<Uid>() {
        ask.web.bank.forget_payee(&signed.visitor, payee).await?;
    }
    Ok(see("/payees"))
}
