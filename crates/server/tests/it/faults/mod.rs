//! Faults below: of disks, clocks, databases, of the token service and the mail server. What the user sees, what the log
//! says, and that nothing is lost: docs/faults.md has a line for each.

mod clock;
mod cluster;
mod disk;
mod door;
mod failed_sync;
mod full_disk;
mod hanging_database;
mod mail_server;
mod read_only;
mod token_service;

use std::process::Command;

use cluster::Cluster;
use disk::Disk;
use warifu::ambient::{SystemEntropy, random, stopwatch};
use warifu_credentials::api_key::{ApiKey, ApiKeyHash};
use warifu_wire::ProblemType;

use crate::harness::{Engine, Party, Server, Site, Token, fresh_key, now_step};

/// A token service whose database lies on a disk that fails on command: SQLite's in the program itself, PostgreSQL's in a
/// cluster of its own.
struct Stage {
    site: Site,
    disk: Disk,
    key: String,
    cluster: Option<Cluster>,
}

/// What was asked and what came back; none: no answer that says so.
struct Asked {
    token: Token,
    key: String,
    code: String,
    answer: Option<String>,
}

impl Stage {
    fn new(engine: Engine) -> Self {
        let (site, disk, cluster) = match engine {
            Engine::Sqlite => {
                let site = Site::new(engine);
                let disk = Disk::under(&site.data, site.place.folder.path());
                (site, disk, None)
            }
            Engine::Postgres => {
                let (cluster, disk) = Cluster::start();
                let site = Site::on(cluster.place(), "", "info", "");
                (site, disk, Some(cluster))
            }
        };
        let key = site.add_party("Bank");
        Self {
            site,
            disk,
            key,
            cluster,
        }
    }

    /// The program, on the disk where that is its own.
    fn command(&self) -> Command {
        let mut command = self.site.command();
        if self.cluster.is_none() {
            self.disk.arm(&mut command);
        }
        command
    }

    fn serve(&self) -> Server {
        self.serve_with(self.command())
    }

    fn serve_with(&self, command: Command) -> Server {
        Server::spawn(command, &self.site.config.with_extension("log"))
    }

    fn party(&self, server: &Server) -> Party {
        server.party(&self.key)
    }
}

/// A relying party whose API key is known, without a row of the trail.
fn known_party(place: &crate::harness::Place, now: jiff::Timestamp) -> String {
    let key = ApiKey::from_random(&random(&SystemEntropy));
    let hash = ApiKeyHash::of_sent(key.expose()).unwrap();
    let name = "a party whose key is known".parse().unwrap();
    place
        .with(|connection| {
            connection.transaction(|tx| warifu::store::party::insert(tx, &name, hash, now))
        })
        .unwrap()
        .unwrap();
    key.expose().to_owned()
}

/// Asks about the code of now under a new name, once.
fn ask(party: &mut Party, token: &Token) -> Asked {
    ask_about(party, token, token.text(now_step()))
}

fn ask_about(party: &mut Party, token: &Token, code: String) -> Asked {
    let key = fresh_key();
    let reply = party.validate(token.id, &key, &code).unwrap();
    let answer = if reply.status == 200 {
        Some(reply.result())
    } else {
        reply.require(503, ProblemType::Unavailable);
        assert!(reply.header("retry-after").is_some());
        None
    };
    Asked {
        token: token.clone(),
        key,
        code,
        answer,
    }
}

/// Asks about a code that was spent until there is no answer but 503: what room there was inside of files is used up.
fn until_there_is_no_room(party: &mut Party, spent: &Asked) {
    let mut refused = 0;
    for _ in 0..5_000 {
        let reply = party
            .validate(spent.token.id, &fresh_key(), &spent.code)
            .unwrap();
        if reply.status == 200 {
            refused = 0;
        } else {
            reply.require(503, ProblemType::Unavailable);
            refused += 1;
        }
        // Each of PostgreSQL's processes may have a page of its own with room.
        if refused == 30 {
            return;
        }
    }
    panic!("there is room without end");
}

/// Waits until `/readyz` says so.
fn wait_until_ready(server: &Server, status: u16) {
    let begun = stopwatch();
    while server.client().get("/readyz").status != status {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Asks the same until it is answered: accepted, if it is the one that was first with this code, and to no other request.
fn settle(party: &mut Party, asked: &Asked) {
    let again = crate::overload::settle(party, &asked.token, &asked.key, &asked.code);
    if let Some(answer) = &asked.answer {
        assert_eq!(&again, answer);
    }
    let other = crate::overload::settle(party, &asked.token, &fresh_key(), &asked.code);
    if again == "accepted" {
        assert_eq!(other, "replayed");
    }
}

/// What needs no database is answered whatever becomes of it.
fn require_pages_without_database(server: &Server) {
    for path in ["/healthz", "/v1/time", "/guide"] {
        assert_eq!(server.client().get(path).status, 200, "{path}");
    }
}
