//! A little server for the tests of the race test: a right one, and deliberately wrong ones.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use x25519_dalek::{PublicKey, StaticSecret};

use super::adapter::Totp;
use super::provision;
use super::totp::{self, Algorithm};

/// How the server goes wrong, if at all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// One step at a time.
    Right,
    /// Loads, compares, and saves a little later.
    Racy,
    /// Fails now and then.
    Failing,
}

#[derive(Clone)]
struct State {
    algorithm: Algorithm,
    secret: Vec<u8>,
    last_step: u64,
    wrong: u32,
}

impl State {
    fn new(algorithm: Algorithm, secret: Vec<u8>) -> Self {
        Self {
            algorithm,
            secret,
            last_step: 0,
            wrong: 0,
        }
    }
}

struct Server {
    manner: Manner,
    credentials: Mutex<HashMap<String, State>>,
    /// Enrolments like Warifu's that were asked for; every other one is refused as too fast.
    asked: AtomicUsize,
}

/// Starts a server on a free port; it lives as long as the test program.
pub(super) fn start(manner: Manner) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Arc::new(Server {
        manner,
        credentials: Mutex::default(),
        asked: AtomicUsize::new(0),
    });
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, server) = (stream.unwrap(), Arc::clone(&server));
            std::thread::spawn(move || serve(&server, &stream));
        }
    });
    url
}

/// Answers the requests of one kept connection.
fn serve(server: &Server, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let path = head.split(' ').nth(1).unwrap();
        let id = path
            .strip_prefix("/v1/credentials/")
            .and_then(|rest| rest.strip_suffix("/validate"));
        let (status, answer) = match (path, id) {
            ("/enrol", _) => (200, server.enrol()),
            ("/v1/credentials", _) => server.enrol_like_warifu(&body),
            (_, Some(id)) => {
                assert!(head.contains("authorization: Bearer "), "{head}");
                assert!(head.contains("idempotency-key: race-"), "{head}");
                server.check(id, body["code"].as_str().unwrap())
            }
            _ => server.check(body["id"].as_str().unwrap(), body["code"].as_str().unwrap()),
        };
        let reply = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nContent-Type: application/json\r\nRetry-After: 0\r\n\r\n{answer}",
            answer.len()
        );
        let mut out = stream;
        if out.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

impl Server {
    fn enrol(&self) -> String {
        let mut credentials = self.credentials.lock().unwrap();
        let id = format!("C{}", credentials.len());
        let state = State::new(Algorithm::Sha1, id.as_bytes().to_vec());
        let hex = data_encoding::HEXLOWER.encode(&state.secret);
        credentials.insert(id.clone(), state);
        format!(r#"{{"id":"{id}","key":{{"value":"seed:{hex}"}}}}"#)
    }

    fn enrol_like_warifu(&self, body: &serde_json::Value) -> (u16, String) {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return (429, "{}".to_owned());
        }
        let theirs = BASE64URL_NOPAD
            .decode(body["public_key"].as_str().unwrap().as_bytes())
            .unwrap();
        let theirs: [u8; 32] = theirs.try_into().unwrap();
        let mut credentials = self.credentials.lock().unwrap();
        let id = format!("WRCA{:08}", credentials.len());
        let own = StaticSecret::from([9; 32]);
        let shared = own.diffie_hellman(&PublicKey::from(theirs));
        let secret = provision::warifu_secret(shared.as_bytes(), &id).unwrap();
        credentials.insert(id.clone(), State::new(Algorithm::Sha256, secret));
        let key = BASE64URL_NOPAD.encode(PublicKey::from(&own).as_bytes());
        let answer = format!(r#"{{"credential_id":"{id}","service_public_key":"{key}"}}"#);
        (201, answer)
    }

    fn check(&self, id: &str, code: &str) -> (u16, String) {
        if self.manner == Manner::Failing && code.ends_with('7') {
            return (503, "busy".to_owned());
        }
        let answer = if self.manner == Manner::Racy {
            let mut state = self.credentials.lock().unwrap()[id].clone();
            let answer = judge(&mut state, code);
            std::thread::sleep(Duration::from_millis(20));
            self.credentials
                .lock()
                .unwrap()
                .insert(id.to_owned(), state);
            answer
        } else {
            judge(self.credentials.lock().unwrap().get_mut(id).unwrap(), code)
        };
        (200, format!(r#"{{"result":"{answer}"}}"#))
    }
}

fn judge(state: &mut State, code: &str) -> &'static str {
    let totp = Totp {
        algorithm: state.algorithm,
        digits: 6,
        period: 30,
    };
    if state.wrong >= 5 {
        return "locked";
    }
    let now = totp::step_with_time_left(&totp).unwrap();
    let step =
        (now - 1..=now + 1).find(|step| totp::code(&totp, &state.secret, *step).unwrap() == code);
    match step {
        None => {
            state.wrong += 1;
            "rejected"
        }
        Some(step) if step <= state.last_step => "replayed",
        Some(step) => {
            state.last_step = step;
            "accepted"
        }
    }
}
