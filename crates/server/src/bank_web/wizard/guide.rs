//! トークンのご案内 (rule T4).

use super::*;

/// `GET /guide`
pub(in crate::bank_web) async fn guide(ask: Ask) -> Result<Response, Failure> {
    let steps = ["guide-get", "guide-open", "guide-register", "guide-use"];
    let page = Page {
        title: ask.say("title-guide"),
        blocks: vec![
            Block::Text(ask.say("guide-text")),
            Block::Steps(steps.iter().map(|key| ask.say(key)).collect()),
            Block::Heading(ask.say("guide-safe")),
            Block::Notice(Tone::Info, ask.say("guide-other-device")),
            Block::Heading(ask.say("guide-trouble")),
            Block::Text(ask.say("guide-new-phone")),
            Block::Text(ask.say("guide-lost")),
            Block::Text(ask.say("guide-feature-phone")),
            Block::Buttons(vec![("/".into(), ask.say("to-login"))]),
        ],
        ..Page::default()
    };
    Ok(ask.page(&page))
}
