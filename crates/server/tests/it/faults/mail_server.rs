//! A mail server that is gone: the bank goes on, mails wait and are sent when it is back.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use warifu::ambient::stopwatch;
use warifu::bank::Alone;
use warifu::bank_store::outbox;
use warifu::mail::{Courier, MailConfig, SmtpConfig, SmtpTls, Worker};
use warifu_bank::jst;
use warifu_bank::notice::Event;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::Stage;
use warifu_bank::uid::Uid;

use crate::bank::crash;
use crate::bank::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, MailServer, Place, customer_account};

both_engines!(
    while_the_mail_server_is_gone_transfers_go_on_and_every_mail_is_sent_when_it_is_back,
    the_metrics_and_the_log_tell_that_mails_wait_and_to_nobody_whose,
);

/// A port at which nobody listens.
fn nobodys_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn courier(port: u16) -> Courier {
    let config = MailConfig {
        smtp: Some(SmtpConfig {
            host: "127.0.0.1".into(),
            port: Some(port),
            tls: SmtpTls::None,
            user: None,
            password_environment: None,
            timeout_seconds: 5,
        }),
        ..MailConfig::default()
    };
    config.courier(Path::new("")).unwrap()
}

fn worker(site: &BankSite, port: u16) -> Worker<Alone> {
    Worker {
        database: site.bank().database(),
        courier: Arc::new(courier(port)),
        bank: Arc::new(site.bank().settings().clone()),
        from: MailConfig::default().sender().unwrap(),
        clock: Arc::clone(&site.service.clock) as Arc<dyn warifu::ambient::Clock>,
        wake: Arc::new(Notify::new()),
        interval: Duration::from_secs(86_400),
    }
}

async fn while_the_mail_server_is_gone_transfers_go_on_and_every_mail_is_sent_when_it_is_back(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let gone = worker(&site, nobodys_port());
    for _ in 0..2 {
        let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
        let key = site.show(&visitor, &order).await;
        let code = Some(site.code(&token));
        let done = site.confirm(&visitor, OrderKind::Transfer, key, code).await;
        assert!(
            matches!(done, warifu::bank::Confirmed::Done(..)),
            "{done:?}"
        );
        gone.round().await.unwrap();
        site.next_code();
    }
    assert_eq!(site.balance(customer_account(1)), 100_000 - 2 * 1_165);
    // Of the registration and of the two transfers.
    assert_eq!(site.bank().mails_waiting().await.unwrap(), (3, 3));
    let attempts = "SELECT CAST(SUM(attempts) AS BIGINT) FROM mail_outbox";
    for minutes in [1, 2, 4, 8] {
        site.service.clock.advance(minutes * 60);
        assert_eq!(
            gone.round().await.unwrap().failed,
            3,
            "after {minutes} more minutes"
        );
        let tries = site.place.count(attempts);
        // At once again nothing is tried.
        assert_eq!(gone.round().await.unwrap().failed, 0);
        assert_eq!(site.place.count(attempts), tries);
    }
    site.service.clock.advance(16 * 60);
    let mut server = MailServer::start(&["250 known", "250 known", "250 known"]);
    let back = worker(&site, server.port);
    assert_eq!(back.round().await.unwrap().sent, 3);
    let mut names = Vec::new();
    for _ in 0..3 {
        let mail = server.next().await.mail.unwrap();
        let name = mail.lines().find(|line| line.starts_with("Message-ID"));
        names.push(name.unwrap().to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
    server.end();
    assert_eq!(site.bank().mails_waiting().await.unwrap(), (0, 0));
    assert_eq!(back.round().await.unwrap().sent, 0);
}

async fn the_metrics_and_the_log_tell_that_mails_wait_and_to_nobody_whose(engine: Engine) {
    let (tokens, bank) = (Place::new(engine), Place::of_bank(engine));
    let folder = tokens.folder.path().to_owned();
    let location = crash::location(engine, &tokens, &bank);
    let _ = crash::prepare(&tokens, &location);
    let now = warifu::ambient::Clock::now(&warifu::ambient::SystemClock);
    let event = Event::TransferSent {
        receipt: "R-1".into(),
        amount: 1_000,
    };
    crate::harness::apart(|| {
        let mut connection = warifu::database::Connection::open(&location, 2048).unwrap();
        connection
            .transaction(|tx| {
                let new = outbox::New {
                    id: Uid::new(
                        now,
                        &warifu::ambient::random(&warifu::ambient::SystemEntropy),
                    ),
                    contract: "12345678901".parse().unwrap(),
                    address: "mihon-hanako@example.co.jp",
                    language: "ja",
                    event: &event,
                    at: now,
                };
                outbox::insert(tx, &new)
            })
            .unwrap();
    });
    let config = crash::configure(engine, &folder, &tokens, &bank);
    let mut text = std::fs::read_to_string(&config).unwrap();
    let port = nobodys_port();
    text.push_str(&format!(
        "[bank.mail.smtp]\nhost = '127.0.0.1'\nport = {port}\ntls = 'none'\n"
    ));
    std::fs::write(&config, text).unwrap();
    let server = crash::start(&config);
    let begun = stopwatch();
    loop {
        let metrics = crate::harness::Client::new(server.metrics).get("/metrics");
        if metrics
            .text()
            .contains("warifu_bank_mails_waiting{tried=\"in_vain\"} 1")
        {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{}",
            metrics.text()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let log = server.log();
    assert!(
        log.contains("a mail was not sent and is tried again"),
        "{log}"
    );
    assert!(
        log.contains("no connection, or none that is trusted"),
        "{log}"
    );
    assert!(!log.contains("mihon-hanako"), "{log}");
}
