//! `[bank.mail]`: who writes, and who takes mails away.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use lettre::SmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use serde::Deserialize;
use warifu_bank::mail_address::MailAddress;

use super::Courier;
use crate::ambient;
use crate::config::ConfigError;

/// `[bank.mail]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The bank's own address, in `From` and as the envelope's sender.
    pub from: String,
    /// The mail server; without one, mails are files in `DATA_DIR/mail`.
    pub smtp: Option<SmtpConfig>,
}

/// `[bank.mail.smtp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// The server's name; its certificate must be for it, and trusted by the machine.
    pub host: String,
    /// Its port; without one, what is usual for `tls`.
    pub port: Option<u16>,
    /// How the way to it is protected.
    #[serde(default)]
    pub tls: SmtpTls,
    /// The user, where the server asks for one.
    pub user: Option<String>,
    /// The environment variable that holds the user's password, so that no file holds it.
    pub password_environment: Option<String>,
    /// Seconds for each step of the talk with the server.
    #[serde(default = "usual_timeout")]
    pub timeout_seconds: u64,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// The talk begins in clear and goes on in TLS, or ends (port 587; RFC 3207).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465; RFC 8314).
    Implicit,
    /// None: for a mail server on the same machine alone (port 25).
    None,
}

fn usual_timeout() -> u64 {
    10
}

/// The longest that one step may take, seconds: a mail's lease must outlast its talk ([`super::Worker`]).
const LONGEST_TIMEOUT: u64 = 15;

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            from: "no-reply@bank.example".into(),
            smtp: None,
        }
    }
}

impl MailConfig {
    /// The bank's own address.
    ///
    /// # Errors
    /// When it is none.
    pub fn sender(&self) -> Result<MailAddress, ConfigError> {
        self.from
            .parse()
            .map_err(|error| ConfigError::Value(format!("bank.mail.from: {error}")))
    }

    /// Who takes mails away.
    ///
    /// # Errors
    /// When a value cannot be used, or the password's environment variable is not set.
    pub fn courier(&self, data_dir: &Path) -> Result<Courier, ConfigError> {
        match &self.smtp {
            None => Ok(Courier::Files(data_dir.join("mail"))),
            Some(smtp) => smtp.transport().map(Courier::Smtp),
        }
    }

    /// Whether the values can be used; environment variables are not looked at.
    ///
    /// # Errors
    /// Says which cannot, and what is expected.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.sender()?;
        self.smtp.as_ref().map_or(Ok(()), SmtpConfig::check)
    }
}

impl SmtpConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let refused = |words: &str| Err(ConfigError::Value(format!("bank.mail.smtp.{words}")));
        if self.host.is_empty() {
            return refused("host must name a mail server");
        }
        if !(1..=LONGEST_TIMEOUT).contains(&self.timeout_seconds) {
            return refused("timeout_seconds must be from 1 to 15");
        }
        if self.user.is_some() != self.password_environment.is_some() {
            return refused("user and password_environment are given together, or neither");
        }
        if self.tls == SmtpTls::None && !is_this_machine(&self.host) {
            return refused("tls = 'none' is for a mail server on this machine (localhost) alone");
        }
        if self.tls == SmtpTls::None && self.user.is_some() {
            return refused("user is sent over TLS alone");
        }
        Ok(())
    }

    fn transport(&self) -> Result<SmtpTransport, ConfigError> {
        self.check()?;
        let tls = || {
            TlsParameters::new(self.host.clone())
                .map_err(|error| ConfigError::Value(format!("bank.mail.smtp: {error}")))
        };
        let (port, tls) = match self.tls {
            SmtpTls::Starttls => (587, Tls::Required(tls()?)),
            SmtpTls::Implicit => (465, Tls::Wrapper(tls()?)),
            SmtpTls::None => (25, Tls::None),
        };
        let mut builder = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(Duration::from_secs(self.timeout_seconds)));
        if let (Some(user), Some(name)) = (&self.user, &self.password_environment) {
            let password = ambient::environment(name).ok_or_else(|| {
                ConfigError::Value(format!(
                    "the environment variable {name} (bank.mail.smtp.password_environment) is not set"
                ))
            })?;
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<MailConfig, String> {
        let config: MailConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn without_a_server_mails_are_files() {
        let courier = parse("").unwrap().courier(Path::new("var")).unwrap();
        assert!(matches!(courier, Courier::Files(folder) if folder == Path::new("var/mail")));
    }

    #[test]
    fn a_server_is_asked_for_tls_unless_told_otherwise() {
        let config = parse("[smtp]\nhost = 'mail.example.jp'").unwrap();
        assert_eq!(config.smtp.as_ref().unwrap().tls, SmtpTls::Starttls);
        assert!(matches!(
            config.courier(Path::new("var")),
            Ok(Courier::Smtp(_))
        ));
    }

    #[test]
    fn a_mistake_is_named() {
        let clear = "[smtp]\nhost = 'mail.example.jp'\ntls = 'none'";
        for (text, named) in [
            ("form = 'a@example.jp'", "form"),
            ("from = 'bank'", "bank.mail.from"),
            (
                "from = \"a@example.jp\\r\\nBcc: b@example.jp\"",
                "bank.mail.from",
            ),
            ("[smtp]\nhost = ''", "host"),
            ("[smtp]\nhost = 'a'\ntls = 'ssl'", "tls"),
            ("[smtp]\nhost = 'a'\nuser = 'u'", "password_environment"),
            ("[smtp]\nhost = 'a'\npassword = 'geheim'", "password"),
            (
                "[smtp]\nhost = 'a'\ntimeout_seconds = 600",
                "timeout_seconds",
            ),
            (clear, "tls"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(named), "{text}: {refused}");
        }
        assert!(parse("[smtp]\nhost = '127.0.0.1'\ntls = 'none'").is_ok());
    }

    #[test]
    fn a_password_that_is_not_there_is_told_by_the_name_of_its_variable() {
        let text = "[smtp]\nhost = 'a'\nuser = 'u'\npassword_environment = 'WARIFU_TEST_NOT_SET'";
        let refused = parse(text).unwrap().courier(Path::new("var")).unwrap_err();
        assert!(refused.to_string().contains("WARIFU_TEST_NOT_SET"));
    }
}
