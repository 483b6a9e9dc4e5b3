//! Contracts: find, open, look, stop a token (rules F2 to F4).

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use warifu_bank::account::AccountId;
use warifu_bank::contract::{ContractId, LossReason, Service, TokenStanding};
use warifu_bank::first_password::last_day;
use warifu_bank::kana::fold_name;
use warifu_bank::mail_address::MailAddress;
use warifu_bank::staff::{Act, ApprovalKind};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;
use zeroize::Zeroizing;

use super::member;
use crate::bank::staff::{ContractView, Member, NewContract, Opened};
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, Posted, see};
use crate::bank_web::confirm::UNPROCESSABLE;
use crate::letter::{BankOnPaper, Kind, Letter, LetterError, render};
use crate::web::form::Form;
use crate::web::page::{Block, Cell, Field, FieldKind, Form as PageForm, Page, Table};

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

/// `GET /contracts/new`
pub(super) async fn new_page(ask: Ask) -> Result<Response, Failure> {
    let member = match member(&ask, Act::Serve).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = open_form(&ask, &Form::default(), &[]);
    Ok(ask.staff_page(StatusCode::OK, Some(&member), &page))
}

fn open_form(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Page {
    let text = |name: &str, key: &str, kind: FieldKind| {
        Field::new(name, ask.say(key), kind)
            .value(form.text(name))
            .error(errors)
    };
    let languages = vec![
        ("ja".to_owned(), "日本語".to_owned()),
        ("en".to_owned(), "English".to_owned()),
    ];
    let language = form.text("language");
    let fields = vec![
        text("name", "name", FieldKind::Text),
        text("kana", "name-kana", FieldKind::Text).hint(ask.say("payee-name-hint")),
        text("mail", "mail", FieldKind::Mail),
        text("language", "staff-language", FieldKind::Radio(languages))
            .value(if language.is_empty() { "ja" } else { language }),
        text("branch", "branch-code", FieldKind::Digits).hint(ask.say("branch-code-hint")),
        text("deposit", "staff-deposit", FieldKind::Digits).hint(ask.say("amount-hint")),
    ];
    Page {
        title: ask.say("staff-open"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Form(PageForm {
                action: "/contracts/new".into(),
                hidden: vec![("key".into(), key(ask, form))],
                fields,
                submit: ask.say("staff-do-open"),
                cancel: Some(("/".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ],
        menu: "/contracts/new",
        ..Page::default()
    }
}

/// The key of a form that is shown, or shown again.
fn key(ask: &Ask, form: &Form) -> String {
    form.text("key")
        .parse::<Uid>()
        .unwrap_or_else(|_| ask.web.bank.uid())
        .to_string()
}

fn read(ask: &Ask, form: &Form) -> Result<NewContract, Vec<(String, String)>> {
    let mut errors = Vec::new();
    let mut wrong = |name: &str, key: &str| errors.push((name.to_owned(), ask.say(key)));
    let name = form.text("name");
    if name.is_empty() || name.chars().count() > 30 {
        wrong("name", "staff-name-bad");
    }
    let kana = fold_name(form.text("kana"));
    if kana.is_err() {
        wrong("kana", "staff-kana-bad");
    }
    let typed = form.text("mail");
    let mail = typed
        .parse::<MailAddress>()
        .map(|address| address.as_str().to_owned());
    if !typed.is_empty() && mail.is_err() {
        wrong("mail", "mail-bad");
    }
    let branch = form
        .text("branch")
        .parse::<u16>()
        .ok()
        .filter(|it| (1..=999).contains(it));
    if branch.is_none() {
        wrong("branch", "branch-unknown");
    }
    let deposit = Yen::typed(form.text("deposit"));
    if !form.text("deposit").is_empty() && deposit.is_none() {
        wrong("deposit", "bad-amount");
    }
    let key = form.text("key").parse::<Uid>();
    match (kana, branch, key) {
        (Ok(kana), Some(branch), Ok(key)) if errors.is_empty() => Ok(NewContract {
            key,
            name: name.to_owned(),
            kana,
            language: if form.text("language") == "en" {
                "en"
            } else {
                "ja"
            },
            mail: mail.ok(),
            branch,
            deposit,
        }),
        _ => Err(errors),
    }
}

/// `POST /contracts/new`
pub(super) async fn open(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let member = match member(&ask, Act::Serve).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let read = read(&ask, &form).and_then(|new| match unprintable(&ask, &new.name) {
        Some(error) => Err(vec![("name".into(), error)]),
        None => Ok(new),
    });
    match read {
        Ok(new) => match ask.web.bank.open_contract(&member, new).await?? {
            Some(opened) => letter(&ask, &opened, Kind::Opened),
            // Sent again: the contract is there, and its letter was printed.
            None => Ok(see("/")),
        },
        Err(errors) => {
            let page = open_form(&ask, &form, &errors);
            Ok(ask.staff_page(UNPROCESSABLE, Some(&member), &page))
        }
    }
}

/// What of a name the letter cannot print: told before anything is opened.
fn unprintable(ask: &Ask, name: &str) -> Option<String> {
    let (today, password) = (
        ask.web.bank.today(),
        Zeroizing::new("aaaa-aaaa-aaaa-aaaa".into()),
    );
    let letter = Letter {
        bank: BankOnPaper::from(ask.web.bank.settings()),
        customer_name: name,
        contract_id: ContractId::from_random(&[0; 8]),
        password: &password,
        issued_on: today,
        expires_on: today,
        kind: Kind::Opened,
    };
    match render(&letter) {
        Ok(_) => None,
        Err(LetterError::Unprintable(letter)) => {
            let letter = letter.to_string();
            Some(
                ask.texts()
                    .with("staff-name-unprintable", &[("letter", &letter)]),
            )
        }
        Err(_) => Some(ask.say("staff-name-bad")),
    }
}

/// The letter to the customer, one page of PDF. No page of ours shows the password.
fn letter(ask: &Ask, opened: &Opened, kind: Kind) -> Result<Response, Failure> {
    let letter = Letter {
        bank: BankOnPaper::from(ask.web.bank.settings()),
        customer_name: &opened.name,
        contract_id: opened.id,
        password: &opened.password,
        issued_on: warifu_bank::jst::day(opened.at),
        expires_on: last_day(opened.expires_at),
        kind,
    };
    let pdf = render(&letter).map_err(|error| Failure::Internal(error.to_string()))?;
    let name = format!("attachment; filename=\"letter-{}.pdf\"", opened.id);
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/pdf"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    Ok((headers, pdf.to_vec()).into_response())
}

fn contract_of(path: &str) -> Result<ContractId, Failure> {
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
            Cell::text(ask.moment(it.created_at)),
            Cell::text(&it.address),
            Cell::text(&it.agent),
        ]
    });
    let events = view.events.iter().map(|it| {
        vec![
            Cell::text(ask.moment(it.at)),
            Cell::text(&it.actor),
            Cell::text(&it.word),
            Cell::text(&it.details),
            Cell::text(&it.address),
        ]
    });
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

/// `POST /contracts/{contract}/password`
pub(super) async fn reissue(Path(id): Path<String>, posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, .. } = posted;
    let member = match member(&ask, Act::Serve).await? {
        Ok(member) => member,
        Err(elsewhere) => return Ok(elsewhere),
    };
    match ask
        .web
        .bank
        .reissue_password(&member, contract_of(&id)?)
        .await??
    {
        Some(opened) => letter(&ask, &opened, Kind::Reissued),
        None => Err(Failure::NotFound),
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
