//! Requests out of templates.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::http;

use super::adapter::{Format, Request};

/// What stands for `{name}` in a template.
pub(crate) type Values<'a> = BTreeMap<&'a str, &'a str>;

/// A request that is ready to be sent.
pub(crate) struct Ready {
    method: http::Method,
    /// The path and query, to be put behind a server's address.
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
}

/// An agent that keeps its connections.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .max_redirects(0)
        .proxy(None)
        .build()
        .into()
}

impl Request {
    /// Fills the template in.
    pub(crate) fn fill(&self, values: &Values) -> Result<Ready> {
        let encoded: BTreeMap<&str, String> = values
            .iter()
            .map(|(name, value)| (*name, percent_encoded(value)))
            .collect();
        let in_path = encoded.iter().map(|(name, text)| (*name, text.as_str()));
        let path = fill(&self.path, &in_path.collect())?;
        let mut headers = Vec::new();
        for (name, template) in &self.headers {
            headers.push((name.clone(), fill(template, values)?));
        }
        let (kind, body) = match self.format {
            Format::Json => {
                let fields = Value::Object(self.body.clone().into_iter().collect());
                ("application/json", fill_json(&fields, values)?.to_string())
            }
            Format::Form => (
                "application/x-www-form-urlencoded",
                form(&self.body, values)?,
            ),
        };
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
        let method = self.method.parse().context("the method of a request")?;
        Ok(Ready {
            method,
            path,
            headers,
            body,
        })
    }
}

impl Ready {
    /// Sends it to a server and reads the answer to its end, so that the connection can go on.
    pub(crate) fn send(&self, agent: &Agent, url: &str) -> Result<Reply> {
        let address = format!("{}{}", url.trim_end_matches('/'), self.path);
        if address.starts_with("https:") && !cfg!(feature = "tls") {
            bail!("for https run `cargo run -p xtask --features tls -- race …`");
        }
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(&address);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = if self.method == http::Method::GET {
            agent.run(request.body(())?)
        } else {
            agent.run(request.body(self.body.as_str())?)
        }
        .with_context(|| address.clone())?;
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        Ok(Reply {
            status: response.status().as_u16(),
            retry_after,
            body: response.body_mut().read_to_string()?,
        })
    }
}

/// Fills `{name}` and `{env:NAME}` in.
fn fill(template: &str, values: &Values) -> Result<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, remainder) = after
            .split_once('}')
            .with_context(|| format!("an open brace in {template:?}"))?;
        filled.push_str(before);
        if let Some(variable) = name.strip_prefix("env:") {
            let value = std::env::var(variable)
                .with_context(|| format!("the environment variable {variable}"))?;
            filled.push_str(&value);
        } else {
            let value = values.get(name);
            filled.push_str(value.with_context(|| format!("{{{name}}} is not known here"))?);
        }
        rest = remainder;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn fill_json(value: &Value, values: &Values) -> Result<Value> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, values)?),
        Value::Array(list) => Value::Array(
            list.iter()
                .map(|entry| fill_json(entry, values))
                .collect::<Result<_>>()?,
        ),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, entry)| Ok((name.clone(), fill_json(entry, values)?)))
                .collect::<Result<_>>()?,
        ),
        other => other.clone(),
    })
}

fn form(fields: &BTreeMap<String, Value>, values: &Values) -> Result<String> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let text = match fill_json(value, values)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        pairs.push(format!(
            "{}={}",
            percent_encoded(name),
            percent_encoded(&text)
        ));
    }
    Ok(pairs.join("&"))
}

/// A value of a form (RFC 3986 §2.1: all but unreserved letters as `%XX`).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(format: &str) -> Request {
        toml::from_str(&format!(
            "method = 'POST'\npath = '/v1/{{id}}/validate'\nformat = '{format}'\n\
             headers = {{ Key = 'k-{{key}}' }}\nbody = {{ code = '{{code}}', n = 1 }}"
        ))
        .unwrap()
    }

    #[test]
    fn a_template_is_filled_everywhere() {
        let values = Values::from([("id", "a/b"), ("key", "7"), ("code", "12&4")]);
        let json = request("json").fill(&values).unwrap();
        assert_eq!(json.path, "/v1/a%2Fb/validate");
        assert_eq!(json.headers[0], ("Key".to_owned(), "k-7".to_owned()));
        assert_eq!(json.body, r#"{"code":"12&4","n":1}"#);
        let form = request("form").fill(&values).unwrap();
        assert_eq!(form.body, "code=12%264&n=1");
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(request("json").fill(&Values::from([("id", "a")])).is_err());
        assert!(fill("{env:SURELY_NOT_SET_ANYWHERE}", &Values::new()).is_err());
        assert!(fill("{open", &Values::new()).is_err());
    }
}
