//! Cookies that were planted in a victim's browser before he signs in: none of them is his session, wizard or form
//! afterwards (B15).

use warifu::web::{cookies, guard};

use super::ground::{Ground, OWN_FORM, form, told};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Engine, customer_account};

both_engines!(
    a_session_that_an_attacker_planted_is_his_own_and_never_the_victims,
    a_wizard_that_an_attacker_planted_registers_no_token_of_the_victims,
    a_form_cookie_that_is_known_does_not_let_another_site_send_forms,
    a_browser_cookie_that_was_planted_opens_nothing,
);

const VICTIM: &str = "12345678901";
const ATTACKER: &str = "12345678902";

async fn a_session_that_an_attacker_planted_is_his_own_and_never_the_victims(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(VICTIM, 1, 100_000).await;
    ground.customer(ATTACKER, 2, 5_000).await;
    let token = ground.site.registered(contract).await;
    let mut attacker = ground.signed_in(ATTACKER, None, "198.51.100.66");
    let planted = attacker.cookies[cookies::SESSION].clone();
    // In the victim's browser: the attacker's good session, then nothing that anybody knows.
    for planted in [planted.clone(), "ab".repeat(32)] {
        let mut victim = ground.person("203.0.113.5");
        victim
            .cookies
            .insert(cookies::SESSION.into(), planted.clone());
        let login = [("id", VICTIM), ("password", PASSWORD)];
        assert_eq!(victim.posts("/login", &login), "/login/code");
        let half = victim.cookies[cookies::SESSION].clone();
        let key = victim.key_at("/login/code");
        let code = ground.site.code(&token).to_string();
        let fields = [("key", key.as_str()), ("code", code.as_str())];
        assert_eq!(victim.posts("/login/code", &fields), "/top");
        ground.site.next_code();
        let full = victim.cookies[cookies::SESSION].clone();
        assert!(planted != half && half != full && planted != full);
        // Neither what was planted nor the half session is the victim's now.
        for known in [planted, half] {
            let mut thief = ground.person("198.51.100.66");
            thief.cookies.insert(cookies::SESSION.into(), known);
            let page = thief.get("/top");
            let text = String::from_utf8_lossy(&page.body).into_owned();
            assert!(!text.contains("100,000"), "{text}");
        }
    }
    // The attacker's own session is his own still.
    let page = attacker.get("/top");
    assert!(page.text().contains("5,000"));
    ground.close().await;
}

async fn a_wizard_that_an_attacker_planted_registers_no_token_of_the_victims(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(VICTIM, 1, 0).await;
    ground.customer(ATTACKER, 2, 0).await;
    let mut attacker = ground.person("198.51.100.66");
    let own = [("id", ATTACKER), ("password", PASSWORD)];
    assert_eq!(attacker.posts("/registration", &own), "/registration/token");
    let mut victim = ground.person("203.0.113.5");
    let planted = attacker.cookies[cookies::WIZARD].clone();
    victim
        .cookies
        .insert(cookies::WIZARD.into(), planted.clone());
    let login = [("id", VICTIM), ("password", PASSWORD)];
    assert_eq!(victim.posts("/registration", &login), "/registration/token");
    assert_ne!(victim.cookies[cookies::WIZARD], planted);
    let token = ground.site.service.token().await;
    let (id, code) = (token.id.to_string(), ground.site.code(&token).to_string());
    let key = victim.key_at("/registration/token");
    let fields = [("key", key.as_str()), ("token", &id), ("code", &code)];
    let done = victim.posts("/registration/token", &fields);
    assert!(done.starts_with("/registration/result/"), "{done}");
    ground.site.next_code();
    ground.signed_in(VICTIM, Some(&token), "203.0.113.5");
    // The attacker's wizard has nothing of it, and its key is not his.
    assert_eq!(told(&attacker.get(&done)), "404");
    assert_eq!(attacker.posts("/registration/token", &fields), "422");
    ground.signed_in(ATTACKER, None, "198.51.100.66");
    ground.close().await;
}

async fn a_form_cookie_that_is_known_does_not_let_another_site_send_forms(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(VICTIM, 1, 100_000).await;
    let mut victim = ground.person("203.0.113.5");
    // Planted, so that the attacker can make its token himself.
    let planted = "0123456789abcdef0123456789abcdef";
    victim.cookies.insert(cookies::FORM.into(), planted.into());
    let login = [("id", VICTIM), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/top");
    let body = form(&guard::form_token(planted), &[]);
    for site in ["cross-site", "same-site", "none", ""] {
        let headers = [OWN_FORM[0], ("Sec-Fetch-Site", site)];
        let reply = victim.send("POST", "/logout", &headers, body.as_bytes());
        assert_eq!(reply.status, 403, "{site}");
    }
    assert_eq!(victim.get("/top").status, 200);
    ground.close().await;
}

async fn a_browser_cookie_that_was_planted_opens_nothing(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer(VICTIM, 1, 100_000).await;
    // The victim signs in with a browser cookie that the attacker knows.
    let planted = "ab".repeat(32);
    let mut victim = ground.person("203.0.113.5");
    victim
        .cookies
        .insert(cookies::BROWSER.into(), planted.clone());
    let login = [("id", VICTIM), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/top");
    let mut attacker = ground.person("198.51.100.66");
    attacker.cookies.insert(cookies::BROWSER.into(), planted);
    assert_eq!(attacker.get("/top").header("location"), Some("/"));
    // It is a lane of five tries and no more.
    let wrong = [("id", VICTIM), ("password", "guessed")];
    let told: Vec<_> = (0..7).map(|_| attacker.posts("/login", &wrong)).collect();
    assert_eq!(told, ["422", "422", "422", "422", "422", "429", "429"]);
    assert_eq!(ground.site.balance(customer_account(1)), 100_000);
    ground.close().await;
}
