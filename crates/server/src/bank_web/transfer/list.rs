//! 予約振込照会・取消 (rule B12), and what was sent.

use super::*;

/// `GET /transfers`: 予約振込照会・取消, and what was sent.
pub(in crate::bank_web) async fn list(In { ask, signed }: In) -> Result<Response, Failure> {
    let page = list_page(&ask, &signed, &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn list_page(
    ask: &Ask,
    signed: &Signed,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let transfers = ask.web.bank.transfers(&signed.visitor).await?;
    let now = ask.web.bank.now();
    let rows = transfers
        .iter()
        .map(|it| {
            let state = match it.state {
                State::Reserved => "state-reserved",
                State::Sent => "state-sent",
                State::Cancelled => "state-cancelled",
                State::NotSent => "state-not-sent",
            };
            let cancellable = it.state == State::Reserved && may_cancel(it.date, now);
            let act = if cancellable {
                let hidden = vec![("transfer".into(), it.key.to_string())];
                Cell::button("/transfers/cancel", hidden, ask.say("do-cancel"))
            } else {
                Cell::default()
            };
            vec![
                Cell::short(ask.day(it.date)),
                Cell::short(&it.receipt),
                Cell::text(&it.to.name),
                Cell::number(ask.yen(it.amount)),
                Cell::text(ask.say(state)),
                act,
            ]
        })
        .collect();
    Ok(Page {
        title: ask.say("title-transfers"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Text(ask.say("transfers-text")),
            Block::Table(Table {
                caption: ask.say("title-transfers"),
                head: [
                    "send-date",
                    "receipt",
                    "payee-name",
                    "amount",
                    "state",
                    "act",
                ]
                .iter()
                .map(|key| ask.say(key))
                .collect(),
                rows,
                none: ask.say("transfers-none"),
            }),
        ],
        menu: "/transfers",
        ..Page::default()
    })
}

/// `POST /transfers/cancel`
pub(in crate::bank_web) async fn cancel(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let order = Order::TransferCancel {
        transfer: form.text("transfer").to_owned(),
    };
    match begin(&ask, &signed, order).await? {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let errors = [(String::new(), ask.refusal(&refusal))];
            let page = list_page(&ask, &signed, &errors).await?;
            Ok(ask.refused_for(&signed, &page))
        }
    }
}
