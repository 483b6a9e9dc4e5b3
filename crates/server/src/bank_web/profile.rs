//! 契約者情報変更 (rules B4, B13).

use axum::response::Response;
use warifu_bank::mail_address::MailAddress;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::otp_policy::wait_after;
use warifu_bank::session::SessionKey;
use warifu_bank::uid::Uid;

use super::Failure;
use super::ask::{Ask, In, PostedIn, Signed, see};
use super::confirm::{begin, code_field, refused_page};
use super::sign_in::{new_password_fields, replaced, typed_password};
use crate::bank::{Confirmed, Given};
use crate::bank_store::sign_in::Outcome;
use crate::web::form::Form;
use crate::web::page::{Block, Cell, Field, FieldKind, Form as PageForm, Page, Table, Tone};

fn page(ask: &Ask, title: &str, blocks: Vec<Block>) -> Page {
    Page {
        title: ask.say(title),
        blocks,
        menu: "/profile",
        ..Page::default()
    }
}

/// `GET /profile`
pub(super) async fn home(In { ask, signed }: In) -> Result<Response, Failure> {
    let stored = &signed.overview.stored;
    let token = stored
        .contract
        .token_in_use()
        .map(warifu_bank::token_id::TokenId::grouped);
    let asks = stored.contract.login_asks_code && token.is_some();
    let lines = vec![
        (ask.say("contract-id"), stored.contract.id.grouped()),
        (ask.say("name"), stored.name.clone()),
        (
            ask.say("token-id"),
            token.unwrap_or_else(|| ask.say("token-none")),
        ),
        (
            ask.say("login-setting-label"),
            ask.say(if asks { "asks-yes" } else { "asks-no" }),
        ),
        (
            ask.say("mail"),
            stored.mail.clone().unwrap_or_else(|| ask.say("mail-none")),
        ),
    ];
    let links = [
        ("/profile/login-setting", "title-login-setting"),
        ("/profile/password", "title-password"),
        ("/profile/mail", "title-mail"),
        ("/payees", "title-payees"),
        ("/profile/history", "title-history"),
        ("/profile/sessions", "title-sessions"),
        ("/profile/emergency-stop", "title-emergency"),
    ];
    let links = links
        .iter()
        .map(|(to, key)| ((*to).to_owned(), ask.say(key)))
        .collect();
    let page = page(
        &ask,
        "title-profile",
        vec![Block::Summary(lines), Block::Links(links)],
    );
    Ok(ask.page_for(&signed, &page))
}

/// A page whose details and code are typed together: shown with a key of its own.
async fn shown(ask: &Ask, signed: &Signed, kind: OrderKind) -> Result<Option<Uid>, Failure> {
    let shown = ask.web.bank.show(&signed.visitor, kind, None).await?;
    Ok(shown.ok().map(|shown| shown.key))
}

/// `GET /profile/login-setting`
pub(super) async fn login_setting(In { ask, signed }: In) -> Result<Response, Failure> {
    let Some(key) = shown(&ask, &signed, OrderKind::LoginSetting).await? else {
        return Err(Failure::NotFound);
    };
    let page = login_setting_page(&ask, &signed, key, &Form::default(), &[]);
    Ok(ask.page_for(&signed, &page))
}

fn login_setting_page(
    ask: &Ask,
    signed: &Signed,
    key: Uid,
    form: &Form,
    errors: &[(String, String)],
) -> Page {
    let stored = &signed.overview.stored;
    if stored.contract.token_in_use().is_none() {
        let blocks = vec![
            Block::Notice(Tone::Warn, ask.say("needs-registration")),
            Block::Links(vec![("/registration".into(), ask.say("link-registration"))]),
        ];
        return page(ask, "title-login-setting", blocks);
    }
    let now = if stored.contract.login_asks_code {
        "yes"
    } else {
        "no"
    };
    let typed = form.text("asks");
    let choices = vec![
        ("yes".to_owned(), ask.say("asks-yes")),
        ("no".to_owned(), ask.say("asks-no")),
    ];
    let asks = Field::new(
        "asks",
        ask.say("login-setting-question"),
        FieldKind::Radio(choices),
    )
    .value(if typed.is_empty() { now } else { typed })
    .error(errors);
    let blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Text(ask.say("login-setting-text")),
        Block::Form(PageForm {
            action: "/profile/login-setting".into(),
            hidden: vec![("key".into(), key.to_string())],
            fields: vec![asks, code_field(ask, errors)],
            submit: ask.say("do-execute"),
            cancel: Some(("/profile".into(), ask.say("do-stop"))),
            wait: wait_after(stored.code_used_at, ask.web.bank.now()),
            ..PageForm::default()
        }),
    ];
    page(ask, "title-login-setting", blocks)
}

/// `POST /profile/login-setting`
pub(super) async fn set_login(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let key = form
        .text("key")
        .parse::<Uid>()
        .map_err(|_| Failure::Malformed)?;
    let asks = match form.text("asks") {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::Malformed),
    };
    let order = Order::LoginSetting { asks };
    let given = Given {
        order: Some(order.clone()),
        code: Some(form.secret("code")),
        ..Given::default()
    };
    let bank = &ask.web.bank;
    let confirmed = bank
        .confirm(&signed.visitor, OrderKind::LoginSetting, key, given)
        .await?;
    let error = match confirmed {
        Confirmed::Done(..) => return Ok(see(&format!("/result/{key}"))),
        Confirmed::Code(refusal) => ("code".to_owned(), ask.code_refusal(refusal)),
        Confirmed::Refused(
            refusal @ (warifu_bank::operation::Refusal::Unchanged
            | warifu_bank::operation::Refusal::PasswordTooShort),
        ) => ("asks".to_owned(), ask.refusal(&refusal)),
        Confirmed::Refused(refusal) => {
            let page = refused_page(&ask, OrderKind::LoginSetting, Some(&order), &refusal);
            return Ok(ask.refused_for(&signed, &page));
        }
        Confirmed::Gone => return Err(Failure::NotFound),
    };
    let page = login_setting_page(&ask, &signed, key, &form, &[error]);
    Ok(ask.refused_for(&signed, &page))
}

/// `GET /profile/password`
pub(super) async fn password(In { ask, signed }: In) -> Result<Response, Failure> {
    let Some(key) = shown(&ask, &signed, OrderKind::PasswordChange).await? else {
        return Err(Failure::NotFound);
    };
    let page = password_page(&ask, &signed, key, &[]);
    Ok(ask.page_for(&signed, &page))
}

fn password_page(ask: &Ask, signed: &Signed, key: Uid, errors: &[(String, String)]) -> Page {
    let stored = &signed.overview.stored;
    let has_token = stored.contract.token_in_use().is_some();
    let mut fields = vec![
        Field::new("password", ask.say("password-now"), FieldKind::Password)
            .hint(ask.say("password-case"))
            .error(errors),
    ];
    fields.extend(new_password_fields(
        ask,
        stored.contract.password_minimum(),
        errors,
    ));
    if has_token {
        fields.push(code_field(ask, errors));
    }
    let blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Form(PageForm {
            action: "/profile/password".into(),
            hidden: vec![("key".into(), key.to_string())],
            fields,
            submit: ask.say("do-change"),
            cancel: Some(("/profile".into(), ask.say("do-stop"))),
            wait: wait_after(stored.code_used_at, ask.web.bank.now()).filter(|_| has_token),
            ..PageForm::default()
        }),
    ];
    page(ask, "title-password", blocks)
}

/// `POST /profile/password`
pub(super) async fn change_password(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let key = form
        .text("key")
        .parse::<Uid>()
        .map_err(|_| Failure::Malformed)?;
    let bank = &ask.web.bank;
    let replacement = bank
        .replace_password(&signed.visitor, typed_password(&form))
        .await?;
    let error = match replaced(&ask, replacement)? {
        Err(error) => error,
        Ok(new) => {
            let given = Given {
                order: Some(Order::PasswordChange),
                code: Some(form.secret("code")),
                password: Some(new),
                ..Given::default()
            };
            let kind = OrderKind::PasswordChange;
            match bank.confirm(&signed.visitor, kind, key, given).await? {
                Confirmed::Done(..) => return Ok(see(&format!("/result/{key}"))),
                Confirmed::Code(refusal) => ("code".to_owned(), ask.code_refusal(refusal)),
                Confirmed::Refused(refusal) => {
                    let page = refused_page(&ask, kind, None, &refusal);
                    return Ok(ask.refused_for(&signed, &page));
                }
                Confirmed::Gone => return Err(Failure::NotFound),
            }
        }
    };
    let page = password_page(&ask, &signed, key, &[error]);
    Ok(ask.refused_for(&signed, &page))
}

fn mail_page(ask: &Ask, value: &str, errors: &[(String, String)]) -> Page {
    let to = Field::new("to", ask.say("mail-new"), FieldKind::Mail)
        .hint(ask.say("mail-hint"))
        .value(value)
        .error(errors);
    let form = PageForm {
        action: "/profile/mail".into(),
        fields: vec![to],
        submit: ask.say("do-next"),
        cancel: Some(("/profile".into(), ask.say("do-stop"))),
        ..PageForm::default()
    };
    page(
        ask,
        "title-mail",
        vec![Block::Errors(errors.to_vec()), Block::Form(form)],
    )
}

/// `GET /profile/mail`
pub(super) async fn mail(In { ask, signed }: In) -> Result<Response, Failure> {
    let stored = &signed.overview.stored;
    let page = mail_page(&ask, stored.mail.as_deref().unwrap_or_default(), &[]);
    Ok(ask.page_for(&signed, &page))
}

/// `POST /profile/mail`
pub(super) async fn change_mail(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let typed = form.text("to");
    let error = if !typed.is_empty() && typed.parse::<MailAddress>().is_err() {
        ask.say("mail-bad")
    } else {
        let to = typed
            .parse::<MailAddress>()
            .ok()
            .map(|it| it.as_str().to_owned());
        match begin(&ask, &signed, Order::MailChange { to }).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => ask.refusal(&refusal),
        }
    };
    let page = mail_page(&ask, typed, &[("to".into(), error)]);
    Ok(ask.refused_for(&signed, &page))
}

/// `GET /profile/history`: ログイン履歴.
pub(super) async fn history(In { ask, signed }: In) -> Result<Response, Failure> {
    let rows = ask
        .web
        .bank
        .sign_ins(&signed.visitor)
        .await?
        .iter()
        .map(|it| {
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
        })
        .collect();
    let table = Table {
        caption: ask.say("title-history"),
        head: ["when", "what", "address", "browser"]
            .iter()
            .map(|key| ask.say(key))
            .collect(),
        rows,
        none: ask.say("notices-none"),
    };
    let page = page(&ask, "title-history", vec![Block::Table(table)]);
    Ok(ask.page_for(&signed, &page))
}

/// `GET /profile/sessions`: what is open, and how to end it.
pub(super) async fn sessions(In { ask, signed }: In) -> Result<Response, Failure> {
    let rows = ask
        .web
        .bank
        .sessions(&signed.visitor)
        .await?
        .iter()
        .map(|it| {
            let act = if it.key == signed.visitor.key() {
                Cell::text(ask.say("this-session"))
            } else {
                let key = data_encoding::HEXLOWER.encode(&it.key.0);
                Cell::button(
                    "/profile/sessions",
                    vec![("session".into(), key)],
                    ask.say("do-end"),
                )
            };
            vec![
                Cell::short(ask.moment(it.created_at)),
                Cell::short(&it.address),
                Cell::prose(&it.agent),
                act,
            ]
        })
        .collect();
    let table = Table {
        caption: ask.say("title-sessions"),
        head: ["when", "address", "browser", "act"]
            .iter()
            .map(|key| ask.say(key))
            .collect(),
        rows,
        none: String::new(),
    };
    let page = page(&ask, "title-sessions", vec![Block::Table(table)]);
    Ok(ask.page_for(&signed, &page))
}

/// `POST /profile/sessions`
pub(super) async fn end_session(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    // The row's key, a hash: whoever has it cannot make the cookie of it.
    let key = data_encoding::HEXLOWER
        .decode(form.text("session").as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Failure::Malformed)?;
    ask.web
        .bank
        .end_session(&signed.visitor, SessionKey(key))
        .await?;
    Ok(see("/profile/sessions"))
}

/// `GET /profile/emergency-stop`: IB取引中止.
pub(super) async fn emergency(In { ask, signed }: In) -> Result<Response, Failure> {
    let form = PageForm {
        action: "/profile/emergency-stop".into(),
        submit: ask.say("do-next"),
        cancel: Some(("/profile".into(), ask.say("do-stop"))),
        danger: true,
        ..PageForm::default()
    };
    let blocks = vec![
        Block::Notice(Tone::Warn, ask.say("emergency-text")),
        Block::Form(form),
    ];
    Ok(ask.page_for(&signed, &page(&ask, "title-emergency", blocks)))
}

/// `POST /profile/emergency-stop`
pub(super) async fn stop_service(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, signed, .. } = posted;
    match begin(&ask, &signed, Order::EmergencyStop).await? {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let page = refused_page(&ask, OrderKind::EmergencyStop, None, &refusal);
            Ok(ask.refused_for(&signed, &page))
        }
    }
}
