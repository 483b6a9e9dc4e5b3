//! The configuration: one TOML file, every key with a default, unknown keys refused.

mod bank;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use warifu_credentials::throttle::Rate;

use crate::ambient;
use crate::database::{Location, PostgresUrl};
use crate::service::{Hsm, KeyPlace, KeySource, PinSource};

pub use bank::{BankConfig, LimitsConfig, RemoteTokenService};

/// The whole configuration. Paths are relative to the working directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept that has no place of its own; made with mode 0700.
    pub data_dir: PathBuf,
    /// The token service.
    pub token_service: TokenServiceConfig,
    /// The bank.
    pub bank: BankConfig,
    /// The Prometheus listener.
    pub metrics: MetricsConfig,
    /// How the process stops.
    pub stop: StopConfig,
    /// What `--lan` adds.
    pub lan: LanConfig,
    /// The master keys.
    pub keys: KeysConfig,
    /// The log.
    pub log: LogConfig,
}

/// `[stop]`
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StopConfig {
    /// Seconds for which `/readyz` says 503 and every request is answered still, so that a balancer sends no more.
    pub notice_seconds: u64,
}

/// `[lan]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanConfig {
    /// The port of the page that tells how to trust the authority: plain HTTP, as nothing is trusted there yet.
    pub port: u16,
}

impl Default for LanConfig {
    fn default() -> Self {
        Self { port: 8084 }
    }
}

/// `[token_service]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenServiceConfig {
    /// Whether this process serves the token service.
    pub enabled: bool,
    /// Address and port.
    pub listen: SocketAddr,
    /// A PostgreSQL connection string; without one, `DATA_DIR/tokens.db` (SQLite).
    pub database: Option<PostgresUrl>,
    /// An environment variable that holds such a connection string, so that no file holds its password.
    pub database_environment: Option<String>,
    /// PostgreSQL: connections for single commands. SQLite: connections that read.
    pub connections: usize,
    /// PostgreSQL: connections that gather validations.
    pub gatherers: usize,
    /// Commands that may wait for the database; one more is answered 503.
    pub queue: usize,
    /// Commands that one transaction gathers at most.
    pub group: usize,
    /// SQLite: page cache, MiB.
    pub cache_mib: u32,
    /// Requests in work at once; one more is answered 503 before its body is read.
    pub in_flight: usize,
    /// Connections of clients at once; one more waits to be accepted.
    pub max_connections: usize,
    /// Connections of one client address at once; one more is closed. Trusted proxies and this machine are not counted.
    pub max_connections_per_address: usize,
    /// Provisionings of one address at once.
    pub provision_burst: u32,
    /// Provisionings of one address an hour, beyond the burst.
    pub provision_per_hour: u32,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Seconds until a running request is given up when the service stops.
    pub drain_seconds: u64,
}

/// `[metrics]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Address and port.
    pub listen: SocketAddr,
}

/// `[keys]`: at most one of the first three; without one, `DATA_DIR/master.key`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// A file.
    pub file: Option<PathBuf>,
    /// An environment variable.
    pub environment: Option<String>,
    /// A program and its arguments.
    pub command: Option<Vec<String>>,
    /// The hardware security module that wrapped them.
    pub pkcs11: Option<Pkcs11Config>,
}

/// `[keys.pkcs11]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    /// The module's library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of the AES key that wraps the master keys.
    #[serde(default = "wrapping_key")]
    pub key: String,
    /// Labels of keys that wrapped them before it, and only unwrap now.
    #[serde(default)]
    pub older_keys: Vec<String>,
    /// A file that holds the PIN.
    pub pin_file: Option<PathBuf>,
    /// An environment variable that holds the PIN.
    pub pin_environment: Option<String>,
}

fn wrapping_key() -> String {
    "warifu-master".into()
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged, in the words of `tracing`'s filters: `info`, `warifu=debug`, …
    pub filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not as it should be.
    #[error("the configuration {path} is not as expected: {error}")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// A value cannot be used.
    #[error("{0}")]
    Value(String),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("var"),
            token_service: TokenServiceConfig::default(),
            bank: BankConfig::default(),
            metrics: MetricsConfig::default(),
            stop: StopConfig::default(),
            lan: LanConfig::default(),
            keys: KeysConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for TokenServiceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            database: None,
            database_environment: None,
            connections: 4,
            gatherers: 2,
            queue: 4096,
            group: 256,
            cache_mib: 24,
            in_flight: 512,
            max_connections: 4096,
            max_connections_per_address: 512,
            provision_burst: 30,
            provision_per_hour: 120,
            trusted_proxies: Vec::new(),
            drain_seconds: 20,
        }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8083)),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            filter: "info".into(),
        }
    }
}

impl Config {
    /// Reads the configuration, or takes the defaults where no file is named.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the line and what is expected.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            let config = Self::default();
            config.check()?;
            return Ok(config);
        };
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a configuration that lies at `path`.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let service = &self.token_service;
        for (name, value) in [
            ("connections", service.connections),
            ("gatherers", service.gatherers),
            ("queue", service.queue),
            ("group", service.group),
            ("in_flight", service.in_flight),
            ("max_connections", service.max_connections),
            (
                "max_connections_per_address",
                service.max_connections_per_address,
            ),
        ] {
            if value == 0 {
                return Err(ConfigError::Value(format!(
                    "token_service.{name} must be at least 1"
                )));
            }
        }
        if service.provision_burst == 0 || service.provision_per_hour == 0 {
            return Err(ConfigError::Value(
                "token_service.provision_burst and provision_per_hour must be at least 1".into(),
            ));
        }
        if service.database.is_some() && service.database_environment.is_some() {
            return Err(ConfigError::Value(
                "token_service: give database or database_environment, not both".into(),
            ));
        }
        self.bank.check()?;
        if !service.enabled && self.bank.enabled && self.bank.token_service.is_none() {
            return Err(ConfigError::Value(
                "bank.token_service: without a token service in this process, say where it is"
                    .into(),
            ));
        }
        self.keys.source(&self.data_dir).map(drop)
    }

    /// Where the token service's data is.
    ///
    /// # Errors
    /// When the environment variable that should say so is not set.
    pub fn tokens(&self) -> Result<Location, ConfigError> {
        let service = &self.token_service;
        match (&service.database, &service.database_environment) {
            (Some(url), _) => Ok(Location::Postgres(url.clone())),
            (None, Some(name)) => {
                let url = ambient::environment(name).ok_or_else(|| {
                    ConfigError::Value(format!("the environment variable {name} (token_service.database_environment) is not set"))
                })?;
                Ok(Location::Postgres(PostgresUrl(url)))
            }
            (None, None) => Ok(Location::Sqlite(self.data_dir.join("tokens.db"))),
        }
    }

    /// Where the master keys come from.
    ///
    /// # Errors
    /// When more than one source is named.
    pub fn key_source(&self) -> Result<KeySource, ConfigError> {
        self.keys.source(&self.data_dir)
    }

    /// Where the signed heads of the audit chains are appended.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.data_dir.join("audit-checkpoints.jsonl")
    }
}

impl KeysConfig {
    fn source(&self, data_dir: &Path) -> Result<KeySource, ConfigError> {
        let place = match (&self.file, &self.environment, &self.command) {
            (None, None, None) => KeyPlace::File(data_dir.join("master.key")),
            (Some(path), None, None) => KeyPlace::File(path.clone()),
            (None, Some(name), None) => KeyPlace::Environment(name.clone()),
            (None, None, Some(words)) if !words.is_empty() => KeyPlace::Command(words.clone()),
            _ => {
                return Err(ConfigError::Value(
                    "keys: give one of file, environment and command".into(),
                ));
            }
        };
        let hsm = self.pkcs11.as_ref().map(Pkcs11Config::hsm).transpose()?;
        Ok(KeySource { place, hsm })
    }
}

impl Pkcs11Config {
    fn hsm(&self) -> Result<Hsm, ConfigError> {
        let pin = match (&self.pin_file, &self.pin_environment) {
            (Some(path), None) => PinSource::File(path.clone()),
            (None, Some(name)) => PinSource::Environment(name.clone()),
            _ => {
                return Err(ConfigError::Value(
                    "keys.pkcs11: give pin_file or pin_environment, and one of them".into(),
                ));
            }
        };
        Ok(Hsm {
            module: self.module.clone(),
            token: self.token.clone(),
            key: self.key.clone(),
            older_keys: self.older_keys.clone(),
            pin,
        })
    }
}

impl TokenServiceConfig {
    /// How often an address may provision.
    #[must_use]
    pub fn provision_rate(&self) -> Rate {
        let interval = SignedDuration::from_hours(1)
            / i32::try_from(self.provision_per_hour)
                .unwrap_or(i32::MAX)
                .max(1);
        Rate {
            burst: self.provision_burst,
            interval,
        }
    }

    /// How long running requests get when the service stops.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn an_empty_file_is_the_default_start() {
        let config = parse("").unwrap();
        assert_eq!(config.token_service.listen.port(), 8081);
        assert_eq!(config.metrics.listen.port(), 8083);
        assert!(config.token_service.listen.ip().is_loopback());
        assert_eq!(
            config.tokens().unwrap(),
            Location::Sqlite("var/tokens.db".into())
        );
        assert_eq!(
            config.key_source().unwrap(),
            KeySource::file("var/master.key".into())
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        assert!(parse("data_dri = 'x'").unwrap_err().contains("data_dri"));
        assert!(
            parse("[token_service]\nlisten = '8081'")
                .unwrap_err()
                .contains("listen")
        );
        assert!(
            parse("[token_service]\nqueue = 0")
                .unwrap_err()
                .contains("token_service.queue")
        );
        assert!(
            parse("[keys]\nfile = 'a'\nenvironment = 'B'")
                .unwrap_err()
                .contains("keys")
        );
        let hsm = "[keys.pkcs11]\nmodule = 'm.so'\ntoken = 'warifu'\n";
        assert!(parse(hsm).unwrap_err().contains("pin_file"));
        assert!(
            parse(&format!("{hsm}pin = '1234'"))
                .unwrap_err()
                .contains("pin")
        );
        assert!(parse(&format!("{hsm}pin_file = 'pin'")).is_ok());
    }

    #[test]
    fn a_connection_string_with_its_password_is_in_no_debug_print() {
        let config = parse("[token_service]\ndatabase = 'postgres://u:geheim@h/d'").unwrap();
        assert!(!format!("{:?}", config.tokens().unwrap()).contains("geheim"));
        assert!(!format!("{config:?}").contains("geheim"));
    }
}
