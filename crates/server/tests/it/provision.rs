//! S1: a token becomes known.

use jiff::SignedDuration;
use warifu::service::Provisioned;
use warifu_credentials::provision::Exchange;
use warifu_credentials::throttle::Rate;
use warifu_oath::{Algorithm, Digits, Generator, Period, TimeStep};
use warifu_wire::{Base64Url, Platform, ProblemType, ProvisionRequest, PublicKey, ValidateAnswer};
use zeroize::Zeroizing;

use crate::harness::{Beginning, Engine, START, Service, Site, second};

both_engines!(
    both_sides_derive_the_same_secret_on_every_platform,
    a_key_of_low_order_is_refused_and_leaves_no_trace,
    an_address_is_held_back_after_its_burst_and_forgotten_with_time,
    one_address_does_not_hold_back_another,
    a_burst_is_not_larger_for_callers_at_once,
);

const BURST: Rate = Rate {
    burst: 5,
    interval: SignedDuration::from_secs(10),
};

/// Points whose multiples are known to anyone (RFC 7748 §6.1), with and without the bit that X25519 ignores.
const LOW_ORDER: [&str; 8] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
];

fn bytes(hex: &str) -> [u8; 32] {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    bytes.try_into().unwrap()
}

#[test]
fn the_shared_vectors_hold_for_the_services_half_of_the_exchange() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../wire/vectors/secret.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 5);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let device: PublicKey = text("device_public_key").parse().unwrap();
        let private = Zeroizing::new(bytes(text("service_private_key_hex")));
        let exchange = Exchange::new(&device, &private).unwrap();
        assert_eq!(
            exchange.service_public_key().to_string(),
            text("service_public_key")
        );
        let id = text("credential_id").parse().unwrap();
        let secret = exchange.secret(id);
        assert_eq!(*secret, bytes(text("secret_hex")), "{id}");
        let generator =
            Generator::from_bytes(secret.as_slice(), Algorithm::Sha256, Digits::SIX).unwrap();
        for code in vector["codes"].as_array().unwrap() {
            let seconds = code["unix_seconds"].as_i64().unwrap();
            let step = TimeStep::from_unix_seconds(seconds, Period::DEFAULT);
            assert_eq!(
                generator.totp(step).to_string(),
                code["code"].as_str().unwrap()
            );
        }
    }
}

async fn both_sides_derive_the_same_secret_on_every_platform(engine: Engine) {
    let service = Service::new(engine);
    for (platform, letter) in [
        (Platform::Web, 'W'),
        (Platform::Desktop, 'D'),
        (Platform::Cli, 'C'),
    ] {
        let beginning = Beginning::new();
        let Provisioned::Done(answer) = service.provision(&beginning, platform, "192.0.2.1").await
        else {
            panic!("it should become known")
        };
        assert_eq!(answer.service_time, second(START));
        assert_eq!(
            (answer.digits, answer.period, answer.algorithm),
            (6, 30, warifu_wire::Algorithm::Sha256)
        );
        assert_eq!(answer.credential_id.len(), 12);
        assert_eq!(answer.credential_id.chars().nth(2), Some(letter));
        let token = beginning.end(&answer);
        assert_eq!(token.id.to_string(), answer.credential_id);
        let code = token.code(service.step());
        assert_eq!(service.check(&token, code).await, ValidateAnswer::Accepted);
        let status = service.status(service.bank, &token).await;
        assert_eq!(
            (status.platform, status.provisioned_at),
            (platform, second(START))
        );
    }
}

async fn a_key_of_low_order_is_refused_and_leaves_no_trace(engine: Engine) {
    let service = Service::with_rate(engine, BURST);
    let rows = service.require_whole().await;
    for hex in LOW_ORDER {
        let request = ProvisionRequest {
            public_key: Base64Url(bytes(hex)),
            platform: Platform::Web,
        };
        let refused = service.running().provision(&request, "192.0.2.1").await;
        assert!(matches!(refused, Ok(Provisioned::LowOrderKey)), "{hex}");
    }
    assert_eq!(service.place.count("SELECT COUNT(*) FROM credentials"), 0);
    assert_eq!(service.require_whole().await, rows);
}

async fn an_address_is_held_back_after_its_burst_and_forgotten_with_time(engine: Engine) {
    let service = Service::with_rate(engine, BURST);
    for _ in 0..5 {
        service.token().await;
    }
    assert_eq!(wait(&service, "192.0.2.1").await, Some(10));
    service.clock.advance(9);
    assert_eq!(wait(&service, "192.0.2.1").await, Some(1));
    service.clock.advance(1);
    assert_eq!(wait(&service, "192.0.2.1").await, None);
    assert_eq!(wait(&service, "192.0.2.1").await, Some(10));
    // What is held back is not counted: a minute later the whole burst is back, and no more.
    service.clock.advance(60);
    service.running().tidy_up().await.unwrap();
    assert_eq!(
        service
            .place
            .count("SELECT COUNT(*) FROM provision_throttle"),
        0
    );
    for _ in 0..5 {
        assert_eq!(wait(&service, "192.0.2.1").await, None);
    }
    assert_eq!(wait(&service, "192.0.2.1").await, Some(10));
    service.running().tidy_up().await.unwrap();
    assert_eq!(
        wait(&service, "192.0.2.1").await,
        Some(10),
        "tidying forgets nobody who is held back"
    );
}

async fn one_address_does_not_hold_back_another(engine: Engine) {
    let service = Service::with_rate(engine, BURST);
    for _ in 0..5 {
        service.token().await;
    }
    assert_eq!(wait(&service, "192.0.2.1").await, Some(10));
    for _ in 0..5 {
        assert_eq!(wait(&service, "192.0.2.2").await, None);
    }
}

async fn a_burst_is_not_larger_for_callers_at_once(engine: Engine) {
    let service = Service::with_rate(engine, BURST);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let running = service.running();
            tokio::spawn(async move {
                let request = Beginning::new().request(Platform::Web);
                running.provision(&request, "192.0.2.1").await.unwrap()
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Provisioned::Done(_) => done += 1,
            Provisioned::Throttled { .. } => {}
            Provisioned::LowOrderKey => panic!("a key of random bytes"),
        }
    }
    assert_eq!(done, 5);
    assert_eq!(service.place.count("SELECT COUNT(*) FROM credentials"), 5);
}

/// Provisions once; how many seconds to wait instead.
async fn wait(service: &Service, address: &str) -> Option<i64> {
    match service
        .provision(&Beginning::new(), Platform::Web, address)
        .await
    {
        Provisioned::Done(_) => None,
        Provisioned::Throttled { retry_after } => Some(retry_after.as_secs()),
        Provisioned::LowOrderKey => panic!("a key of random bytes"),
    }
}

fn new_key() -> String {
    Beginning::new()
        .request(Platform::Cli)
        .public_key
        .to_string()
}

#[test]
fn over_http_a_key_of_low_order_is_a_problem_that_names_the_field() {
    let site = Site::new(Engine::Sqlite);
    let server = site.serve();
    for hex in LOW_ORDER {
        let key = Base64Url(bytes(hex)).to_string();
        let reply = server.client().provision(&key, &[]);
        reply.require(422, ProblemType::InvalidField);
        assert_eq!(reply.problem().errors[0].field, "public_key");
    }
}

#[test]
fn over_http_the_one_too_many_is_told_when_to_come_back() {
    let limits = "provision_burst = 2\nprovision_per_hour = 60";
    let site = Site::with(Engine::Sqlite, limits, "info", "");
    let server = site.serve();
    let mut client = server.client();
    for _ in 0..2 {
        assert_eq!(client.provision(&new_key(), &[]).status, 201);
    }
    // Nobody chooses his own address.
    let reply = client.provision(&new_key(), &[("X-Forwarded-For", "198.51.100.7")]);
    reply.require(429, ProblemType::TooManyRequests);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

#[test]
fn behind_a_trusted_proxy_each_client_has_a_burst_of_its_own() {
    let limits = "provision_burst = 1\nprovision_per_hour = 60\ntrusted_proxies = ['127.0.0.1']";
    let site = Site::with(Engine::Sqlite, limits, "info", "");
    let server = site.serve();
    let mut client = server.client();
    for address in ["198.51.100.7", "198.51.100.8", "2001:db8::1"] {
        let from = [("X-Forwarded-For", address)];
        assert_eq!(client.provision(&new_key(), &from).status, 201);
        client
            .provision(&new_key(), &from)
            .require(429, ProblemType::TooManyRequests);
    }
    let neighbour = [("X-Forwarded-For", "2001:db8::2")];
    client
        .provision(&new_key(), &neighbour)
        .require(429, ProblemType::TooManyRequests);
}
