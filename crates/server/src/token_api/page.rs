//! The interface as a page to read, made from the same document as `/v1/openapi.json`.

mod curl;
mod fields;
mod interface;
mod problems;
mod rich;
#[cfg(test)]
mod tests;
mod words;

use std::sync::LazyLock;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warifu_wire::ProblemType;

use super::problem::{ApiProblem, not_found};
use super::text::{Language, Text};
use crate::web::asset::Asset;
use crate::web::page::MARK;
use interface::Interface;
use problems::ProblemRow;
use rich::Rich;
use words::{WORDS, Words};

/// The page's style sheet.
static STYLE: Asset = Asset::new(
    "api",
    "css",
    "text/css; charset=utf-8",
    include_str!("../../assets/api.css"),
);

/// A file of the page by its name.
fn named(name: &str) -> Option<&'static Asset> {
    [&STYLE, &MARK]
        .into_iter()
        .find(|asset| asset.name() == name)
}

/// The page as askama fills it in.
#[derive(Template)]
#[template(path = "token_api/api.html")]
struct Page<'a> {
    language: Language,
    words: &'static Words,
    api: &'a Interface,
    problems: &'a [ProblemRow],
    style: &'static Asset,
    mark: &'static Asset,
}

impl Page<'_> {
    fn say(&self, text: &Text) -> &'static str {
        text.of(self.language)
    }

    fn rich(&self, text: &Text) -> Rich {
        Rich::new(text.of(self.language))
    }

    fn tag(&self) -> &'static str {
        tag(self.language)
    }

    fn japanese(&self) -> bool {
        self.language == Language::Japanese
    }

    fn group_title(&self, name: &str) -> Option<&'static str> {
        words::group_title(name).map(|text| text.of(self.language))
    }
}

/// The page in both languages.
struct Rendered {
    english: String,
    japanese: String,
}

/// The document does not change while the program runs, so neither does the page: both languages are written once.
static RENDERED: LazyLock<Result<Rendered, String>> = LazyLock::new(|| {
    let api = Interface::of_document();
    let problems = problems::rows();
    let render = |language| {
        Page {
            language,
            words: &WORDS,
            api: &api,
            problems: &problems,
            style: &STYLE,
            mark: &MARK,
        }
        .render()
        .map_err(|error| format!("the page of the interface cannot be written: {error}"))
    };
    Ok(Rendered {
        english: render(Language::English)?,
        japanese: render(Language::Japanese)?,
    })
});

/// `?lang=`, for who reads another language than the browser asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    lang: Option<String>,
}

impl Wanted {
    /// The language of the address, else that of the browser.
    pub(crate) fn language(
        wanted: Result<Query<Self>, QueryRejection>,
        headers: &HeaderMap,
    ) -> Language {
        let wanted = wanted.ok().and_then(|Query(wanted)| wanted.lang);
        match wanted.as_deref() {
            Some("ja") => Language::Japanese,
            Some("en") => Language::English,
            _ => Language::of(headers),
        }
    }
}

/// `GET /`: people who type the address want the token.
pub(super) async fn home() -> Redirect {
    Redirect::to("/guide")
}

/// `GET /v1/`
pub(super) async fn reader(
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let language = Wanted::language(wanted, &headers);
    let page = page(language).map_err(|cause| ApiProblem {
        cause: Some(cause.to_owned()),
        ..ApiProblem::new(
            ProblemType::Internal,
            Text {
                en: "The page could not be written. /v1/openapi.json says the same.",
                ja: "ページを表示できません。/v1/openapi.json に同じ内容があります。",
            },
        )
    })?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(tag(language)),
        ),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
    ];
    Ok((headers, page).into_response())
}

/// `GET /assets/{name}`
pub(super) async fn asset(
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiProblem> {
    match name.ok().and_then(|Path(name)| named(&name)) {
        Some(asset) => Ok(asset.response()),
        None => Err(not_found().await),
    }
}

fn page(language: Language) -> Result<&'static str, &'static str> {
    match (&*RENDERED, language) {
        (Ok(rendered), Language::English) => Ok(&rendered.english),
        (Ok(rendered), Language::Japanese) => Ok(&rendered.japanese),
        (Err(cause), _) => Err(cause),
    }
}

fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Japanese => "ja",
    }
}
