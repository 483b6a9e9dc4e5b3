//! What takes two persons (rule F5), and the mails that went out.

use axum::http::StatusCode;
use axum::response::Response;
use warifu_bank::staff::{Act, may_decide};
use warifu_bank::uid::Uid;

use super::member;
use crate::bank::staff::{Decided, Member};
use crate::bank_store::approval::{self, State};
use crate::bank_store::outbox;
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, Posted, see};
use crate::bank_web::confirm::UNPROCESSABLE;
use crate::mail;
use crate::web::page::{Block, Cell, Page, Table};

/// `GET /approvals`
pub(super) async fn list(ask: Ask) -> Result<Response, Failure> {
    let member = match member(&ask, Act::Look).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    list_page(&ask, &member, &[]).await
}

async fn list_page(
    ask: &Ask,
    member: &Member,
    errors: &[(String, String)],
) -> Result<Response, Failure> {
    let rows = ask
        .web
        .bank
        .approvals()
        .await?
        .iter()
        .map(|it| row(ask, member, it))
        .collect();
    let head = [
        "when",
        "what",
        "contract-id",
        "staff-reason",
        "staff-asked-by",
        "state",
        "act",
        "act",
    ];
    let page = Page {
        title: ask.say("staff-approvals"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Text(ask.say("staff-approvals-text")),
            Block::Table(Table {
                caption: ask.say("staff-approvals"),
                head: head.iter().map(|key| ask.say(key)).collect(),
                rows,
                none: ask.say("notices-none"),
            }),
        ],
        menu: "/approvals",
        ..Page::default()
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        UNPROCESSABLE
    };
    Ok(ask.staff_page(status, Some(member), &page))
}

fn row(ask: &Ask, member: &Member, it: &approval::Stored) -> Vec<Cell> {
    let decides = it.state == State::Open && may_decide(&member.name, member.role, &it.asked_by);
    let button = |word: &str, key: &str| {
        let hidden = vec![
            ("approval".to_owned(), it.id.to_string()),
            ("decision".to_owned(), word.to_owned()),
        ];
        Cell::button("/approvals/decide", hidden, ask.say(key))
    };
    let state = match it.state {
        State::Open => "approval-open",
        State::Approved => "approval-approved",
        State::Declined => "approval-declined",
    };
    let (yes, no) = if decides {
        (
            button("approve", "staff-approve"),
            button("decline", "staff-decline"),
        )
    } else {
        (
            Cell::text(it.decided_by.clone().unwrap_or_default()),
            Cell::default(),
        )
    };
    vec![
        Cell::short(ask.moment(it.asked_at)),
        Cell::text(ask.say(&format!("approval-{}", it.kind.word()))),
        Cell::link(it.contract.grouped(), format!("/contracts/{}", it.contract)),
        Cell::prose(&it.reason),
        Cell::text(&it.asked_by),
        Cell::text(ask.say(state)),
        yes,
        no,
    ]
}

/// `POST /approvals/decide`
pub(super) async fn decide(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let member = match member(&ask, Act::Decide).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let id = form
        .text("approval")
        .parse::<Uid>()
        .map_err(|_| Failure::Malformed)?;
    let approves = match form.text("decision") {
        "approve" => true,
        "decline" => false,
        _ => return Err(Failure::Malformed),
    };
    let key = match ask.web.bank.decide(&member, id, approves).await? {
        Decided::Done => return Ok(see("/approvals")),
        Decided::NotYours => "approval-not-yours",
        Decided::Gone => "approval-gone",
        Decided::NotPossible => "approval-not-possible",
    };
    list_page(&ask, &member, &[(String::new(), ask.say(key))]).await
}

/// `GET /mails`
pub(super) async fn mails(ask: Ask) -> Result<Response, Failure> {
    let member = match member(&ask, Act::Look).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let rows = ask
        .web
        .bank
        .mails()
        .await?
        .iter()
        .map(|it| {
            let state = match it.state {
                outbox::State::Waiting { .. } => "mail-waiting",
                outbox::State::Sent { .. } => "mail-sent",
                outbox::State::GivenUp { .. } => "mail-given-up",
            };
            let told = it
                .mail
                .event
                .as_ref()
                .map(|event| mail::tell(event, ask.language).headline)
                .unwrap_or_default();
            vec![
                Cell::short(ask.moment(it.mail.at)),
                Cell::text(it.mail.address.clone()),
                Cell::prose(told),
                Cell::text(ask.say(state)),
            ]
        })
        .collect();
    let page = Page {
        title: ask.say("staff-mails"),
        blocks: vec![Block::Table(Table {
            caption: ask.say("staff-mails"),
            head: ["when", "mail", "what", "state"]
                .iter()
                .map(|key| ask.say(key))
                .collect(),
            rows,
            none: ask.say("notices-none"),
        })],
        menu: "/mails",
        ..Page::default()
    };
    Ok(ask.staff_page(StatusCode::OK, Some(&member), &page))
}
