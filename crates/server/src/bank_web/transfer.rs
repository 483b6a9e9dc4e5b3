//! 振込, 予約振込照会・取消, 振替, 振込限度額変更 (rules B8, B9, B12): the pages where they are typed.

use axum::extract::RawQuery;
use axum::response::Response;
use jiff::civil::Date;
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::kana::{NameRefusal, fold_name};
use warifu_bank::operation::Order;
use warifu_bank::transfer::{FURTHEST_DAYS, Payee, TransferOrder, may_cancel};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::ask::{Ask, Posted, Signed, see};
use super::confirm::begin;
use super::{Failure, say};
use crate::bank_directory::directory;
use crate::bank_store::transfer::State;
use crate::web::form::Form;
use crate::web::page::{Block, Cell, Field, FieldKind, Form as PageForm, Page, Table, Tone};

type Errors = Vec<(String, String)>;

impl Ask {
    /// A bank and its branch by name and code.
    pub(super) fn bank_and_branch(&self, bank: &str, branch: &str) -> String {
        let settings = self.web.bank.settings();
        if bank == settings.code {
            let name = match self.language {
                crate::token_api::Language::Japanese => &settings.name.ja,
                crate::token_api::Language::English => &settings.name.en,
            };
            return format!("{name} ({bank}) {branch}");
        }
        let found = directory().bank(bank);
        let name = found.map(|found| found.name).unwrap_or_default();
        let branch_name = directory()
            .branch(bank, branch)
            .map(|it| it.name)
            .unwrap_or_default();
        format!("{name} ({bank}) {branch_name} ({branch})")
    }

    fn own_accounts(
        &self,
        accounts: &[crate::bank_store::account::Stored],
    ) -> Vec<(String, String)> {
        accounts
            .iter()
            .map(|it| {
                let text = format!("{} {}", self.account(it.id), self.yen(it.balance));
                (it.id.to_stored().to_string(), text)
            })
            .collect()
    }
}

/// `GET /transfer`
pub(super) async fn page(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let form = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let page = transfer_page(&ask, &signed, &form, &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn transfer_page(
    ask: &Ask,
    signed: &Signed,
    form: &Form,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let bank = &ask.web.bank;
    let Some(overview) = bank.overview(&signed.visitor).await? else {
        return Err(Failure::NotFound);
    };
    let book = bank.payees(&signed.visitor).await?;
    let mut payees = vec![(String::new(), ask.say("payee-new"))];
    payees.extend(book.iter().map(|(id, payee)| {
        let text = format!(
            "{} {} {} {}",
            payee.name,
            ask.bank_and_branch(&payee.bank, &payee.branch),
            say::kind(ask.texts(), payee.kind),
            payee.number
        );
        (id.to_string(), text)
    }));
    let text = |name: &str, key: &str, kind: FieldKind| {
        Field::new(name, ask.say(key), kind)
            .value(form.text(name))
            .error(errors)
    };
    let kinds = AccountKind::ALL
        .iter()
        .map(|kind| (kind.zengin().to_string(), say::kind(ask.texts(), *kind)))
        .collect();
    let today = ask.web.bank.today().to_string();
    let or = |name: &str, otherwise: &str| {
        let typed = form.text(name);
        if typed.is_empty() {
            otherwise.to_owned()
        } else {
            typed.to_owned()
        }
    };
    let days = FURTHEST_DAYS.to_string();
    let mut fields = vec![text(
        "from",
        "from-account",
        FieldKind::Select(ask.own_accounts(&overview.accounts)),
    )];
    if !book.is_empty() {
        fields.push(
            text("payee", "payee-book", FieldKind::Select(payees)).hint(ask.say("payee-book-hint")),
        );
    }
    fields.extend([
        text("bank", "bank-code", FieldKind::Digits).hint(ask.say("bank-code-hint")),
        text("branch", "branch-code", FieldKind::Digits).hint(ask.say("branch-code-hint")),
        text("kind", "account-kind", FieldKind::Radio(kinds)).value(&or("kind", "1")),
        text("number", "account-number", FieldKind::Digits).hint(ask.say("account-number-hint")),
        text("name", "payee-name", FieldKind::Text).hint(ask.say("payee-name-hint")),
        text("amount", "amount", FieldKind::Digits).hint(ask.say("amount-hint")),
        text("date", "send-date", FieldKind::Date)
            .value(&or("date", &today))
            .hint(ask.texts().with("send-date-hint", &[("days", &days)])),
        text("remember", "payee-remember", FieldKind::Check),
    ]);
    let left = overview
        .limits
        .current
        .minus(overview.used)
        .unwrap_or(Yen::ZERO);
    let left = ask.yen(left.max(Yen::ZERO));
    let mut blocks = vec![Block::Errors(errors.to_vec())];
    if overview.stored.contract.token_in_use().is_none() {
        blocks.push(Block::Notice(Tone::Warn, ask.say("needs-registration")));
        blocks.push(Block::Links(vec![(
            "/registration".into(),
            ask.say("link-registration"),
        )]));
    }
    blocks.extend([
        Block::Text(ask.texts().with("limit-left", &[("left", &left)])),
        Block::Links(vec![("/banks".into(), ask.say("link-banks"))]),
        Block::Form(PageForm {
            action: "/transfer".into(),
            fields,
            submit: ask.say("do-next"),
            cancel: Some(("/top".into(), ask.say("do-stop"))),
            ..PageForm::default()
        }),
    ]);
    let steps = ["step-input", "step-confirm", "step-result"];
    Ok(Page {
        title: ask.say("title-transfer"),
        trail: Some((steps.iter().map(|key| ask.say(key)).collect(), 0)),
        blocks,
        menu: "/transfer",
    })
}

/// `POST /transfer`
pub(super) async fn order(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let book = ask.web.bank.payees(&signed.visitor).await?;
    let errors = match read(&ask, &form, &book) {
        Ok(order) => match begin(&ask, &signed, Order::Transfer(order)).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => vec![(String::new(), ask.refusal(&refusal))],
        },
        Err(errors) => errors,
    };
    let page = transfer_page(&ask, &signed, &form, &errors).await?;
    Ok(ask.refused_for(&signed, &page))
}

/// What was typed, or everything that is wrong with it.
fn read(ask: &Ask, form: &Form, book: &[(Uid, Payee)]) -> Result<TransferOrder, Errors> {
    let mut errors = Errors::new();
    let from = own_account(ask, form, "from", &mut errors);
    let chosen = form.text("payee");
    let to = if chosen.is_empty() {
        payee(ask, form, &mut errors)
    } else {
        let found = book.iter().find(|(id, _)| id.to_string() == chosen);
        if found.is_none() {
            errors.push(("payee".into(), ask.say("payee-gone")));
        }
        found.map(|(_, payee)| payee.clone())
    };
    let amount = amount(ask, form, "amount", &mut errors);
    let date = form.text("date").parse::<Date>().ok();
    if date.is_none() {
        errors.push(("date".into(), ask.say("date-bad")));
    }
    match (from, to, amount, date) {
        (Some(from), Some(to), Some(amount), Some(date)) if errors.is_empty() => {
            let settings = ask.web.bank.settings();
            let fee = settings.fees.fee(to.bank == settings.code, amount);
            Ok(TransferOrder {
                from,
                to,
                amount: amount.0,
                fee: fee.0,
                date,
                remember: form.text("remember") == "yes",
            })
        }
        _ => Err(errors),
    }
}

fn own_account(ask: &Ask, form: &Form, name: &str, errors: &mut Errors) -> Option<AccountId> {
    let found = form
        .text(name)
        .parse()
        .ok()
        .and_then(AccountId::from_stored);
    if found.is_none() {
        errors.push((name.into(), ask.say("no-such-account")));
    }
    found
}

fn amount(ask: &Ask, form: &Form, name: &str, errors: &mut Errors) -> Option<Yen> {
    let found = Yen::typed(form.text(name));
    if found.is_none() {
        errors.push((name.into(), ask.say("bad-amount")));
    }
    found
}

/// Digits of either width, as many as are wanted.
fn code(typed: &str, length: usize) -> Option<String> {
    let digits: String = typed
        .chars()
        .map(|letter| match letter {
            '０'..='９' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
            _ => letter,
        })
        .collect();
    (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

fn payee(ask: &Ask, form: &Form, errors: &mut Errors) -> Option<Payee> {
    let own = &ask.web.bank.settings().code;
    let bank =
        code(form.text("bank"), 4).filter(|bank| bank == own || directory().bank(bank).is_some());
    if bank.is_none() {
        errors.push(("bank".into(), ask.say("bank-unknown")));
    }
    let branch = code(form.text("branch"), 3).filter(|branch| match &bank {
        Some(bank) if bank == own => true,
        Some(bank) => directory().branch(bank, branch).is_some(),
        None => true,
    });
    if branch.is_none() {
        errors.push(("branch".into(), ask.say("branch-unknown")));
    }
    let kind = form
        .text("kind")
        .parse()
        .ok()
        .and_then(AccountKind::from_zengin);
    if kind.is_none() {
        errors.push(("kind".into(), ask.say("kind-bad")));
    }
    let number = form.text("number").parse::<AccountNumber>().ok();
    if number.is_none() {
        errors.push(("number".into(), ask.say("number-bad")));
    }
    let name = match fold_name(form.text("name")) {
        Ok(name) => Some(name),
        Err(refusal) => {
            let text = match refusal {
                NameRefusal::Empty => ask.say("name-empty"),
                NameRefusal::Character(letter) => ask
                    .texts()
                    .with("name-character", &[("letter", &letter.to_string())]),
                NameRefusal::TooLong { bytes } => ask
                    .texts()
                    .with("name-long", &[("bytes", &bytes.to_string())]),
            };
            errors.push(("name".into(), text));
            None
        }
    };
    Some(Payee {
        bank: bank?,
        branch: branch?,
        kind: kind?,
        number: number?,
        name: name?,
    })
}

/// `GET /transfers`: 予約振込照会・取消, and what was sent.
pub(super) async fn list(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = list_page(&ask, &signed, &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn list_page(
    ask: &Ask,
    signed: &Signed,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let transfers = ask.web.bank.transfers(&signed.visitor).await?;
    let now = ask.web.bank.now();
    let rows = transfers
        .iter()
        .map(|it| {
            let state = match it.state {
                State::Reserved => "state-reserved",
                State::Sent => "state-sent",
                State::Cancelled => "state-cancelled",
                State::NotSent => "state-not-sent",
            };
            let cancellable = it.state == State::Reserved && may_cancel(it.date, now);
            let act = if cancellable {
                let hidden = vec![("transfer".into(), it.key.to_string())];
                Cell::button("/transfers/cancel", hidden, ask.say("do-cancel"))
            } else {
                Cell::default()
            };
            vec![
                Cell::text(ask.day(it.date)),
                Cell::text(&it.receipt),
                Cell::text(&it.to.name),
                Cell::number(ask.yen(it.amount)),
                Cell::text(ask.say(state)),
                act,
            ]
        })
        .collect();
    Ok(Page {
        title: ask.say("title-transfers"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Text(ask.say("transfers-text")),
            Block::Table(Table {
                caption: ask.say("title-transfers"),
                head: [
                    "send-date",
                    "receipt",
                    "payee-name",
                    "amount",
                    "state",
                    "act",
                ]
                .iter()
                .map(|key| ask.say(key))
                .collect(),
                rows,
                none: ask.say("transfers-none"),
            }),
        ],
        menu: "/transfers",
        ..Page::default()
    })
}

/// `POST /transfers/cancel`
pub(super) async fn cancel(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let order = Order::TransferCancel {
        transfer: form.text("transfer").to_owned(),
    };
    match begin(&ask, &signed, order).await? {
        Ok(response) => Ok(response),
        Err(refusal) => {
            let errors = [(String::new(), ask.refusal(&refusal))];
            let page = list_page(&ask, &signed, &errors).await?;
            Ok(ask.refused_for(&signed, &page))
        }
    }
}

/// `GET /internal-transfer`
pub(super) async fn internal_page(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = internal_form(&ask, &signed, &Form::default(), &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn internal_form(
    ask: &Ask,
    signed: &Signed,
    form: &Form,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let Some(overview) = ask.web.bank.overview(&signed.visitor).await? else {
        return Err(Failure::NotFound);
    };
    let text = |name: &str, key: &str, kind: FieldKind| {
        Field::new(name, ask.say(key), kind)
            .value(form.text(name))
            .error(errors)
    };
    let accounts = ask.own_accounts(&overview.accounts);
    let mut into = accounts.clone();
    // The second account stands first where money goes into.
    into.rotate_left(usize::from(accounts.len() > 1));
    let blocks = if accounts.len() < 2 {
        vec![Block::Notice(Tone::Info, ask.say("internal-needs-two"))]
    } else {
        vec![
            Block::Errors(errors.to_vec()),
            Block::Form(PageForm {
                action: "/internal-transfer".into(),
                fields: vec![
                    text("from", "from-account", FieldKind::Select(accounts)),
                    text("to", "into-account", FieldKind::Select(into)),
                    text("amount", "amount", FieldKind::Digits).hint(ask.say("amount-hint")),
                ],
                submit: ask.say("do-next"),
                cancel: Some(("/top".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ]
    };
    Ok(Page {
        title: ask.say("title-internal"),
        blocks,
        menu: "/internal-transfer",
        ..Page::default()
    })
}

/// `POST /internal-transfer`
pub(super) async fn internal(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let mut errors = Errors::new();
    let from = own_account(&ask, &form, "from", &mut errors);
    let to = own_account(&ask, &form, "to", &mut errors);
    let amount = amount(&ask, &form, "amount", &mut errors);
    if let (Some(from), Some(to), Some(amount)) = (from, to, amount) {
        let order = Order::InternalTransfer {
            from,
            to,
            amount: amount.0,
        };
        match begin(&ask, &signed, order).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => errors.push((String::new(), ask.refusal(&refusal))),
        }
    }
    let page = internal_form(&ask, &signed, &form, &errors).await?;
    Ok(ask.refused_for(&signed, &page))
}

/// `GET /limit`
pub(super) async fn limit_page(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = limit_form(&ask, &signed, &Form::default(), &[]).await?;
    Ok(ask.page_for(&signed, &page))
}

async fn limit_form(
    ask: &Ask,
    signed: &Signed,
    form: &Form,
    errors: &[(String, String)],
) -> Result<Page, Failure> {
    let bank = &ask.web.bank;
    let Some(overview) = bank.overview(&signed.visitor).await? else {
        return Err(Failure::NotFound);
    };
    let mut lines = vec![
        (ask.say("limit-now"), ask.yen(overview.limits.current)),
        (ask.say("limit-used"), ask.yen(overview.used)),
        (
            ask.say("limit-ceiling"),
            ask.yen(bank.settings().limits.ceiling),
        ),
    ];
    if let Some((amount, from)) = overview.limits.pending {
        let text = format!("{} ({})", ask.yen(amount), ask.day(from));
        lines.insert(1, (ask.say("limit-pending"), text));
    }
    let new = Field::new("to", ask.say("limit-new"), FieldKind::Digits)
        .hint(ask.say("amount-hint"))
        .value(form.text("to"))
        .error(errors);
    Ok(Page {
        title: ask.say("title-limit"),
        blocks: vec![
            Block::Errors(errors.to_vec()),
            Block::Summary(lines),
            Block::Text(ask.say("limit-text")),
            Block::Form(PageForm {
                action: "/limit".into(),
                fields: vec![new],
                submit: ask.say("do-next"),
                cancel: Some(("/top".into(), ask.say("do-stop"))),
                ..PageForm::default()
            }),
        ],
        menu: "/limit",
        ..Page::default()
    })
}

/// `POST /limit`
pub(super) async fn limit(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let mut errors = Errors::new();
    // A limit of nothing is a limit.
    let to = if form.text("to") == "0" {
        Some(Yen::ZERO)
    } else {
        amount(&ask, &form, "to", &mut errors)
    };
    if let Some(to) = to {
        match begin(&ask, &signed, Order::LimitChange { to: to.0 }).await? {
            Ok(response) => return Ok(response),
            Err(refusal) => errors.push(("to".into(), ask.refusal(&refusal))),
        }
    }
    let page = limit_form(&ask, &signed, &form, &errors).await?;
    Ok(ask.refused_for(&signed, &page))
}

/// `GET /payees`: 振込先の一覧.
pub(super) async fn payees(ask: Ask) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let book = ask.web.bank.payees(&signed.visitor).await?;
    let rows = book
        .iter()
        .map(|(id, payee)| {
            vec![
                Cell::text(&payee.name),
                Cell::text(ask.bank_and_branch(&payee.bank, &payee.branch)),
                Cell::text(format!(
                    "{} {}",
                    say::kind(ask.texts(), payee.kind),
                    payee.number
                )),
                Cell::button(
                    "/payees/remove",
                    vec![("payee".into(), id.to_string())],
                    ask.say("do-remove"),
                ),
            ]
        })
        .collect();
    let page = Page {
        title: ask.say("title-payees"),
        blocks: vec![Block::Table(Table {
            caption: ask.say("title-payees"),
            head: ["payee-name", "to-bank", "to-account", "act"]
                .iter()
                .map(|key| ask.say(key))
                .collect(),
            rows,
            none: ask.say("payees-none"),
        })],
        menu: "/profile",
        ..Page::default()
    };
    Ok(ask.page_for(&signed, &page))
}

/// `POST /payees/remove`
pub(super) async fn remove_payee(posted: Posted) -> Result<Response, Failure> {
    let Posted { ask, form } = posted;
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if let Ok(payee) = form.text("payee").parse::<Uid>() {
        ask.web.bank.forget_payee(&signed.visitor, payee).await?;
    }
    Ok(see("/payees"))
}

/// `GET /banks`: every bank and branch of Japan, by name, kana or code.
pub(super) async fn banks(ask: Ask, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let signed = match ask.signed().await? {
        Ok(signed) => signed,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let form = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Failure::Malformed)?;
    let (typed, bank) = (form.text("q"), form.text("bank"));
    let chosen = directory().bank(bank);
    let found: Vec<(String, String, String)> = match &chosen {
        Some(chosen) => directory()
            .branches(chosen.code, typed, 100)
            .into_iter()
            .map(|it| {
                let to = format!("/transfer?bank={}&branch={}", chosen.code, it.code);
                (it.code.to_owned(), it.name.to_owned(), to)
            })
            .collect(),
        None if typed.is_empty() => Vec::new(),
        None => directory()
            .banks(typed, 100)
            .into_iter()
            .map(|it| {
                (
                    it.code.to_owned(),
                    it.name.to_owned(),
                    format!("/banks?bank={}", it.code),
                )
            })
            .collect(),
    };
    let hidden = chosen.map(|chosen| ("bank".to_owned(), chosen.code.to_owned()));
    let mut blocks = Vec::new();
    if let Some(chosen) = &chosen {
        let text = format!("{} ({})", chosen.name, chosen.code);
        blocks.push(Block::Summary(vec![(ask.say("to-bank"), text)]));
    }
    blocks.extend([
        Block::Form(PageForm {
            asks: true,
            action: "/banks".into(),
            hidden: hidden.into_iter().collect(),
            fields: vec![
                Field::new("q", ask.say("banks-query"), FieldKind::Text)
                    .hint(ask.say("banks-query-hint"))
                    .value(typed),
            ],
            submit: ask.say("do-search"),
            cancel: Some(("/transfer".into(), ask.say("do-back"))),
            ..PageForm::default()
        }),
        Block::Table(Table {
            caption: ask.say(if chosen.is_some() {
                "branches-found"
            } else {
                "banks-found"
            }),
            head: vec![ask.say("code-column"), ask.say("name-column")],
            rows: found
                .into_iter()
                .map(|(code, name, to)| vec![Cell::text(code), Cell::link(name, to)])
                .collect(),
            none: ask.say("banks-none"),
        }),
    ]);
    let page = Page {
        title: ask.say("title-banks"),
        blocks,
        menu: "/transfer",
        ..Page::default()
    };
    Ok(ask.page_for(&signed, &page))
}
