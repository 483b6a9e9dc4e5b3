//! Text with `code` in it, as HTML.

use std::fmt;

use askama::filters::HtmlSafe;

/// Escaped HTML, made from the little of Markdown that descriptions use: `code` and rustdoc's links to names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rich(String);

impl Rich {
    /// The HTML of a text.
    pub(super) fn new(text: &str) -> Self {
        let text = text.replace("[`", "`").replace("`]", "`");
        let mut html = String::with_capacity(text.len() + 16);
        for (index, part) in text.split('`').enumerate() {
            let code = index % 2 == 1;
            if code {
                html.push_str("<code>");
            }
            escape(part, &mut html);
            if code {
                html.push_str("</code>");
            }
        }
        Self(html)
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Rich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Safe because every character of the text went through `escape`.
impl HtmlSafe for Rich {}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked_and_everything_is_escaped() {
        assert_eq!(
            Rich::new("201 to [`A<B>`] & \"`c`\"").to_string(),
            "201 to <code>A&lt;B&gt;</code> &amp; &quot;<code>c</code>&quot;"
        );
    }
}
