//! A page as data: blocks that one template renders.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::asset::Asset;
use super::qr::Drawing;
use super::texts::Texts;
use crate::bank::BankSettings;
use crate::token_api::Language;

pub(crate) static STYLE: Asset = Asset::new(
    "bank",
    "css",
    "text/css; charset=utf-8",
    include_str!("../../assets/web/bank.css"),
);

pub(crate) static SCRIPT: Asset = Asset::new(
    "bank",
    "js",
    "text/javascript; charset=utf-8",
    include_str!("../../assets/web/bank.js"),
);

pub(crate) static MARK: Asset = Asset::new(
    "mark",
    "svg",
    "image/svg+xml",
    include_str!("../../assets/mark.svg"),
);

/// The file of a name.
#[must_use]
pub fn asset(name: &str) -> Option<Response> {
    [&STYLE, &SCRIPT, &MARK]
        .into_iter()
        .find(|asset| asset.name() == name)
        .map(|asset| asset.response())
}

/// What a page is about.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its heading and the browser's title.
    pub title: String,
    /// The steps of a wizard, and which of them this is, from 0.
    pub trail: Option<(Vec<String>, usize)>,
    /// What it says.
    pub blocks: Vec<Block>,
    /// Which entry of the menu it belongs to: its address.
    pub menu: &'static str,
}

/// A piece of a page.
#[derive(Debug, Clone)]
pub enum Block {
    /// A heading of the second rank.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Something that must be seen.
    Notice(Tone, String),
    /// What is wrong with a form: field and text, linked, and read out at once.
    Errors(Vec<(String, String)>),
    /// Labels and values: what is about to be done, or was.
    Summary(Vec<(String, String)>),
    /// A form.
    Form(Form),
    /// Links, one under the other.
    Links(Vec<(String, String)>),
    /// Links that look like buttons; the first is the main one.
    Buttons(Vec<(String, String)>),
    /// Accounts with their balances: address, name, number, balance.
    Accounts(Vec<(String, String, String, String)>),
    /// A table, which becomes cards on a phone.
    Table(Table),
    /// Steps, numbered.
    Steps(Vec<String>),
    /// A button that prints the page, where a script can.
    Print(String),
    /// A QR code, and what it is called.
    #[expect(private_interfaces, reason = "pages are built in this crate alone")]
    Qr(String, Drawing),
}

/// How a notice looks and is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// To know.
    Info,
    /// To heed.
    Warn,
    /// It is done.
    Done,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Done => "done",
        }
    }
}

/// A form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Where it goes; empty: this page.
    pub action: String,
    /// Whether it only asks (GET).
    pub asks: bool,
    /// Hidden fields.
    pub hidden: Vec<(String, String)>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The word on its button.
    pub submit: String,
    /// Where 中止 or 戻る leads, and the word.
    pub cancel: Option<(String, String)>,
    /// Whether the button takes something away.
    pub danger: bool,
    /// Seconds until a code can be given: the button waits where a script can make it.
    pub wait: Option<u8>,
}

/// A field of a form.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Its name, and its place in the page.
    pub name: String,
    /// Its label.
    pub label: String,
    /// What is expected.
    pub hint: String,
    /// What is wrong with it.
    pub error: String,
    /// What stands in it.
    pub value: String,
    /// What it is.
    pub kind: FieldKind,
}

/// What a field is.
#[derive(Debug, Clone, Default)]
pub enum FieldKind {
    /// A line of text, with its `autocomplete`, its `inputmode` and how long it may be.
    #[default]
    Text,
    /// A number that is typed.
    Digits,
    /// A login name.
    Id,
    /// A mail address.
    Mail,
    /// The password in place.
    Password,
    /// A new password.
    NewPassword,
    /// The six digits.
    Code,
    /// A day.
    Date,
    /// One of a few: value and label.
    Radio(Vec<(String, String)>),
    /// One of many: value and label.
    Select(Vec<(String, String)>),
    /// Yes or no.
    Check,
}

impl Field {
    /// A field of a kind.
    #[must_use]
    pub fn new(name: &str, label: String, kind: FieldKind) -> Self {
        Self {
            name: name.to_owned(),
            label,
            kind,
            ..Self::default()
        }
    }

    /// With what is expected.
    #[must_use]
    pub fn hint(self, hint: String) -> Self {
        Self { hint, ..self }
    }

    /// With what stands in it.
    #[must_use]
    pub fn value(self, value: &str) -> Self {
        Self {
            value: value.to_owned(),
            ..self
        }
    }

    /// With what is wrong with it, if something is.
    #[must_use]
    pub fn error(self, errors: &[(String, String)]) -> Self {
        let error = errors
            .iter()
            .find(|(name, _)| *name == self.name)
            .map(|(_, text)| text.clone())
            .unwrap_or_default();
        Self { error, ..self }
    }

    /// `type`
    fn input_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Password | FieldKind::NewPassword => "password",
            FieldKind::Mail => "email",
            FieldKind::Date => "date",
            _ => "text",
        }
    }

    /// `autocomplete`
    fn autocomplete(&self) -> &'static str {
        match self.kind {
            FieldKind::Id => "username",
            FieldKind::Password => "current-password",
            FieldKind::NewPassword => "new-password",
            FieldKind::Code => "one-time-code",
            FieldKind::Mail => "email",
            _ => "off",
        }
    }

    /// `inputmode`
    fn inputmode(&self) -> &'static str {
        match self.kind {
            FieldKind::Id | FieldKind::Code | FieldKind::Digits => "numeric",
            FieldKind::Mail => "email",
            _ => "text",
        }
    }

    fn maxlength(&self) -> u16 {
        match self.kind {
            FieldKind::Code => 12,
            FieldKind::Id | FieldKind::Digits => 24,
            FieldKind::Password | FieldKind::NewPassword => 1024,
            FieldKind::Mail => 254,
            _ => 200,
        }
    }

    fn is_code(&self) -> bool {
        matches!(self.kind, FieldKind::Code)
    }
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What it holds.
    pub caption: String,
    /// Its columns.
    pub head: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// What is said when it has none.
    pub none: String,
}

impl Table {
    /// The head of a column.
    fn label(&self, column: &usize) -> &str {
        self.head.get(*column).map_or("", String::as_str)
    }
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// How it stands.
    pub shape: CellShape,
    /// Where it leads.
    pub link: String,
    /// A form with one button, instead of a text.
    pub form: Option<ButtonForm>,
}

/// How a cell stands in its column, and in a narrow window, where a row is a card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CellShape {
    /// As it comes.
    #[default]
    Plain,
    /// An amount: to the right, its digits below one another.
    Number,
    /// A moment, a number or an address: never over two lines where there is room.
    Short,
    /// Sentences, with the line breaks that they have.
    Prose,
}

/// A form that is one button.
#[derive(Debug, Clone, Default)]
pub struct ButtonForm {
    /// Where it goes.
    pub action: String,
    /// Hidden fields.
    pub hidden: Vec<(String, String)>,
    /// The word on it.
    pub word: String,
}

impl Cell {
    /// Its class.
    fn class(&self) -> &'static str {
        match self.shape {
            _ if self.text.is_empty() && self.form.is_none() => "empty",
            CellShape::Plain => "",
            CellShape::Number => "number",
            CellShape::Short => "short",
            CellShape::Prose => "prose",
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// An amount.
    #[must_use]
    pub fn number(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            shape: CellShape::Number,
            ..Self::default()
        }
    }

    /// A moment, a number or an address, on one line.
    #[must_use]
    pub fn short(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            shape: CellShape::Short,
            ..Self::default()
        }
    }

    /// Sentences.
    #[must_use]
    pub fn prose(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            shape: CellShape::Prose,
            ..Self::default()
        }
    }

    /// A link.
    #[must_use]
    pub fn link(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            link: to.into(),
            ..Self::default()
        }
    }

    /// A button.
    #[must_use]
    pub fn button(action: impl Into<String>, hidden: Vec<(String, String)>, word: String) -> Self {
        Self {
            form: Some(ButtonForm {
                action: action.into(),
                hidden,
                word,
            }),
            ..Self::default()
        }
    }
}

/// What stands around every page.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// Its language.
    pub language: Language,
    /// The bank.
    pub bank: &'a BankSettings,
    /// The menu, where somebody is signed in: address and word.
    pub menu: Vec<(&'static str, String)>,
    /// Who is signed in.
    pub who: Option<String>,
    /// Where ログアウト goes.
    pub sign_out: &'static str,
    /// The token of this browser's forms.
    pub form_token: &'a str,
    /// The page's own address, for the other language.
    pub path: &'a str,
    /// Whether it is the staff's.
    pub staff: bool,
}

#[derive(Template)]
#[template(path = "web/page.html")]
struct Rendered<'a> {
    frame: &'a Frame<'a>,
    page: &'a Page,
    style: &'static Asset,
    script: &'static Asset,
    mark: &'static Asset,
}

impl Rendered<'_> {
    fn say(&self, key: &str) -> String {
        Texts::of(self.frame.language).say(key)
    }

    fn japanese(&self) -> bool {
        self.frame.language == Language::Japanese
    }

    fn bank_name(&self) -> &str {
        self.either(&self.frame.bank.name)
    }

    fn hours(&self) -> &str {
        self.either(&self.frame.bank.hours)
    }

    fn either<'b>(&self, text: &'b crate::bank::BilingualText) -> &'b str {
        if self.japanese() { &text.ja } else { &text.en }
    }
}

/// A page as HTML; none, and a line in the log, when it cannot be rendered.
#[must_use]
pub fn html(frame: &Frame<'_>, page: &Page) -> Option<String> {
    let rendered = Rendered {
        frame,
        page,
        style: &STYLE,
        script: &SCRIPT,
        mark: &MARK,
    };
    rendered
        .render()
        .inspect_err(|error| tracing::error!(%error, "a page could not be rendered"))
        .ok()
}

/// Renders a page.
#[must_use]
pub fn render(status: StatusCode, frame: &Frame<'_>, page: &Page) -> Response {
    match html(frame, page) {
        Some(html) => html_response(status, html),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The answer that holds a page.
#[must_use]
pub fn html_response(status: StatusCode, html: impl Into<Body>) -> Response {
    let html_type = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, html_type)], html.into()).into_response()
}
