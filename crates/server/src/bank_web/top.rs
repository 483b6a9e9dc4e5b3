//! トップページ (rules B11, B12, B15, B18).

use axum::response::Response;
use warifu_bank::contract::TokenStanding;

use super::ask::Ask;
use super::{Failure, say};
use crate::bank_store::sign_in::Outcome;
use crate::web::page::{Block, Cell, Page, Table, Tone};

/// `GET /top`
pub(super) async fn page(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let bank = &ask.web.bank;
    let Some(overview) = bank.overview(&signed.visitor).await? else {
        return Err(Failure::NotFound);
    };
    let mut blocks = Vec::new();
    if signed.visitor.session.replaced > 0 {
        blocks.push(Block::Notice(Tone::Info, ask.say("replaced-others")));
    }
    match &overview.stored.contract.token {
        TokenStanding::None => {
            blocks.push(Block::Notice(Tone::Warn, ask.say("needs-registration")));
            blocks.push(Block::Links(vec![(
                "/registration".into(),
                ask.say("link-registration"),
            )]));
        }
        TokenStanding::AwaitingRelease { .. } => {
            blocks.push(Block::Notice(Tone::Warn, ask.say("needs-release")));
        }
        TokenStanding::InUse { .. } => {}
    }
    if let Some(until) = bank.caution_until(&overview.stored) {
        let values = [
            ("until", ask.moment(until)),
            ("cap", ask.yen(bank.settings().limits.caution)),
        ];
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        blocks.push(Block::Notice(
            Tone::Info,
            ask.texts().with("caution", &values),
        ));
    }
    blocks.push(Block::Heading(ask.say("balances")));
    blocks.push(Block::Accounts(
        overview
            .accounts
            .iter()
            .map(|account| {
                let kind = account.id.kind().map(|kind| say::kind(ask.texts(), kind));
                (
                    format!("/accounts/{}", account.id.to_stored()),
                    kind.unwrap_or_default(),
                    format!("{:03}-{}", account.id.branch(), account.id.number()),
                    ask.yen(account.balance),
                )
            })
            .collect(),
    ));
    // This sign-in is the newest that went through; the one before it is what the customer compares with.
    let sign_ins = bank.sign_ins(&signed.visitor).await?;
    let last = sign_ins
        .iter()
        .filter(|it| it.outcome == Outcome::SignedIn)
        .nth(1);
    let last = last.map_or_else(
        || ask.say("first-sign-in"),
        |it| {
            let at = ask.moment(it.at);
            ask.texts()
                .with("last-sign-in", &[("at", &at), ("address", &it.address)])
        },
    );
    blocks.push(Block::Text(last));
    let notices = bank.notices(&signed.visitor).await?;
    blocks.push(Block::Heading(ask.say("notices")));
    blocks.push(Block::Table(Table {
        caption: ask.say("notices-newest"),
        head: vec![ask.say("when"), ask.say("what")],
        rows: notices
            .iter()
            .map(|notice| {
                vec![
                    Cell::text(ask.moment(notice.at)),
                    Cell::text(say::event(ask.language, &notice.event)),
                ]
            })
            .collect(),
        none: ask.say("notices-none"),
    }));
    let page = Page {
        title: ask.say("title-top"),
        blocks,
        menu: "/top",
        ..Page::default()
    };
    Ok(ask.page_for(&signed, &page))
}
