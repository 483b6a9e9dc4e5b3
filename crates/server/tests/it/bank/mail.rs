//! B12, B14, B18: what happened is told by mail, once it holds, and until it was told.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use warifu::ambient::{Clock, SystemEntropy, random};
use warifu::bank::{Alone, BankSettings};
use warifu::bank_store::outbox::{Lease, Mail, State};
use warifu::bank_store::{notice, outbox};
use warifu::database::{Database, DatabaseError, PoolSettings, Tx, Waiting};
use warifu::mail::{Courier, MailConfig, Round, SmtpConfig, SmtpTls, Worker};
use warifu_bank::contract::ContractId;
use warifu_bank::notice::Event;
use warifu_bank::uid::Uid;

use crate::harness::{Engine, MailServer, Place, START, apart, second};

both_engines!(
    a_mail_is_there_with_its_event_or_not_at_all,
    of_many_who_claim_no_two_have_the_same_mail,
    who_lost_his_lease_cannot_speak_for_the_next,
    a_mail_that_fails_is_tried_ever_more_seldom_and_given_up_after_three_days,
    in_the_default_start_a_mail_is_a_file_that_only_we_can_read,
    a_mail_that_nobody_can_send_does_not_hold_up_the_others,
    a_mail_server_gets_the_mail_with_its_headers,
    a_mail_server_that_refuses_is_asked_again,
    a_mail_server_without_tls_gets_nothing,
    a_worker_that_is_woken_sends_and_one_that_is_stopped_ends,
);

const ADDRESS: &str = "customer@example.co.jp";

/// A clock that stands still until it is told.
struct StoryClock(AtomicI64);

impl StoryClock {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        second(self.0.load(Ordering::SeqCst))
    }
}

/// A bank's database with an outbox, and what sends from it.
struct Post {
    place: Place,
    clock: Arc<StoryClock>,
    wake: Arc<Notify>,
}

impl Post {
    fn new(engine: Engine) -> Self {
        Self {
            place: Place::of_bank(engine),
            clock: Arc::new(StoryClock(AtomicI64::new(START))),
            wake: Arc::new(Notify::new()),
        }
    }

    fn write<T: Send>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send,
    ) -> Result<T, DatabaseError> {
        self.place.with(|connection| connection.transaction(work))
    }

    fn tell(&self, event: &Event, language: &str, addresses: &[&str]) {
        let now = self.clock.now();
        self.write(|tx| tell(tx, event, language, addresses, now))
            .unwrap();
    }

    fn claim(&self, lease: Lease, limit: u32) -> Vec<Mail> {
        let now = self.clock.now();
        self.write(|tx| outbox::claim(tx, now, lease, limit))
            .unwrap()
    }

    /// How the only mail stands, and why it failed.
    fn only(&self) -> (State, Option<String>) {
        let mut listed = self.write(|tx| outbox::newest(tx, 2)).unwrap();
        let only = listed.pop().unwrap();
        assert!(listed.is_empty(), "{listed:?}");
        (only.state, only.last_error)
    }

    fn after(&self, duration: SignedDuration) -> Timestamp {
        self.clock.now().checked_add(duration).unwrap()
    }

    fn worker(&self, courier: Courier) -> Worker<Alone> {
        let pool = PoolSettings {
            location: self.place.location.clone(),
            queue: 64,
            group: 64,
            connections: 2,
            gatherers: 1,
            cache_kib: 2048,
            waiting: Waiting::default(),
            timeout: Duration::from_secs(30),
            on_commit: Arc::new(|_| ()),
        };
        Worker {
            database: Arc::new(apart(|| Database::open(&pool, Arc::new(Alone))).unwrap()),
            courier: Arc::new(courier),
            bank: Arc::new(BankSettings::default()),
            from: MailConfig::default().sender().unwrap(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            wake: Arc::clone(&self.wake),
            // No story waits for it.
            interval: Duration::from_secs(86_400),
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.data().join("mail")
    }

    /// The mails in the folder, by name.
    fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

fn tell(
    tx: &mut Tx<'_>,
    event: &Event,
    language: &str,
    addresses: &[&str],
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let contract: ContractId = "12345678901".parse().unwrap();
    let uid = || Uid::new(now, &random(&SystemEntropy));
    notice::tell(tx, contract, event, language, addresses, now, uid)
}

fn smtp(port: u16, tls: SmtpTls) -> Courier {
    let config = MailConfig {
        smtp: Some(SmtpConfig {
            host: "127.0.0.1".into(),
            port: Some(port),
            tls,
            user: None,
            password_environment: None,
            timeout_seconds: 10,
        }),
        ..MailConfig::default()
    };
    config.courier(&PathBuf::new()).unwrap()
}

fn sent() -> Event {
    Event::TransferSent {
        receipt: "20261124-7K3M9-QX2VD".into(),
        amount: 1_234_567,
    }
}

/// The text of a mail whose body is in base 64 or plain.
fn body(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    if head.contains("Content-Transfer-Encoding: base64") {
        let packed: String = body.split_ascii_whitespace().collect();
        let bytes = data_encoding::BASE64.decode(packed.as_bytes()).unwrap();
        String::from_utf8(bytes).unwrap()
    } else {
        body.to_owned()
    }
}

/// The subject of a mail, of words in base 64 (RFC 2047).
fn subject(mail: &str) -> String {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let line = head.lines().find_map(|line| line.strip_prefix("Subject: "));
    let mut text = String::new();
    for word in line.unwrap().split_ascii_whitespace() {
        let packed = word.strip_prefix("=?utf-8?b?").unwrap();
        let packed = packed.strip_suffix("?=").unwrap();
        let bytes = data_encoding::BASE64.decode(packed.as_bytes()).unwrap();
        text.push_str(&String::from_utf8(bytes).unwrap());
    }
    text
}

async fn a_mail_is_there_with_its_event_or_not_at_all(engine: Engine) {
    let post = Post::new(engine);
    let now = post.clock.now();
    let undone: Result<(), _> = post.write(|tx| {
        tell(tx, &Event::UseStopped, "ja", &[ADDRESS], now)?;
        Err(DatabaseError::Undone("the event did not hold".into()))
    });
    assert!(undone.is_err());
    let count = || post.place.count("SELECT COUNT(*) FROM mail_outbox");
    assert_eq!(count(), 0);
    post.tell(&Event::UseStopped, "ja", &[ADDRESS]);
    assert_eq!(count(), 1);
    post.tell(
        &Event::MailAddressChanged,
        "ja",
        &[ADDRESS, "new@example.jp"],
    );
    assert_eq!(count(), 3);
    post.tell(&Event::UseStopped, "ja", &[]);
    assert_eq!(count(), 3);
}

async fn of_many_who_claim_no_two_have_the_same_mail(engine: Engine) {
    let post = Post::new(engine);
    for _ in 0..60 {
        post.tell(&sent(), "ja", &[ADDRESS]);
    }
    let lease = Lease(post.after(SignedDuration::from_mins(3)));
    let claimed: Vec<Uid> = apart(|| {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| {
                        let mut mine = Vec::new();
                        loop {
                            let more = post.claim(lease, 7);
                            if more.is_empty() {
                                return mine;
                            }
                            mine.extend(more.into_iter().map(|mail| mail.id));
                            assert!(mine.len() <= 60, "the same mails again");
                        }
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        })
    });
    assert_eq!(claimed.len(), 60);
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 60);
}

async fn who_lost_his_lease_cannot_speak_for_the_next(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "ja", &[ADDRESS]);
    let first = Lease(post.after(SignedDuration::from_mins(3)));
    let mails = post.claim(first, 8);
    let id = mails[0].id;
    assert_eq!(mails.len(), 1);
    assert!(post.claim(first, 8).is_empty());

    post.clock.advance(180);
    let second = Lease(post.after(SignedDuration::from_mins(3)));
    assert_eq!(post.claim(second, 8).len(), 1);
    let now = post.clock.now();
    let failed = |lease| {
        post.write(|tx| outbox::failed(tx, id, lease, Some(now), "no", now))
            .unwrap()
    };
    assert!(!failed(first));
    assert!(post.claim(first, 8).is_empty(), "the second has it still");

    // What was handed over was handed over, whoever did it.
    let sent = || post.write(|tx| outbox::sent(tx, id, now)).unwrap();
    assert!(sent());
    assert!(!sent());
    assert!(!failed(second));
    assert_eq!(post.only(), (State::Sent { at: now }, None));
    post.clock.advance(1_000_000);
    assert!(post.claim(first, 8).is_empty());
}

async fn a_mail_that_fails_is_tried_ever_more_seldom_and_given_up_after_three_days(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "ja", &[ADDRESS]);
    // A folder cannot be made where a file is.
    let blocked = post.place.data().join("file");
    std::fs::write(&blocked, "").unwrap();
    let worker = post.worker(Courier::Files(blocked.join("mail")));
    let began = post.clock.now();
    let mut waits = Vec::new();
    loop {
        let round = worker.round().await.unwrap();
        let (state, error) = post.only();
        assert!(error.unwrap().contains("cannot make"));
        let State::Waiting { next_at } = state else {
            assert_eq!(round.given_up, 1);
            assert_eq!(
                state,
                State::GivenUp {
                    at: post.clock.now()
                }
            );
            break;
        };
        assert_eq!(round.failed, 1);
        let wait = next_at.duration_since(post.clock.now()).as_secs();
        waits.push(wait / 60);
        assert!(waits.len() < 100, "it is never given up");
        post.clock.advance(wait - 1);
        assert_eq!(worker.round().await.unwrap(), Round::default(), "too early");
        post.clock.advance(1);
    }
    assert_eq!(waits[..10], [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]);
    let took = post.clock.now().duration_since(began);
    assert_eq!(took, SignedDuration::from_hours(72));
    post.clock.advance(1_000_000);
    assert_eq!(worker.round().await.unwrap(), Round::default());
}

async fn in_the_default_start_a_mail_is_a_file_that_only_we_can_read(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "ja", &[ADDRESS]);
    let worker = post.worker(MailConfig::default().courier(&post.place.data()).unwrap());
    assert_eq!(worker.round().await.unwrap().sent, 1);
    let files = post.files();
    let [(name, mail)] = files.as_slice() else {
        panic!("{files:?}")
    };
    assert!(name.starts_with("20270115T080015Z-"), "{name}");
    assert!(name.ends_with(".eml"), "{name}");
    assert_eq!(subject(mail), "【割符銀行】振込を受け付けました");
    assert!(body(mail).contains("受付番号：20261124-7K3M9-QX2VD"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(post.folder()), 0o700);
        assert_eq!(mode(post.folder().join(name)), 0o600);
    }
    assert_eq!(worker.round().await.unwrap(), Round::default());

    // Killed before its record, a worker sends again: the same file, and no second one.
    post.place
        .meddle("UPDATE mail_outbox SET sent_at = NULL, leased_until = 0");
    assert_eq!(worker.round().await.unwrap().sent, 1);
    assert_eq!(post.files(), files);
}

async fn a_mail_that_nobody_can_send_does_not_hold_up_the_others(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&Event::UseStopped, "ja", &[ADDRESS]);
    post.place
        .meddle("UPDATE mail_outbox SET event = '{\"event\":\"of_tomorrow\"}'");
    let injected = "customer@example.jp\r\nBcc: all@example.jp";
    post.tell(&Event::UseStopped, "ja", &[injected]);
    post.tell(&Event::UseStopped, "en", &[ADDRESS]);
    let worker = post.worker(MailConfig::default().courier(&post.place.data()).unwrap());
    let round = worker.round().await.unwrap();
    assert_eq!((round.sent, round.failed), (1, 2));
    let files = post.files();
    assert_eq!(files.len(), 1);
    assert!(!files[0].1.contains("Bcc"));
}

async fn a_mail_server_gets_the_mail_with_its_headers(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "en", &[ADDRESS]);
    let mut server = MailServer::start(&["250 known"]);
    let worker = post.worker(smtp(server.port, SmtpTls::None));
    assert_eq!(worker.round().await.unwrap().sent, 1);
    assert!(matches!(post.only().0, State::Sent { .. }));
    let talk = server.next().await;
    server.end();
    let said = |command: &str| talk.commands.iter().any(|said| said.starts_with(command));
    assert!(said("MAIL FROM:<no-reply@bank.example>"), "{talk:?}");
    assert!(said("RCPT TO:<customer@example.co.jp>"), "{talk:?}");
    let mail = talk.mail.unwrap();
    let id = post.write(|tx| outbox::newest(tx, 1)).unwrap()[0].mail.id;
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: \"Warifu Bank\" <no-reply@bank.example>",
        "To: customer@example.co.jp",
        "Subject: [Warifu Bank] A transfer was made",
        "Date: Fri, 15 Jan 2027 08:00:15 +0000",
        &format!("Message-ID: <{id}@bank.example>"),
        "Auto-Submitted: auto-generated",
        "Content-Language: en",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(head.lines().any(|line| line == header), "{header}: {head}");
    }
    assert_eq!(head.matches("Message-ID").count(), 1);
}

async fn a_mail_server_that_refuses_is_asked_again(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "ja", &[ADDRESS]);
    let mut server = MailServer::start(&["451 try again", "550 nobody here", "250 known"]);
    let worker = post.worker(smtp(server.port, SmtpTls::None));
    for (answer, wait) in [("451", 60), ("550", 120)] {
        assert_eq!(worker.round().await.unwrap().failed, 1);
        assert_eq!(server.next().await.mail, None);
        let (state, error) = post.only();
        let next_at = post.after(SignedDuration::from_secs(wait));
        assert_eq!(state, State::Waiting { next_at });
        assert!(error.as_deref().unwrap().contains(answer), "{error:?}");
        post.clock.advance(wait);
    }
    assert_eq!(worker.round().await.unwrap().sent, 1);
    let mail = server.next().await.mail.unwrap();
    server.end();
    assert_eq!(subject(&mail), "【割符銀行】振込を受け付けました");
    assert!(body(&mail).contains("振込金額：1,234,567円"));
    assert_eq!(post.only().1, None);
}

/// STARTTLS is asked for and not offered: not even the addresses are said in clear.
async fn a_mail_server_without_tls_gets_nothing(engine: Engine) {
    let post = Post::new(engine);
    post.tell(&sent(), "ja", &[ADDRESS]);
    let mut server = MailServer::start(&["250 known"]);
    let worker = post.worker(smtp(server.port, SmtpTls::Starttls));
    assert_eq!(worker.round().await.unwrap().failed, 1);
    let talk = server.next().await;
    server.end();
    assert_eq!(talk.mail, None);
    let clear = ["MAIL", "RCPT", "AUTH"];
    let told = |said: &String| clear.iter().any(|word| said.starts_with(word));
    assert!(!talk.commands.iter().any(told), "{talk:?}");
}

async fn a_worker_that_is_woken_sends_and_one_that_is_stopped_ends(engine: Engine) {
    let post = Post::new(engine);
    let mut server = MailServer::start(&["250 known", "250 known"]);
    let worker = post.worker(smtp(server.port, SmtpTls::None));
    let (stop, stopped) = watch::channel(false);
    let database = Arc::clone(&worker.database);
    let running = tokio::spawn(worker.run(stopped));
    for _ in 0..2 {
        post.tell(&sent(), "ja", &[ADDRESS]);
        post.wake.notify_one();
        assert!(server.next().await.mail.is_some());
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    server.end();
    assert_eq!(
        post.place
            .count("SELECT COUNT(*) FROM mail_outbox WHERE sent_at IS NOT NULL"),
        2
    );
    apart(|| Arc::into_inner(database).unwrap().close());
}
