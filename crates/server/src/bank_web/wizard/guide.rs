//! トークンのご案内 (rules T4, T7, T8), and whether the token was opened in this very browser (docs/decisions/0020).

use super::*;
use crate::web::cookies;
use crate::web::place::{host_of, is_this_machine};
use crate::web::qr::draw;

/// `GET /guide`
pub(in crate::bank_web) async fn guide(ask: Ask) -> Result<Response, Failure> {
    let say = |key: &str| ask.say(key);
    let steps = |keys: &[&str]| Block::Steps(keys.iter().map(|key| ask.say(key)).collect());
    let mut blocks = vec![Block::Text(say("guide-text"))];
    blocks.extend(where_it_is(&ask));
    for (heading, keys, text) in [
        (
            "guide-iphone",
            ["guide-iphone-1", "guide-iphone-2", "guide-iphone-3"],
            "guide-iphone-text",
        ),
        (
            "guide-android",
            ["guide-android-1", "guide-android-2", "guide-android-3"],
            "guide-android-text",
        ),
        (
            "guide-pc",
            ["guide-pc-1", "guide-pc-2", "guide-pc-3"],
            "guide-pc-text",
        ),
    ] {
        blocks.extend([
            Block::Heading(say(heading)),
            steps(&keys),
            Block::Text(say(text)),
        ]);
    }
    blocks.extend([
        Block::Heading(say("guide-feature")),
        Block::Text(say("guide-feature-phone")),
        Block::Heading(say("guide-then")),
        steps(&["guide-register", "guide-use"]),
        Block::Heading(say("guide-safe")),
        Block::Notice(Tone::Info, say("guide-other-device")),
        Block::Heading(say("guide-trouble")),
        Block::Text(say("guide-new-phone")),
        Block::Text(say("guide-lost")),
        Block::Links(vec![
            ("/registration".into(), say("link-registration")),
            ("/token-change".into(), say("link-token-change")),
            ("/loss".into(), say("link-loss")),
        ]),
        Block::Buttons(vec![("/".into(), say("to-login"))]),
    ]);
    if here(&ask) {
        blocks.push(Block::Form(PageForm {
            action: "/guide/elsewhere".into(),
            submit: say("token-elsewhere"),
            ..PageForm::default()
        }));
    }
    let page = Page {
        title: ask.say("title-guide"),
        blocks,
        ..Page::default()
    };
    Ok(ask.page(&page))
}

/// The token's address: as a QR code where a phone can get there, and to be opened in this browser.
fn where_it_is(ask: &Ask) -> Vec<Block> {
    let Some(address) = ask.web.bank.settings().token_address.as_deref() else {
        return vec![Block::Text(ask.say("guide-address-in-letter"))];
    };
    let mut blocks = Vec::new();
    let far = host_of(address).and_then(is_this_machine) == Some(false);
    match far.then(|| draw(address)).flatten() {
        Some(drawing) => {
            blocks.push(Block::Text(ask.say("guide-qr")));
            blocks.push(Block::Qr(ask.say("guide-qr-label"), drawing));
        }
        None => blocks.push(Block::Text(ask.say("guide-no-qr"))),
    }
    let label = ask.say("guide-address");
    blocks.push(Block::Summary(vec![(label, address.to_owned())]));
    blocks.push(Block::Links(vec![(
        "/guide/token".into(),
        ask.say("guide-open-here"),
    )]));
    blocks
}

/// `GET /guide/token`: to the token, in this browser; the browser remembers for the bank that it was opened here.
pub(in crate::bank_web) async fn open_token(ask: Ask) -> Result<Response, Failure> {
    let Some(address) = ask.web.bank.settings().token_address.as_deref() else {
        return Ok(see("/guide"));
    };
    let mut response = see(address);
    with_cookie(&mut response, cookies::keep(cookies::TOKEN_HERE, "yes"));
    Ok(response)
}

/// `POST /guide/elsewhere`: the token is on another device, says the customer.
pub(in crate::bank_web) async fn token_elsewhere(posted: Posted) -> Result<Response, Failure> {
    let mut response = see("/guide");
    if here(&posted.ask) {
        with_cookie(&mut response, cookies::clear(cookies::TOKEN_HERE));
    }
    Ok(response)
}

fn here(ask: &Ask) -> bool {
    cookies::get(&ask.headers, cookies::TOKEN_HERE).is_some()
}

/// The advice of T7, where the token was opened in this browser.
pub(in crate::bank_web) fn token_here(ask: &Ask) -> Vec<Block> {
    if !here(ask) {
        return Vec::new();
    }
    vec![
        Block::Notice(Tone::Info, ask.say("token-here")),
        Block::Links(vec![("/guide".into(), ask.say("link-guide"))]),
    ]
}
