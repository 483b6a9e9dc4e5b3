//! One client over HTTP: as much of a browser as the bank's pages need, and the API of the token service.

use std::time::Duration;

use serde_json::json;
use ureq::Agent;
use ureq::http;

use crate::race::percent_encoded;

/// How long a client waits until it asks elsewhere: less than the server's own patience, so that both happen.
const PATIENCE: Duration = Duration::from_secs(6);

/// Where one copy of Warifu is reached.
#[derive(Clone)]
pub(super) struct Addresses {
    /// The customers' pages.
    pub(super) bank: String,
    /// The token service.
    pub(super) tokens: String,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Where it leads.
    pub(super) location: String,
    pub(super) text: String,
}

/// Requests of one client.
pub(super) struct Http(Agent);

/// The cookies of a customer, and the token of his forms.
#[derive(Default)]
pub(super) struct Browser {
    cookies: Vec<(String, String)>,
    form: String,
}

impl Reply {
    /// Whether it says nothing of what came of the request.
    pub(super) fn is_unknown(&self) -> bool {
        self.status >= 500 || matches!(self.status, 408 | 429)
    }
}

impl Http {
    /// With connections of its own.
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .proxy(None)
            .build();
        Self(config.into())
    }

    /// Has a code checked under a key. No answer, or one that says nothing: none.
    pub(super) fn validate(
        &self,
        copy: &Addresses,
        api_key: &str,
        (key, id, code): (&str, &str, &str),
    ) -> Option<Reply> {
        let request = http::Request::post(format!("{}/v1/credentials/{id}/validate", copy.tokens))
            .header("Authorization", format!("Bearer {api_key}"))
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json");
        let body = json!({ "code": code, "purpose": "failover" }).to_string();
        let response = self.0.run(request.body(body).ok()?).ok()?;
        read(response).filter(|reply| !reply.is_unknown())
    }

    /// Whether a copy says that it can work.
    pub(super) fn is_ready(&self, copy: &Addresses) -> bool {
        [&copy.bank, &copy.tokens].iter().all(|address| {
            let asked = self.0.get(format!("{address}/readyz")).call();
            asked.is_ok_and(|answer| answer.status() == 200)
        })
    }
}

impl Browser {
    /// Loads a page. No answer, or one that says nothing: none.
    pub(super) fn get(&mut self, http: &Http, copy: &Addresses, path: &str) -> Option<Reply> {
        let request = http::Request::get(format!("{}{path}", copy.bank));
        let request = self.own(request).body(()).ok()?;
        self.keep(http.0.run(request).ok()?)
    }

    /// Sends a form. No answer, or one that says nothing: none.
    pub(super) fn post(
        &mut self,
        http: &Http,
        copy: &Addresses,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Reply> {
        let mut body = format!("form={}", percent_encoded(&self.form));
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", percent_encoded(value)));
        }
        let request = http::Request::post(format!("{}{path}", copy.bank))
            .header("Content-Type", "application/x-www-form-urlencoded");
        let request = self.own(request).body(body).ok()?;
        self.keep(http.0.run(request).ok()?)
    }

    fn own(&self, request: http::request::Builder) -> http::request::Builder {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request
            .header("Cookie", cookies.join("; "))
            .header("Sec-Fetch-Site", "same-origin")
            .header("User-Agent", "cargo xtask failover")
    }

    fn keep(&mut self, response: http::Response<ureq::Body>) -> Option<Reply> {
        for set in response.headers().get_all("set-cookie") {
            let set = set.to_str().ok()?;
            let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
            let (name, value) = pair.split_once('=')?;
            self.cookies.retain(|(known, _)| known != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let reply = read(response).filter(|reply| !reply.is_unknown())?;
        if let Some(form) = after(
            &reply.text,
            &["<input type=\"hidden\" name=\"form\" value=\""],
        ) {
            form.clone_into(&mut self.form);
        }
        Some(reply)
    }
}

fn read(mut response: http::Response<ureq::Body>) -> Option<Reply> {
    let location = response
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    Some(Reply {
        status: response.status().as_u16(),
        location,
        // An answer that breaks off is none.
        text: response.body_mut().read_to_string().ok()?,
    })
}

/// What a page holds behind these marks, one after the other, up to the next quotation mark or tag.
pub(super) fn after<'a>(page: &'a str, marks: &[&str]) -> Option<&'a str> {
    let mut rest = page;
    for mark in marks {
        (_, rest) = rest.split_once(mark)?;
    }
    rest.split(['"', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_marks_is_found() {
        let page = r#"<select name="from"><option value="12">x</option></select><dd>R-1</dd>"#;
        assert_eq!(after(page, &["name=\"from\"", "value=\""]), Some("12"));
        assert_eq!(after(page, &["<dd>"]), Some("R-1"));
        assert_eq!(after(page, &["name=\"to\""]), None);
    }

    #[test]
    fn forms_are_encoded() {
        assert_eq!(percent_encoded("a b+ﾐ"), "a%20b%2B%EF%BE%90");
    }

    #[test]
    fn an_answer_of_the_servers_own_trouble_says_nothing() {
        let reply = |status| Reply {
            status,
            location: String::new(),
            text: String::new(),
        };
        assert!(
            [500, 502, 503, 504, 408, 429]
                .into_iter()
                .all(|it| reply(it).is_unknown())
        );
        assert!(
            [200, 303, 404, 422]
                .into_iter()
                .all(|it| !reply(it).is_unknown())
        );
    }
}
