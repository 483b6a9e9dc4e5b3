//! What is wrong with a request is always a problem document (RFC 9457), whatever was sent.

use warifu_wire::ProblemType;

use crate::harness::{Engine, Server, Site, Token, fresh_key, now_step};

/// A server with a relying party and a token.
pub(crate) struct Stage {
    pub(crate) server: Server,
    bearer: String,
    pub(crate) token: Token,
    _site: Site,
}

impl Stage {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn headers<'a>(&'a self, key: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("Authorization", &self.bearer),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ]
    }

    /// How the token stands.
    fn status(&self) -> serde_json::Value {
        let headers = [("Authorization", self.bearer.as_str())];
        let path = format!("/v1/credentials/{}", self.token.id);
        let reply = self.server.client().request("GET", &path, &headers, b"");
        reply.unwrap().json()
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
    let status = stage.status();
    assert_eq!(status["state"], "enabled");
    assert_eq!(status["failures"], 0);
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
    assert_eq!(stage.status()["failures"], 0, "no code was looked at");
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

/// Which of two counts is nothing that two readers would agree on.
#[test]
fn a_request_with_two_names_or_two_keys_is_refused() {
    let stage = Stage::new();
    let body = br#"{"code":"123456","purpose":"login"}"#;
    for (second, status, problem) in [
        (("Idempotency-Key", "two"), 422, ProblemType::InvalidField),
        (
            ("Authorization", "Bearer x"),
            401,
            ProblemType::Unauthorized,
        ),
    ] {
        let [first, kind, name] = stage.headers("one");
        for headers in [[first, kind, name, second], [second, first, kind, name]] {
            let mut client = stage.server.client();
            let reply = client.request("POST", &stage.path("validate"), &headers, body);
            reply.unwrap().require(status, problem);
        }
    }
    assert_eq!(stage.status()["failures"], 0, "no code was looked at");
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
