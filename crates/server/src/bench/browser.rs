//! As much of a browser as the bank's pages need: cookies, hidden fields, forms, redirects.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use zeroize::Zeroize as _;

use super::client::{Answer, Asking, Client, NoAnswer, Sent};

/// The cookies of one customer, and the token of his forms.
#[derive(Default)]
pub struct Browser {
    cookies: Vec<Cookie>,
    form: String,
}

struct Cookie {
    name: String,
    value: String,
    /// Whether it outlives the browser's window.
    kept: bool,
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(…)")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        for cookie in &mut self.cookies {
            cookie.value.zeroize();
        }
    }
}

impl Browser {
    /// Loads a page.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn get(
        &mut self,
        client: &Client,
        path: &str,
        sent: &mut Sent,
    ) -> Result<Answer, NoAnswer> {
        self.ask(client, Method::GET, path, Bytes::new(), sent)
            .await
    }

    /// Sends a form, with the token that the last page's form held.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn post(
        &mut self,
        client: &Client,
        path: &str,
        fields: &[(&str, &str)],
        sent: &mut Sent,
    ) -> Result<Answer, NoAnswer> {
        let own = [("form", self.form.as_str())];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(own.iter().chain(fields))
            .finish();
        let body = Bytes::from(body);
        self.ask(client, Method::POST, path, body, sent).await
    }

    async fn ask(
        &mut self,
        client: &Client,
        method: Method,
        path: &str,
        body: Bytes,
        sent: &mut Sent,
    ) -> Result<Answer, NoAnswer> {
        let mut headers = HeaderMap::new();
        let plain = HeaderValue::from_static;
        headers.insert("sec-fetch-site", plain("same-origin"));
        headers.insert(header::USER_AGENT, plain("warifu bench"));
        if method == Method::POST {
            headers.insert(
                header::CONTENT_TYPE,
                plain("application/x-www-form-urlencoded"),
            );
        }
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        if let Ok(cookies) = HeaderValue::from_str(&cookies.join("; ")) {
            headers.insert(header::COOKIE, cookies);
        }
        let request = Asking {
            method,
            path,
            headers,
            body,
        };
        let answer = client.ask(request, sent).await?;
        for set in answer.headers.get_all(header::SET_COOKIE) {
            self.keep(set);
        }
        if answer.status == StatusCode::OK
            && let Some(form) = hidden(answer.text(), "form")
        {
            form.clone_into(&mut self.form);
        }
        Ok(answer)
    }

    /// Closes the window: what is left are the cookies that were set for longer.
    pub fn close(&mut self) {
        self.cookies.retain(|cookie| cookie.kept);
        self.form.clear();
    }

    fn keep(&mut self, set: &HeaderValue) {
        let Some(text) = set.to_str().ok() else {
            return;
        };
        let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        self.cookies.retain(|cookie| cookie.name != name);
        if !attributes.contains("Max-Age=0") {
            self.cookies.push(Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                kept: attributes.contains("Max-Age="),
            });
        }
    }
}

/// The value of a hidden field of a page; none when the page has no such field.
#[must_use]
pub fn hidden<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let field = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(field.as_str())?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_field_is_found_by_its_whole_name() {
        let page = r#"<input type="hidden" name="form2" value="no"><input type="hidden" name="form" value="yes">"#;
        assert_eq!(hidden(page, "form"), Some("yes"));
        assert_eq!(hidden(page, "key"), None);
    }

    #[test]
    fn a_cookie_that_is_set_again_takes_the_place_of_the_old_one_and_some_outlive_the_window() {
        let mut browser = Browser::default();
        for set in [
            "a=1; Path=/",
            "b=2; Max-Age=9",
            "c=4",
            "a=3; HttpOnly",
            "c=; Max-Age=0",
        ] {
            browser.keep(&HeaderValue::from_static(set));
        }
        let kept = |browser: &Browser| {
            let pairs = browser
                .cookies
                .iter()
                .map(|it| format!("{}{}", it.name, it.value));
            pairs.collect::<Vec<_>>()
        };
        assert_eq!(kept(&browser), ["b2", "a3"]);
        browser.close();
        assert_eq!(kept(&browser), ["b2"]);
    }
}
