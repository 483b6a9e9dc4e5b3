//! A certificate authority of this installation's own, good for addresses of local networks and nothing else.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use warifu_bank::jst;
use zeroize::Zeroizing;

use super::LanError;
use crate::startup::write_private;

/// Days that the authority is good for.
const AUTHORITY_DAYS: i64 = 730;
/// Days that a server's certificate is good for: phones take no more than 398.
const SERVER_DAYS: i64 = 90;
/// The networks that the authority may speak for: private, link-local and loopback (RFC 1918, 3927, 4193, 4291).
const NETWORKS: [(IpAddr, u8); 7] = [
    (IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(std::net::Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 0)), 8),
    (
        IpAddr::V6(std::net::Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)),
        7,
    ),
    (IpAddr::V6(std::net::Ipv6Addr::LOCALHOST), 128),
];

/// The authority: its key stays in the data directory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// The authority of a data directory; made when there is none, or when it has run out.
    ///
    /// # Errors
    /// [`LanError`] when its files cannot be read or written.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, LanError> {
        let key_file = directory.join("lan-authority.key");
        let certificate_file = directory.join("lan-authority.der");
        let read = |path: &Path| match std::fs::read(path) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LanError::File(path.display().to_string(), error)),
        };
        // The certificate is written last: without it the key signed nothing yet.
        if let (Some(key), Some(certificate)) = (read(&key_file)?, read(&certificate_file)?)
            && lasts(&certificate_file, now)
        {
            let key = PrivatePkcs8KeyDer::from(key.as_slice());
            return Ok(Self {
                issuer: Issuer::new(params(now)?, KeyPair::try_from(&key)?),
                certificate: CertificateDer::from(certificate.to_vec()),
            });
        }
        let key = KeyPair::generate()?;
        let params = params(now)?;
        let certificate: Certificate = params.self_signed(&key)?;
        let write = |path: &Path, bytes: &[u8]| {
            write_private(path, bytes)
                .map_err(|error| LanError::File(path.display().to_string(), error))
        };
        write(&key_file, &Zeroizing::new(key.serialize_der()))?;
        write(&certificate_file, certificate.der())?;
        Ok(Self {
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// What phones are to trust, as DER.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for these addresses with its chain, and its key, which is kept nowhere.
    ///
    /// # Errors
    /// [`LanError`].
    pub fn issue(&self, addresses: &[IpAddr], now: Timestamp) -> Result<Issued, LanError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Warifu on this network");
        params.subject_alt_names = addresses.iter().map(|it| SanType::IpAddress(*it)).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        date(&mut params, now, SERVER_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((chain, key.into()))
    }

    /// TLS for these addresses.
    ///
    /// # Errors
    /// [`LanError`].
    pub fn server(
        &self,
        addresses: &[IpAddr],
        now: Timestamp,
    ) -> Result<Arc<ServerConfig>, LanError> {
        let (chain, key) = self.issue(addresses, now)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }
}

/// A certificate with its chain, and its key.
pub type Issued = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Whether the authority's address may be spoken for.
#[must_use]
pub fn speaks_for(address: IpAddr) -> bool {
    NETWORKS
        .iter()
        .any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*bits)
            }
            _ => false,
        })
}

fn params(now: Timestamp) -> Result<CertificateParams, LanError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named("Warifu (this installation only)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let permitted = NETWORKS.map(|(network, bits)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(network, bits))
    });
    // A name that nobody has: with no permitted name at all, every name would be.
    let no_name = GeneralSubtree::DnsName("warifu.invalid".into());
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted.into_iter().chain([no_name]).collect(),
        excluded_subtrees: Vec::new(),
    });
    date(&mut params, now, AUTHORITY_DAYS);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// Good from the day before, since phones' clocks differ.
fn date(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let day = |offset: i64| {
        let at = now.checked_add(SignedDuration::from_hours(24 * offset));
        let day = jst::day(at.unwrap_or(now));
        let (month, number) = (day.month().unsigned_abs(), day.day().unsigned_abs());
        date_time_ymd(i32::from(day.year()), month, number)
    };
    (params.not_before, params.not_after) = (day(-1), day(days));
}

/// Whether an authority that was written then is good for as long as a server's certificate.
fn lasts(file: &Path, now: Timestamp) -> bool {
    let written = std::fs::metadata(file).and_then(|it| it.modified()).ok();
    written
        .and_then(|at| Timestamp::try_from(at).ok())
        .is_some_and(|at| {
            now.duration_since(at) < SignedDuration::from_hours(24 * (AUTHORITY_DAYS - SERVER_DAYS))
        })
}
