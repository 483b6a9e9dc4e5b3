//! Around every page: its name in the log, its guards, and failures as pages.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::{BankWeb, Failure};
use crate::http::RequestId;
use crate::web::page::{Block, Frame, Page, render};
use crate::web::texts::{Texts, language};
use crate::web::{cookies, guard};

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
        if failure.cause().is_empty() {
            tracing::info!(request_id = %name, %method, route, status, "page {name} was refused");
        } else {
            tracing::error!(request_id = %name, %method, route, status, cause = failure.cause(), "page {name} failed");
        }
        let texts = Texts::of(language);
        let (title, text) = failure.keys();
        let page = Page {
            title: texts.say(title),
            blocks: vec![
                Block::Text(texts.say(text)),
                Block::Text(texts.with("failure-number", &[("number", &name.to_string())])),
                Block::Buttons(vec![("/".into(), texts.say("to-login"))]),
            ],
            ..Page::default()
        };
        let frame = Frame {
            language,
            bank: web.bank.settings(),
            menu: Vec::new(),
            who: None,
            sign_out: "/logout",
            form_token: "",
            path: &path,
            staff: false,
        };
        let mut written = render(failure.status(), &frame, &page);
        let retry = response
            .headers_mut()
            .remove(axum::http::header::RETRY_AFTER);
        if let Some(retry) = retry {
            written
                .headers_mut()
                .insert(axum::http::header::RETRY_AFTER, retry);
        }
        if let Some(allow) = response.headers_mut().remove(axum::http::header::ALLOW) {
            written
                .headers_mut()
                .insert(axum::http::header::ALLOW, allow);
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
