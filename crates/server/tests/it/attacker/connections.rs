//! Slow loris, idle crowds, readers who read nothing: what one address can hold, and for how long (docs/decisions/0030).

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use warifu::ambient::stopwatch;
use warifu::http::{Doors, Listener, serve};
use warifu::lan::Lan;

use super::ground::{Ground, connect_from};
use crate::harness::{Client, Engine, Site, run, second};

both_engines!(one_address_cannot_take_all_places_and_a_slow_loris_keeps_nobody_else_out,);

const ATTACKER: [u8; 4] = [127, 0, 0, 66];
const CUSTOMER: [u8; 4] = [127, 0, 0, 7];

/// The beginning of a request whose end never comes.
const HALF_A_HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: bank.example\r\nX-Slow: ";

/// Whether the server has hung up: with a word, without, or with a reset. Panics when it does not for long.
fn is_hung_up_on(stream: &mut TcpStream) -> bool {
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => true,
        Err(error) => {
            let gone = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
            assert!(gone.contains(&error.kind()), "{error}");
            true
        }
    }
}

/// Whether a connection is refused at once, which the first word on it shows.
async fn is_refused(from: [u8; 4], to: SocketAddr) -> bool {
    let Ok(stream) = connect_from(from, to).await else {
        return true;
    };
    let asked = Client::over(stream).and_then(|mut client| client.request("GET", "/", &[], b""));
    asked.is_err()
}

async fn one_address_cannot_take_all_places_and_a_slow_loris_keeps_nobody_else_out(engine: Engine) {
    let refused = Counter::default();
    let doors = Doors {
        refused: refused.clone(),
        ..Doors::new(10, 4)
    };
    let ground = Ground::with(engine, doors).await;
    let mut open = Vec::new();
    for _ in 0..40 {
        if let Ok(mut stream) = connect_from(ATTACKER, ground.bank).await {
            // Whoever is refused finds out with this word or with the next.
            let _ = stream.write_all(HALF_A_HEAD);
            open.push(stream);
        }
    }
    let begun = stopwatch();
    while refused.get() < 36 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..3 {
        for stream in &mut open {
            let _ = stream.write_all(b"a");
        }
        assert!(is_refused(ATTACKER, ground.bank).await);
        let stream = connect_from(CUSTOMER, ground.bank).await.unwrap();
        let page = Client::over(stream)
            .unwrap()
            .request("GET", "/", &[], b"")
            .unwrap();
        assert_eq!(page.status, 200);
        // So is everybody whom the bank's own proxy lets in, however many they are.
        let proxied: Vec<_> = (0..5).map(|_| Client::new(ground.bank).get("/")).collect();
        assert!(proxied.iter().all(|page| page.status == 200));
    }
    assert_eq!(refused.get(), 39);
    // Whoever hangs up has his places again.
    drop(open);
    while is_refused(ATTACKER, ground.bank).await {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    ground.close().await;
}

/// A listener whose patience is a second, before a page that is longer than any buffer on the way.
struct Short {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Short {
    async fn new(tls: Option<&Lan>) -> Self {
        let listener = Listener::bind("test", ([127, 0, 0, 1], 0).into());
        let mut listener = listener.await.unwrap();
        if let Some(lan) = tls {
            listener = listener.over_tls(&lan.tls);
        }
        let address = listener.address;
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/long", get(async || vec![b'x'; 32 << 20]));
        let (stop, stopping) = watch::channel(false);
        let doors = Doors {
            patience: Duration::from_secs(1),
            ..Doors::new(8, 1)
        };
        let drain = Duration::from_secs(5);
        Self {
            address,
            stop,
            serving: tokio::spawn(serve(listener, router, doors, drain, stopping)),
        }
    }

    /// The one place of the attacker's address is free again: another connection from there is served.
    async fn is_free_again(&self) {
        let begun = stopwatch();
        while is_refused(ATTACKER, self.address).await {
            assert!(begun.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn close(self) {
        self.stop.send(true).unwrap();
        self.serving.await.unwrap();
    }
}

#[test]
fn a_head_that_trickles_in_is_hung_up_on_in_its_time() {
    run(async {
        let short = Short::new(None).await;
        let mut slow = connect_from(ATTACKER, short.address).await.unwrap();
        slow.write_all(HALF_A_HEAD).unwrap();
        let begun = stopwatch();
        // A byte from time to time buys no time.
        while slow.write_all(b"a").is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        short.is_free_again().await;
        short.close().await;
    });
}

#[test]
fn a_connection_without_a_request_ends_before_its_first_and_between_two() {
    run(async {
        let short = Short::new(None).await;
        let mut silent = connect_from(ATTACKER, short.address).await.unwrap();
        assert!(is_hung_up_on(&mut silent));
        short.is_free_again().await;
        let mut idle = connect_from([127, 0, 0, 67], short.address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut answer = [0; 15];
        idle.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        assert!(is_hung_up_on(&mut idle));
        short.close().await;
    });
}

#[test]
fn a_handshake_that_does_not_come_is_not_waited_for() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let at = vec![[192, 168, 7, 20].into()];
        let lan = Lan::at(folder.path(), at, second(1_800_000_000)).unwrap();
        let short = Short::new(Some(&lan)).await;
        for beginning in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n"] {
            let mut stream = connect_from(ATTACKER, short.address).await.unwrap();
            stream.write_all(beginning).unwrap();
            assert!(is_hung_up_on(&mut stream), "{beginning:?}");
        }
        short.close().await;
    });
}

#[test]
fn who_asks_and_reads_nothing_of_the_answer_is_hung_up_on() {
    run(async {
        let short = Short::new(None).await;
        let mut deaf = connect_from(ATTACKER, short.address).await.unwrap();
        deaf.write_all(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        short.is_free_again().await;
        // Who reads, however much there is, has all of it.
        let stream = connect_from(CUSTOMER, short.address).await.unwrap();
        let long = Client::over(stream)
            .unwrap()
            .request("GET", "/long", &[], b"");
        assert_eq!(long.unwrap().body.len(), 32 << 20);
        short.close().await;
    });
}

#[test]
fn the_program_counts_what_it_refused_by_listener() {
    run(async {
        let limit = "max_connections_per_address = 3";
        let site = Site::with(Engine::Sqlite, limit, "info", "");
        let server = site.serve();
        let mut open = Vec::new();
        for _ in 0..3 {
            let stream = connect_from(ATTACKER, server.address).await.unwrap();
            let mut client = Client::over(stream).unwrap();
            assert_eq!(client.get("/v1/time").status, 200);
            open.push(client);
        }
        for _ in 0..5 {
            assert!(is_refused(ATTACKER, server.address).await);
        }
        assert_eq!(server.client().get("/v1/time").status, 200);
        let metrics = Client::new(server.metrics).get("/metrics");
        let line = r#"warifu_connections_refused_total{listener="tokens"} 5"#;
        assert!(metrics.text().contains(line), "{}", metrics.text());
        let told = "a client opens more connections than one may have";
        assert!(server.log().contains(told));
        drop(open);
    });
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_a_slow_loris_at_the_program_has_thirty_seconds() {
    run(async {
        let site = Site::new(Engine::Sqlite);
        let server = site.serve();
        let mut slow = connect_from(ATTACKER, server.address).await.unwrap();
        slow.write_all(HALF_A_HEAD).unwrap();
        let begun = stopwatch();
        while slow.write_all(b"a").is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        println!("hung up on after {} s", begun.elapsed().as_secs());
        assert_eq!(server.client().get("/v1/time").status, 200);
    });
}
