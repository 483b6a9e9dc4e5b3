//! The page before an operation and the page after it: what is about to be done stands beside the code's field, and the
//! receipt says what was (rules B8–B10).

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use warifu_bank::operation::{Order, OrderKind, Outcome, Refusal};
use warifu_bank::otp_policy::{Demand, demand, wait_after};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::ask::{Ask, In, PostedIn, Signed, see};
use super::{Failure, say};
use crate::bank::{Confirmed, Given};
use crate::bank_store::operation::{State, Stored};
use crate::web::page::{Block, Field, FieldKind, Form as PageForm, Page, Tone};

/// The field for the six digits.
pub(crate) fn code_field(ask: &Ask, errors: &[(String, String)]) -> Field {
    Field::new("code", ask.say("code"), FieldKind::Code)
        .hint(ask.say("code-hint"))
        .error(errors)
}

/// Where an order's own page is: there it begins anew.
fn start(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Transfer => "/transfer",
        OrderKind::TransferCancel => "/transfers",
        OrderKind::InternalTransfer => "/internal-transfer",
        OrderKind::LimitChange => "/limit",
        OrderKind::MailChange => "/profile/mail",
        OrderKind::EmergencyStop => "/profile/emergency-stop",
        OrderKind::LoginSetting => "/profile/login-setting",
        OrderKind::PasswordChange => "/profile/password",
        _ => "/top",
    }
}

fn menu(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Transfer => "/transfer",
        OrderKind::TransferCancel => "/transfers",
        OrderKind::InternalTransfer => "/internal-transfer",
        OrderKind::LimitChange => "/limit",
        _ => "/profile",
    }
}

/// What is about to be done, or was.
pub(super) async fn summary(
    ask: &Ask,
    signed: &Signed,
    order: &Order,
) -> Result<Vec<(String, String)>, Failure> {
    let line = |key: &str, value: String| (ask.say(key), value);
    Ok(match order {
        Order::Transfer(order) => {
            let total = order.total().unwrap_or(Yen::MOST);
            vec![
                line("from-account", ask.account(order.from)),
                line(
                    "to-bank",
                    ask.bank_and_branch(&order.to.bank, &order.to.branch),
                ),
                line(
                    "to-account",
                    format!(
                        "{} {}",
                        say::kind(ask.texts(), order.to.kind),
                        order.to.number
                    ),
                ),
                line("payee-name", order.to.name.clone()),
                line("amount", ask.yen(Yen(order.amount))),
                line("fee", ask.yen(Yen(order.fee))),
                line("total", ask.yen(total)),
                line("send-date", ask.day(order.date)),
            ]
        }
        Order::InternalTransfer { from, to, amount } => vec![
            line("from-account", ask.account(*from)),
            line("into-account", ask.account(*to)),
            line("amount", ask.yen(Yen(*amount))),
        ],
        Order::LimitChange { to } => {
            let current = signed.overview.limits.current;
            vec![
                line("limit-now", ask.yen(current)),
                line("limit-new", ask.yen(Yen(*to))),
            ]
        }
        Order::TransferCancel { transfer } => {
            let all = ask.web.bank.transfers(&signed.visitor).await?;
            match all.iter().find(|found| found.key.to_string() == *transfer) {
                Some(found) => vec![
                    line("receipt", found.receipt.clone()),
                    line("send-date", ask.day(found.date)),
                    line("payee-name", found.to.name.clone()),
                    line("amount", ask.yen(found.amount)),
                ],
                None => Vec::new(),
            }
        }
        Order::MailChange { to } => vec![line(
            "mail-new",
            to.clone().unwrap_or_else(|| ask.say("mail-none")),
        )],
        Order::LoginSetting { asks } => vec![line(
            "login-setting-label",
            ask.say(if *asks { "asks-yes" } else { "asks-no" }),
        )],
        _ => Vec::new(),
    })
}

/// The steps of an operation with a confirm page.
fn trail(ask: &Ask, at: usize) -> Option<(Vec<String>, usize)> {
    let steps = ["step-input", "step-confirm", "step-result"];
    Some((steps.iter().map(|key| ask.say(key)).collect(), at))
}

/// `GET /confirm/{key}`
pub(super) async fn page(
    In { ask, signed }: In,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let Some(found) = shown(&ask, &signed, &key).await? else {
        return Err(Failure::NotFound);
    };
    if found.state != State::Shown {
        return Ok(see(&format!("/result/{}", found.key)));
    }
    let page = confirm_page(&ask, &signed, &found, &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn shown(ask: &Ask, signed: &Signed, key: &str) -> Result<Option<Stored>, Failure> {
    let Ok(key) = key.parse::<Uid>() else {
        return Ok(None);
    };
    Ok(ask.web.bank.shown(&signed.visitor, key).await?)
}

async fn confirm_page(
    ask: &Ask,
    signed: &Signed,
    found: &Stored,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let Some(order) = &found.order else {
        return Err(Failure::NotFound);
    };
    let stored = &signed.overview.stored;
    let asks_code = matches!(demand(order, &stored.contract), Demand::Code(_));
    let mut blocks = vec![
        Block::Errors(errors.to_vec()),
        Block::Summary(summary(ask, signed, order).await?),
    ];
    if matches!(order, Order::EmergencyStop) {
        blocks.push(Block::Notice(Tone::Warn, ask.say("emergency-text")));
    }
    if asks_code {
        blocks.push(Block::Text(ask.say("confirm-code-text")));
    }
    blocks.push(Block::Form(PageForm {
        action: format!("/confirm/{}", found.key),
        fields: if asks_code {
            vec![code_field(ask, errors)]
        } else {
            Vec::new()
        },
        submit: ask.say("do-execute"),
        cancel: Some((start(found.kind).into(), ask.say("do-stop"))),
        danger: matches!(order, Order::EmergencyStop),
        wait: wait_after(stored.code_used_at, ask.web.bank.now()).filter(|_| asks_code),
        ..PageForm::default()
    }));
    Ok(Page {
        title: ask.order_title(order),
        trail: trail(ask, 1),
        blocks,
        menu: menu(found.kind),
    })
}

/// `POST /confirm/{key}`
pub(super) async fn confirm(
    Path(key): Path<String>,
    posted: PostedIn,
) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
    let Some(found) = shown(&ask, &signed, &key).await? else {
        return Err(Failure::NotFound);
    };
    let given = Given {
        code: Some(form.secret("code")),
        ..Given::default()
    };
    let bank = &ask.web.bank;
    match bank
        .confirm(&signed.visitor, found.kind, found.key, given)
        .await?
    {
        Confirmed::Done(..) => Ok(see(&format!("/result/{}", found.key))),
        Confirmed::Code(refusal) => {
            let errors = [("code".to_owned(), ask.code_refusal(refusal))];
            let page = confirm_page(&ask, &signed, &found, &errors).await?;
            Ok(ask.refused_for(&signed, &page))
        }
        Confirmed::Refused(refusal) => {
            let page = refused_page(&ask, found.kind, found.order.as_ref(), &refusal);
            Ok(ask.refused_for(&signed, &page))
        }
        Confirmed::Gone => Err(Failure::NotFound),
    }
}

/// What is shown when an order is refused for good.
pub(super) fn refused_page(
    ask: &Ask,
    kind: OrderKind,
    order: Option<&Order>,
    refusal: &Refusal,
) -> Page {
    let title = order.map_or_else(|| ask.say("title-refused"), |order| ask.order_title(order));
    let mut buttons = vec![(start(kind).into(), ask.say("begin-anew"))];
    if *refusal == Refusal::NeedsRegistration {
        buttons.insert(0, ("/registration".into(), ask.say("link-registration")));
    }
    Page {
        title,
        blocks: vec![
            Block::Errors(vec![(String::new(), ask.refusal(refusal))]),
            Block::Buttons(buttons),
        ],
        menu: menu(kind),
        ..Page::default()
    }
}

/// `GET /result/{key}`: the receipt.
pub(super) async fn result(
    In { ask, signed }: In,
    Path(key): Path<String>,
) -> Result<Response, Failure> {
    let Ok(key) = key.parse::<Uid>() else {
        return Err(Failure::NotFound);
    };
    let Some(found) = ask.web.bank.settled(&signed.visitor, key).await? else {
        return Err(Failure::NotFound);
    };
    let page = match (&found.state, &found.order) {
        (State::Done(outcome), Some(order)) => {
            receipt_page(&ask, &signed, found.kind, order, outcome).await?
        }
        (State::Refused(refusal), order) => {
            let page = refused_page(&ask, found.kind, order.as_ref(), refusal);
            return Ok(ask.refused_for(&signed, &page));
        }
        _ => return Err(Failure::NotFound),
    };
    Ok(ask.page_for(&signed, &page))
}

async fn receipt_page(
    ask: &Ask,
    signed: &Signed,
    kind: OrderKind,
    order: &Order,
    outcome: &Outcome,
) -> Result<Page, Failure> {
    let mut lines = vec![
        (ask.say("receipt"), outcome.receipt.clone()),
        (ask.say("done-at"), say::micros(ask.language, outcome.at)),
    ];
    if let Order::LimitChange { to } = order {
        lines.push((ask.say("limit-new"), ask.yen(Yen(*to))));
    } else {
        lines.extend(summary(ask, signed, order).await?);
    }
    let dated = outcome.effective_on.filter(|date| {
        matches!(order, Order::LimitChange { .. })
            || (matches!(order, Order::Transfer(_)) && *date != warifu_bank::jst::day(at(outcome)))
    });
    if let (Some(date), Order::LimitChange { .. }) = (dated, order) {
        lines.push((ask.say("effective-on"), ask.day(date)));
    }
    let done = match (order, dated) {
        (Order::Transfer(_), Some(_)) => "done-reserved",
        (Order::Transfer(_), None) => "done-transfer",
        (Order::TransferCancel { .. }, _) => "done-cancel",
        (Order::InternalTransfer { .. }, _) => "done-internal",
        (Order::LimitChange { .. }, _) => "done-limit",
        (Order::LoginSetting { .. }, _) => "done-login-setting",
        (Order::PasswordChange, _) => "done-password",
        (Order::MailChange { .. }, _) => "done-mail",
        (Order::EmergencyStop, _) => "done-emergency",
        _ => "done",
    };
    Ok(Page {
        title: ask.order_title(order),
        trail: trail(ask, 2),
        blocks: vec![
            Block::Notice(Tone::Done, ask.say(done)),
            Block::Summary(lines),
            Block::Print(ask.say("do-print")),
            Block::Buttons(vec![("/top".into(), ask.say("to-top"))]),
        ],
        menu: menu(kind),
    })
}

fn at(outcome: &Outcome) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(outcome.at).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// Keeps an order whose confirm page is shown next, or says on its own page why it is refused.
pub(super) async fn begin(
    ask: &Ask,
    signed: &Signed,
    order: Order,
) -> Result<Result<Response, Refusal>, Failure> {
    let kind = order.kind();
    let shown = ask
        .web
        .bank
        .show(&signed.visitor, kind, Some(order))
        .await?;
    Ok(shown.map(|shown| see(&format!("/confirm/{}", shown.key))))
}

/// The status of a page that says what is wrong.
pub(crate) const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
