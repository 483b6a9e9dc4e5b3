//! Copies that are replaced in turn under load: whoever comes through a balancer sees none of it.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use warifu::bank_verify::verify;
use warifu::database::Connection;

use super::crash::{Customer, Started, configure, post, prepare, receipt, result, start};
use crate::harness::{Client, Engine, Place, Server, apart};

/// Copies behind a balancer that knows no more than any other: who says ready gets new connections, and what went wrong
/// on one is not tried on another.
struct Balancer {
    address: SocketAddr,
    copies: Arc<Mutex<Vec<Copy>>>,
    ended: Arc<AtomicBool>,
}

struct Copy {
    address: SocketAddr,
    ready: bool,
}

impl Balancer {
    fn before(addresses: &[SocketAddr]) -> Self {
        let copies = addresses.iter().map(|address| Copy {
            address: *address,
            ready: false,
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let balancer = Self {
            address: listener.local_addr().unwrap(),
            copies: Arc::new(Mutex::new(copies.collect())),
            ended: Arc::default(),
        };
        let (copies, ended) = (Arc::clone(&balancer.copies), Arc::clone(&balancer.ended));
        std::thread::spawn(move || look(&copies, &ended));
        let copies = Arc::clone(&balancer.copies);
        let turn = AtomicUsize::new(0);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let ready: Vec<_> = copies
                    .lock()
                    .unwrap()
                    .iter()
                    .filter(|copy| copy.ready)
                    .map(|copy| copy.address)
                    .collect();
                // Nobody is ready, or the one is gone: the client is hung up on, and the test fails.
                let Some(to) = ready.get(turn.fetch_add(1, Ordering::SeqCst) % ready.len().max(1))
                else {
                    continue;
                };
                if let (Ok(client), Ok(copy)) = (client, TcpStream::connect(to)) {
                    join(client, copy);
                }
            }
        });
        balancer
    }

    fn wait_until_ready(&self, number: usize) {
        while !self.copies.lock().unwrap()[number].ready {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn replace(&self, number: usize, address: SocketAddr) {
        let ready = false;
        self.copies.lock().unwrap()[number] = Copy { address, ready };
        self.wait_until_ready(number);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// Asks every copy for its readiness, again and again.
fn look(copies: &Mutex<Vec<Copy>>, ended: &AtomicBool) {
    while !ended.load(Ordering::SeqCst) {
        let addresses: Vec<_> = copies
            .lock()
            .unwrap()
            .iter()
            .map(|copy| copy.address)
            .collect();
        for address in addresses {
            let asked = Client::new(address).request("GET", "/readyz", &[], b"");
            let ready = asked.is_ok_and(|reply| reply.status == 200);
            for copy in copies.lock().unwrap().iter_mut() {
                if copy.address == address {
                    copy.ready = ready;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn join(client: TcpStream, copy: TcpStream) {
    let both = [
        (client.try_clone().unwrap(), copy.try_clone().unwrap()),
        (copy, client),
    ];
    for (mut from, mut to) in both {
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

/// Transfers between own accounts until the end is told; an answer that does not come is a failure.
fn work(address: SocketAddr, customer: &Customer, ended: &AtomicBool) -> (Vec<Started>, usize) {
    let mut client = Client::new(address);
    let (mut all, mut answers) = (Vec::new(), 0);
    while !ended.load(Ordering::SeqCst) {
        let form = format!(
            "from={}&to={}&amount=1",
            customer.accounts[0], customer.accounts[1]
        );
        let shown = post(&mut client, customer, "/internal-transfer", &form)
            .expect("the form of a transfer got no answer");
        assert_eq!(shown.status, 303, "{}", shown.text());
        let key = shown.header("location").unwrap();
        let key = key.strip_prefix("/confirm/").unwrap().to_owned();
        let confirmed = post(&mut client, customer, &format!("/confirm/{key}"), "")
            .expect("a confirmation got no answer");
        assert_eq!(confirmed.status, 303, "{}", confirmed.text());
        let told = result(&mut client, customer, &key).expect("a receipt got no answer");
        assert_eq!(told.status, 200, "{}", told.text());
        let receipt = receipt(&told);
        assert!(receipt.is_some());
        all.push(Started { key, receipt });
        answers += 3;
    }
    (all, answers)
}

/// Two copies' configurations over one pair of databases: each a folder of its own, the same master key.
fn two_copies(tokens: &Place, bank: &Place) -> [PathBuf; 2] {
    let folder = tokens.folder.path();
    let first = configure(Engine::Postgres, folder, tokens, bank);
    let text = std::fs::read_to_string(&first).unwrap() + "[stop]\nnotice_seconds = 1\n";
    std::fs::write(&first, &text).unwrap();
    let data = tokens.data();
    let other = text.replace(
        data.to_str().unwrap(),
        folder.join("second").to_str().unwrap(),
    );
    let keys = data.join("master.key");
    let second = folder.join("second.toml");
    let other = format!("{other}[keys]\nfile = '{}'\n", keys.display());
    std::fs::write(&second, other).unwrap();
    [first, second]
}

#[test]
fn a_rolling_restart_under_load_loses_no_request() {
    let (tokens, bank) = (
        Place::new(Engine::Postgres),
        Place::of_bank(Engine::Postgres),
    );
    let customers = prepare(&tokens, &bank.location);
    let configs = two_copies(&tokens, &bank);
    let mut servers = configs.each_ref().map(|config| Some(start(config)));
    let pages = |server: &Server| server.bank.unwrap();
    let addresses: Vec<_> = servers.iter().flatten().map(pages).collect();
    let balancer = Balancer::before(&addresses);
    balancer.wait_until_ready(0);
    balancer.wait_until_ready(1);
    let ended = AtomicBool::new(false);
    let done: Vec<(Vec<Started>, usize)> = std::thread::scope(|scope| {
        let (ended, address) = (&ended, balancer.address);
        let callers: Vec<_> = customers
            .iter()
            .map(|customer| scope.spawn(move || work(address, customer, ended)))
            .collect();
        for _ in 0..2 {
            for (number, config) in configs.iter().enumerate() {
                let old = servers[number].take().unwrap();
                assert!(old.stop().success());
                let new = start(config);
                balancer.replace(number, pages(&new));
                servers[number] = Some(new);
            }
        }
        ended.store(true, Ordering::SeqCst);
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    let mut client = Client::new(balancer.address);
    for (customer, (all, _)) in customers.iter().zip(&done) {
        assert!(!all.is_empty());
        for one in all {
            let told = result(&mut client, customer, &one.key).unwrap();
            assert_eq!(receipt(&told), one.receipt);
        }
    }
    let report = apart(|| verify(&mut Connection::open(&bank.location, 2048).unwrap()).unwrap());
    assert_eq!(report.faults, Vec::<String>::new());
    let answers: usize = done.iter().map(|(_, answers)| answers).sum();
    println!("{answers} requests over 4 restarts, none without its answer");
}

#[test]
fn a_copy_that_stops_says_so_first_and_lets_every_connection_go() {
    let (tokens, bank) = (
        Place::new(Engine::Postgres),
        Place::of_bank(Engine::Postgres),
    );
    prepare(&tokens, &bank.location);
    let [config, _] = two_copies(&tokens, &bank);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("notice_seconds = 1", "notice_seconds = 600");
    std::fs::write(&config, text).unwrap();
    let server = start(&config);
    let listeners = [server.bank.unwrap(), server.address, server.metrics];
    let mut clients = listeners.map(Client::new);
    for client in &mut clients {
        for path in ["/healthz", "/readyz"] {
            let reply = client.get(path);
            assert_eq!((reply.status, reply.header("connection")), (200, None));
        }
    }
    let page = clients[0].get("/");
    assert_eq!((page.status, page.header("connection")), (200, None));
    let numbers = clients[2].get("/metrics");
    let line =
        "warifu_bank_http_requests_total{listener=\"customers\",route=\"/\",status=\"200\"} 1";
    assert!(numbers.text().contains(line), "{}", numbers.text());
    assert_eq!(Client::new(listeners[0]).get("/metrics").status, 404);
    server.signal_to_stop();
    let mut asking = Client::new(listeners[0]);
    while asking.get("/readyz").status == 200 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Whoever comes now is served all the same, on an old connection and on a new one, and told to come no more.
    for mut client in [clients, listeners.map(Client::new)].into_iter().flatten() {
        let ready = client.get("/readyz");
        assert_eq!(ready.status, 503);
        assert_eq!(ready.header("connection"), Some("close"));
        assert_eq!(client.get("/healthz").status, 200);
    }
    let page = Client::new(listeners[0]).get("/");
    assert_eq!(
        (page.status, page.header("connection")),
        (200, Some("close"))
    );
    // A second signal ends the notice, which is long here.
    assert!(server.stop().success());
}

/// Both learn the bank's own party, which is made by whoever comes first.
#[test]
fn two_copies_that_start_at_once_on_a_new_database_both_serve() {
    for _ in 0..3 {
        let (tokens, bank) = (
            Place::new(Engine::Postgres),
            Place::of_bank(Engine::Postgres),
        );
        let configs = two_copies(&tokens, &bank);
        // The keys and the service's secrets are made by the first command, as an installation does.
        let add = Command::new(env!("CARGO_BIN_EXE_warifu"))
            .arg("--config")
            .arg(&configs[0])
            .args(["relying-party", "add", "another"])
            .output()
            .unwrap();
        assert!(add.status.success(), "{add:?}");
        let copies = configs.each_ref().map(|config| {
            Command::new(env!("CARGO_BIN_EXE_warifu"))
                .arg("--config")
                .arg(config)
                .args(["serve", "--empty"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        });
        let said = copies.map(until_it_serves);
        assert!(said.iter().all(|said| said.contains("Metrics")), "{said:?}");
        assert_eq!(tokens.count("SELECT COUNT(*) FROM relying_parties"), 2);
    }
}

/// What it says until it serves, or ends; then it is ended.
fn until_it_serves(mut child: Child) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Metrics") && lines.read_line(&mut said).unwrap() > 0 {}
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    said
}
