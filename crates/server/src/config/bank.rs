use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use warifu_bank::fee::FeeTable;
use warifu_bank::limit::LimitSettings;
use warifu_bank::yen::Yen;
use zeroize::Zeroizing;

use super::{Config, ConfigError};
use crate::ambient;
use crate::bank::{BankSettings, BilingualText};
use crate::database::{Location, PostgresUrl};
use crate::mail::MailConfig;
use crate::web::place::{host_of, is_this_machine};

/// `[bank]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BankConfig {
    /// Whether this process serves the bank.
    pub enabled: bool,
    /// Address and port of the customers' pages.
    pub listen: SocketAddr,
    /// Address and port of the staff's pages.
    pub staff_listen: SocketAddr,
    /// A PostgreSQL connection string; without one, `DATA_DIR/bank.db` (SQLite).
    pub database: Option<PostgresUrl>,
    /// An environment variable that holds such a connection string.
    pub database_environment: Option<String>,
    /// PostgreSQL: connections. SQLite: connections that read.
    pub connections: usize,
    /// Commands that may wait for the database; one more is answered 503.
    pub queue: usize,
    /// SQLite: page cache, MiB.
    pub cache_mib: u32,
    /// Requests of customers in work at once, those not counted that wait for a password's hash or for a token service
    /// elsewhere; one more is answered 503 before its body is read.
    pub in_flight: usize,
    /// Connections of clients at once.
    pub max_connections: usize,
    /// Connections of one client address at once; one more is closed. Trusted proxies and this machine are not counted.
    pub max_connections_per_address: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Seconds until a running request is given up when the bank stops.
    pub drain_seconds: u64,
    /// Threads that hash passwords; 0: as many as there are cores.
    pub password_threads: usize,
    /// 金融機関コード: four digits.
    pub code: String,
    /// The bank's name.
    pub name: BilingualText,
    /// Its phone for customers.
    pub phone: String,
    /// When the phone is answered.
    pub hours: BilingualText,
    /// Fees, yen.
    pub fees: FeeTable,
    /// Limits, yen.
    pub limits: LimitsConfig,
    /// Mails to customers.
    pub mail: MailConfig,
    /// Where customers open the token; without it, the one that this process serves on this machine.
    pub token_address: Option<String>,
    /// A token service in another process; without it, the one in this process.
    pub token_service: Option<RemoteTokenService>,
}

/// `[bank.limits]`, yen.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The most that a contract may choose.
    pub ceiling: i64,
    /// What a new contract has.
    pub initial: i64,
    /// The cap of a day for 24 hours after a registration or change of token (B18).
    pub caution: i64,
}

/// `[bank.token_service]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteTokenService {
    /// `https://…`, without a path.
    pub address: String,
    /// The environment variable that holds the bank's API key.
    pub key_environment: String,
}

impl Default for BankConfig {
    fn default() -> Self {
        let settings = BankSettings::default();
        Self {
            enabled: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            staff_listen: SocketAddr::from(([127, 0, 0, 1], 8082)),
            database: None,
            database_environment: None,
            connections: 4,
            queue: 1024,
            cache_mib: 16,
            in_flight: 128,
            max_connections: 1024,
            max_connections_per_address: 128,
            trusted_proxies: Vec::new(),
            drain_seconds: 20,
            password_threads: 0,
            code: settings.code,
            name: settings.name,
            phone: settings.phone,
            hours: settings.hours,
            fees: settings.fees,
            limits: LimitsConfig::default(),
            mail: MailConfig::default(),
            token_address: None,
            token_service: None,
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = LimitSettings::default();
        Self {
            ceiling: limits.ceiling.0,
            initial: limits.initial.0,
            caution: limits.caution.0,
        }
    }
}

impl BankConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let value = |text: &str| Err(ConfigError::Value(text.to_owned()));
        if [
            self.connections,
            self.queue,
            self.in_flight,
            self.max_connections,
            self.max_connections_per_address,
        ]
        .contains(&0)
        {
            return value(
                "bank.connections, bank.queue, bank.in_flight, bank.max_connections and bank.max_connections_per_address must be at least 1",
            );
        }
        if self.database.is_some() && self.database_environment.is_some() {
            return value("bank: give database or database_environment, not both");
        }
        if self.code.len() != 4 || !self.code.bytes().all(|byte| byte.is_ascii_digit()) {
            return value("bank.code must be four digits");
        }
        if !self.fees.is_sound() {
            return value("bank.fees: every fee is 0 to 100000 yen, and step is above 0");
        }
        if !self.token_address.as_deref().is_none_or(opens_a_token) {
            return value(
                "bank.token_address must be https://…, or http://… on this machine, since browsers let no token work elsewhere",
            );
        }
        self.mail.check()?;
        let limits = self.limits;
        let sound = |amount: i64| (0..=Yen::MOST.0).contains(&amount);
        if !sound(limits.ceiling)
            || !sound(limits.initial)
            || !sound(limits.caution)
            || limits.initial > limits.ceiling
        {
            return value("bank.limits: amounts of yen, and initial is at most ceiling");
        }
        Ok(())
    }

    /// What the bank is told.
    #[must_use]
    pub fn settings(&self) -> BankSettings {
        BankSettings {
            code: self.code.clone(),
            name: self.name.clone(),
            phone: self.phone.clone(),
            hours: self.hours.clone(),
            fees: self.fees.clone(),
            limits: LimitSettings {
                ceiling: Yen(self.limits.ceiling),
                initial: Yen(self.limits.initial),
                caution: Yen(self.limits.caution),
            },
            token_address: self.token_address.clone(),
        }
    }

    /// How long running requests get when the bank stops.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Threads that hash passwords.
    #[must_use]
    pub fn password_threads(&self) -> usize {
        match self.password_threads {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            threads => threads,
        }
    }
}

/// Browsers let a token work over https, and on this machine without.
fn opens_a_token(address: &str) -> bool {
    let here = host_of(address).and_then(is_this_machine);
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        && match here {
            Some(here) => {
                address.starts_with("https://") || (here && address.starts_with("http://"))
            }
            None => false,
        }
}

impl RemoteTokenService {
    /// The bank's API key.
    ///
    /// # Errors
    /// When the environment variable is not set.
    pub fn key(&self) -> Result<Zeroizing<String>, ConfigError> {
        let name = &self.key_environment;
        ambient::environment(name).map(Zeroizing::new).ok_or_else(|| {
            ConfigError::Value(format!(
                "the environment variable {name} (bank.token_service.key_environment) is not set"
            ))
        })
    }
}

impl Config {
    /// What the bank is told, with the address of the token that this process serves itself, where that is known.
    #[must_use]
    pub fn bank_settings(&self) -> BankSettings {
        let listen = self.token_service.listen;
        let own = self.token_service.enabled && listen.ip().is_loopback();
        let mut settings = self.bank.settings();
        settings.token_address = settings
            .token_address
            .or_else(|| own.then(|| format!("http://{listen}/token/")));
        settings
    }

    /// Where the bank's data is.
    ///
    /// # Errors
    /// When the environment variable that should say so is not set.
    pub fn bank_database(&self) -> Result<Location, ConfigError> {
        match (&self.bank.database, &self.bank.database_environment) {
            (Some(url), _) => Ok(Location::Postgres(url.clone())),
            (None, Some(name)) => ambient::environment(name)
                .map(|url| Location::Postgres(PostgresUrl(url)))
                .ok_or_else(|| {
                    ConfigError::Value(format!(
                        "the environment variable {name} (bank.database_environment) is not set"
                    ))
                }),
            (None, None) => Ok(Location::Sqlite(self.data_dir.join("bank.db"))),
        }
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
    fn without_a_word_the_bank_is_opened_on_its_own_database_and_ports() {
        let config = parse("").unwrap();
        assert!(config.bank.enabled);
        assert_eq!(
            (config.bank.listen.port(), config.bank.staff_listen.port()),
            (8080, 8082)
        );
        assert_eq!(
            config.bank_database().unwrap(),
            Location::Sqlite("var/bank.db".into())
        );
        assert_ne!(config.bank_database().unwrap(), config.tokens().unwrap());
    }

    #[test]
    fn the_token_is_opened_where_it_is_served_unless_another_place_is_told() {
        let address = |text| parse(text).unwrap().bank_settings().token_address;
        let own = "http://127.0.0.1:8081/token/";
        assert_eq!(address("").as_deref(), Some(own));
        let apart = "[token_service]\nenabled = false\n[bank.token_service]\naddress = 'https://t.example'\nkey_environment = 'KEY'";
        assert_eq!(address(apart), None);
        let told = "[bank]\ntoken_address = 'https://token.example/token/'";
        assert_eq!(
            address(told).as_deref(),
            Some("https://token.example/token/")
        );
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, word) in [
            ("[bank]\ncode = '12'", "bank.code"),
            ("[bank]\nlisten_on = 'x'", "listen_on"),
            ("[bank.fees]\nother_bank = -1", "bank.fees"),
            ("[bank.limits]\nceiling = 1", "bank.limits"),
            ("[bank]\nqueue = 0", "bank.queue"),
            (
                "[bank]\ntoken_address = 'http://192.0.2.7/token/'",
                "bank.token_address",
            ),
            (
                "[bank]\ntoken_address = 'javascript:alert(1)'",
                "bank.token_address",
            ),
        ] {
            assert!(parse(text).unwrap_err().contains(word), "{text}");
        }
    }
}
