//! What is wrong with a request is always a problem document (RFC 9457), whatever was sent.

use warifu::ambient::{SystemEntropy, random};
use warifu_wire::ProblemType;

use crate::harness::{Client, Engine, Server, Site, Token, fresh_key, now_step};

/// A server with a relying party and a token.
struct Stage {
    server: Server,
    bearer: String,
    token: Token,
    _site: Site,
}

impl Stage {
    fn new() -> Self {
        let site = Site::with(Engine::Sqlite, "", "debug", "");
        let key = site.add_party("Bank");
        let server = site.serve();
        let token = server.client().token();
        Self {
            bearer: format!("Bearer {key}"),
            token,
            server,
            _site: site,
        }
    }

    fn path(&self, verb: &str) -> String {
        format!("/v1/credentials/{}/{verb}", self.token.id)
    }

    fn headers<'a>(&'a self, key: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("Authorization", &self.bearer),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ]
    }

    /// A command that is well but for its body.
    fn body(&self, verb: &str, body: &[u8]) -> crate::harness::Reply {
        let key = fresh_key();
        let headers = self.headers(&key);
        let mut client = self.server.client();
        client
            .request("POST", &self.path(verb), &headers, body)
            .unwrap()
    }
}

#[test]
fn a_path_that_is_nobodys_is_not_found() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    for path in [
        "/nothing",
        "/v2/credentials",
        "/v1/credentials/",
        "/v1/credentials/a/b/c",
        "//",
        "/v1/../etc/passwd",
        "/%00",
        "/%FF",
        "/v1/time/",
        "/assets/nothing.css",
        "/assets/%FF",
        "/assets/..%2Fmaster.key",
        "/metrics",
    ] {
        client.get(path).require(404, ProblemType::NotFound);
    }
    for path in ["/healthz", "/readyz", "/v1/time", "/v1/openapi.json"] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
}

#[test]
fn a_method_that_a_path_does_not_take_is_told_which_it_takes() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    for (method, path, allowed) in [
        ("GET", "/v1/credentials".to_owned(), "POST"),
        ("PUT", "/v1/credentials".to_owned(), "POST"),
        ("POST", "/v1/time".to_owned(), "GET,HEAD"),
        ("GET", stage.path("validate"), "POST"),
        (
            "DELETE",
            format!("/v1/credentials/{}", stage.token.id),
            "GET,HEAD",
        ),
        ("OPTIONS", stage.path("stop"), "POST"),
        ("NONSENSE", stage.path("stop"), "POST"),
    ] {
        let reply = client.request(method, &path, &[], b"").unwrap();
        reply.require(405, ProblemType::MethodNotAllowed);
        let allow = reply.header("allow").unwrap().replace(' ', "");
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[test]
fn a_body_that_is_no_json_or_says_a_field_twice_is_malformed() {
    let stage = Stage::new();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for body in [
        "",
        "{",
        "nonsense",
        r#"{"code":"123456","purpose":"login"}}"#,
        r#"{"code":"123456","code":"123456","purpose":"login"}"#,
        r#"{"code":"\ud800","purpose":"login"}"#,
        r#"{"code":1e999,"purpose":"login"}"#,
        &deep,
    ] {
        stage
            .body("validate", body.as_bytes())
            .require(400, ProblemType::Malformed);
    }
    stage
        .body("validate", b"{\"code\":\"\xff\xfe\"}")
        .require(400, ProblemType::Malformed);
}

#[test]
fn a_body_that_is_no_object_is_malformed() {
    let stage = Stage::new();
    for (verb, body) in [
        ("validate", r#"["123456","login"]"#),
        ("validate", "null"),
        ("validate", "123456"),
        ("resync", r#"["123456","123457"]"#),
        ("stop", r#"["stolen"]"#),
        ("enable", "[]"),
        ("unlock", "null"),
    ] {
        let reply = stage.body(verb, body.as_bytes());
        reply.require(400, ProblemType::Malformed);
    }
    // None of it was done.
    let headers = [("Authorization", stage.bearer.as_str())];
    let path = format!("/v1/credentials/{}", stage.token.id);
    let status = stage.server.client().request("GET", &path, &headers, b"");
    assert_eq!(status.unwrap().json()["state"], "enabled");
}

#[test]
fn fields_that_are_not_as_expected_are_all_named() {
    let stage = Stage::new();
    for (verb, body, fields) in [
        ("validate", "{}", &["code", "purpose"][..]),
        (
            "validate",
            r#"{"code":123456,"purpose":null}"#,
            &["code", "purpose"],
        ),
        (
            "validate",
            r#"{"code":"12345","purpose":"login"}"#,
            &["code"],
        ),
        (
            "validate",
            r#"{"code":"１２３４５６","purpose":"login"}"#,
            &["code"],
        ),
        (
            "validate",
            r#"{"code":"1234567","purpose":"login"}"#,
            &["code"],
        ),
        (
            "validate",
            r#"{"code":"123456","purpose":"Log in"}"#,
            &["purpose"],
        ),
        (
            "validate",
            r#"{"code":"123456","purpose":""}"#,
            &["purpose"],
        ),
        (
            "validate",
            r#"{"code":"123456","purpose":"login","more":1}"#,
            &["(body)"],
        ),
        ("resync", r#"{"first_code":"123456"}"#, &["second_code"]),
        ("stop", r#"{"reason":"bored"}"#, &["reason"]),
        ("enable", r#"{"really":true}"#, &["(body)"]),
    ] {
        let reply = stage.body(verb, body.as_bytes());
        reply.require(422, ProblemType::InvalidField);
        let errors = reply.problem().errors;
        let named: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, fields, "{body}");
        assert!(errors.iter().all(|error| !error.expected.is_empty()));
    }
}

#[test]
fn a_request_without_a_good_name_is_told_so() {
    let stage = Stage::new();
    let body = br#"{"code":"123456","purpose":"login"}"#;
    let long = "k".repeat(65);
    for key in ["", " ", "two words", "schlüssel", &long] {
        let headers = stage.headers(key);
        let reply = stage
            .server
            .client()
            .request("POST", &stage.path("validate"), &headers, body)
            .unwrap();
        reply.require(422, ProblemType::InvalidField);
        assert_eq!(reply.problem().errors[0].field, "Idempotency-Key");
    }
    let without = &stage.headers("")[..2];
    let mut client = stage.server.client();
    let reply = client.request("POST", &stage.path("validate"), without, body);
    reply.unwrap().require(422, ProblemType::InvalidField);
}

#[test]
fn a_name_that_was_used_for_another_request_is_a_conflict() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    let mut ask = |verb: &str, body: &str| {
        let headers = stage.headers("one");
        client
            .request("POST", &stage.path(verb), &headers, body.as_bytes())
            .unwrap()
    };
    let code = stage.token.text(now_step());
    let body = format!(r#"{{"code":"{code}","purpose":"login"}}"#);
    assert_eq!(ask("validate", &body).result(), "accepted");
    // Said otherwise but meaning the same, it is the same.
    let spaced = format!(r#" {{ "purpose" : "login", "code":"{code}" }} "#);
    assert_eq!(ask("validate", &spaced).result(), "accepted");
    let other = format!(r#"{{"code":"{code}","purpose":"transfer"}}"#);
    ask("validate", &other).require(409, ProblemType::KeyReused);
    ask("unlock", "{}").require(409, ProblemType::KeyReused);
}

#[test]
fn a_body_that_is_too_long_or_no_json_by_name_is_refused() {
    let stage = Stage::new();
    let limit = 16 * 1024;
    let long = vec![b' '; limit + 1];
    let reply = stage.body("validate", &long);
    reply.require(413, ProblemType::TooLarge);
    // Also when its length is not told beforehand.
    let key = fresh_key();
    let mut head = format!("POST {} HTTP/1.1\r\nHost: x\r\n", stage.path("validate"));
    for (name, value) in stage.headers(&key) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Transfer-Encoding: chunked\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(format!("{:x}\r\n", long.len()).as_bytes());
    bytes.extend_from_slice(&long);
    bytes.extend_from_slice(b"\r\n0\r\n\r\n");
    let reply = stage.server.client().send(&bytes, false).unwrap();
    reply.require(413, ProblemType::TooLarge);
    let fits = format!(
        r#"{{"code":"12345","purpose":"login"}}{}"#,
        " ".repeat(limit - 34)
    );
    assert_eq!(fits.len(), limit);
    stage
        .body("validate", fits.as_bytes())
        .require(422, ProblemType::InvalidField);

    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let headers = [
            ("Authorization", stage.bearer.as_str()),
            ("Idempotency-Key", "one"),
            ("Content-Type", kind),
        ];
        let mut client = stage.server.client();
        let reply = client.request("POST", &stage.path("unlock"), &headers, b"{}");
        reply
            .unwrap()
            .require(415, ProblemType::UnsupportedMediaType);
    }
    let headers = [
        ("Authorization", stage.bearer.as_str()),
        ("Idempotency-Key", "one"),
        ("Content-Type", "Application/JSON; charset=utf-8"),
    ];
    let mut client = stage.server.client();
    let reply = client.request("POST", &stage.path("unlock"), &headers, b"{}");
    assert_eq!(reply.unwrap().result(), "unlocked");
}

#[test]
fn a_problem_speaks_the_language_that_was_asked_for() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    for (asked, language) in [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en;q=0.4, ja;q=0.6", "ja"),
        ("en, ja", "en"),
        ("fr, ja;q=0.1", "ja"),
        ("fr", "en"),
        ("ja;q=0", "en"),
        (";;;q=x,,", "en"),
    ] {
        let reply = client
            .request("GET", "/nothing", &[("Accept-Language", asked)], b"")
            .unwrap();
        reply.require(404, ProblemType::NotFound);
        assert_eq!(reply.header("content-language"), Some(language), "{asked}");
        let is_ascii = reply.problem().title.is_ascii();
        assert_eq!(is_ascii, language == "en", "{asked}");
    }
}

#[test]
fn the_name_of_a_request_goes_through_answer_and_log() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    let named = [("X-Request-Id", "my-own.name_1")];
    let reply = client.request("GET", "/nothing", &named, b"").unwrap();
    assert_eq!(reply.header("x-request-id"), Some("my-own.name_1"));
    assert_eq!(reply.problem().instance.as_deref(), Some("my-own.name_1"));
    let made = client.get("/nothing").problem().instance.unwrap();
    assert_eq!(made.len(), 16);
    let bad = [("X-Request-Id", "a\"b<script>")];
    let reply = client.request("GET", "/nothing", &bad, b"").unwrap();
    assert_ne!(reply.header("x-request-id"), Some("a\"b<script>"));
    let log = stage.server.log();
    for name in ["my-own.name_1", &made] {
        let line = log.lines().find(|line| line.contains(name)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["request_id"], name);
        assert_eq!(line["status"], 404);
    }
    assert!(!log.contains("<script>"));
}

#[test]
fn every_answer_forbids_frames_scripts_and_keeping() {
    let stage = Stage::new();
    let mut client = stage.server.client();
    for path in ["/v1/time", "/nothing", "/v1/credentials/x"] {
        let reply = client.get(path);
        let header = |name| reply.header(name).unwrap();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert!(policy.contains("frame-ancestors 'none'"));
    }
}

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
