//! ログイン (rules B1, B3, B15–B17).

use axum::extract::RawQuery;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use warifu_bank::operation::Refusal;
use warifu_bank::otp_policy::wait_after;
use warifu_bank::password::{MINIMUM_ALONE, PasswordRefusal, Typed};
use warifu_bank::session::{SessionSecret, Stage};
use warifu_bank::uid::Uid;

use super::Failure;
use super::ask::{Ask, Posted, see, with_cookie};
use crate::bank::{Confirmed, NewPassword, Replacement, SignIn, Visitor};
use crate::web::cookies;
use crate::web::form::Form;
use crate::web::page::{Block, Field, FieldKind, Form as PageForm, Page, Tone};

/// Devices outside the recommended set (B16), by what their browsers call themselves.
const NOT_RECOMMENDED: [&str; 3] = ["iPad", "iPod", "Windows Phone"];

/// `GET /`
pub(super) async fn page(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    if let Ok((visitor, _)) = ask.session(cookies::SESSION).await?
        && visitor.session.stage == Stage::Full
    {
        return Ok(see("/top"));
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let mut page = login_page(&ask, "", &[]);
    let ended = match query.text("ended") {
        "idle" => Some("ended-idle"),
        "replaced" => Some("ended-replaced"),
        "elsewhere" => Some("ended-elsewhere"),
        "bank" => Some("ended-bank"),
        "out" => Some("ended-out"),
        _ => None,
    };
    if let Some(key) = ended {
        page.blocks
            .insert(0, Block::Notice(Tone::Info, ask.say(key)));
    }
    // Told once: the browser remembers that it was.
    let told = cookies::get(&ask.headers, "__Host-warifu-device").is_some();
    let outside = NOT_RECOMMENDED
        .iter()
        .any(|name| ask.caller.agent.contains(name));
    if outside && !told {
        page.blocks.insert(
            0,
            Block::Notice(Tone::Info, ask.say("device-not-recommended")),
        );
        let mut response = ask.page(&page);
        with_cookie(&mut response, cookies::keep("__Host-warifu-device", "told"));
        return Ok(response);
    }
    Ok(ask.page(&page))
}

fn login_page(ask: &Ask, id: &str, errors: &[(String, String)]) -> Page {
    Page {
        title: ask.say("title-login"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Form(PageForm {
                action: "/login".into(),
                fields: id_and_password(ask, id, errors),
                submit: ask.say("do-login"),
                ..PageForm::default()
            }),
            Block::Heading(ask.say("otp-heading")),
            Block::Links(vec![
                ("/registration".into(), ask.say("link-registration")),
                ("/stop-use".into(), ask.say("link-stop-use")),
                ("/token-change".into(), ask.say("link-token-change")),
                ("/loss".into(), ask.say("link-loss")),
                ("/guide".into(), ask.say("link-guide")),
            ]),
        ],
        ..Page::default()
    }
}

/// 契約者ID and ログインパスワード.
pub(super) fn id_and_password(ask: &Ask, id: &str, errors: &[(String, String)]) -> Vec<Field> {
    vec![
        Field::new("id", ask.say("contract-id"), FieldKind::Id)
            .hint(ask.say("contract-id-hint"))
            .value(id)
            .error(errors),
        Field::new("password", ask.say("password"), FieldKind::Password)
            .hint(ask.say("password-case"))
            .error(errors),
    ]
}

/// What is missing of an ID and a password.
pub(super) fn missing(ask: &Ask, form: &Form) -> Vec<(String, String)> {
    let mut errors = Vec::new();
    if form.text("id").is_empty() {
        errors.push(("id".into(), ask.say("id-missing")));
    }
    if form.raw("password").is_empty() {
        errors.push(("password".into(), ask.say("password-missing")));
    }
    errors
}

/// Why ID and password led nowhere, in words and status that are the same for every reason (B17).
pub(super) fn not_signed_in(ask: &Ask, sign_in: &SignIn) -> (StatusCode, String, Option<i64>) {
    match sign_in {
        SignIn::Wait(seconds) => {
            let text = ask
                .texts()
                .with("sign-in-wait", &[("seconds", &seconds.to_string())]);
            (StatusCode::TOO_MANY_REQUESTS, text, Some(*seconds))
        }
        _ => (
            StatusCode::UNPROCESSABLE_ENTITY,
            ask.say("sign-in-wrong"),
            None,
        ),
    }
}

/// The answer with `Retry-After` where it says how long to wait.
pub(crate) fn retry_after(mut response: Response, seconds: Option<i64>) -> Response {
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// `POST /login`
pub(super) async fn login(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let errors = missing(&ask, &form);
    if !errors.is_empty() {
        let page = login_page(&ask, form.text("id"), &errors);
        return Ok(ask.refused(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let password = form.secret("password");
    let sign_in = ask
        .web
        .bank
        .sign_in(form.text("id"), &password, None, &ask.caller)
        .await?;
    entered(&ask, sign_in, form.text("id"))
}

/// Where a sign-in leads.
fn entered(ask: &Ask, sign_in: SignIn, id: &str) -> Result<Response, Failure> {
    match sign_in {
        SignIn::Begun(secret, Stage::Full) => Ok(ask.let_in(&secret)),
        SignIn::Begun(secret, stage) => {
            let mut response = see(match stage {
                Stage::AwaitingNewPassword => "/login/password",
                Stage::Full | Stage::AwaitingCode | Stage::Wizard(_) => "/login/code",
            });
            with_cookie(
                &mut response,
                cookies::set(cookies::SESSION, &secret.to_cookie()),
            );
            Ok(response)
        }
        SignIn::Busy => Err(Failure::Busy(2)),
        refused => {
            let (status, text, seconds) = not_signed_in(ask, &refused);
            let page = login_page(ask, id, &[(String::new(), text)]);
            Ok(retry_after(ask.refused(status, &page), seconds))
        }
    }
}

/// The half session that a page after the password needs.
async fn half(ask: &Ask, stage: Stage) -> Result<Option<(Visitor, SessionSecret)>, Failure> {
    let found = ask.session(cookies::SESSION).await?.ok();
    Ok(found.filter(|(visitor, _)| visitor.session.stage == stage))
}

/// `GET /login/code`
pub(super) async fn code_page(ask: Ask) -> Result<Response, Failure> {
    let Some((visitor, _)) = half(&ask, Stage::AwaitingCode).await? else {
        return Ok(see("/"));
    };
    let Some(key) = ask.web.bank.show_sign_in(&visitor).await? else {
        return Ok(see("/"));
    };
    let page = code_form(&ask, &visitor, key, &[]).await?;
    Ok(ask.page(&page))
}

async fn code_form(
    ask: &Ask,
    visitor: &Visitor,
    key: Uid,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let overview = ask.web.bank.overview(visitor).await?;
    let used = overview.and_then(|overview| overview.stored.code_used_at);
    let mut blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Text(ask.say("login-code-text")),
    ];
    blocks.extend(super::wizard::token_here(ask));
    blocks.extend([
        Block::Form(PageForm {
            action: "/login/code".into(),
            hidden: vec![("key".into(), key.to_string())],
            fields: vec![super::confirm::code_field(ask, errors)],
            submit: ask.say("do-confirm"),
            wait: wait_after(used, ask.web.bank.now()),
            ..PageForm::default()
        }),
        Block::Form(PageForm {
            action: "/logout".into(),
            submit: ask.say("sign-out"),
            ..PageForm::default()
        }),
    ]);
    Ok(Page {
        title: ask.say("title-login-code"),
        trail: Some((
            vec![
                ask.say("step-sign-in"),
                ask.say("step-code"),
                ask.say("step-top"),
            ],
            1,
        )),
        blocks,
        ..Page::default()
    })
}

/// `POST /login/code`
pub(super) async fn code(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let Ok(key) = form.text("key").parse::<Uid>() else {
        return Err(Failure::Malformed);
    };
    let (visitor, secret) = match ask.session(cookies::SESSION).await? {
        Ok(found) => found,
        Err(_) => match ask.just_passed().await? {
            Some(found) => found,
            None => return Ok(see("/")),
        },
    };
    if visitor.session.stage == Stage::Full {
        return Ok(see("/top"));
    }
    let code = Some(form.secret("code"));
    let bank = &ask.web.bank;
    let (confirmed, full) = bank
        .confirm_sign_in(&visitor, &secret, key, code, ask.caller.browser)
        .await?;
    let text = match (confirmed, full) {
        (Confirmed::Done(..), Some(full)) => return Ok(ask.let_in(&full)),
        (Confirmed::Code(refusal), _) => ask.code_refusal(refusal),
        (Confirmed::Refused(refusal @ (Refusal::TooManyTries | Refusal::Expired)), _) => {
            let page = login_page(&ask, "", &[(String::new(), ask.refusal(&refusal))]);
            return Ok(ask.refused(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        _ => return Ok(see("/")),
    };
    let page = code_form(&ask, &visitor, key, &[("code".into(), text)]).await?;
    Ok(ask.refused(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// `GET /login/password`: the first password is changed (F2).
pub(super) async fn password_page(ask: Ask) -> Result<Response, Failure> {
    if half(&ask, Stage::AwaitingNewPassword).await?.is_none() {
        return Ok(see("/"));
    }
    let page = password_form(&ask, &[]);
    Ok(ask.page(&page))
}

fn password_form(ask: &Ask, errors: &[(String, String)]) -> Page {
    let mut fields = vec![
        Field::new("password", ask.say("password-now"), FieldKind::Password)
            .hint(ask.say("password-case"))
            .error(errors),
    ];
    fields.extend(new_password_fields(ask, MINIMUM_ALONE, errors));
    Page {
        title: ask.say("title-first-password"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Text(ask.say("first-password-text")),
            Block::Form(PageForm {
                action: "/login/password".into(),
                fields,
                submit: ask.say("do-change"),
                ..PageForm::default()
            }),
        ],
        ..Page::default()
    }
}

/// The new password, twice.
pub(super) fn new_password_fields(
    ask: &Ask,
    minimum: i64,
    errors: &[(String, String)],
) -> Vec<Field> {
    let hint = ask
        .texts()
        .with("new-password-hint", &[("minimum", &minimum.to_string())]);
    vec![
        Field::new("new", ask.say("new-password"), FieldKind::NewPassword)
            .hint(hint)
            .error(errors),
        Field::new(
            "again",
            ask.say("new-password-again"),
            FieldKind::NewPassword,
        )
        .error(errors),
    ]
}

/// What the fields of a new password hold.
pub(super) fn typed_password(form: &Form) -> Typed<'_> {
    Typed {
        old: form.raw("password"),
        new: form.raw("new"),
        again: form.raw("again"),
    }
}

/// The new password, or the field that is wrong and what is expected there.
pub(super) fn replaced(
    ask: &Ask,
    replacement: Replacement,
) -> Result<Result<NewPassword, (String, String)>, Failure> {
    let (field, text) = match replacement {
        Replacement::Ready(new) => return Ok(Ok(new)),
        Replacement::Busy => return Err(Failure::Busy(2)),
        Replacement::Gone => return Err(Failure::NotFound),
        Replacement::Wrong => ("password", ask.say("password-wrong")),
        Replacement::Wait(seconds) => {
            let wait = seconds.to_string();
            let text = ask.texts().with("sign-in-wait", &[("seconds", &wait)]);
            ("password", text)
        }
        Replacement::Refused(PasswordRefusal::TooShort { minimum }) => {
            let minimum = minimum.to_string();
            let text = ask
                .texts()
                .with("password-too-short", &[("minimum", &minimum)]);
            ("new", text)
        }
        Replacement::Refused(PasswordRefusal::TooLong) => ("new", ask.say("password-too-long")),
        Replacement::Refused(PasswordRefusal::Common) => ("new", ask.say("password-common")),
        Replacement::Refused(PasswordRefusal::Guessable) => ("new", ask.say("password-guessable")),
        Replacement::Refused(PasswordRefusal::Same) => ("new", ask.say("password-same")),
        Replacement::Refused(PasswordRefusal::Differs) => ("again", ask.say("password-differs")),
    };
    Ok(Err((field.into(), text)))
}

/// `POST /login/password`
pub(super) async fn password(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let Some((visitor, _)) = half(&ask, Stage::AwaitingNewPassword).await? else {
        return Ok(see("/"));
    };
    let bank = &ask.web.bank;
    let replacement = bank
        .replace_password(&visitor, typed_password(&form))
        .await?;
    let new = match replaced(&ask, replacement)? {
        Ok(new) => new,
        Err(error) => {
            let page = password_form(&ask, &[error]);
            return Ok(ask.refused(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    let sign_in = bank.set_first_password(&visitor, new, &ask.caller).await?;
    entered(&ask, sign_in, "")
}

/// `POST /logout`
pub(super) async fn logout(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, .. } = posted;
    if let Ok((visitor, _)) = ask.session(cookies::SESSION).await? {
        ask.web.bank.sign_out(&visitor).await?;
    }
    let mut response = see("/?ended=out");
    with_cookie(&mut response, cookies::clear(cookies::SESSION));
    response.headers_mut().insert(
        header::HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(response)
}

/// `GET /session`: keeps a session that is in use; for the script's warning (B15).
pub(super) async fn keep(ask: Ask) -> Result<Response, Failure> {
    match ask.session(cookies::SESSION).await? {
        Ok(_) => Ok(axum::response::IntoResponse::into_response(
            StatusCode::NO_CONTENT,
        )),
        Err(_) => Ok(see("/")),
    }
}

/// `GET /language/{language}`
pub(crate) async fn choose_language(
    axum::extract::Path(language): axum::extract::Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    if !matches!(language.as_str(), "ja" | "en") {
        return Err(Failure::NotFound);
    }
    let query =
        Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let back = query.text("back");
    // Only to a page of our own: a path, not an address of another host.
    let own = back.starts_with('/')
        && !back.starts_with("//")
        && back
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
    let mut response = see(if own { back } else { "/" });
    with_cookie(&mut response, cookies::keep(cookies::LANGUAGE, &language));
    Ok(response)
}

/// `GET /assets/{name}`
pub(crate) async fn asset(
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Result<Response, Failure> {
    crate::web::page::asset(&name).ok_or(Failure::NotFound)
}
