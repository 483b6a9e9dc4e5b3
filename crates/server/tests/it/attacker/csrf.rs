//! Another site that makes a victim's browser send forms and look at pages, with all the cookies it has (SameSite set
//! aside): nothing is changed by it.

use warifu::bank_web;
use warifu_bank::jst;

use super::ground::{Ground, OWN_FORM, form, hidden};
use crate::harness::{Engine, customer_account};

both_engines!(
    a_form_of_another_site_moves_nothing_even_with_a_good_token_in_it,
    looking_at_every_page_changes_nothing,
);

const ID: &str = "12345678901";

/// What a customer owns or is told.
const OWNED: [&str; 10] = [
    "SELECT COUNT(*) FROM sessions WHERE ending IS NULL",
    "SELECT COUNT(*) FROM contract_events",
    "SELECT COUNT(*) FROM entries",
    "SELECT COUNT(*) FROM transfers",
    "SELECT COUNT(*) FROM payees",
    "SELECT COUNT(*) FROM limit_changes",
    "SELECT COUNT(*) FROM mail_outbox",
    "SELECT COUNT(*) FROM approvals",
    "SELECT COUNT(*) FROM known_browsers",
    "SELECT COUNT(*) FROM operations WHERE settled_at IS NOT NULL",
];

/// All of it, counted.
fn state(ground: &Ground) -> Vec<i64> {
    let counted = ground.site.place.with(|connection| {
        connection.read(|tx| {
            let mut counted = Vec::new();
            for sql in OWNED {
                counted.extend(tx.query_one(sql, &[], |row| row.int(0))?);
            }
            Ok(counted)
        })
    });
    let counted = counted.unwrap();
    assert_eq!(counted.len(), OWNED.len());
    counted
}

async fn a_form_of_another_site_moves_nothing_even_with_a_good_token_in_it(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let confirm = victim.orders("/transfer", &ground.transfer(1, 1_000));
    victim.get(&confirm);
    let code = ground.site.code(&token).to_string();
    let body = form(&victim.token, &[("code", &code)]);
    let before = state(&ground);
    let own = format!("http://{}", ground.bank);
    let own = own.as_str();
    let kind = OWN_FORM[0];
    let text = ("Content-Type", "text/plain");
    let json = ("Content-Type", "application/json");
    let parts = ("Content-Type", "multipart/form-data; boundary=x");
    let attempts: [&[(&str, &str)]; 13] = [
        &[kind, ("Sec-Fetch-Site", "cross-site")],
        &[kind, ("Sec-Fetch-Site", "same-site")],
        &[kind, ("Sec-Fetch-Site", "none")],
        &[kind, ("Sec-Fetch-Site", "Same-Origin")],
        &[kind, ("Sec-Fetch-Site", "same-origin, same-origin")],
        &[kind, ("Sec-Fetch-Site", "cross-site"), ("Origin", own)],
        &[kind, ("Origin", "null")],
        &[kind, ("Origin", "https://evil.example")],
        &[kind, ("Origin", "http://127.0.0.1.evil.example")],
        &[kind, ("Referer", own)],
        &[kind],
        &[text, ("Sec-Fetch-Site", "cross-site")],
        &[json, ("Sec-Fetch-Site", "cross-site")],
    ];
    for headers in attempts {
        let reply = victim.send("POST", &confirm, headers, body.as_bytes());
        assert_eq!(reply.status, 403, "{headers:?}");
    }
    // Of its own page, but as no form of ours is: script there could send it, if there were any.
    for kind in [text, json, parts] {
        let headers = [kind, OWN_FORM[1]];
        let reply = victim.send("POST", &confirm, &headers, body.as_bytes());
        assert_eq!(reply.status, 400, "{kind:?}");
    }
    // Without its token, or with that of another browser.
    for token in ["", "0", &"0".repeat(32)] {
        let body = form(token, &[("code", &code)]);
        let reply = victim.send("POST", &confirm, &OWN_FORM, body.as_bytes());
        assert_eq!(reply.status, 403, "{token}");
    }
    assert_eq!(state(&ground), before);
    let reply = victim.send("POST", &confirm, &OWN_FORM, body.as_bytes());
    assert_eq!(reply.status, 303, "the customer's own goes through");
    ground.close().await;
}

async fn looking_at_every_page_changes_nothing(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let confirm = victim.orders("/transfer", &ground.transfer(1, 1_000));
    let key = confirm.rsplit('/').next().unwrap().to_owned();
    let page = victim.get(&confirm);
    assert!(hidden(page.text(), "form").is_some());
    let before = state(&ground);
    let account = customer_account(1).to_stored().to_string();
    let code = ground.site.code(&token).to_string();
    let today = jst::day(ground.site.now());
    for (path, _) in bank_web::ROUTES {
        let path = path
            .replace("{account}", &account)
            .replace("{key}", &key)
            .replace("{begun}", &key)
            .replace("{language}", "en")
            .replace("{name}", "nothing.css");
        // With everything in its query that its form would have.
        let query = format!(
            "?form={}&code={code}&key={key}&to=1&asks=no&amount=1&from={account}&session=1&back=/top&date={today}",
            victim.token
        );
        for method in ["GET", "HEAD"] {
            let headers = [
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "document"),
            ];
            let mut browser = ground.person("203.0.113.5");
            browser.cookies = victim.cookies.clone();
            let address = format!("{path}{query}");
            let status = if method == "HEAD" {
                browser.look_at_head(&address)
            } else {
                browser.send(method, &address, &headers, b"").status
            };
            assert!(status < 500, "{method} {path}: {status}");
            assert_eq!(state(&ground), before, "{method} {path}");
        }
    }
    ground.close().await;
}
