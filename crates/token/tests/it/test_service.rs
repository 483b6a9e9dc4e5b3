use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use warifu_wire::{
    Algorithm, Base64Url, Problem, ProblemType, ProvisionAnswer, ProvisionRequest, TimeAnswer,
};
use x25519_dalek::{PublicKey, StaticSecret};

/// What the service answers to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Willing,
    /// With this HTTP status and, as `detail`, these words.
    Refusing(u16, &'static str),
    /// A key that makes an all-zero X25519 output.
    WeakKey,
    /// A redirect to this address.
    Elsewhere(&'static str),
    /// An endless page.
    Babbling,
}

/// What the service knows.
#[derive(Default)]
struct Books {
    credentials: Vec<(String, [u8; 32])>,
    requests: Vec<String>,
}

/// A token service on a free port of this machine.
pub(crate) struct TestService {
    pub(crate) url: String,
    books: Arc<Mutex<Books>>,
    gate: Arc<Mutex<()>>,
    server: JoinHandle<()>,
}

impl TestService {
    /// A service whose clock differs from this machine's by `ahead` seconds.
    pub(crate) fn start(ahead: i64, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let books = Arc::new(Mutex::new(Books::default()));
        let shared = Arc::clone(&books);
        let gate = Arc::new(Mutex::new(()));
        let passed = Arc::clone(&gate);
        let server = thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up early is no matter here.
                if answer(stream.unwrap(), &shared, &passed, ahead, mood).unwrap_or(false) {
                    return;
                }
            }
        });
        Self {
            url,
            books,
            gate,
            server,
        }
    }

    /// Closes the port; from now on connections are refused.
    pub(crate) fn stop(self) {
        let address = self.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address)
            .unwrap()
            .write_all(b"STOP\r\n\r\n")
            .unwrap();
        self.server.join().unwrap();
    }

    pub(crate) fn willing() -> Self {
        Self::start(0, Mood::Willing)
    }

    /// Keeps the answer to `GET /v1/time` back until the guard is dropped.
    pub(crate) fn hold_time(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap()
    }

    /// How many tokens it registered.
    pub(crate) fn registered(&self) -> usize {
        self.books.lock().unwrap().credentials.len()
    }

    /// Every request line so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.books.lock().unwrap().requests.clone()
    }

    /// The ID and secret of the `n`th token.
    pub(crate) fn credential(&self, n: usize) -> (String, [u8; 32]) {
        self.books.lock().unwrap().credentials[n].clone()
    }
}

/// The code of RFC 6238 for HMAC-SHA-256, 6 digits and 30 s, written down once more here so that
/// the token is not measured with its own rule.
pub(crate) fn totp(secret: &[u8], unix_seconds: i64) -> String {
    let step = u64::try_from(unix_seconds / 30).unwrap();
    let tag = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(step.to_be_bytes())
        .finalize()
        .into_bytes();
    let offset = usize::from(tag[31] & 15);
    let word: [u8; 4] = tag[offset..offset + 4].try_into().unwrap();
    format!(
        "{:06}",
        (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
    )
}

/// This machine's clock, in unix seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test reads the real clock, so its judge must too"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// Answers one request; true when it was the one that ends the service.
fn answer(
    stream: TcpStream,
    books: &Mutex<Books>,
    gate: &Mutex<()>,
    ahead: i64,
    mood: Mood,
) -> io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (request, body) = read(BufReader::new(&stream))?;
    if request == "STOP" {
        return Ok(true);
    }
    books.lock().unwrap().requests.push(request.clone());
    if request.starts_with("GET") {
        drop(gate.lock().unwrap());
    }
    respond(&mut &stream, &request, &body, books, ahead, mood)?;
    Ok(false)
}

/// The request line and the body.
fn read(mut reader: impl BufRead) -> io::Result<(String, Vec<u8>)> {
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((request.trim().to_owned(), body))
}

fn respond(
    stream: &mut impl Write,
    request: &str,
    body: &[u8],
    books: &Mutex<Books>,
    ahead: i64,
    mood: Mood,
) -> io::Result<()> {
    let clock = Timestamp::from_second(now()).unwrap() + SignedDuration::from_secs(ahead);
    if request.starts_with("GET /v1/time ") {
        return reply(
            stream,
            200,
            "",
            &serde_json::to_string(&TimeAnswer {
                service_time: clock,
            })
            .unwrap(),
        );
    }
    assert!(request.starts_with("POST /v1/credentials "), "{request}");
    match mood {
        Mood::Refusing(status, detail) => {
            let problem = Problem {
                kind: ProblemType::TooManyRequests,
                title: "refused".to_owned(),
                status,
                detail: detail.to_owned(),
                instance: None,
                errors: Vec::new(),
            };
            reply(
                stream,
                status,
                "",
                &serde_json::to_string(&problem).unwrap(),
            )
        }
        Mood::Elsewhere(target) => reply(stream, 307, &format!("Location: {target}\r\n"), ""),
        Mood::Babbling => reply(stream, 201, "", &"[".repeat(1_000_000)),
        Mood::Willing | Mood::WeakKey => {
            let answer = provision(body, &mut books.lock().unwrap(), clock, mood);
            reply(stream, 201, "", &serde_json::to_string(&answer).unwrap())
        }
    }
}

fn provision(body: &[u8], books: &mut Books, clock: Timestamp, mood: Mood) -> ProvisionAnswer {
    let request: ProvisionRequest = serde_json::from_slice(body).unwrap();
    let number = u8::try_from(books.credentials.len()).unwrap();
    let id = format!("WRCA1234567{number}");
    let private = StaticSecret::from([0x51 ^ number; 32]);
    let shared = private.diffie_hellman(&PublicKey::from(request.public_key.0));
    let mut secret = [0; 32];
    Hkdf::<Sha256>::new(Some(id.as_bytes()), shared.as_bytes())
        .expand(b"warifu totp v1", &mut secret)
        .unwrap();
    books.credentials.push((id.clone(), secret));
    let public = PublicKey::from(&private).to_bytes();
    ProvisionAnswer {
        credential_id: id,
        service_public_key: Base64Url(if mood == Mood::WeakKey {
            [0; 32]
        } else {
            public
        }),
        algorithm: Algorithm::Sha256,
        digits: 6,
        period: 30,
        service_time: clock,
    }
}

fn reply(stream: &mut impl Write, status: u16, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}
