//! Who asks: language, browser, session. What a handler takes as its arguments.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use data_encoding::HEXLOWER;
use warifu_bank::contract::Service;
use warifu_bank::session::{BrowserSecret, Ending, SessionSecret, Stage, Wizard};
use warifu_bank::staff::Role;

use super::{BankWeb, Failure};
use crate::ambient::random;
use crate::bank::staff::Member;
use crate::bank::{Caller, NoSession, Overview, Visitor};
use crate::http::{ClientAddress, PeerAddress};
use crate::token_api::Language;
use crate::web::form::{Form, FormError};
use crate::web::page::{Frame, Page, render};
use crate::web::texts::{Texts, language};
use crate::web::{cookies, guard};

/// A request, as far as every page needs it.
pub(crate) struct Ask {
    pub(crate) web: Arc<BankWeb>,
    pub(crate) language: Language,
    pub(crate) caller: Caller,
    pub(crate) headers: HeaderMap,
    pub(crate) path: String,
    /// What this browser is known by, or is going to be.
    browser: BrowserSecret,
    /// What the form token is made of, and whether the browser has it already.
    form_cookie: String,
    form_cookie_known: bool,
}

/// A form that one of our pages sent.
pub(crate) struct Posted {
    pub(crate) ask: Ask,
    pub(crate) form: Form,
}

/// Somebody who is signed in, with what almost every page of his shows.
pub(crate) struct Signed {
    pub(crate) visitor: Visitor,
    pub(crate) overview: Overview,
}

/// A request of somebody who is signed in; anybody else is sent to the login page, which says why.
pub(crate) struct In {
    pub(crate) ask: Ask,
    pub(crate) signed: Signed,
}

/// A form of somebody who is signed in.
pub(crate) struct PostedIn {
    pub(crate) ask: Ask,
    pub(crate) form: Form,
    pub(crate) signed: Signed,
}

impl FromRequestParts<Arc<BankWeb>> for Ask {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<BankWeb>) -> Result<Self, Failure> {
        if !guard::from_own_page(&parts.method, &parts.headers) {
            return Err(Failure::Forbidden);
        }
        let peer = parts
            .extensions
            .get::<PeerAddress>()
            .ok_or_else(|| Failure::Internal("a request without a peer".into()))?;
        let address = ClientAddress::of(peer.0, &parts.headers, &web.trusted_proxies).to_string();
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let known = cookies::get(&parts.headers, cookies::FORM)
            .filter(|value| value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .map(str::to_owned);
        let browser = cookies::get(&parts.headers, cookies::BROWSER)
            .and_then(BrowserSecret::from_cookie)
            .unwrap_or_else(|| BrowserSecret::from_random(random(&*web.entropy)));
        Ok(Self {
            language: language(
                &parts.headers,
                cookies::get(&parts.headers, cookies::LANGUAGE),
            ),
            caller: Caller {
                address,
                agent,
                browser: browser.key(),
            },
            browser,
            path: parts.uri.path().to_owned(),
            form_cookie_known: known.is_some(),
            form_cookie: known
                .unwrap_or_else(|| HEXLOWER.encode(random::<16>(&*web.entropy).as_slice())),
            headers: std::mem::take(&mut parts.headers),
            web: Arc::clone(web),
        })
    }
}

impl FromRequest<Arc<BankWeb>> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, web: &Arc<BankWeb>) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let headers = parts.headers.clone();
        let ask = Ask::from_request_parts(&mut parts, web).await?;
        let whole = axum::body::to_bytes(body, crate::web::form::LONGEST);
        let body: Bytes = tokio::time::timeout(web.form_time, whole)
            .await
            .map_err(|_| Failure::Slow)?
            .map_err(|_| Failure::TooLarge)?;
        let form = Form::read(&headers, &body).map_err(|error| match error {
            FormError::MediaType | FormError::Malformed => Failure::Malformed,
        })?;
        let cookie = ask.form_cookie_known.then_some(ask.form_cookie.as_str());
        if !guard::token_fits(cookie, form.text("form")) {
            return Err(Failure::Forbidden);
        }
        Ok(Self { ask, form })
    }
}

impl FromRequestParts<Arc<BankWeb>> for In {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<BankWeb>) -> Result<Self, Response> {
        let ask = Ask::from_request_parts(parts, web)
            .await
            .map_err(Failure::into_response)?;
        let signed = ask.signed().await?;
        Ok(Self { ask, signed })
    }
}

impl FromRequest<Arc<BankWeb>> for PostedIn {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Arc<BankWeb>) -> Result<Self, Response> {
        let Posted { ask, form } = Posted::from_request(request, web)
            .await
            .map_err(Failure::into_response)?;
        let signed = ask.signed().await?;
        Ok(Self { ask, form, signed })
    }
}

impl Ask {
    /// The texts of this reader.
    pub(crate) fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    /// A text.
    pub(crate) fn say(&self, key: &str) -> String {
        self.texts().say(key)
    }

    /// On to the bank, for somebody who signed in: with his session, and with what his browser is known by from now on.
    pub(crate) fn let_in(&self, session: &SessionSecret) -> Response {
        let mut response = see("/top");
        let cookie = cookies::set(cookies::SESSION, &session.to_cookie());
        with_cookie(&mut response, cookie);
        let cookie = cookies::keep(cookies::BROWSER, &self.browser.to_cookie());
        with_cookie(&mut response, cookie);
        response
    }

    fn cookie_secret(&self, name: &str) -> Option<SessionSecret> {
        cookies::get(&self.headers, name).and_then(SessionSecret::from_cookie)
    }

    /// The session of a cookie, if it is good.
    pub(crate) async fn session(
        &self,
        cookie: &str,
    ) -> Result<Result<(Visitor, SessionSecret), NoSession>, Failure> {
        let Some(secret) = self.cookie_secret(cookie) else {
            return Ok(Err(NoSession::None));
        };
        let found = self.web.bank.visitor(&secret, &self.caller.address).await?;
        Ok(found.map(|visitor| (visitor, secret)))
    }

    /// The half session of a login form that is sent again.
    pub(crate) async fn just_passed(&self) -> Result<Option<(Visitor, SessionSecret)>, Failure> {
        let Some(secret) = self.cookie_secret(cookies::SESSION) else {
            return Ok(None);
        };
        let found = self
            .web
            .bank
            .just_passed(&secret, &self.caller.address)
            .await?;
        Ok(found.map(|visitor| (visitor, secret)))
    }

    /// Somebody who is signed in, or the way to the login page, which says why.
    async fn signed(&self) -> Result<Signed, Response> {
        let found = self
            .session(cookies::SESSION)
            .await
            .map_err(Failure::into_response)?;
        let (visitor, _) = found.map_err(to_login)?;
        if visitor.session.stage != Stage::Full {
            return Err(to_login(NoSession::None));
        }
        let overview = self.web.bank.overview(&visitor).await;
        let overview = overview
            .map_err(|error| Failure::from(error).into_response())?
            .ok_or_else(|| to_login(NoSession::None))?;
        // After an emergency stop its own receipt is all that is left to see.
        let open = overview.stored.contract.service == Service::Open;
        if !open && !self.path.starts_with("/result/") {
            return Err(to_login(NoSession::Ended(Ending::EndedByCustomer)));
        }
        Ok(Signed { visitor, overview })
    }

    /// Somebody who gave ID and password for one wizard, or the way to its first page.
    pub(crate) async fn in_wizard(
        &self,
        wizard: Wizard,
        start: &str,
    ) -> Result<Result<Visitor, Response>, Failure> {
        match self.session(cookies::WIZARD).await? {
            Ok((visitor, _)) if visitor.session.stage == Stage::Wizard(wizard) => Ok(Ok(visitor)),
            _ => Ok(Err(Redirect::to(start).into_response())),
        }
    }

    /// A page of the staff's.
    pub(crate) fn staff_page(
        &self,
        status: StatusCode,
        member: Option<&Member>,
        page: &Page,
    ) -> Response {
        let token = guard::form_token(&self.form_cookie);
        let menu = match member {
            Some(_) => [
                ("/", "staff-menu-find"),
                ("/contracts/new", "staff-menu-open"),
                ("/approvals", "staff-menu-approvals"),
                ("/mails", "staff-menu-mails"),
            ]
            .into_iter()
            .map(|(address, key)| (address, self.say(key)))
            .collect(),
            None => Vec::new(),
        };
        let who = member.map(|member| {
            let role = self.say(match member.role {
                Role::Teller => "role-teller",
                Role::Approver => "role-approver",
                Role::Auditor => "role-auditor",
            });
            format!("{} ({role})", member.display_name)
        });
        let frame = Frame {
            language: self.language,
            bank: self.web.bank.settings(),
            menu,
            who,
            sign_out: "/logout",
            form_token: &token,
            path: &self.path,
            staff: true,
        };
        self.with_form_cookie(render(status, &frame, page))
    }

    /// The secret in the staff's cookie.
    pub(crate) fn staff_secret(&self) -> Option<SessionSecret> {
        self.cookie_secret(cookies::STAFF)
    }

    /// A page for a guest.
    pub(crate) fn page(&self, page: &Page) -> Response {
        self.rendered(StatusCode::OK, None, page)
    }

    /// A page for a guest that says what is wrong.
    pub(crate) fn refused(&self, status: StatusCode, page: &Page) -> Response {
        self.rendered(status, None, page)
    }

    /// A page for somebody who is signed in.
    pub(crate) fn page_for(&self, signed: &Signed, page: &Page) -> Response {
        self.rendered(StatusCode::OK, Some(signed), page)
    }

    /// The same, saying what is wrong.
    pub(crate) fn refused_for(&self, signed: &Signed, page: &Page) -> Response {
        self.rendered(StatusCode::UNPROCESSABLE_ENTITY, Some(signed), page)
    }

    fn rendered(&self, status: StatusCode, signed: Option<&Signed>, page: &Page) -> Response {
        let token = guard::form_token(&self.form_cookie);
        let menu = match signed {
            Some(_) => [
                ("/top", "menu-top"),
                ("/transfer", "menu-transfer"),
                ("/transfers", "menu-transfers"),
                ("/internal-transfer", "menu-internal"),
                ("/limit", "menu-limit"),
                ("/profile", "menu-profile"),
            ]
            .into_iter()
            .map(|(address, key)| (address, self.say(key)))
            .collect(),
            None => Vec::new(),
        };
        let frame = Frame {
            language: self.language,
            bank: self.web.bank.settings(),
            menu,
            who: signed.map(|signed| {
                self.texts()
                    .with("who", &[("name", &signed.overview.stored.name)])
            }),
            sign_out: "/logout",
            form_token: &token,
            path: &self.path,
            staff: false,
        };
        self.with_form_cookie(render(status, &frame, page))
    }

    fn with_form_cookie(&self, mut response: Response) -> Response {
        if !self.form_cookie_known {
            let cookie = cookies::set(cookies::FORM, &self.form_cookie);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// To the login page, which says why.
fn to_login(why: NoSession) -> Response {
    let (to, ended) = match why {
        NoSession::None => ("/", false),
        NoSession::Expired(_) => ("/?ended=idle", true),
        NoSession::Ended(Ending::Replaced) => ("/?ended=replaced", true),
        NoSession::Ended(Ending::LoggedOut) => ("/", true),
        NoSession::Ended(Ending::EndedByCustomer) => ("/?ended=elsewhere", true),
        NoSession::Ended(Ending::EndedByBank) => ("/?ended=bank", true),
    };
    let mut response = Redirect::to(to).into_response();
    if ended {
        with_cookie(&mut response, cookies::clear(cookies::SESSION));
    }
    response
}

/// Sets a cookie with an answer.
pub(crate) fn with_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// `303 See Other`: what follows a form.
pub(crate) fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}
