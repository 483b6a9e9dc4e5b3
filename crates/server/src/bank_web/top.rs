//! トップページ (rules B11, B12, B15, B18).

use axum::response::Response;
use warifu_bank::contract::TokenStanding;

use super::ask::{Ask, In, Signed};
use super::{Failure, say};
use crate::bank::Overview;
use crate::bank_store::sign_in::Outcome;
use crate::mail;
use crate::web::page::{Block, Cell, Page, Table, Tone};

/// `GET /top`
pub(super) async fn page(In { ask, signed }: In) -> Result<Response, Failure> {
    let bank = &ask.web.bank;
    let overview = &signed.overview;
    let mut blocks = warnings(&ask, &signed);
    blocks.push(Block::Heading(ask.say("balances")));
    blocks.push(Block::Accounts(accounts(&ask, overview)));
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
        head: ["when", "what", "more", "receipt"]
            .iter()
            .map(|key| ask.say(key))
            .collect(),
        rows: notices.iter().map(|it| notice(&ask, it)).collect(),
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

fn notice(ask: &Ask, notice: &crate::bank_store::notice::Stored) -> Vec<Cell> {
    let told = mail::tell(&notice.event, ask.language);
    vec![
        Cell::short(ask.moment(notice.at)),
        Cell::text(told.headline),
        Cell::prose(told.text),
        Cell::short(told.receipt.unwrap_or_default()),
    ]
}

fn accounts(ask: &Ask, overview: &Overview) -> Vec<(String, String, String, String)> {
    let line = |account: &crate::bank_store::account::Stored| {
        let kind = account.id.kind().map(|kind| say::kind(ask.texts(), kind));
        (
            format!("/accounts/{}", account.id.to_stored()),
            kind.unwrap_or_default(),
            format!("{:03}-{}", account.id.branch(), account.id.number()),
            ask.yen(account.balance),
        )
    };
    overview.accounts.iter().map(line).collect()
}

/// What must be seen first: another login that was ended, a token that is missing, the low cap of the first day.
fn warnings(ask: &Ask, signed: &Signed) -> Vec<Block> {
    let overview = &signed.overview;
    let mut blocks = Vec::new();
    if signed.visitor.session.replaced > 0 {
        blocks.push(Block::Notice(Tone::Info, ask.say("replaced-others")));
    }
    match &overview.stored.contract.token {
        TokenStanding::None => {
            blocks.push(Block::Notice(Tone::Warn, ask.say("needs-registration")));
            let link = ("/registration".to_owned(), ask.say("link-registration"));
            blocks.push(Block::Links(vec![link]));
        }
        TokenStanding::AwaitingRelease { .. } => {
            blocks.push(Block::Notice(Tone::Warn, ask.say("needs-release")));
        }
        TokenStanding::InUse { .. } => {}
    }
    let bank = &ask.web.bank;
    if let Some(until) = bank.caution_until(&overview.stored) {
        let (until, cap) = (ask.moment(until), ask.yen(bank.settings().limits.caution));
        let text = ask
            .texts()
            .with("caution", &[("until", &until), ("cap", &cap)]);
        blocks.push(Block::Notice(Tone::Info, text));
    }
    blocks
}
