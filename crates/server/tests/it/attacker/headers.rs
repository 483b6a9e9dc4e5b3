//! Header tricks: two readings of one byte stream, a host or an address of one's own choice, methods in disguise.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use warifu::http::Doors;

use super::ground::{Ground, OWN_FORM, Person, connect_from, form, told};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Client, Engine};

both_engines!(
    nothing_behind_a_request_of_two_lengths_is_read_as_another,
    a_head_that_no_browser_sends_is_refused_and_nobody_else_notices,
    a_host_of_the_senders_choice_appears_nowhere,
    a_strangers_word_on_his_address_is_not_believed,
    a_method_or_a_path_in_disguise_is_what_it_is,
    a_trace_gives_no_cookie_back,
    a_cookie_that_comes_twice_or_is_huge_opens_nothing,
);

const STRANGER: [u8; 4] = [127, 0, 0, 9];
const ID: &str = "12345678901";

/// Pages that hang up on whoever sends nothing more for a second.
async fn impatient(engine: Engine) -> Ground {
    let patience = Duration::from_secs(1);
    let doors = Doors {
        patience,
        ..Doors::new(256, 64)
    };
    Ground::with(engine, doors).await
}

/// Sends bytes from a stranger's address and reads until the server hangs up.
async fn answers(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect_from(STRANGER, to).await.unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // Whoever dislikes the first of them may hang up before the last.
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// The statuses of the answers in a stream.
fn statuses(answers: &str) -> Vec<&str> {
    let heads = answers.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head.split(' ').next().unwrap()).collect()
}

async fn nothing_behind_a_request_of_two_lengths_is_read_as_another(engine: Engine) {
    let ground = impatient(engine).await;
    let hidden = "GET /guide HTTP/1.1\r\nHost: bank.example\r\n\r\n";
    // The same without a trick: two requests, two answers.
    let plain = format!("GET / HTTP/1.1\r\nHost: bank.example\r\n\r\n{hidden}");
    assert_eq!(
        statuses(&answers(ground.bank, plain.as_bytes()).await).len(),
        2
    );
    let length = hidden.len() + 5;
    for framing in [
        "Transfer-Encoding: chunked".to_owned(),
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\nContent-Length: 1"),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".to_owned(),
        "Transfer-Encoding: gzip, chunked".to_owned(),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding: \x0bchunked".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        "Transfer-Encoding:\r\n chunked".to_owned(),
        "Content-Length: 5\r\nContent-Length: 6".to_owned(),
        "Content-Length: 5, 6".to_owned(),
        "Content-Length: +5".to_owned(),
        "Content-Length: 0x5".to_owned(),
        "Content-Length: 5\r\n 0".to_owned(),
        "Content-Length: 99999999999999999999999".to_owned(),
    ] {
        for method in ["POST", "GET"] {
            let request = format!(
                "{method} /login HTTP/1.1\r\nHost: bank.example\r\nSec-Fetch-Site: same-origin\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n{framing}\r\n\r\n0\r\n\r\n{hidden}"
            );
            let all = answers(ground.bank, request.as_bytes()).await;
            let statuses = statuses(&all);
            assert!(statuses.len() <= 1, "{method} {framing}: {all}");
            assert!(
                statuses.iter().all(|status| status.starts_with('4')),
                "{method} {framing}: {all}"
            );
        }
    }
    ground.close().await;
}

async fn a_head_that_no_browser_sends_is_refused_and_nobody_else_notices(engine: Engine) {
    let ground = impatient(engine).await;
    let host = "Host: bank.example\r\n";
    let long = "a".repeat(20_000);
    let many = "A: b\r\n".repeat(2_000);
    for head in [
        // No host, two, and none that is one.
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\n{host}{host}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}host: evil.example\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost:\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: bank.example/evil\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x@bank.example\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: bank.example, evil.example\r\n\r\n".to_owned(),
        format!("GET http://evil.example/ HTTP/1.1\r\n{host}\r\n"),
        // Bytes that are no letters of a head.
        format!("GET / HTTP/1.1\r\n{host}X-A: a\0b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X-A: a\rSet-Cookie: b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X A: b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n {host}\r\n"),
        format!("GET /\0 HTTP/1.1\r\n{host}\r\n"),
        format!("GET /a b HTTP/1.1\r\n{host}\r\n"),
        format!("G\tT / HTTP/1.1\r\n{host}\r\n"),
        // Too much of it.
        format!("GET /{long} HTTP/1.1\r\n{host}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X-A: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}Cookie: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{host}{many}\r\n"),
        // Other protocols.
        "GET /\r\n".to_owned(),
        "GET / HTTP/2.0\r\nHost: bank.example\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "EHLO evil.example\r\n".to_owned(),
    ] {
        let all = answers(ground.bank, head.as_bytes()).await;
        let statuses = statuses(&all);
        let short = head.get(..60).unwrap_or(&head);
        assert!(statuses.len() <= 1, "{short:?}: {all}");
        for status in statuses {
            assert!(status.starts_with('4'), "{short:?}: {all}");
        }
        assert!(
            !all.to_lowercase().contains("set-cookie"),
            "{short:?}: {all}"
        );
    }
    assert_eq!(ground.person("198.51.100.1").get("/").status, 200);
    ground.close().await;
}

async fn a_host_of_the_senders_choice_appears_nowhere(engine: Engine) {
    let ground = impatient(engine).await;
    ground.site.with_password(ID, 1, None).await;
    let mut victim = ground.person("203.0.113.5");
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/top");
    let cookie = victim.cookie();
    for path in [
        "/",
        "/top",
        "/guide",
        "/guide/token",
        "/profile",
        "/nowhere",
    ] {
        for header in ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host"] {
            let host = if header == "Host" {
                ""
            } else {
                "Host: bank.example\r\n"
            };
            let value = if header == "Forwarded" {
                "host=evil.example"
            } else {
                "evil.example"
            };
            let request = format!(
                "GET {path} HTTP/1.1\r\n{host}{header}: {value}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
            );
            let all = answers(ground.bank, request.as_bytes()).await;
            assert_eq!(statuses(&all).len(), 1, "{path} {header}");
            assert!(!all.contains("evil.example"), "{path} {header}: {all}");
            // An answer leads to a path of the bank's own.
            let to = all.lines().find_map(|line| line.strip_prefix("location: "));
            assert!(to.is_none_or(|to| to.starts_with('/') && !to.starts_with("//")));
        }
    }
    ground.close().await;
}

async fn a_strangers_word_on_his_address_is_not_believed(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.site.with_password(ID, 1, None).await;
    // A stranger takes the bank's proxy for himself and pretends another address each time.
    let stream = connect_from(STRANGER, ground.bank).await.unwrap();
    let mut stranger = Client::over(stream).unwrap();
    let page = stranger.get("/");
    let cookie = page.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let token = super::ground::hidden(page.text(), "form").unwrap();
    let body = form(&token, &[("id", ID), ("password", "no such password")]);
    let mut statuses = Vec::new();
    for host in 0..8 {
        let address = format!("203.0.113.{host}");
        let forwarded = format!("for={address}");
        let headers = [
            ("X-Forwarded-For", address.as_str()),
            ("X-Real-IP", &address),
            ("Forwarded", &forwarded),
            ("True-Client-IP", &address),
            ("Cookie", &cookie),
        ];
        let headers = [&headers[..], &OWN_FORM].concat();
        let reply = stranger.request("POST", "/login", &headers, body.as_bytes());
        statuses.push(reply.unwrap().status);
    }
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429, 429]);
    // Neither can he shut somebody else's address out in its name, nor is the history told another than his own.
    let mut owner = ground.person("203.0.113.0");
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(owner.posts("/login", &login), "/top");
    let history = owner.get("/profile/history");
    assert!(history.text().contains("127.0.0.9"));
    assert!(!history.text().contains("203.0.113.7"));
    ground.close().await;
}

async fn a_method_or_a_path_in_disguise_is_what_it_is(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.site.with_password(ID, 1, None).await;
    let mut victim = ground.person("203.0.113.5");
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/top");
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        let told = told(&victim.send("GET", "/logout", &[(name, "POST")], b""));
        assert_eq!(told, "405", "{name}");
    }
    assert_eq!(victim.get("/logout?_method=POST").status, 405);
    for name in ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"] {
        let mut guest = ground.person("198.51.100.1");
        let page = guest.send("GET", "/guide", &[(name, "/top")], b"");
        assert_eq!(page.status, 200, "{name}");
        assert!(!page.text().contains("/logout"), "{name}");
    }
    for path in [
        "/TOP",
        "//top",
        "/top/",
        "/./top",
        "/guide/../top",
        "/%74op",
        "/top;x=1",
        "/top%2f",
        "/top%00",
        "/assets/..%2f..%2fmaster.key",
        "/assets/%2e%2e/top",
        "/top.json",
        "/top%20",
        "/*",
        "*",
    ] {
        let mut guest = ground.person("198.51.100.1");
        let reply = guest.send("GET", path, &[], b"");
        assert!(
            [303, 404].contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        assert!(
            !String::from_utf8_lossy(&reply.body).contains("/logout"),
            "{path}"
        );
    }
    for method in ["get", "Post", "HEADX", "PROPFIND", "TRACK", "DEBUG"] {
        assert_eq!(
            victim.send(method, "/top", &[], b"").status,
            405,
            "{method}"
        );
    }
    assert_eq!(victim.get("/top").status, 200, "nobody signed him out");
    ground.close().await;
}

async fn a_trace_gives_no_cookie_back(engine: Engine) {
    let ground = impatient(engine).await;
    for (to, path) in [
        (ground.bank, "/"),
        (ground.bank, "/top"),
        (ground.staff, "/"),
    ] {
        let mut person = Person::at(to, "198.51.100.1");
        person
            .cookies
            .insert("__Host-warifu".into(), "ab".repeat(32));
        let reply = person.send("TRACE", path, &[], b"");
        assert_eq!(reply.status, 405, "{path}");
        assert!(!reply.text().contains(&"ab".repeat(32)));
    }
    for target in ["evil.example:443", "127.0.0.1:22", "/"] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        let all = answers(ground.bank, request.as_bytes()).await;
        let statuses = statuses(&all);
        assert!(
            statuses.iter().all(|status| status.starts_with('4')),
            "{all}"
        );
        assert!(!all.contains("SSH-"), "{all}");
    }
    ground.close().await;
}

async fn a_cookie_that_comes_twice_or_is_huge_opens_nothing(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.site.with_password(ID, 1, None).await;
    let mut victim = ground.person("203.0.113.5");
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/top");
    let good = victim.cookie();
    let session = &victim.cookies["__Host-warifu"];
    let planted = "cd".repeat(32);
    let huge = "x".repeat(9_000);
    for (cookie, to) in [
        (good.clone(), "200"),
        // Another of the same name, wherever it stands: which of them is the bank's cannot be told.
        (format!("{good}; __Host-warifu={planted}"), "/"),
        (format!("__Host-warifu={planted}; {good}"), "/"),
        (format!("{good}; __Host-warifu={session}"), "/"),
        // Not quite its name, or not quite its value.
        (format!("__host-warifu={session}"), "/"),
        (format!("__Host-warifu=\"{session}\""), "/"),
        (format!("__Host-warifu={session}00"), "/"),
        (format!("__Host-warifu=%61{}", &session[1..]), "/"),
        (
            format!("$Version=1; __Host-warifu={session}; $Path=/top"),
            "200",
        ),
        (format!("{good}; junk={huge}"), "200"),
    ] {
        let mut browser = ground.person("203.0.113.5");
        let reply = browser.send("GET", "/top", &[("Cookie", &cookie)], b"");
        assert_eq!(told(&reply), to, "{}", cookie.get(..90).unwrap_or(&cookie));
    }
    ground.close().await;
}
