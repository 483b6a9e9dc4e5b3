//! Contracts: find, open, look, stop a token (rules F2 to F4).

use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::Response;
use warifu_bank::account::AccountId;
use warifu_bank::contract::{ContractId, LossReason, Service, TokenStanding};
use warifu_bank::staff::{Act, ApprovalKind};
use warifu_bank::uid::Uid;
use warifu_bank::written::is_plain;
use warifu_bank::yen::Yen;

use super::{member, trail};
use crate::bank::staff::{ContractView, Member};
use crate::bank_store::sign_in::Outcome;
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, Posted, see};
use crate::bank_web::confirm::UNPROCESSABLE;
use crate::web::form::Form;
use crate::web::page::{Block, Cell, Field, FieldKind, Form as PageForm, Page, Table};

/// Characters of a reason, or of who asked, at most.
const WRITTEN: usize = 200;

/// `GET /`: find a contract by ID, name or token ID.
pub(super) async fn find(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let member = match member(&ask, Act::Look).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let form = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let typed = form.text("q");
    let found = ask.web.bank.find_contracts(typed).await?;
    let rows = found
        .iter()
        .map(|it| {
            let id = it.contract.id;
            vec![
                Cell::link(id.grouped(), format!("/contracts/{id}")),
                Cell::text(&it.name),
                Cell::text(state(&ask, it)),
            ]
        })
        .collect();
    let page = Page {
        title: ask.say("staff-find"),
        blocks: vec![
            Block::Form(PageForm {
                asks: true,
                action: "/".into(),
                fields: vec![
                    Field::new("q", ask.say("staff-query"), FieldKind::Text)
                        .hint(ask.say("staff-query-hint"))
                        .value(typed),
                ],
                submit: ask.say("do-search"),
                ..PageForm::default()
            }),
            Block::Table(Table {
                caption: ask.say("staff-found"),
                head: ["contract-id", "name", "state"]
                    .iter()
                    .map(|key| ask.say(key))
                    .collect(),
                rows,
                none: if typed.is_empty() {
                    String::new()
                } else {
                    ask.say("banks-none")
                },
            }),
        ],
        menu: "/",
        ..Page::default()
    };
    Ok(ask.staff_page(StatusCode::OK, Some(&member), &page))
}

/// How a contract stands, in words.
fn state(ask: &Ask, stored: &crate::bank_store::contract::Stored) -> String {
    match (&stored.contract.service, &stored.contract.token) {
        (Service::EmergencyStopped, _) => ask.say("standing-emergency"),
        (Service::Closed, _) => ask.say("standing-closed"),
        (Service::Open, TokenStanding::None) => ask.say("standing-no-token"),
        (Service::Open, TokenStanding::InUse { .. }) => ask.say("standing-in-use"),
        (Service::Open, TokenStanding::AwaitingRelease { reason }) => ask.say(match reason {
            LossReason::Lost => "standing-lost",
            LossReason::Stolen => "standing-stolen",
            LossReason::Broken => "standing-broken",
        }),
    }
}

pub(super) fn contract_of(path: &str) -> Result<ContractId, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}

/// `GET /contracts/{contract}`
pub(super) async fn view(ask: Ask, Path(id): Path<String>) -> Result<Response, Failure> {
    let member = match member(&ask, Act::Look).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    view_page(&ask, &member, contract_of(&id)?, &[]).await
}

async fn view_page(
    ask: &Ask,
    member: &Member,
    id: ContractId,
    errors: &[(String, String)],
) -> Result<Response, Failure> {
    let Some(view) = ask.web.bank.contract_view(id).await? else {
        return Err(Failure::NotFound);
    };
    let stored = &view.stored;
    let token = stored
        .contract
        .token_in_use()
        .map(warifu_bank::token_id::TokenId::grouped);
    let mut blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Summary(vec![
            (ask.say("contract-id"), id.grouped()),
            (ask.say("name"), stored.name.clone()),
            (ask.say("name-kana"), stored.kana.clone()),
            (ask.say("state"), state(ask, stored)),
            (
                ask.say("token-id"),
                token.unwrap_or_else(|| ask.say("token-none")),
            ),
            (
                ask.say("mail"),
                stored.mail.clone().unwrap_or_else(|| ask.say("mail-none")),
            ),
        ]),
    ];
    blocks.extend(actions(ask, member, &view));
    blocks.extend(tables(ask, &view));
    let page = Page {
        title: ask.say("staff-contract"),
        blocks,
        menu: "/",
        ..Page::default()
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        UNPROCESSABLE
    };
    Ok(ask.staff_page(status, Some(member), &page))
}

/// What this member may do with this contract, as it stands.
fn actions(ask: &Ask, member: &Member, view: &ContractView) -> Vec<Block> {
    let mut blocks = stop_block(ask, member, view);
    blocks.extend(ask_block(ask, member, view));
    blocks.extend(serve_block(ask, member, view));
    blocks
}

fn stop_block(ask: &Ask, member: &Member, view: &ContractView) -> Vec<Block> {
    let stored = &view.stored;
    let id = stored.contract.id;
    let mut blocks = Vec::new();
    if member.role.may(Act::StopToken)
        && !matches!(
            stored.contract.token,
            TokenStanding::AwaitingRelease {
                reason: LossReason::Stolen
            }
        )
    {
        let reasons = ["lost", "stolen", "broken"];
        let reasons = reasons
            .iter()
            .map(|word| ((*word).to_owned(), ask.say(&format!("loss-{word}"))))
            .collect();
        blocks.push(Block::Heading(ask.say("staff-stop")));
        blocks.push(Block::Form(PageForm {
            action: format!("/contracts/{id}/stop"),
            fields: vec![
                Field::new("reason", ask.say("loss-reason"), FieldKind::Radio(reasons)),
                Field::new("asked", ask.say("staff-asked-by"), FieldKind::Text)
                    .hint(ask.say("staff-asked-by-hint")),
            ],
            submit: ask.say("do-loss"),
            danger: true,
            ..PageForm::default()
        }));
    }
    blocks
}

fn ask_block(ask: &Ask, member: &Member, view: &ContractView) -> Vec<Block> {
    let stored = &view.stored;
    let id = stored.contract.id;
    let mut blocks = Vec::new();
    if member.role.may(Act::Ask) {
        let kinds: Vec<_> = ApprovalKind::ALL
            .into_iter()
            .filter(|kind| match kind {
                ApprovalKind::Release => {
                    matches!(stored.contract.token, TokenStanding::AwaitingRelease { .. })
                }
                ApprovalKind::Unlock => stored.contract.token_in_use().is_some(),
                ApprovalKind::LiftEmergencyStop => {
                    stored.contract.service == Service::EmergencyStopped
                }
                ApprovalKind::Reverse => !view.transfers.is_empty(),
            })
            .map(|kind| {
                (
                    kind.word().to_owned(),
                    ask.say(&format!("approval-{}", kind.word())),
                )
            })
            .collect();
        let mut subjects = vec![(String::new(), ask.say("staff-no-subject"))];
        subjects.extend(view.transfers.iter().map(|it| {
            (
                it.key.to_string(),
                format!("{} {}", it.receipt, ask.yen(it.amount)),
            )
        }));
        if let Some((first, _)) = kinds.first().cloned() {
            blocks.push(Block::Heading(ask.say("staff-ask")));
            blocks.push(Block::Form(PageForm {
                action: format!("/contracts/{id}/ask"),
                fields: vec![
                    Field::new("kind", ask.say("staff-ask-what"), FieldKind::Radio(kinds))
                        .value(&first),
                    Field::new(
                        "subject",
                        ask.say("staff-subject"),
                        FieldKind::Select(subjects),
                    ),
                    Field::new("why", ask.say("staff-reason"), FieldKind::Text),
                ],
                submit: ask.say("staff-do-ask"),
                ..PageForm::default()
            }));
        }
    }
    blocks
}

fn serve_block(ask: &Ask, member: &Member, view: &ContractView) -> Vec<Block> {
    let id = view.stored.contract.id;
    let mut blocks = Vec::new();
    if member.role.may(Act::Serve) {
        let accounts = view
            .accounts
            .iter()
            .map(|it| (it.id.to_stored().to_string(), ask.account(it.id)))
            .collect();
        blocks.push(Block::Heading(ask.say("staff-serve")));
        blocks.push(Block::Form(PageForm {
            action: format!("/contracts/{id}/deposit"),
            hidden: vec![("key".into(), ask.web.bank.uid().to_string())],
            fields: vec![
                Field::new(
                    "account",
                    ask.say("account-label"),
                    FieldKind::Select(accounts),
                ),
                Field::new("amount", ask.say("staff-deposit"), FieldKind::Digits)
                    .hint(ask.say("amount-hint")),
            ],
            submit: ask.say("staff-do-deposit"),
            ..PageForm::default()
        }));
        blocks.push(Block::Form(PageForm {
            action: format!("/contracts/{id}/password"),
            submit: ask.say("staff-do-reissue"),
            danger: true,
            ..PageForm::default()
        }));
    }
    blocks
}

fn tables(ask: &Ask, view: &ContractView) -> Vec<Block> {
    let table = |key: &str, head: &[&str], rows: Vec<Vec<Cell>>| {
        Block::Table(Table {
            caption: ask.say(key),
            head: head.iter().map(|key| ask.say(key)).collect(),
            rows,
            none: ask.say("notices-none"),
        })
    };
    let accounts = view.accounts.iter().map(|it| {
        vec![
            Cell::text(ask.account(it.id)),
            Cell::number(ask.yen(it.balance)),
        ]
    });
    let sessions = view.sessions.iter().map(|it| {
        vec![
            Cell::short(ask.moment(it.created_at)),
            Cell::short(&it.address),
            Cell::prose(&it.agent),
        ]
    });
    let sign_ins = view.sign_ins.iter().map(|it| {
        let outcome = match it.outcome {
            Outcome::SignedIn => "outcome-signed-in",
            Outcome::WrongPassword => "outcome-wrong-password",
            Outcome::WrongCode => "outcome-wrong-code",
        };
        vec![
            Cell::short(ask.moment(it.at)),
            Cell::short(ask.say(outcome)),
            Cell::short(&it.address),
            Cell::prose(&it.agent),
        ]
    });
    let events = view.events.iter().map(|it| trail::row(ask, it));
    vec![
        Block::Heading(ask.say("balances")),
        table(
            "balances",
            &["account-label", "balance"],
            accounts.collect(),
        ),
        Block::Heading(ask.say("title-sessions")),
        table(
            "title-sessions",
            &["when", "address", "browser"],
            sessions.collect(),
        ),
        Block::Heading(ask.say("title-history")),
        table(
            "title-history",
            &["when", "what", "address", "browser"],
            sign_ins.collect(),
        ),
        Block::Heading(ask.say("staff-trail")),
        table(
            "staff-trail",
            &["when", "staff-actor", "what", "staff-details", "address"],
            events.collect(),
        ),
    ]
}

/// `POST /contracts/{contract}/deposit`
pub(super) async fn deposit(Path(id): Path<String>, posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let member = match member(&ask, Act::Serve).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let id = contract_of(&id)?;
    let account = form
        .text("account")
        .parse()
        .ok()
        .and_then(AccountId::from_stored);
    let key = form
        .text("key")
        .parse::<Uid>()
        .map_err(|_| Failure::Malformed)?;
    let (Some(account), Some(amount)) = (account, Yen::typed(form.text("amount"))) else {
        return view_page(
            &ask,
            &member,
            id,
            &[("amount".into(), ask.say("bad-amount"))],
        )
        .await;
    };
    if ask
        .web
        .bank
        .deposit(&member, id, key, account, amount)
        .await?
    {
        Ok(see(&format!("/contracts/{id}")))
    } else {
        Err(Failure::NotFound)
    }
}

/// `POST /contracts/{contract}/stop`
pub(super) async fn stop(Path(id): Path<String>, posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let member = match member(&ask, Act::StopToken).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let id = contract_of(&id)?;
    let reason = match form.text("reason") {
        "lost" => LossReason::Lost,
        "stolen" => LossReason::Stolen,
        "broken" => LossReason::Broken,
        _ => {
            let error = ("reason".into(), ask.say("loss-reason-missing"));
            return view_page(&ask, &member, id, &[error]).await;
        }
    };
    let asked = form.text("asked");
    if asked.is_empty() {
        let error = ("asked".into(), ask.say("staff-asked-by-missing"));
        return view_page(&ask, &member, id, &[error]).await;
    }
    if !is_plain(asked, WRITTEN) {
        let error = ("asked".into(), ask.say("staff-text-bad"));
        return view_page(&ask, &member, id, &[error]).await;
    }
    if ask
        .web
        .bank
        .stop_token(&member, id, reason, asked.to_owned())
        .await?
    {
        Ok(see(&format!("/contracts/{id}")))
    } else {
        view_page(&ask, &member, id, &[(String::new(), ask.say("unchanged"))]).await
    }
}

/// `POST /contracts/{contract}/ask`
pub(super) async fn ask_approval(
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let member = match member(&ask, Act::Ask).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let id = contract_of(&id)?;
    let kind = ApprovalKind::from_word(form.text("kind")).ok_or(Failure::Malformed)?;
    let why = form.text("why");
    if why.is_empty() {
        let error = ("why".into(), ask.say("staff-reason-missing"));
        return view_page(&ask, &member, id, &[error]).await;
    }
    if !is_plain(why, WRITTEN) {
        let error = ("why".into(), ask.say("staff-text-bad"));
        return view_page(&ask, &member, id, &[error]).await;
    }
    let subject = form.text("subject");
    if kind == ApprovalKind::Reverse && subject.is_empty() {
        let error = ("subject".into(), ask.say("staff-subject-missing"));
        return view_page(&ask, &member, id, &[error]).await;
    }
    let bank = &ask.web.bank;
    if bank
        .ask_approval(&member, kind, id, subject.to_owned(), why.to_owned())
        .await?
    {
        Ok(see("/approvals"))
    } else {
        Err(Failure::NotFound)
    }
}
