//! `--lan`: a certificate authority for local networks only, and TLS on every listener.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::{ServerName, UnixTime};
use tokio::sync::watch;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use warifu::ambient::{Clock as _, SystemClock};
use warifu::config::Config;
use warifu::http::{Doors, Listener, serve};
use warifu::lan::{Authority, Lan, speaks_for};

use crate::harness::{apart, run, second};

const PHONE_SIDE: [u8; 4] = [192, 168, 7, 20];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn now() -> jiff::Timestamp {
    // The verifier's clock is the machine's; the authority's must be near it.
    SystemClock.now()
}

#[test]
fn the_authority_is_made_once_and_its_key_is_nobody_elses_to_read() {
    let folder = folder();
    let first = Authority::open(folder.path(), now()).unwrap();
    let again = Authority::open(folder.path(), now()).unwrap();
    assert_eq!(first.certificate(), again.certificate());
    for file in ["lan-authority.key", "lan-authority.der"] {
        let kept = std::fs::metadata(folder.path().join(file)).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600, "{file}");
    }
    // What it issues later is still good for whoever trusted it at first.
    let issued = again.issue(&[PHONE_SIDE.into()], now()).unwrap();
    assert!(good(&first, &issued, PHONE_SIDE.into()));
    let other = Authority::open(tempfile::tempdir().unwrap().path(), now()).unwrap();
    assert!(!good(&other, &issued, PHONE_SIDE.into()));
}

fn good(trusted: &Authority, issued: &warifu::lan::Issued, address: IpAddr) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.certificate().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let (chain, _) = issued;
    let name = ServerName::IpAddress(address.into());
    verifier
        .verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::now())
        .is_ok()
}

#[test]
fn the_authority_is_good_for_local_networks_and_for_nothing_else() {
    let folder = folder();
    let authority = Authority::open(folder.path(), now()).unwrap();
    for (address, local) in [
        ("10.1.2.3", true),
        ("172.31.0.1", true),
        ("192.168.0.1", true),
        ("127.0.0.1", true),
        ("fd00::7", true),
        ("172.32.0.1", false),
        ("203.0.113.5", false),
        ("2001:db8::1", false),
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(speaks_for(address), local, "{address}");
        // Even its own key cannot make a certificate for elsewhere that anybody takes.
        let issued = authority.issue(&[address], now()).unwrap();
        assert_eq!(good(&authority, &issued, address), local, "{address}");
    }
}

#[test]
fn without_a_local_network_it_says_so() {
    let refused = Lan::at(folder().path(), Vec::new(), second(1_800_000_000));
    assert!(refused.is_err_and(|error| error.to_string().contains("192.168")));
}

#[test]
fn every_listener_but_the_metrics_goes_to_the_network_and_the_token_has_its_address_there() {
    let lan = Lan::at(folder().path(), vec![PHONE_SIDE.into()], now()).unwrap();
    let config = lan.opened(&Config::default());
    for listen in [
        config.token_service.listen,
        config.bank.listen,
        config.bank.staff_listen,
    ] {
        assert!(listen.ip().is_unspecified());
    }
    assert!(config.metrics.listen.ip().is_loopback());
    let token = config.bank_settings().token_address;
    assert_eq!(token.as_deref(), Some("https://192.168.7.20:8081/token/"));
}

#[test]
fn a_client_that_trusts_the_authority_is_served_and_one_that_does_not_is_not() {
    run(async {
        let folder = folder();
        let lan = Lan::at(folder.path(), vec![PHONE_SIDE.into()], now()).unwrap();
        let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into())
            .await
            .unwrap()
            .over_tls(&lan.tls);
        let address = listener.address;
        let router = Router::new().route("/", get(async || "over TLS"));
        let (stop, stopping) = watch::channel(false);
        let drain = Duration::from_secs(5);
        let serving = tokio::spawn(serve(listener, router, Doors::new(16, 16), drain, stopping));
        let ask = |roots: Vec<Certificate<'static>>| {
            apart(|| {
                let tls = TlsConfig::builder()
                    .root_certs(RootCerts::Specific(Arc::new(roots)))
                    .build();
                let agent: ureq::Agent =
                    ureq::Agent::config_builder().tls_config(tls).build().into();
                let answer = agent.get(format!("https://{address}/")).call();
                answer.map(|mut answer| answer.body_mut().read_to_string().unwrap())
            })
        };
        let trusted = Certificate::from_der(&lan.authority).to_owned();
        assert_eq!(ask(vec![trusted]).unwrap(), "over TLS");
        assert!(ask(Vec::new()).is_err());
        // What speaks no TLS is cut off, and holds nobody up.
        let plain = apart(|| {
            let config = ureq::Agent::config_builder().timeout_global(Some(drain));
            let agent: ureq::Agent = config.build().into();
            agent.get(format!("http://{address}/")).call()
        });
        assert!(plain.is_err());
        stop.send(true).unwrap();
        serving.await.unwrap();
    });
}

#[test]
fn the_page_offers_the_certificate_whose_fingerprint_it_shows() {
    run(async {
        let folder = folder();
        let lan = Lan::at(folder.path(), vec![PHONE_SIDE.into()], now()).unwrap();
        let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let address = listener.address;
        let (stop, stopping) = watch::channel(false);
        let page = lan.page(&Config::default());
        let drain = Duration::from_secs(5);
        let serving = tokio::spawn(serve(listener, page, Doors::new(16, 16), drain, stopping));
        let ask = |path: &str| {
            apart(|| {
                let mut answer = ureq::get(format!("http://{address}{path}")).call().unwrap();
                answer.body_mut().read_to_vec().unwrap()
            })
        };
        let page = String::from_utf8(ask("/")).unwrap();
        assert_eq!(ask("/warifu-ca.crt"), lan.authority);
        for word in [
            lan.fingerprint().as_str(),
            "https://192.168.7.20:8081/token/",
            "https://192.168.7.20:8080/",
            "Android",
            "iPhone",
        ] {
            assert!(page.contains(word), "{word}");
        }
        stop.send(true).unwrap();
        serving.await.unwrap();
    });
}
