//! The wizards of the login page: 利用登録, 利用停止, トークンの変更, トークンの紛失・盗難 (rules B2, B5–B7). What they share
//! is here; each has a file of its own.

mod change;
mod guide;
mod registration;
mod stop;

pub(super) use change::*;
pub(super) use guide::{guide, open_token, token_elsewhere, token_here};
pub(super) use registration::*;
pub(super) use stop::*;

use axum::extract::Path;
use axum::response::Response;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::otp_policy::wait_after;
use warifu_bank::session::{Stage, Wizard};
use warifu_bank::token_id::TokenId;
use warifu_bank::uid::Uid;

use super::ask::{Ask, Posted, see, with_cookie};
use super::confirm::{UNPROCESSABLE, code_field};
use super::sign_in::{id_and_password, missing, not_signed_in, retry_after};
use super::{Failure, say};
use crate::bank::{Confirmed, Given, SignIn, Visitor};
use crate::bank_store::operation::State;
use crate::web::cookies;
use crate::web::form::Form;
use crate::web::page::{Block, Field, FieldKind, Form as PageForm, Page, Tone};

/// A wizard's addresses and words.
struct Words {
    wizard: Wizard,
    start: &'static str,
    title: &'static str,
    text: &'static str,
    steps: &'static [&'static str],
}

const REGISTRATION: Words = Words {
    wizard: Wizard::Registration,
    start: "/registration",
    title: "title-registration",
    text: "registration-text",
    steps: &["step-authentication", "step-otp-input", "step-result"],
};

const STOP_USE: Words = Words {
    wizard: Wizard::StopUse,
    start: "/stop-use",
    title: "title-stop-use",
    text: "stop-use-text",
    steps: &["step-authentication", "step-stop", "step-result"],
};

const TOKEN_CHANGE: Words = Words {
    wizard: Wizard::TokenChange,
    start: "/token-change",
    title: "title-token-change",
    text: "token-change-text",
    steps: &[
        "step-authentication",
        "step-old-code",
        "step-otp-input",
        "step-result",
    ],
};

const LOSS: Words = Words {
    wizard: Wizard::Loss,
    start: "/loss",
    title: "title-loss",
    text: "loss-text",
    steps: &["step-authentication", "step-loss", "step-result"],
};

fn page(ask: &Ask, words: &Words, at: usize, blocks: Vec<Block>) -> Page {
    Page {
        title: ask.say(words.title),
        trail: Some((words.steps.iter().map(|key| ask.say(key)).collect(), at)),
        blocks,
        ..Page::default()
    }
}

fn first_page(ask: &Ask, words: &Words, id: &str, errors: &[(String, String)]) -> Page {
    let form = PageForm {
        action: words.start.into(),
        fields: id_and_password(ask, id, errors),
        submit: ask.say("do-next"),
        cancel: Some(("/".into(), ask.say("do-stop"))),
        ..PageForm::default()
    };
    let blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Text(ask.say(words.text)),
        Block::Form(form),
        Block::Links(vec![("/guide".into(), ask.say("link-guide"))]),
    ];
    page(ask, words, 0, blocks)
}

/// ID and password of a wizard's first page.
async fn enter(posted: Posted, words: &Words, next: &str) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let errors = missing(&ask, &form);
    if !errors.is_empty() {
        return Ok(ask.refused(
            UNPROCESSABLE,
            &first_page(&ask, words, form.text("id"), &errors),
        ));
    }
    let password = form.secret("password");
    let bank = &ask.web.bank;
    let entered = bank
        .sign_in(form.text("id"), &password, Some(words.wizard), &ask.caller)
        .await?;
    match entered {
        // The password that the bank printed is changed first (F2).
        SignIn::Begun(secret, Stage::AwaitingNewPassword) => {
            let mut response = see("/login/password");
            with_cookie(
                &mut response,
                cookies::set(cookies::SESSION, &secret.to_cookie()),
            );
            Ok(response)
        }
        SignIn::Begun(secret, _) => {
            let mut response = see(next);
            with_cookie(
                &mut response,
                cookies::set(cookies::WIZARD, &secret.to_cookie()),
            );
            Ok(response)
        }
        SignIn::Busy => Err(Failure::Busy(2)),
        refused => {
            let (status, text, seconds) = not_signed_in(&ask, &refused);
            let page = first_page(&ask, words, form.text("id"), &[(String::new(), text)]);
            Ok(retry_after(ask.refused(status, &page), seconds))
        }
    }
}

/// What is shown when a wizard can go no further.
fn stopped(ask: &Ask, words: &Words, refusal: &Refusal) -> Response {
    let mut buttons = vec![("/".into(), ask.say("to-login"))];
    match refusal {
        Refusal::NeedsRegistration => {
            buttons.insert(0, ("/registration".into(), ask.say("link-registration")));
        }
        Refusal::ChangeNotBegun | Refusal::Expired | Refusal::TooManyTries => {
            buttons.insert(0, (words.start.into(), ask.say("begin-anew")));
        }
        _ => {}
    }
    let blocks = vec![
        Block::Errors(vec![(String::new(), ask.refusal(refusal))]),
        Block::Buttons(buttons),
    ];
    let page = Page {
        title: ask.say(words.title),
        blocks,
        ..Page::default()
    };
    ask.refused(UNPROCESSABLE, &page)
}

/// A page with one operation: shown, with the code's field where its order asks for one.
async fn operation_page(
    ask: &Ask,
    visitor: &Visitor,
    key: Uid,
    step: &Step<'_>,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let overview = ask.web.bank.overview(visitor).await?;
    let used = overview.and_then(|overview| overview.stored.code_used_at);
    let mut fields = step.fields.clone();
    if step.asks_code {
        fields.push(code_field(ask, errors));
    }
    let mut blocks = vec![Block::Errors(errors.to_vec())];
    blocks.extend(step.blocks.iter().cloned());
    blocks.push(Block::Form(PageForm {
        action: step.action.clone(),
        hidden: vec![("key".into(), key.to_string())],
        fields,
        submit: ask.say(step.submit),
        cancel: Some(("/".into(), ask.say("do-stop"))),
        danger: step.danger,
        wait: wait_after(used, ask.web.bank.now()).filter(|_| step.waits),
        ..PageForm::default()
    }));
    Ok(page(ask, step.words, step.at, blocks))
}

/// One step of a wizard.
struct Step<'a> {
    words: &'a Words,
    at: usize,
    action: String,
    blocks: Vec<Block>,
    fields: Vec<Field>,
    asks_code: bool,
    /// Whether its code is that of the token that is in use, which may just have been spent.
    waits: bool,
    submit: &'static str,
    danger: bool,
}

/// Keeps a step's operation and shows its page.
async fn show(
    ask: &Ask,
    visitor: &Visitor,
    kind: OrderKind,
    order: Option<Order>,
    step: &Step<'_>,
) -> Result<Response, Failure> {
    match ask.web.bank.show(visitor, kind, order).await? {
        Ok(shown) => {
            let page = operation_page(ask, visitor, shown.key, step, &[]).await?;
            Ok(ask.page(&page))
        }
        Err(refusal) => Ok(stopped(ask, step.words, &refusal)),
    }
}

/// Confirms a step's operation: on to `next`, or its page again.
async fn confirm(
    ask: &Ask,
    visitor: &Visitor,
    kind: OrderKind,
    form: &Form,
    order: Option<Order>,
    step: &Step<'_>,
) -> Result<Result<Uid, Response>, Failure> {
    let Ok(key) = form.text("key").parse::<Uid>() else {
        return Err(Failure::Malformed);
    };
    let given = Given {
        order,
        code: Some(form.secret("code")),
        ..Given::default()
    };
    let text = match ask.web.bank.confirm(visitor, kind, key, given).await? {
        Confirmed::Done(..) => return Ok(Ok(key)),
        Confirmed::Code(refusal) => ("code".to_owned(), ask.code_refusal(refusal)),
        // What was typed beside the code can be typed anew.
        Confirmed::Refused(
            refusal @ (Refusal::TokenTaken | Refusal::UnknownToken | Refusal::SameToken),
        ) => ("token".to_owned(), ask.refusal(&refusal)),
        Confirmed::Refused(refusal) => return Ok(Err(stopped(ask, step.words, &refusal))),
        Confirmed::Gone => return Ok(Err(stopped(ask, step.words, &Refusal::Expired))),
    };
    let page = operation_page(ask, visitor, key, step, &[text]).await?;
    Ok(Err(ask.refused(UNPROCESSABLE, &page)))
}

/// The result page of a wizard. `lines` are what it says of an order of its own; of any other there is no page here.
async fn result(
    ask: Ask,
    words: &Words,
    key: &str,
    lines: impl Fn(&Ask, &Order) -> Option<(String, Vec<(String, String)>)>,
) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let Ok(key) = key.parse::<Uid>() else {
        return Err(Failure::NotFound);
    };
    let found = ask.web.bank.settled(&visitor, key).await?;
    let Some((State::Done(outcome), Some(order))) = found.map(|found| (found.state, found.order))
    else {
        return Err(Failure::NotFound);
    };
    let Some((done, mut more)) = lines(&ask, &order) else {
        return Err(Failure::NotFound);
    };
    let mut summary = vec![
        (ask.say("result-number"), outcome.receipt.clone()),
        (ask.say("done-at"), say::micros(ask.language, outcome.at)),
    ];
    summary.append(&mut more);
    let mut blocks = vec![Block::Notice(Tone::Done, done), Block::Summary(summary)];
    if let Some(until) = outcome.caution_until {
        let until = say::micros(ask.language, until);
        let cap = ask.yen(ask.web.bank.settings().limits.caution);
        blocks.push(Block::Notice(
            Tone::Info,
            ask.texts()
                .with("caution", &[("until", &until), ("cap", &cap)]),
        ));
        blocks.push(Block::Text(ask.say("next-code-text")));
    }
    blocks.push(Block::Print(ask.say("do-print")));
    blocks.push(Block::Buttons(vec![("/".into(), ask.say("to-login"))]));
    Ok(ask.page(&page(&ask, words, words.steps.len() - 1, blocks)))
}

fn token_line(ask: &Ask, token: &str) -> Vec<(String, String)> {
    let shown = token
        .parse::<TokenId>()
        .map_or_else(|_| token.to_owned(), |id| id.grouped());
    vec![(ask.say("token-id"), shown)]
}

/// The token's ID as it was typed; the ID itself once it is one.
fn typed_token(ask: &Ask, form: &Form) -> Result<String, (String, String)> {
    form.text("token")
        .parse::<TokenId>()
        .map(|token| token.to_string())
        .map_err(|_| ("token".to_owned(), ask.say("token-id-bad")))
}

fn token_field(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Field {
    Field::new("token", ask.say("token-id"), FieldKind::Text)
        .hint(ask.say("token-id-hint"))
        .value(form.text("token"))
        .error(errors)
}

/// A step's page again, with what is wrong.
async fn again<'a>(
    ask: &Ask,
    visitor: &Visitor,
    form: &Form,
    error: (String, String),
    step: impl Fn(&Ask, &Form, &[(String, String)]) -> Step<'a>,
) -> Result<Response, Failure> {
    let Ok(key) = form.text("key").parse::<Uid>() else {
        return Err(Failure::Malformed);
    };
    let errors = [error];
    let page = operation_page(ask, visitor, key, &step(ask, form, &errors), &errors).await?;
    Ok(ask.refused(UNPROCESSABLE, &page))
}
