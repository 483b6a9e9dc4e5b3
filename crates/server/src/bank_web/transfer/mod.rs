//! 振込 (rule B8): where it is typed. Its neighbours have files of their own.

mod banks;
mod internal;
mod limit;
mod list;
mod payees;

pub(super) use banks::banks;
pub(super) use internal::{internal, internal_page};
pub(super) use limit::{limit, limit_page};
pub(super) use list::{cancel, list};
pub(super) use payees::{payees, remove_payee};

use axum::extract::RawQuery;
use axum::response::Response;
use jiff::civil::Date;
use warifu_bank::account::{AccountId, AccountKind, AccountNumber};
use warifu_bank::kana::{NameRefusal, fold_name};
use warifu_bank::operation::Order;
use warifu_bank::transfer::{FURTHEST_DAYS, Payee, TransferOrder, may_cancel};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use super::ask::{Ask, In, PostedIn, Signed, see};
use super::confirm::begin;
use super::{Failure, say};
use crate::bank::Overview;
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
pub(super) async fn page(
    In { ask, signed }: In,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
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
    let overview = &signed.overview;
    let book = bank.payees(&signed.visitor).await?;
    let fields = fields(ask, form, errors, overview, &book);
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

/// The fields of a transfer, with what was typed.
fn fields(
    ask: &Ask,
    form: &Form,
    errors: &[(String, String)],
    overview: &Overview,
    book: &[(Uid, Payee)],
) -> Vec<Field> {
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
    fields
}

/// `POST /transfer`
pub(super) async fn order(posted: PostedIn) -> Result<Response, Failure> {
    let PostedIn { ask, form, signed } = posted;
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
