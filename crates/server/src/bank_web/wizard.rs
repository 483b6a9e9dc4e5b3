//! The wizards of the login page: 利用登録, 利用停止, トークンの変更, トークンの紛失・盗難 (rules B2, B5–B7).

use axum::extract::Path;
use axum::response::Response;
use warifu_bank::operation::{Order, OrderKind, Outcome, Refusal};
use warifu_bank::otp_policy::wait_after;
use warifu_bank::session::Wizard;
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

/// The result page of a wizard.
async fn result(
    ask: Ask,
    words: &Words,
    key: &str,
    lines: impl Fn(&Ask, &Order, &Outcome) -> (String, Vec<(String, String)>),
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
    let (done, mut more) = lines(&ask, &order, &outcome);
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

/// `GET /registration`
pub(super) async fn registration(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &REGISTRATION, "", &[])))
}

/// `POST /registration`
pub(super) async fn enter_registration(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &REGISTRATION, "/registration/token").await
}

fn registration_step<'a>(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Step<'a> {
    Step {
        words: &REGISTRATION,
        at: 1,
        action: "/registration/token".into(),
        blocks: vec![Block::Text(ask.say("registration-token-text"))],
        fields: vec![token_field(ask, form, errors)],
        asks_code: true,
        waits: false,
        submit: "do-register",
        danger: false,
    }
}

/// `GET /registration/token`: where a token is in use already, on to its change (B2).
pub(super) async fn registration_token(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask
        .in_wizard(Wizard::Registration, REGISTRATION.start)
        .await?
    {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let overview = ask.web.bank.overview(&visitor).await?;
    let standing = overview.map(|overview| overview.stored.contract.token);
    match standing {
        Some(warifu_bank::contract::TokenStanding::InUse { .. }) => {
            return Ok(see("/registration/change"));
        }
        Some(warifu_bank::contract::TokenStanding::AwaitingRelease { .. }) => {
            return Ok(stopped(&ask, &REGISTRATION, &Refusal::NeedsRelease));
        }
        _ => {}
    }
    let step = registration_step(&ask, &Form::default(), &[]);
    show(&ask, &visitor, OrderKind::Registration, None, &step).await
}

/// `POST /registration/token`
pub(super) async fn register(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask
        .in_wizard(Wizard::Registration, REGISTRATION.start)
        .await?
    {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let token = match typed_token(&ask, &form) {
        Ok(token) => token,
        Err(error) => return again(&ask, &visitor, &form, error, registration_step).await,
    };
    let step = registration_step(&ask, &form, &[]);
    let order = Some(Order::Registration { token });
    Ok(
        match confirm(&ask, &visitor, OrderKind::Registration, &form, order, &step).await? {
            Ok(key) => see(&format!("/registration/result/{key}")),
            Err(response) => response,
        },
    )
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

/// `GET /registration/result/{key}`
pub(super) async fn registration_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &REGISTRATION, &key, |ask, order, _| match order {
        Order::Registration { token } => (ask.say("done-registration"), token_line(ask, token)),
        _ => (ask.say("done-token-change"), Vec::new()),
    })
    .await
}

/// `GET /registration/change`: the same session goes on as a change of token.
pub(super) async fn registration_change(ask: Ask) -> Result<Response, Failure> {
    change_begin_page(ask, &REGISTRATION_CHANGE).await
}

const REGISTRATION_CHANGE: Words = Words {
    wizard: Wizard::Registration,
    start: "/registration",
    title: "title-token-change",
    text: "token-change-text",
    steps: TOKEN_CHANGE.steps,
};

/// `GET /token-change`
pub(super) async fn token_change(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &TOKEN_CHANGE, "", &[])))
}

/// `POST /token-change`
pub(super) async fn enter_token_change(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &TOKEN_CHANGE, "/token-change/old").await
}

/// `GET /token-change/old`
pub(super) async fn token_change_old(ask: Ask) -> Result<Response, Failure> {
    change_begin_page(ask, &TOKEN_CHANGE).await
}

fn change_begin_step<'a>(ask: &Ask, words: &'a Words) -> Step<'a> {
    Step {
        words,
        at: 1,
        action: match words.wizard {
            Wizard::Registration => "/registration/change".into(),
            _ => "/token-change/old".into(),
        },
        blocks: vec![
            Block::Text(ask.say("token-change-old-text")),
            Block::Steps(vec![
                ask.say("token-change-first"),
                ask.say("token-change-keep"),
                ask.say("token-change-dead"),
            ]),
        ],
        fields: Vec::new(),
        asks_code: true,
        waits: true,
        submit: "do-next",
        danger: false,
    }
}

async fn change_begin_page(ask: Ask, words: &Words) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_begin_step(&ask, words);
    show(
        &ask,
        &visitor,
        OrderKind::TokenChangeBegin,
        Some(Order::TokenChangeBegin),
        &step,
    )
    .await
}

async fn change_begin(posted: Posted, words: &Words) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_begin_step(&ask, words);
    Ok(
        match confirm(
            &ask,
            &visitor,
            OrderKind::TokenChangeBegin,
            &form,
            None,
            &step,
        )
        .await?
        {
            Ok(key) if words.wizard == Wizard::Registration => {
                see(&format!("/registration/change/{key}"))
            }
            Ok(key) => see(&format!("/token-change/new/{key}")),
            Err(response) => response,
        },
    )
}

/// `POST /token-change/old`
pub(super) async fn token_change_begin(posted: Posted) -> Result<Response, Failure> {
    change_begin(posted, &TOKEN_CHANGE).await
}

/// `POST /registration/change`
pub(super) async fn registration_change_begin(posted: Posted) -> Result<Response, Failure> {
    change_begin(posted, &REGISTRATION_CHANGE).await
}

fn change_step<'a>(
    ask: &Ask,
    words: &'a Words,
    form: &Form,
    begun: &str,
    errors: &[(String, String)],
) -> Step<'a> {
    let action = if words.wizard == Wizard::Registration {
        format!("/registration/change/{begun}")
    } else {
        format!("/token-change/new/{begun}")
    };
    Step {
        words,
        at: 2,
        action,
        blocks: vec![Block::Text(ask.say("token-change-new-text"))],
        fields: vec![token_field(ask, form, errors)],
        asks_code: true,
        waits: false,
        submit: "do-register",
        danger: false,
    }
}

async fn change_page(ask: Ask, words: &Words, begun: &str) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = change_step(&ask, words, &Form::default(), begun, &[]);
    show(&ask, &visitor, OrderKind::TokenChange, None, &step).await
}

async fn change(posted: Posted, words: &Words, begun: &str) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(words.wizard, words.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let token = match typed_token(&ask, &form) {
        Ok(token) => token,
        Err(error) => {
            let again_step = |ask: &Ask, form: &Form, errors: &[(String, String)]| {
                change_step(ask, words, form, begun, errors)
            };
            return again(&ask, &visitor, &form, error, again_step).await;
        }
    };
    let step = change_step(&ask, words, &form, begun, &[]);
    let order = Some(Order::TokenChange {
        token,
        begun: begun.to_owned(),
    });
    Ok(
        match confirm(&ask, &visitor, OrderKind::TokenChange, &form, order, &step).await? {
            Ok(key) => see(&format!("{}/result/{key}", words.start)),
            Err(response) => response,
        },
    )
}

/// `GET /token-change/new/{begun}`
pub(super) async fn token_change_new(
    ask: Ask,
    Path(begun): Path<String>,
) -> Result<Response, Failure> {
    change_page(ask, &TOKEN_CHANGE, &begun).await
}

/// `POST /token-change/new/{begun}`
pub(super) async fn change_token(
    Path(begun): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    change(posted, &TOKEN_CHANGE, &begun).await
}

/// `GET /registration/change/{begun}`
pub(super) async fn registration_change_new(
    ask: Ask,
    Path(begun): Path<String>,
) -> Result<Response, Failure> {
    change_page(ask, &REGISTRATION_CHANGE, &begun).await
}

/// `POST /registration/change/{begun}`
pub(super) async fn registration_change_token(
    Path(begun): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    change(posted, &REGISTRATION_CHANGE, &begun).await
}

/// `GET /token-change/result/{key}`
pub(super) async fn token_change_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &TOKEN_CHANGE, &key, |ask, order, _| {
        let lines = match order {
            Order::TokenChange { token, .. } => token_line(ask, token),
            _ => Vec::new(),
        };
        (ask.say("done-token-change"), lines)
    })
    .await
}

/// `GET /stop-use`
pub(super) async fn stop_use(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &STOP_USE, "", &[])))
}

/// `POST /stop-use`
pub(super) async fn enter_stop_use(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &STOP_USE, "/stop-use/confirm").await
}

fn stop_use_step<'a>(ask: &Ask) -> Step<'a> {
    Step {
        words: &STOP_USE,
        at: 1,
        action: "/stop-use/confirm".into(),
        blocks: vec![Block::Notice(Tone::Warn, ask.say("stop-use-warning"))],
        fields: Vec::new(),
        asks_code: true,
        waits: true,
        submit: "do-stop-use",
        danger: true,
    }
}

/// `GET /stop-use/confirm`
pub(super) async fn stop_use_page(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(Wizard::StopUse, STOP_USE.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    show(
        &ask,
        &visitor,
        OrderKind::StopUse,
        Some(Order::StopUse),
        &stop_use_step(&ask),
    )
    .await
}

/// `POST /stop-use/confirm`
pub(super) async fn confirm_stop_use(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(Wizard::StopUse, STOP_USE.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = stop_use_step(&ask);
    Ok(
        match confirm(&ask, &visitor, OrderKind::StopUse, &form, None, &step).await? {
            Ok(key) => see(&format!("/stop-use/result/{key}")),
            Err(response) => response,
        },
    )
}

/// `GET /stop-use/result/{key}`
pub(super) async fn stop_use_result(
    ask: Ask,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    result(ask, &STOP_USE, &key, |ask, _, _| {
        (ask.say("done-stop-use"), Vec::new())
    })
    .await
}

/// `GET /loss`
pub(super) async fn loss(ask: Ask) -> Result<Response, Failure> {
    Ok(ask.page(&first_page(&ask, &LOSS, "", &[])))
}

/// `POST /loss`
pub(super) async fn enter_loss(posted: Posted) -> Result<Response, Failure> {
    enter(posted, &LOSS, "/loss/confirm").await
}

fn loss_step<'a>(ask: &Ask, form: &Form, errors: &[(String, String)]) -> Step<'a> {
    let choices = vec![
        ("lost".to_owned(), ask.say("loss-lost")),
        ("stolen".to_owned(), ask.say("loss-stolen")),
    ];
    let reason = Field::new("reason", ask.say("loss-reason"), FieldKind::Radio(choices))
        .value(form.text("reason"))
        .error(errors);
    Step {
        words: &LOSS,
        at: 1,
        action: "/loss/confirm".into(),
        blocks: vec![Block::Notice(Tone::Warn, ask.say("loss-warning"))],
        fields: vec![reason],
        asks_code: false,
        waits: false,
        submit: "do-loss",
        danger: true,
    }
}

/// `GET /loss/confirm`
pub(super) async fn loss_page(ask: Ask) -> Result<Response, Failure> {
    let visitor = match ask.in_wizard(Wizard::Loss, LOSS.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let step = loss_step(&ask, &Form::default(), &[]);
    show(&ask, &visitor, OrderKind::LossStop, None, &step).await
}

/// `POST /loss/confirm`
pub(super) async fn confirm_loss(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let visitor = match ask.in_wizard(Wizard::Loss, LOSS.start).await? {
        Ok(visitor) => visitor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let stolen = match form.text("reason") {
        "lost" => false,
        "stolen" => true,
        _ => {
            let error = ("reason".to_owned(), ask.say("loss-reason-missing"));
            return again(&ask, &visitor, &form, error, loss_step).await;
        }
    };
    let step = loss_step(&ask, &form, &[]);
    let order = Some(Order::LossStop { stolen });
    Ok(
        match confirm(&ask, &visitor, OrderKind::LossStop, &form, order, &step).await? {
            Ok(key) => see(&format!("/loss/result/{key}")),
            Err(response) => response,
        },
    )
}

/// `GET /loss/result/{key}`
pub(super) async fn loss_result(ask: Ask, Path(key): Path<String>) -> Result<Response, Failure> {
    result(ask, &LOSS, &key, |ask, _, _| {
        (ask.say("done-loss"), Vec::new())
    })
    .await
}

/// `GET /guide`
pub(super) async fn guide(ask: Ask) -> Result<Response, Failure> {
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
