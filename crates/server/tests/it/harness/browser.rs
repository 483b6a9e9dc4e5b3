use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt as _;
use warifu::ambient::{SystemEntropy, random};
use warifu::bank_web::{self, BankWeb, TurnedAway};
use warifu::http::{Admission, PeerAddress};
use warifu::web::{cookies, guard};
use warifu_bank::contract::ContractId;
use warifu_bank::session::{SessionSecret, Stage};

use super::BankSite;

/// What a browser's forms are made of in these tests.
const FORM_COOKIE: &str = "0123456789abcdef0123456789abcdef";

/// A browser at the bank's own router, in process.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: [u8; 4],
}

/// What it was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }

    /// The status; of a redirect where it leads.
    pub(crate) fn told(&self) -> String {
        match self.header("location") {
            "" => self.status.as_str().to_owned(),
            to => to.to_owned(),
        }
    }

    /// The page without what is new each time: the browser's form token, and the number of the request.
    pub(crate) fn page(&self) -> String {
        let token = guard::form_token(FORM_COOKIE);
        let request = self.header("x-request-id");
        self.body.replace(&token, "").replace(request, "")
    }
}

impl BankSite {
    fn web(&self, admission: &Arc<Admission>) -> Arc<BankWeb> {
        self.web_behind(admission, Vec::new())
    }

    /// What both routers stand on, behind these proxies.
    pub(crate) fn web_behind(
        &self,
        admission: &Arc<Admission>,
        trusted_proxies: Vec<IpAddr>,
    ) -> Arc<BankWeb> {
        Arc::new(BankWeb {
            bank: self.bank(),
            entropy: Arc::new(SystemEntropy),
            trusted_proxies,
            admission: Arc::clone(admission),
            form_time: Duration::from_secs(1),
            turned_away: TurnedAway::default(),
        })
    }

    /// A browser at the customer's pages.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_among(&Admission::new(64))
    }

    /// The same, where so much may be in work at once.
    pub(crate) fn browser_among(&self, admission: &Arc<Admission>) -> Browser {
        Browser::at(bank_web::router(self.web(admission)))
    }

    /// A browser at the staff's pages.
    pub(crate) fn staff_browser(&self) -> Browser {
        self.staff_browser_among(&Admission::new(64))
    }

    /// The same, where so much of the customers' may be in work at once.
    pub(crate) fn staff_browser_among(&self, admission: &Arc<Admission>) -> Browser {
        Browser::at(warifu::staff_web::router(self.web(admission)))
    }

    /// The cookie of a new session of this stage, as if its password had been given.
    pub(crate) fn cookie(&self, contract: ContractId, stage: Stage) -> SessionSecret {
        let secret = SessionSecret::from_random(random(&SystemEntropy));
        self.visitor_with(contract, stage, &secret);
        secret
    }
}

impl Browser {
    fn at(router: Router) -> Self {
        let form = (cookies::FORM.to_owned(), FORM_COOKIE.to_owned());
        Self {
            router,
            cookies: BTreeMap::from([form]),
            address: [192, 0, 2, 1],
        }
    }

    /// The same with a session's cookie.
    pub(crate) fn with(mut self, cookie: &str, secret: &SessionSecret) -> Self {
        let value = secret.to_cookie().to_string();
        self.cookies.insert(cookie.to_owned(), value);
        self
    }

    /// The same from another network address.
    pub(crate) fn at_address(mut self, address: [u8; 4]) -> Self {
        self.address = address;
        self
    }

    /// The token of its forms.
    pub(crate) fn form_token() -> String {
        guard::form_token(FORM_COOKIE)
    }

    /// Sends exactly this; keeps the cookies that are set.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answered {
        self.send_body(method, path, headers, body.into()).await
    }

    pub(crate) async fn send_body(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answered {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut request = Request::builder().method(method).uri(path);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).unwrap();
        let peer = SocketAddr::from((self.address, 50_000));
        request.extensions_mut().insert(PeerAddress(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        for value in parts.headers.get_all(header::SET_COOKIE) {
            let pair = value.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Answered {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answered {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Sends a form as one of the bank's own pages does.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("form", &Self::form_token())
            .extend_pairs(fields)
            .finish();
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send(Method::POST, path, &headers, body.into_bytes())
            .await
    }
}
