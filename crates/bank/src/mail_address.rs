//! A customer's mail address (rule B13): what RFC 5321 delivers to without quoting, and nothing that could end a header.

use std::fmt;
use std::str::FromStr;

use crate::token_id::half_width;

/// The longest address, bytes (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const LONGEST: usize = 254;

/// The longest part before the `@`, bytes (RFC 5321 §4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// The longest label of a domain, bytes (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;

/// `name@example.co.jp`. ASCII alone: a domain in other letters is given as its `xn--` form (RFC 5890), since not every
/// server on the way takes another one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MailAddress(String);

/// The text is no [`MailAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a mail address such as name@example.co.jp, at most 254 characters")]
pub struct MailAddressError;

impl MailAddress {
    /// As it is written on a mail, and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// After the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

/// Takes what a person types: spaces around it, and full-width characters. The case is kept.
impl FromStr for MailAddress {
    type Err = MailAddressError;

    fn from_str(text: &str) -> Result<Self, MailAddressError> {
        let plain: String = text.trim().chars().map(half_width).collect();
        let (local, domain) = plain.split_once('@').ok_or(MailAddressError)?;
        let fits = plain.len() <= LONGEST && is_local(local) && is_domain(domain);
        fits.then_some(Self(plain)).ok_or(MailAddressError)
    }
}

/// A dot-atom of RFC 5322 §3.2.3.
fn is_local(local: &str) -> bool {
    local.len() <= LONGEST_LOCAL
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
                })
        })
}

/// A name of at least two labels whose last is no number: a host name, and neither a machine nearby nor an address.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.split('.').all(label)
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Masked, for logs and pages that need not tell all: `a***@example.co.jp`.
impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.local().chars().next().unwrap_or('*');
        write!(f, "{first}***@{}", self.domain())
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_read_as_people_type_it() {
        for (typed, kept) in [
            ("name@example.co.jp", "name@example.co.jp"),
            (
                " Name.O'Hara+bank@Example.jp ",
                "Name.O'Hara+bank@Example.jp",
            ),
            ("ｎａｍｅ＠ｅｘａｍｐｌｅ．ｊｐ", "name@example.jp"),
            ("a@xn--r8jz45g.jp", "a@xn--r8jz45g.jp"),
        ] {
            let address: MailAddress = typed.parse().unwrap();
            assert_eq!(address.as_str(), kept);
        }
    }

    #[test]
    fn what_no_mail_can_be_sent_to_is_refused() {
        let (long_local, long_label) = ("a".repeat(65), "a".repeat(64));
        let long = format!("{}@{}jp", "a".repeat(64), "abcdefg.".repeat(24));
        let refused = [
            "",
            "@",
            "name",
            "name@",
            "@example.jp",
            "a@b@example.jp",
            "name@localhost",
            "name@192.0.2.1",
            "name@[192.0.2.1]",
            "name@example..jp",
            "name@-example.jp",
            ".name@example.jp",
            "na..me@example.jp",
            "na me@example.jp",
            "\"na me\"@example.jp",
            "見本 <name@example.jp>",
            "名前@example.jp",
            "name@例え.jp",
            &format!("{long_local}@example.jp"),
            &format!("name@{long_label}.jp"),
            &long,
        ];
        assert!(long.len() > LONGEST);
        for text in refused {
            assert_eq!(text.parse::<MailAddress>(), Err(MailAddressError), "{text}");
        }
    }

    #[test]
    fn nothing_that_ends_a_header_or_begins_another_gets_in() {
        for text in [
            "name@example.jp\r\nBcc: all@example.jp",
            "name\r\nBcc: x@example.jp",
            "name@example.jp\nSubject: x",
            "name@example.jp\0",
            "na\tme@example.jp",
            "name@example.jp, other@example.jp",
            "name@example.jp;other@example.jp",
            "name@example.jp>\r\nDATA",
            "name@exam\u{2028}ple.jp",
        ] {
            assert_eq!(
                text.parse::<MailAddress>(),
                Err(MailAddressError),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_log_shows_the_first_letter_and_the_domain() {
        let address: MailAddress = "abc@example.co.jp".parse().unwrap();
        assert_eq!(address.to_string(), "a***@example.co.jp");
        assert_eq!(format!("{address:?}"), "MailAddress(a***@example.co.jp)");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_one_line_of_printable_ascii_with_one_at(text in "\\PC{0,12}@?[a-z.\\r\\n@ -]{0,20}") {
            if let Ok(address) = text.parse::<MailAddress>() {
                prop_assert!(address.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
                prop_assert_eq!(address.as_str().parse::<MailAddress>(), Ok(address.clone()));
            }
        }
    }
}
