//! Too much at once, and a database that is away: an honest 503 at once, and the same request settles later.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use warifu::ambient::stopwatch;
use warifu::database::{Location, PostgresUrl};
use warifu_wire::ProblemType;

use crate::harness::{Engine, Party, Place, Reply, Server, Site, Token, fresh_key, now_step};

both_engines!(
    one_too_many_is_told_to_come_back_and_nothing_is_lost,
    one_request_too_many_is_answered_before_its_body_and_consumes_nothing,
);

/// Holds the database so that no command ends, until the sender is dropped.
pub(crate) fn hold(place: &Place, held: mpsc::Sender<()>, release: mpsc::Receiver<()>) {
    place.with(move |connection| {
        let lock = match place.engine {
            // Begun IMMEDIATE, it is the one that writes.
            Engine::Sqlite => "SELECT 1",
            Engine::Postgres => "LOCK TABLE audit_streams IN ACCESS EXCLUSIVE MODE",
        };
        let done = connection.transaction(|tx| {
            tx.batch(lock)?;
            held.send(()).unwrap();
            let _ = release.recv();
            Ok(())
        });
        done.unwrap();
    });
}

async fn one_too_many_is_told_to_come_back_and_nothing_is_lost(engine: Engine) {
    let site = Site::new(engine);
    let key = site.add_party("Bank");
    let server = site.serve();
    let mut client = server.client();
    let tokens: Vec<Token> = (0..12).map(|_| client.token()).collect();
    drop(server);
    let text = std::fs::read_to_string(&site.config).unwrap();
    let tight = text.replace("[metrics]", "queue = 1\ngatherers = 1\n[metrics]");
    std::fs::write(&site.config, tight).unwrap();
    let server = site.serve();
    // The key is known from here on, so that nobody waits to learn it; the server's own upkeep takes the queue too.
    while server.party(&key).status(tokens[0].id).status != 200 {}
    let requests: Vec<_> = tokens
        .iter()
        .map(|token| (token.id, fresh_key(), token.text(now_step())))
        .collect();
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let (answered, answers) = mpsc::channel::<Reply>();
    std::thread::scope(|scope| {
        let place = &site.place;
        scope.spawn(move || hold(place, held, released));
        is_held.recv().unwrap();
        for (id, request, code) in &requests {
            let (mut party, answered) = (server.party(&key), answered.clone());
            scope.spawn(move || {
                let reply = party.validate(*id, request, code).unwrap();
                answered.send(reply).unwrap();
            });
        }
        // One is under way, one or two wait: the others are answered while the database is still held.
        for _ in 0..requests.len() - 4 {
            let reply = answers.recv_timeout(Duration::from_secs(4)).unwrap();
            reply.require(503, ProblemType::Unavailable);
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        drop(release);
    });
    drop(answered);
    // The server's own upkeep may have had the queue's only place; then nobody was let in.
    let (served, others): (Vec<_>, Vec<_>) = answers.iter().partition(|reply| reply.status == 200);
    assert!(served.iter().all(|reply| reply.result() == "accepted"));
    for reply in others {
        reply.require(503, ProblemType::Unavailable);
    }
    let accepted = "SELECT COUNT(*) FROM audit WHERE kind = 3 AND outcome = 1";
    let rows = usize::try_from(site.place.count(accepted)).unwrap();
    assert_eq!(
        rows,
        served.len(),
        "who was let in was served, and nobody else"
    );
    let mut party = server.party(&key);
    for (token, (_, request, code)) in tokens.iter().zip(&requests) {
        assert_eq!(settle(&mut party, token, request, code), "accepted");
    }
    assert_eq!(site.place.count(accepted), 12);
    site.require_whole();
}

async fn one_request_too_many_is_answered_before_its_body_and_consumes_nothing(engine: Engine) {
    let site = Site::with(engine, "in_flight = 1", "info", "");
    let key = site.add_party("Bank");
    let server = site.serve();
    let mut client = server.client();
    let (first, second) = (client.token(), client.token());
    while server.party(&key).status(first.id).status != 200 {}
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let (request, code) = (fresh_key(), second.text(now_step()));
    std::thread::scope(|scope| {
        let (place, server) = (&site.place, &server);
        scope.spawn(move || hold(place, held, released));
        is_held.recv().unwrap();
        let (mut party, text) = (server.party(&key), first.text(now_step()));
        let under_way = scope.spawn(move || party.validate(first.id, &fresh_key(), &text).unwrap());
        // The only place is taken from the moment on in which somebody else finds none.
        let begun = stopwatch();
        while client.get("/v1/time").status == 200 {
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
        // Of this one's body not a byte is sent, and it is answered all the same.
        let head = format!(
            "POST /v1/credentials/{}/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Accept-Language: ja\r\nIdempotency-Key: {request}\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n",
            second.id
        );
        let reply = server.client().send(head.as_bytes(), false).unwrap();
        reply.require(503, ProblemType::Unavailable);
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert!(reply.text().contains("処理していません"));
        assert_eq!(server.client().get("/healthz").status, 200);
        drop(release);
        assert_eq!(under_way.join().unwrap().result(), "accepted");
    });
    let mut party = server.party(&key);
    assert_eq!(settle(&mut party, &second, &request, &code), "accepted");
    assert!(server.log().contains("answered 503"));
    site.require_whole();
}

/// Asks the same again and again until it is answered otherwise than with 503.
pub(crate) fn settle(party: &mut Party, token: &Token, key: &str, code: &str) -> String {
    let begun = stopwatch();
    loop {
        let reply = party.validate(token.id, key, code).unwrap();
        if reply.status == 200 {
            return reply.result();
        }
        reply.require(503, ProblemType::Unavailable);
        assert!(reply.header("retry-after").is_some());
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it does not recover"
        );
    }
}

fn require_all_settle(server: &Server, key: &str, tokens: &[Token]) {
    let mut party = server.party(key);
    for token in tokens {
        let code = token.text(now_step());
        let mut ask = || settle(&mut party, token, &fresh_key(), &code);
        assert_eq!((ask().as_str(), ask().as_str()), ("accepted", "replayed"));
    }
}

#[test]
fn connections_that_postgresql_ends_are_opened_again() {
    let site = Site::new(Engine::Postgres);
    let key = site.add_party("Bank");
    let server = site.serve();
    let mut client = server.client();
    for _ in 0..3 {
        let tokens: Vec<Token> = (0..8).map(|_| client.token()).collect();
        site.place.meddle(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        require_all_settle(&server, &key, &tokens);
        // Every connection has had its turn by now, and provisioning and reading go on as well.
        for _ in 0..8 {
            let begun = stopwatch();
            while server.client().get("/readyz").status != 200 {
                assert!(begun.elapsed() < Duration::from_secs(20));
            }
        }
        let mut party = server.party(&key);
        assert_eq!(party.status(tokens[0].id).status, 200);
    }
    site.require_whole();
}

/// A way to PostgreSQL that can be cut.
struct Way {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            address: listener.local_addr().unwrap(),
            cut: Arc::default(),
            open: Arc::default(),
        };
        let (cut, open) = (Arc::clone(&way.cut), Arc::clone(&way.open));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(target) else {
                    continue;
                };
                let twins = [near.try_clone().unwrap(), far.try_clone().unwrap()];
                open.lock().unwrap().extend(twins);
                let back = (far.try_clone().unwrap(), near.try_clone().unwrap());
                std::thread::spawn(move || pass_on(near, far));
                std::thread::spawn(move || pass_on(back.0, back.1));
            }
        });
        way
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn while_postgresql_is_away_the_answer_is_503_and_afterwards_all_is_well_again() {
    let mut place = Place::new(Engine::Postgres);
    let url = place.url().to_owned();
    let (before, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let way = Way::to(server.to_socket_addrs().unwrap().next().unwrap());
    // The program goes the way that can be cut; everything else goes straight.
    place.location = Location::Postgres(PostgresUrl(format!("{before}@{}/{name}", way.address)));
    let site = Site::on(place, "", "info", "");
    let key = site.add_party("Bank");
    let server = site.serve();
    let mut client = server.client();
    let tokens: Vec<Token> = (0..10).map(|_| client.token()).collect();
    let mut party = server.party(&key);
    assert_eq!(party.status(tokens[0].id).status, 200);

    way.cut();
    let code = tokens[0].text(now_step());
    for _ in 0..6 {
        let reply = party.validate(tokens[0].id, "one", &code).unwrap();
        reply.require(503, ProblemType::Unavailable);
    }
    client.get("/readyz").require(503, ProblemType::Unavailable);
    assert_eq!(client.get("/healthz").status, 200);
    assert_eq!(client.get("/v1/time").status, 200);

    way.mend();
    let settled = settle(&mut party, &tokens[0], "one", &code);
    assert_eq!(settled, "accepted");
    require_all_settle(&server, &key, &tokens[1..]);
    site.require_whole();
}
