//! Staff log in with name, password and always a code (rule F1).

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use warifu_bank::staff::Act;
use warifu_bank::token_id::TokenId;

use super::member;
use crate::bank::staff::{StaffCode, StaffSignIn};
use crate::bank_web::Failure;
use crate::bank_web::ask::{Ask, Posted, see, with_cookie};
use crate::bank_web::confirm::{UNPROCESSABLE, code_field};
use crate::bank_web::sign_in::retry_after;
use crate::web::cookies;
use crate::web::page::{Block, Field, FieldKind, Form as PageForm, Page};

fn login_page(ask: &Ask, name: &str, errors: &[(String, String)]) -> Page {
    let form = PageForm {
        action: "/login".into(),
        fields: vec![
            Field::new("name", ask.say("staff-name"), FieldKind::Id)
                .value(name)
                .error(errors),
            Field::new("password", ask.say("password"), FieldKind::Password)
                .hint(ask.say("password-case"))
                .error(errors),
        ],
        submit: ask.say("do-next"),
        ..PageForm::default()
    };
    Page {
        title: ask.say("staff-login"),
        blocks: vec![Block::Errors(errors.to_vec()), Block::Form(form)],
        ..Page::default()
    }
}

/// `GET /login`
pub(super) async fn page(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.staff_page(StatusCode::OK, None, &login_page(&ask, "", &[])))
}

/// `POST /login`
pub(super) async fn login(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let (name, password) = (form.text("name"), form.secret("password"));
    let (status, text, seconds) = match ask
        .web
        .bank
        .staff_sign_in(name, &password, &ask.caller)
        .await?
    {
        StaffSignIn::Begun(secret) => {
            let mut response = see("/login/code");
            with_cookie(
                &mut response,
                cookies::set(cookies::STAFF, &secret.to_cookie()),
            );
            return Ok(response);
        }
        StaffSignIn::Busy => return Err(Failure::Busy(2)),
        StaffSignIn::Wait(seconds) => {
            let wait = seconds.to_string();
            let text = ask.texts().with("sign-in-wait", &[("seconds", &wait)]);
            (StatusCode::TOO_MANY_REQUESTS, text, Some(seconds))
        }
        StaffSignIn::Wrong => (UNPROCESSABLE, ask.say("staff-wrong"), None),
    };
    let page = login_page(&ask, name, &[(String::new(), text)]);
    Ok(retry_after(ask.staff_page(status, None, &page), seconds))
}

fn code_form(ask: &Ask, needs_token: bool, token: &str, errors: &[(String, String)]) -> Page {
    let mut fields = Vec::new();
    if needs_token {
        fields.push(
            Field::new("token", ask.say("token-id"), FieldKind::Text)
                .hint(ask.say("token-id-hint"))
                .value(token)
                .error(errors),
        );
    }
    fields.push(code_field(ask, errors));
    let text = if needs_token {
        "staff-enrol-text"
    } else {
        "login-code-text"
    };
    Page {
        title: ask.say("title-login-code"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Text(ask.say(text)),
            Block::Form(PageForm {
                action: "/login/code".into(),
                fields,
                submit: ask.say("do-confirm"),
                cancel: Some(("/login".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ],
        ..Page::default()
    }
}

/// `GET /login/code`
pub(super) async fn code_page(ask: Ask) -> Result<Response, Failure> {
    let Some(half) = ask.staff_secret() else {
        return Ok(see("/login"));
    };
    match ask.web.bank.staff_needs_token(&half).await? {
        Some(needs) => Ok(ask.staff_page(StatusCode::OK, None, &code_form(&ask, needs, "", &[]))),
        None => Ok(see("/login")),
    }
}

/// `POST /login/code`
pub(super) async fn code(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let Some(half) = ask.staff_secret() else {
        return Ok(see("/login"));
    };
    let bank = &ask.web.bank;
    let Some(needs_token) = bank.staff_needs_token(&half).await? else {
        return Ok(see("/login"));
    };
    let typed = form.text("token");
    let token = typed.parse::<TokenId>().ok();
    let error = if needs_token && token.is_none() {
        ("token".to_owned(), ask.say("token-id-bad"))
    } else {
        match bank
            .staff_code(&half, token, &form.secret("code"), &ask.caller)
            .await?
        {
            StaffCode::Done(full) => {
                let mut response = see("/");
                with_cookie(
                    &mut response,
                    cookies::set(cookies::STAFF, &full.to_cookie()),
                );
                return Ok(response);
            }
            StaffCode::Code(refusal) => ("code".to_owned(), ask.code_refusal(refusal)),
            StaffCode::NoToken => (String::new(), ask.say("staff-no-enrolment")),
            StaffCode::TokenTaken => ("token".to_owned(), ask.say("token-taken")),
            StaffCode::Gone => return Ok(see("/login")),
        }
    };
    let page = code_form(&ask, needs_token, typed, &[error]);
    Ok(ask.staff_page(UNPROCESSABLE, None, &page))
}

/// `POST /logout`
pub(super) async fn logout(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, .. } = posted;
    if let Ok(member) = member(&ask, Act::Look).await? {
        ask.web.bank.staff_sign_out(&member).await?;
    }
    let mut response = see("/login");
    with_cookie(&mut response, cookies::clear(cookies::STAFF));
    Ok(response)
}

/// `GET /session`: keeps a session that is in use.
pub(super) async fn keep(ask: Ask) -> Result<Response, Failure> {
    Ok(match member(&ask, Act::Look).await? {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(elsewhere) => elsewhere,
    })
}
