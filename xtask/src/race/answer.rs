//! What a server's answer means.

use serde::Deserialize;
use serde_json::Value;

/// What the server said of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Meaning {
    /// The code is right.
    Accepted,
    /// The code was looked at and is wrong.
    Rejected,
    /// The code was right once, and is spent.
    Replayed,
    /// Nobody looked at the code.
    Locked,
}

/// One rule of the adapter. What it does not name it does not ask for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    /// What an answer that fits means.
    pub(crate) means: Meaning,
    /// The HTTP status is one of these.
    #[serde(default)]
    status: Vec<u16>,
    /// The place in the JSON answer (RFC 6901) that the next two look at.
    pointer: Option<String>,
    /// Its value is one of these.
    #[serde(default)]
    values: Vec<Value>,
    /// Its text contains this.
    contains: Option<String>,
}

impl Answer {
    fn fits(&self, status: u16, body: &Value) -> bool {
        if !self.status.is_empty() && !self.status.contains(&status) {
            return false;
        }
        let Some(pointer) = &self.pointer else {
            return !self.status.is_empty();
        };
        let Some(value) = body.pointer(pointer) else {
            return false;
        };
        let listed = self.values.is_empty() || self.values.contains(value);
        let contained = self
            .contains
            .as_deref()
            .is_none_or(|part| value.as_str().is_some_and(|text| text.contains(part)));
        listed && contained
    }
}

/// What the first rule that fits says; none when the adapter does not know such an answer.
pub(crate) fn meaning(rules: &[Answer], status: u16, body: &str) -> Option<Meaning> {
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    let rule = rules.iter().find(|rule| rule.fits(status, &body))?;
    Some(rule.means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Rules {
        answer: Vec<Answer>,
    }

    fn read(rules: &str, status: u16, body: &str) -> Option<Meaning> {
        let rules: Rules = toml::from_str(rules).unwrap();
        meaning(&rules.answer, status, body)
    }

    const BY_VALUE: &str = r#"
        [[answer]]
        means = "accepted"
        pointer = "/result/value"
        values = [true]
        [[answer]]
        means = "locked"
        pointer = "/detail/message"
        contains = "counter exceeded"
        [[answer]]
        means = "rejected"
        pointer = "/result/value"
        values = [false]
    "#;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let says = |body| read(BY_VALUE, 200, body);
        assert_eq!(
            says(r#"{"result":{"value":true}}"#),
            Some(Meaning::Accepted)
        );
        assert_eq!(
            says(r#"{"result":{"value":false}}"#),
            Some(Meaning::Rejected)
        );
        let locked = r#"{"result":{"value":false},"detail":{"message":"Failcounter exceeded"}}"#;
        assert_eq!(says(locked), Some(Meaning::Locked));
        assert_eq!(says("no JSON"), None);
    }

    #[test]
    fn a_status_alone_may_tell() {
        let rules = "[[answer]]\nmeans = \"locked\"\nstatus = [423, 429]";
        assert_eq!(read(rules, 423, ""), Some(Meaning::Locked));
        assert_eq!(read(rules, 200, ""), None);
    }

    #[test]
    fn a_rule_that_asks_for_nothing_fits_nothing() {
        assert_eq!(read("[[answer]]\nmeans = \"accepted\"", 200, "{}"), None);
    }
}
