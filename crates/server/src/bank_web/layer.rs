//! Around every page: its name in the log, its guards, and failures as pages.

use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{BankWeb, Failure};
use crate::http::{RequestId, is_exempt};
use crate::token_api::Language;
use crate::web::page::{Block, Frame, Page, html, html_response};
use crate::web::texts::{Texts, language};
use crate::web::{cookies, guard};

/// The page for whoever is one too many, in each language: rendered once, since it is sent when there is no time.
#[derive(Debug, Default)]
pub struct TurnedAway {
    ja: OnceLock<Bytes>,
    en: OnceLock<Bytes>,
}

/// Lets a request in while there is room, and otherwise says so at once: nothing of it is read, nothing consumed.
pub(crate) async fn admit(
    State(web): State<Arc<BankWeb>>,
    request: Request,
    next: Next,
) -> Response {
    if is_exempt(request.uri().path()) {
        return next.run(request).await;
    }
    match web.admission.enter() {
        Some(place) => place.within(next.run(request)).await,
        None => Failure::TurnedAway.into_response(),
    }
}

pub(crate) async fn around(
    State(web): State<Arc<BankWeb>>,
    request: Request,
    next: Next,
) -> Response {
    let name = RequestId::of(request.headers(), &*web.entropy);
    let language = language(
        request.headers(),
        cookies::get(request.headers(), cookies::LANGUAGE),
    );
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let status = failure.status().as_u16();
        if matches!(failure, Failure::TurnedAway) {
            // The log is told of these once a second, not once each.
            tracing::debug!(request_id = %name, %method, route, status, "page {name} was turned away");
        } else if failure.cause().is_empty() {
            tracing::info!(request_id = %name, %method, route, status, "page {name} was refused");
        } else {
            tracing::error!(request_id = %name, %method, route, status, cause = failure.cause(), "page {name} failed");
        }
        let written = match failure {
            Failure::TurnedAway => Some(web.turned_away(language).into()),
            _ => {
                let number = name.to_string();
                failure_page(&web, language, &failure, Some(&number), &path).map(Body::from)
            }
        };
        let mut written = match written {
            Some(html) => html_response(failure.status(), html),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        let retry = response.headers_mut().remove(header::RETRY_AFTER);
        if let Some(retry) = retry {
            written.headers_mut().insert(header::RETRY_AFTER, retry);
        }
        if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
            written.headers_mut().insert(header::ALLOW, allow);
        }
        response = written;
    } else {
        tracing::debug!(request_id = %name, %method, route, status = response.status().as_u16(), "page {name}");
    }
    guard::add_headers(response.headers_mut());
    response.headers_mut().insert(
        axum::http::HeaderName::from_static("x-request-id"),
        name.header(),
    );
    response
}

/// A failure as a page, with the number of its request, under which the log has it.
fn failure_page(
    web: &BankWeb,
    language: Language,
    failure: &Failure,
    number: Option<&str>,
    path: &str,
) -> Option<String> {
    let texts = Texts::of(language);
    let (title, text) = failure.keys();
    let number = number.map(|number| texts.with("failure-number", &[("number", number)]));
    let mut blocks = vec![Block::Text(texts.say(text))];
    blocks.extend(number.map(Block::Text));
    let mut buttons = Vec::new();
    // Every page that asks for a code is opened where its form is sent: nothing was done, so it goes on there.
    if matches!(failure, Failure::Unchecked(_)) {
        buttons.push((path.into(), texts.say("same-page")));
    }
    buttons.push(("/".into(), texts.say("to-login")));
    blocks.push(Block::Buttons(buttons));
    let page = Page {
        title: texts.say(title),
        blocks,
        ..Page::default()
    };
    let frame = Frame {
        language,
        bank: web.bank.settings(),
        menu: Vec::new(),
        who: None,
        sign_out: "/logout",
        form_token: "",
        path,
        staff: false,
    };
    html(&frame, &page)
}

impl BankWeb {
    /// The page for whoever is one too many.
    fn turned_away(&self, language: Language) -> Bytes {
        let kept = match language {
            Language::Japanese => &self.turned_away.ja,
            Language::English => &self.turned_away.en,
        };
        let page = || failure_page(self, language, &Failure::TurnedAway, None, "/");
        kept.get_or_init(|| page().unwrap_or_default().into())
            .clone()
    }
}
