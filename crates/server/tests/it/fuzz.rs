//! Requests that nobody in his right mind would send: none breaks the server, each is answered with a problem.

use warifu::ambient::{SystemEntropy, random};

use crate::harness::Client;
use crate::problem::Stage;

/// A generator that is the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.roll(most);
        (0..length)
            .map(|_| u8::try_from(self.roll(256)).unwrap())
            .collect()
    }
}

const VALUES: [&str; 16] = [
    "null",
    "true",
    "-1",
    "1e400",
    "123456",
    "\"123456\"",
    "\"\"",
    "[]",
    "{}",
    "\"login\"",
    "\"lost\"",
    "99999999999999999999999999",
    "\"\\u0000\"",
    "[[[[[[1]]]]]]",
    "\"あ\"",
    "\"AAAA\"",
];

/// A body: an object of random fields, then perhaps broken.
fn random_body(dice: &mut Dice) -> Vec<u8> {
    let names = [
        "code",
        "purpose",
        "first_code",
        "second_code",
        "reason",
        "public_key",
        "platform",
        "x",
        "",
    ];
    let fields: Vec<_> = (0..dice.roll(5))
        .map(|_| format!("\"{}\":{}", dice.pick(&names), dice.pick(&VALUES)))
        .collect();
    let mut body = format!("{{{}}}", fields.join(",")).into_bytes();
    match dice.roll(8) {
        0 => body.truncate(dice.roll(body.len() + 1)),
        1 => body = dice.bytes(200),
        2 => body = "[".repeat(dice.roll(20_000)).into_bytes(),
        3 => {
            let place = dice.roll(body.len());
            body[place] = u8::try_from(dice.roll(256)).unwrap();
        }
        4 => body.resize(dice.roll(40_000), b' '),
        _ => {}
    }
    body
}

/// A request that no relying party would send; `None` for the rare one that is in order.
fn random_request(
    dice: &mut Dice,
    stage: &Stage,
) -> (String, String, Vec<(String, String)>, Vec<u8>) {
    let method = dice.pick(&[
        "GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "X", "TRACE",
    ]);
    let id = stage.token.id.to_string();
    let id = dice.pick(&[
        &id,
        &id,
        &id,
        "WRCA12345671",
        "%",
        "%zz",
        "a",
        "..",
        "%F0%9F%98%80",
    ]);
    let verb = dice.pick(&[
        "validate",
        "resync",
        "stop",
        "enable",
        "unlock",
        "x",
        "",
        "validate/",
    ]);
    let path = match dice.roll(6) {
        0 => "/v1/credentials".to_owned(),
        1 => format!("/v1/credentials/{id}?{verb}=%"),
        2 => format!("/{verb}/{id}"),
        _ => format!("/v1/credentials/{id}/{verb}"),
    };
    let key = format!("fuzz-{}", dice.roll(300));
    let mut headers = Vec::new();
    for (name, good) in stage.headers(&key) {
        let value = match dice.roll(10) {
            0 => continue,
            1 => "x".repeat(dice.roll(200)),
            2 => "é\u{3042}".to_owned(),
            _ => good.to_owned(),
        };
        headers.push((name.to_owned(), value));
    }
    if dice.roll(4) == 0 {
        headers.push(("X-Forwarded-For".into(), "1.2.3.4, nonsense".into()));
        headers.push(("Accept-Language".into(), "ja;q=nan, ;;, *".into()));
    }
    (method.into(), path, headers, random_body(dice))
}

#[test]
fn two_thousand_random_requests_never_break_the_server() {
    let mut stage = Stage::new();
    let seed = u64::from_be_bytes(*random(&SystemEntropy));
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..2_000 {
        let (method, path, headers, body) = random_request(&mut dice, &stage);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        // A connection each: one whose body was refused unread is closed.
        let mut client = stage.server.client();
        let reply = match client.request(&method, &path, &headers, &body) {
            Ok(reply) => reply,
            // Reset, with the answer on its way, for a body that nobody wanted to read to its end.
            Err(_) if body.len() > 4_000 => continue,
            Err(error) => panic!("{error}: {method} {path} {headers:?} {body:?}"),
        };
        assert!(reply.status < 500, "{reply:?}: {method} {path} {body:?}");
        if reply.status >= 400 && reply.header("content-type") != Some("application/problem+json") {
            panic!("{reply:?}: {method} {path} {headers:?} {body:?}");
        }
        *seen.entry(reply.status).or_insert(0) += 1;
    }
    for status in [400, 401, 404, 405, 413, 415, 422] {
        assert!(seen.contains_key(&status), "{status} is not in {seen:?}");
    }
    assert!(stage.server.is_alive());
    assert_eq!(stage.server.client().get("/readyz").status, 200);
}

#[test]
fn what_is_not_http_is_refused_or_hung_up_on_and_nobody_else_notices() {
    let mut stage = Stage::new();
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5_000));
    for bytes in [
        "\r\n\r\n\r\n".as_bytes(),
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/credentials HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let mut client: Client = stage.server.client();
        client.finish_sending(bytes);
        if let Ok(reply) = client.receive() {
            assert!((400..500).contains(&reply.status), "{reply:?} to {bytes:?}");
        }
    }
    assert!(stage.server.is_alive());
    assert_eq!(stage.server.client().get("/v1/time").status, 200);
    assert!(!stage.server.log().contains("panicked"));
}
