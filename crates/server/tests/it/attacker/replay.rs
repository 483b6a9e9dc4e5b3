//! Whole requests that were captured, sent again: at once, from elsewhere, later, in another session (S3, B10, B15, M3).

use super::ground::{Ground, OWN_FORM, Person, form, told};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Client, Engine, Reply, customer_account};

both_engines!(
    a_captured_transfer_moves_its_yen_once_and_opens_nothing_after_the_logout,
    a_captured_login_gives_no_second_session_and_none_at_all_later,
    a_captured_code_is_worth_nothing_in_another_form,
);

const ID: &str = "12345678901";

/// A request as it went over the wire.
struct Captured {
    cookie: String,
    path: String,
    body: String,
}

impl Captured {
    fn of(person: &Person, path: &str, fields: &[(&str, &str)]) -> Self {
        Self {
            cookie: person.cookie(),
            path: path.to_owned(),
            body: form(&person.token, fields),
        }
    }

    /// Sends it to the byte as it was, through the bank's proxy, from this address.
    fn sent_from(&self, ground: &Ground, address: &str) -> Reply {
        let headers = [("X-Forwarded-For", address), ("Cookie", &self.cookie)];
        let headers = [&headers[..], &OWN_FORM].concat();
        Client::new(ground.bank)
            .request("POST", &self.path, &headers, self.body.as_bytes())
            .unwrap()
    }
}

async fn a_captured_transfer_moves_its_yen_once_and_opens_nothing_after_the_logout(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let confirm = victim.orders("/transfer", &ground.transfer(1, 10_000));
    victim.get(&confirm);
    let code = ground.site.code(&token).to_string();
    let captured = Captured::of(&victim, &confirm, &[("code", &code)]);
    let receipt = confirm.replace("/confirm/", "/result/");
    for address in [
        "203.0.113.5",
        "203.0.113.5",
        "198.51.100.66",
        "198.51.100.67",
    ] {
        assert_eq!(told(&captured.sent_from(&ground, address)), receipt);
        ground.site.service.clock.advance(40);
    }
    assert_eq!(ground.site.balance(customer_account(1)), 100_000 - 10_165);
    assert_eq!(victim.posts("/logout", &[]), "/?ended=out");
    let late = captured.sent_from(&ground, "198.51.100.66");
    assert_eq!(told(&late), "/");
    assert!(!late.text().contains(&receipt));
    assert_eq!(ground.site.balance(customer_account(1)), 100_000 - 10_165);
    // With the session of somebody else, the order is nobody's.
    ground.customer("12345678902", 2, 0).await;
    let mut other = ground.signed_in("12345678902", None, "198.51.100.66");
    other.get("/top");
    assert_eq!(other.posts(&confirm, &[("code", &code)]), "404");
    ground.close().await;
}

async fn a_captured_login_gives_no_second_session_and_none_at_all_later(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 0).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.person("203.0.113.5");
    let fields = [("id", ID), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &fields), "/login/code");
    let key = victim.key_at("/login/code");
    let code = ground.site.code(&token).to_string();
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    let captured = Captured::of(&victim, "/login/code", &fields);
    assert_eq!(told(&captured.sent_from(&ground, "203.0.113.5")), "/top");
    // A double click: the same session, not another one beside it.
    assert_eq!(told(&captured.sent_from(&ground, "203.0.113.5")), "/top");
    let full = "SELECT COUNT(*) FROM sessions WHERE stage = 'full'";
    assert_eq!(ground.site.place.count(full), 1);
    // Without the half session's cookie it is nothing.
    let bare = Captured {
        cookie: captured.cookie.replace("__Host-warifu=", "x="),
        path: captured.path.clone(),
        body: captured.body.clone(),
    };
    assert_eq!(told(&bare.sent_from(&ground, "198.51.100.66")), "/");
    // Another login ends that session: what the captured form leads to is over, and the code is spent.
    ground.site.next_code();
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let again = captured.sent_from(&ground, "198.51.100.66");
    let set = again
        .headers()
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let mut thief = ground.person("198.51.100.66");
    for (_, value) in set {
        let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
        thief.cookies.insert(name.into(), value.into());
    }
    let to = told(&thief.get("/top"));
    assert!(to.starts_with('/'), "{to}");
    assert_eq!(victim.get("/top").status, 200);
    // Nor is there anything ten minutes later.
    ground.site.service.clock.advance(601);
    assert_eq!(told(&captured.sent_from(&ground, "203.0.113.5")), "/");
    ground.close().await;
}

async fn a_captured_code_is_worth_nothing_in_another_form(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.person("203.0.113.5");
    let login = [("id", ID), ("password", PASSWORD)];
    assert_eq!(victim.posts("/login", &login), "/login/code");
    let key = victim.key_at("/login/code");
    // Somebody reads the code over the customer's shoulder, who has his password too, and is faster or slower.
    let code = ground.site.code(&token).to_string();
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    assert_eq!(victim.posts("/login/code", &fields), "/top");
    let mut thief = ground.person("198.51.100.66");
    assert_eq!(thief.posts("/login", &login), "/login/code");
    let key = thief.key_at("/login/code");
    let fields = [("key", key.as_str()), ("code", code.as_str())];
    assert_eq!(thief.posts("/login/code", &fields), "422");
    for (start, to) in [
        ("/stop-use", "/stop-use/confirm"),
        ("/token-change", "/token-change/old"),
    ] {
        assert_eq!(thief.posts(start, &login), to);
        let key = thief.key_at(to);
        let fields = [("key", key.as_str()), ("code", code.as_str())];
        assert_eq!(thief.posts(to, &fields), "422", "{to}");
    }
    let confirm = victim.orders("/transfer", &ground.transfer(1, 1_000));
    assert!(confirm.starts_with("/confirm/"), "{confirm}");
    assert_eq!(victim.posts(&confirm, &[("code", &code)]), "422");
    assert_eq!(ground.site.balance(customer_account(1)), 100_000);
    ground.close().await;
}
