//! A contract is opened, or its password issued anew: both end in a letter (rule F2).

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use warifu_bank::contract::ContractId;
use warifu_bank::first_password::last_day;
use warifu_bank::kana::fold_name;
use warifu_bank::mail_address::MailAddress;
use warifu_bank::staff::Act;
use warifu_bank::uid::Uid;
use warifu_bank::written::is_plain;
use warifu_bank::yen::Yen;
use zeroize::Zeroizing;

use super::contracts::contract_of;
use super::member;
use crate::bank::staff::{NewContract, Opened};
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, Posted, see};
use crate::bank_web::confirm::UNPROCESSABLE;
use crate::letter::{BankOnPaper, Kind, Letter, LetterError, render};
use crate::web::form::Form;
use crate::web::page::{Block, Field, FieldKind, Form as PageForm, Page};

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
    if !is_plain(name, 30) {
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
