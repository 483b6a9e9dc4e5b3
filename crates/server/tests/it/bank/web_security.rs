//! What keeps strangers and other sites out of the bank's pages: forms, headers, cookies, and the door (B15, B17).

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use hyper::body::Frame;
use jiff::SignedDuration;
use warifu::bank_store::contract;
use warifu::http::Admission;
use warifu::web::cookies;
use warifu::{bank_web, staff_web};
use warifu_bank::contract::Service;
use warifu_bank::session::Stage;

use super::sign_in::PASSWORD;
use crate::harness::{BankSite, Browser, Engine, customer_account};

both_engines!(
    a_form_that_no_page_of_ours_sent_is_refused,
    an_old_browser_is_known_by_its_origin,
    every_answer_of_every_route_says_what_a_browser_may_do_with_it,
    a_field_that_comes_twice_and_a_body_that_is_no_form_are_refused,
    a_body_that_is_too_large_is_refused,
    a_form_that_trickles_in_is_given_up_with_words_and_holds_nothing,
    a_session_that_was_there_before_the_login_is_not_the_session_after,
    who_may_not_sign_in_learns_nothing_of_the_reason,
    a_browser_is_known_by_a_cookie_from_its_first_full_login_on,
    five_wrong_passwords_close_the_door_for_known_and_unknown_ids_alike,
    a_stranger_does_not_keep_the_owner_out,
    too_many_logins_at_once_are_told_so_at_once,
    a_device_outside_the_recommended_set_is_told_once_and_goes_on,
);

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
type Headers = &'static [(&'static str, &'static str)];

const ID: &str = "12345678901";

fn with_token(fields: &str) -> Vec<u8> {
    format!("form={}&{fields}", Browser::form_token()).into_bytes()
}

async fn a_form_that_no_page_of_ours_sent_is_refused(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract(ID, 1, 0);
    let secret = site.cookie(contract, Stage::Full);
    let browser = site.browser().with(cookies::SESSION, &secret);
    let posts = bank_web::ROUTES.iter().map(|(path, _)| *path);
    let mut refused = 0;
    for path in posts.filter(|path| !path.contains('{')) {
        let good = with_token("");
        let forms: [(Headers, Vec<u8>); 7] = [
            (&[FORM, OWN], b"id=1".to_vec()),
            (&[FORM, OWN], b"form=&id=1".to_vec()),
            (
                &[FORM, OWN],
                format!("form={}", "0".repeat(32)).into_bytes(),
            ),
            (&[FORM, ("sec-fetch-site", "cross-site")], good.clone()),
            (&[FORM, ("sec-fetch-site", "same-site")], good.clone()),
            (&[FORM, ("sec-fetch-site", "none")], good.clone()),
            (&[FORM], good),
        ];
        for (headers, body) in forms {
            let mut browser = browser.clone();
            let answer = browser.send(Method::POST, path, headers, body).await;
            if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 7 * 15, "{refused}");
    // Another browser's token is none either, and a browser without a cookie has none.
    let mut other = browser.clone();
    other.cookies.insert(cookies::FORM.into(), "f".repeat(32));
    assert_eq!(other.post("/logout", &[]).await.status, 403);
    other.cookies.remove(cookies::FORM);
    assert_eq!(other.post("/logout", &[]).await.status, 403);
    assert_eq!(site.session(secret.key()).ending, None);
    // No page of another site frames ours.
    let framed = [("sec-fetch-dest", "iframe")];
    let mut browser = browser;
    let answer = browser.send(Method::GET, "/top", &framed, vec![]).await;
    assert_eq!(answer.status, 403);
}

async fn an_old_browser_is_known_by_its_origin(engine: Engine) {
    let site = BankSite::new(engine).await;
    let mut browser = site.browser();
    let host = ("host", "bank.example.co.jp");
    for (origin, status) in [
        ("https://bank.example.co.jp", 303),
        ("https://www.example.co.jp", 403),
        ("https://bank.example.co.jp.example.com", 403),
        ("null", 403),
    ] {
        let headers = [FORM, host, ("origin", origin)];
        let answer = browser.send(Method::POST, "/logout", &headers, with_token(""));
        assert_eq!(answer.await.status, status, "{origin}");
    }
}

async fn every_answer_of_every_route_says_what_a_browser_may_do_with_it(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract(ID, 1, 0);
    let secret = site.cookie(contract, Stage::Full);
    let customers = (site.browser(), bank_web::ROUTES);
    let staff = (site.staff_browser(), staff_web::ROUTES);
    let account = customer_account(1).to_stored().to_string();
    for (guest, routes) in [customers, staff] {
        let paths = routes
            .iter()
            .map(|(path, _)| path.replace("{account}", &account));
        for path in paths.chain(["/no/such/page".to_owned()]) {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                for browser in [guest.clone(), guest.clone().with(cookies::SESSION, &secret)] {
                    let mut browser = browser;
                    let answer = browser.send(method.clone(), &path, &[OWN], vec![]).await;
                    let at = format!("{method} {path}: {}", answer.status);
                    let policy = answer.header("content-security-policy");
                    for part in [
                        "default-src 'none'",
                        "script-src 'self'",
                        "frame-ancestors 'none'",
                        "form-action 'self'",
                        "base-uri 'none'",
                    ] {
                        assert!(policy.contains(part), "{at}: {policy}");
                    }
                    assert!(!policy.contains("unsafe"), "{at}: {policy}");
                    for (name, value) in [
                        ("cache-control", "no-store"),
                        ("x-content-type-options", "nosniff"),
                        ("x-frame-options", "DENY"),
                        ("referrer-policy", "same-origin"),
                        ("cross-origin-opener-policy", "same-origin"),
                        ("cross-origin-resource-policy", "same-origin"),
                    ] {
                        assert_eq!(answer.header(name), value, "{at}: {name}");
                    }
                    assert!(!answer.header("x-request-id").is_empty(), "{at}");
                    assert!(
                        !answer.header("strict-transport-security").is_empty(),
                        "{at}"
                    );
                    assert!(!answer.body.contains(" style="), "{at}");
                    for set in answer.headers.get_all("set-cookie") {
                        let set = set.to_str().unwrap();
                        assert!(set.starts_with("__Host-"), "{at}: {set}");
                        for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
                            assert!(set.contains(part), "{at}: {set}");
                        }
                    }
                }
            }
        }
    }
}

async fn a_field_that_comes_twice_and_a_body_that_is_no_form_are_refused(engine: Engine) {
    let site = BankSite::new(engine).await;
    let mut browser = site.browser();
    let json = ("content-type", "application/json");
    for (kind, body) in [
        (FORM, with_token("id=1&id=2&password=a")),
        (FORM, with_token("form=1")),
        (FORM, with_token("id=%ff")),
        (FORM, with_token("id=%00")),
        (FORM, with_token("a=")),
        (json, b"{}".to_vec()),
    ] {
        let expected = if body.ends_with(b"&a=") { 422 } else { 400 };
        let headers = [kind, OWN];
        let answer = browser.send(Method::POST, "/login", &headers, body.clone());
        let status = answer.await.status;
        assert_eq!(status, expected, "{}", String::from_utf8_lossy(&body));
    }
    let plain = browser.send(Method::POST, "/login", &[OWN], with_token("id=1"));
    assert_eq!(plain.await.status, 400);
    assert_eq!(browser.get("/?ended=out&ended=idle").await.status, 200);
    let back = browser.get("/language/en?back=//evil.example&x=1").await;
    assert_eq!(back.told(), "/");
}

async fn a_body_that_is_too_large_is_refused(engine: Engine) {
    let site = BankSite::new(engine).await;
    let mut browser = site.browser();
    let largest = 16 * 1024 - with_token("id=&password=").len();
    for (letters, status) in [(largest, 422), (largest + 1, 413), (1 << 20, 413)] {
        let body = with_token(&format!("id={}&password=", "1".repeat(letters)));
        let answer = browser.send(Method::POST, "/login", &[FORM, OWN], body);
        assert_eq!(answer.await.status, status, "{letters}");
    }
}

async fn a_form_that_trickles_in_is_given_up_with_words_and_holds_nothing(engine: Engine) {
    let site = BankSite::new(engine).await;
    let admission = Admission::new(1);
    for (mut browser, language, words) in [
        (
            site.browser_among(&admission),
            "ja",
            "時間内に送信が終わりませんでした",
        ),
        (
            site.browser_among(&admission),
            "en",
            "did not arrive in time",
        ),
        (
            site.staff_browser(),
            "ja",
            "時間内に送信が終わりませんでした",
        ),
    ] {
        let headers = [FORM, OWN, ("accept-language", language)];
        let body = Body::new(Trickle(Some(with_token("id=12").into())));
        let answer = browser.send_body(Method::POST, "/login", &headers, body);
        let answer = answer.await;
        assert_eq!(answer.status, 408);
        assert!(answer.body.contains(words), "{}", answer.body);
        assert_eq!(admission.inside(), 0);
    }
}

/// A form whose end never comes.
struct Trickle(Option<Bytes>);

impl hyper::body::Body for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |first| {
            Poll::Ready(Some(Ok(Frame::data(first))))
        })
    }
}

async fn a_session_that_was_there_before_the_login_is_not_the_session_after(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password(ID, 1, None).await;
    let planted = "ab".repeat(32);
    let mut browser = site.browser();
    let name = cookies::SESSION.to_owned();
    browser.cookies.insert(name.clone(), planted.clone());
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(browser.post("/login", &login).await.told(), "/top");
    let first = browser.cookies[&name].clone();
    assert_ne!(first, planted);
    assert_eq!(browser.get("/top").await.status, 200);
    // A login over a good session begins another, and the code begins another again.
    let token = site.registered(contract).await;
    assert_eq!(browser.post("/login", &login).await.told(), "/login/code");
    let half = browser.cookies[&name].clone();
    let page = browser.get("/login/code").await.body;
    let (_, rest) = page.split_once("name=\"key\" value=\"").unwrap();
    let key = rest.split('"').next().unwrap().to_owned();
    let code = site.code(&token).to_string();
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    assert_eq!(browser.post("/login/code", &fields).await.told(), "/top");
    let full = browser.cookies[&name].clone();
    let secrets = BTreeSet::from([planted, first, half.clone(), full]);
    assert_eq!(secrets.len(), 4, "each is another");
    assert_eq!(browser.get("/top").await.status, 200);
    browser.cookies.insert(name, half);
    assert_ne!(browser.get("/top").await.status, 200);
}

async fn a_browser_is_known_by_a_cookie_from_its_first_full_login_on(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.with_password(ID, 1, None).await;
    let token = site.registered(contract).await;
    let mut browser = site.browser();
    let name = cookies::BROWSER;
    let login = [("id", ID), ("password", PASSWORD)];
    // Neither a wrong password nor a right one without its code makes a browser known.
    browser
        .post("/login", &[("id", ID), ("password", "wrong")])
        .await;
    assert_eq!(browser.post("/login", &login).await.told(), "/login/code");
    assert!(!browser.cookies.contains_key(name));
    let page = browser.get("/login/code").await.body;
    let (_, rest) = page.split_once("name=\"key\" value=\"").unwrap();
    let key = rest.split('"').next().unwrap().to_owned();
    let code = site.code(&token).to_string();
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    let answer = browser.post("/login/code", &fields).await;
    let set = answer.headers.get_all("set-cookie").iter();
    let set = set.filter_map(|set| set.to_str().ok());
    let set = set.filter(|set| set.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(set.len(), 1, "{set:?}");
    for word in ["Max-Age=31536000", "HttpOnly", "Secure", "SameSite=Strict"] {
        assert!(set[0].contains(word), "{set:?}");
    }
    let first = browser.cookies[name].clone();
    // Logging out leaves it, and the next login keeps it.
    browser.post("/logout", &[]).await;
    assert_eq!(browser.cookies[name], first);
    browser.cookies.remove(cookies::SESSION);
    site.place
        .with(|connection| {
            connection.transaction(|tx| contract::set_login_asks_code(tx, contract, false))
        })
        .unwrap();
    assert_eq!(browser.post("/login", &login).await.told(), "/top");
    assert_eq!(browser.cookies[name], first);
    let known = "SELECT COUNT(*) FROM known_browsers";
    assert_eq!(site.place.count(known), 1);
}

async fn who_may_not_sign_in_learns_nothing_of_the_reason(engine: Engine) {
    let site = BankSite::new(engine).await;
    let day = SignedDuration::from_hours(24);
    site.with_password("12345678901", 1, None).await;
    let stopped = site.with_password("12345678902", 2, None).await;
    site.with_password("12345678903", 3, Some(day)).await;
    let set = site.place.with(|connection| {
        connection.transaction(|tx| {
            contract::set_service(tx, stopped, Service::Open, Service::EmergencyStopped)
        })
    });
    assert!(set.unwrap());
    site.service.clock.advance(24 * 60 * 60);
    for path in ["/login", "/registration", "/stop-use", "/token-change"] {
        let mut answers = BTreeSet::new();
        for (id, password) in [
            ("12345678909", PASSWORD),
            ("12345678901", "wrong password"),
            ("12345678902", PASSWORD),
            ("12345678903", PASSWORD),
            ("99999", PASSWORD),
        ] {
            let mut browser = site.browser();
            let answer = browser
                .post(path, &[("id", id), ("password", password)])
                .await;
            assert_eq!(answer.status, 422, "{path} {id}");
            assert!(!answer.body.contains(password), "a password is never shown");
            assert!(!browser.cookies.contains_key(cookies::SESSION));
            let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            // What was typed stands in its field again.
            answers.insert((answer.page().replace(id, ""), names));
        }
        assert_eq!(answers.len(), 1, "{path}: {answers:?}");
    }
}

async fn five_wrong_passwords_close_the_door_for_known_and_unknown_ids_alike(engine: Engine) {
    let site = BankSite::new(engine).await;
    site.with_password("12345678901", 1, None).await;
    let mut told = Vec::new();
    for id in ["12345678901", "12345678909", "no such thing"] {
        let mut browser = site.browser();
        let wrong = [("id", id), ("password", "wrong password")];
        for _ in 0..5 {
            assert_eq!(browser.post("/login", &wrong).await.status, 422);
        }
        let answer = browser
            .post("/login", &[("id", id), ("password", PASSWORD)])
            .await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{id}");
        assert_eq!(answer.header("retry-after"), "30", "{id}");
        told.push(answer.page().replace(id, ""));
        // The other forms of the login page are the same door.
        let answer = browser.post("/registration", &wrong).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{id}");
    }
    assert!(told.iter().all(|page| *page == told[0]), "{told:?}");
    // The delay ends by itself.
    site.service.clock.advance(30);
    let right = [("id", ID), ("password", PASSWORD)];
    assert_eq!(site.browser().post("/login", &right).await.told(), "/top");
}

async fn a_stranger_does_not_keep_the_owner_out(engine: Engine) {
    let site = BankSite::new(engine).await;
    site.with_password(ID, 1, None).await;
    let home = site.browser().at_address([203, 0, 113, 5]);
    let right = [("id", ID), ("password", PASSWORD)];
    assert_eq!(home.clone().post("/login", &right).await.told(), "/top");
    // Strangers at many addresses, until the ID is closed to addresses that are new to it.
    let wrong = [("id", ID), ("password", "wrong password")];
    let mut closed = 0;
    for host in 0..25 {
        let mut stranger = site.browser().at_address([198, 51, 100, host]);
        let status = stranger.post("/login", &wrong).await.status;
        closed += u32::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(closed, 5);
    let mut new_place = site.browser().at_address([198, 51, 100, 99]);
    assert_eq!(new_place.post("/login", &right).await.status, 429);
    assert_eq!(home.clone().post("/login", &right).await.told(), "/top");
}

async fn too_many_logins_at_once_are_told_so_at_once(engine: Engine) {
    let site = BankSite::new(engine).await;
    // More work than the two threads and the queue before them take: whatever place is free is taken again.
    let over = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..48)
        .map(|_| {
            let (bank, over) = (site.bank(), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    if bank.hash_password(PASSWORD).await.is_err() {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let (mut wrong, mut busy) = (0, 0);
    while busy < 5 {
        let mut browser = site.browser().at_address([198, 51, 100, wrong]);
        let id = format!("7{wrong:010}");
        let fields = [("id", id.as_str()), ("password", "wrong password")];
        let answer = browser.post("/login", &fields).await;
        match answer.status.as_u16() {
            422 => wrong += 1,
            503 => {
                assert_eq!(answer.header("retry-after"), "2");
                busy += 1;
            }
            other => panic!("{other}"),
        }
        assert!(wrong < 60, "nobody is told");
    }
    over.store(true, Ordering::Relaxed);
    for task in crowd {
        task.await.unwrap();
    }
    // Who was told so has spent no try.
    let spent = "SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM sign_in_lanes";
    assert_eq!(site.place.count(spent), 3 * i64::from(wrong));
}

async fn a_device_outside_the_recommended_set_is_told_once_and_goes_on(engine: Engine) {
    let site = BankSite::new(engine).await;
    let usual = site.browser().get("/").await.page();
    for (agent, outside) in [
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)", true),
        (
            "Mozilla/5.0 (iPod touch; CPU iPhone OS 15_0 like Mac OS X)",
            true,
        ),
        ("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1)", true),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)",
            false,
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", false),
    ] {
        let mut browser = site.browser();
        let headers = [("user-agent", agent)];
        let first = browser.send(Method::GET, "/", &headers, vec![]).await;
        assert_eq!(first.status, 200, "{agent}");
        assert_eq!(first.page() != usual, outside, "{agent}");
        let second = browser.send(Method::GET, "/", &headers, vec![]).await;
        assert_eq!(second.page(), usual, "{agent}");
    }
}
