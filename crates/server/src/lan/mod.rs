//! `--lan`: every listener over TLS on the local network, so that a real phone can be tried (docs/decisions/0021).

mod authority;
mod page;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use data_encoding::HEXUPPER;
use jiff::Timestamp;
use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};

pub use authority::{Authority, Issued, speaks_for};

use crate::config::Config;

/// `--lan` cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LanError {
    /// A file of the authority.
    #[error("cannot keep the certificate authority in {0}: {1}")]
    File(String, std::io::Error),
    /// The addresses of this machine.
    #[error("cannot ask for the addresses of this machine: {0}")]
    Addresses(std::io::Error),
    /// No local network.
    #[error("--lan: this machine has no address on a local network (10/8, 172.16/12, 192.168/16)")]
    NoNetwork,
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refuses the certificate.
    #[error("cannot start TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What `--lan` needs.
pub struct Lan {
    /// This machine on the local network: what phones open.
    pub address: IpAddr,
    /// TLS for it.
    pub tls: Arc<ServerConfig>,
    /// What phones are to trust, as DER.
    pub authority: Vec<u8>,
}

impl Lan {
    /// Finds the local network and makes what TLS needs there.
    ///
    /// # Errors
    /// [`LanError`].
    pub fn prepare(directory: &Path, now: Timestamp) -> Result<Self, LanError> {
        let found = if_addrs::get_if_addrs().map_err(LanError::Addresses)?;
        let mut addresses: Vec<IpAddr> = found.iter().map(if_addrs::Interface::ip).collect();
        addresses
            .retain(|address| address.is_ipv4() && !address.is_loopback() && speaks_for(*address));
        // A home's network before a machine's own inner ones (containers, virtual machines).
        addresses.sort_by_key(|address| !address.to_string().starts_with("192.168."));
        Self::at(directory, addresses, now)
    }

    /// The same for addresses that are known.
    ///
    /// # Errors
    /// [`LanError`].
    pub fn at(
        directory: &Path,
        mut addresses: Vec<IpAddr>,
        now: Timestamp,
    ) -> Result<Self, LanError> {
        let address = *addresses.first().ok_or(LanError::NoNetwork)?;
        // This machine's browser comes by its number; a name such as localhost would learn from our pages never to use
        // plain HTTP again, for every other program on it.
        addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let authority = Authority::open(directory, now)?;
        Ok(Self {
            address,
            tls: authority.server(&addresses, now)?,
            authority: authority.certificate().to_vec(),
        })
    }

    /// The configuration with every listener on the network but the metrics.
    #[must_use]
    pub fn opened(&self, config: &Config) -> Config {
        let mut config = config.clone();
        let open = |listen: &mut SocketAddr| listen.set_ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        open(&mut config.token_service.listen);
        open(&mut config.bank.listen);
        open(&mut config.bank.staff_listen);
        if config.token_service.enabled {
            let port = config.token_service.listen.port();
            config.bank.token_address = Some(format!("https://{}:{port}/token/", self.address));
        }
        config
    }

    /// The page that tells how to trust the authority, and leads on to the token and the bank.
    pub fn page(&self, config: &Config) -> Router {
        let at = |listen: SocketAddr| format!("https://{}:{}/", self.address, listen.port());
        let token = format!("{}token/", at(config.token_service.listen));
        page::router(self.authority.clone(), token, at(config.bank.listen))
    }

    /// The SHA-256 of the authority's certificate as people compare it: pairs of digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.authority)
    }

    /// The address of the page that tells how to trust the authority.
    #[must_use]
    pub fn page_address(&self, config: &Config) -> String {
        format!("http://{}:{}/", self.address, config.lan.port)
    }
}

fn fingerprint(der: &[u8]) -> String {
    let digits = HEXUPPER.encode(&Sha256::digest(der));
    let pairs: Vec<&str> = digits
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .collect();
    pairs.join(":")
}
