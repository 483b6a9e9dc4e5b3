//! Addresses and identifiers of others, asked for with a good session of one's own. Every route and visitor is in the
//! tables of `bank/access.rs`; here one customer goes after all that is another's, with a good code in his hand.

use warifu::web::cookies;
use warifu::{bank_web, staff_web};
use warifu_bank::staff::Role;

use super::ground::{Ground, Person, hidden, told};
use crate::harness::{Engine, Token, customer_account};

both_engines!(
    a_good_code_of_ones_own_carries_out_nothing_of_anothers,
    no_spelling_of_an_address_shows_another_customers_account,
    the_staffs_pages_are_not_at_the_customers_door_and_no_session_fits_both,
);

/// What a customer has: an order that waits for its code, one that was carried out, its receipt, a dated transfer, a payee,
/// and another session where there is one.
struct Possessions {
    waiting: String,
    confirm: String,
    receipt: String,
    transfer: String,
    payee: String,
    session: Option<String>,
}

impl Possessions {
    fn of(customer: &mut Person, ground: &Ground, token: &Token) -> Self {
        let tomorrow = ground.site.bank().today().tomorrow().unwrap().to_string();
        let mut dated = ground.transfer(1, 2_000);
        dated.retain(|(name, _)| *name != "date");
        dated.extend([("date", tomorrow), ("remember", "yes".to_owned())]);
        let confirm = customer.orders("/transfer", &dated);
        let code = ground.site.code(token).to_string();
        let receipt = customer.posts(&confirm, &[("code", &code)]);
        assert!(receipt.starts_with("/result/"), "{receipt}");
        ground.site.next_code();
        let waiting = customer.orders("/transfer", &ground.transfer(1, 1_000));
        assert!(waiting.starts_with("/confirm/"), "{waiting}");
        Self {
            waiting,
            confirm,
            receipt,
            transfer: hidden(customer.get("/transfers").text(), "transfer").unwrap(),
            payee: hidden(customer.get("/payees").text(), "payee").unwrap(),
            session: hidden(customer.get("/profile/sessions").text(), "session"),
        }
    }
}

async fn a_good_code_of_ones_own_carries_out_nothing_of_anothers(engine: Engine) {
    let ground = Ground::new(engine).await;
    let first = ground.customer("12345678901", 1, 100_000).await;
    let second = ground.customer("12345678902", 2, 100_000).await;
    let victims = ground.site.registered(first).await;
    let own = ground.site.registered(second).await;
    let mut victim = ground.signed_in("12345678901", Some(&victims), "203.0.113.5");
    let Possessions {
        waiting,
        confirm,
        receipt,
        transfer,
        payee,
        session,
    } = Possessions::of(&mut victim, &ground, &victims);
    let mut thief = ground.signed_in("12345678902", Some(&own), "198.51.100.66");
    let code = ground.site.code(&own).to_string();
    // His orders, carried out, shown, or read as receipts.
    for path in [&waiting, &confirm, &receipt] {
        assert_eq!(told(&thief.get(path)), "404", "{path}");
        let told = thief.posts(path, &[("code", &code)]);
        assert!(["404", "405"].contains(&told.as_str()), "{path}: {told}");
    }
    for path in [
        "/registration/result/",
        "/stop-use/result/",
        "/loss/result/",
        "/token-change/result/",
    ] {
        let key = receipt.replace("/result/", path);
        assert_ne!(thief.get(&key).status, 200, "{key}");
    }
    // Money out of his account, by every form that names one.
    let account = |number| customer_account(number).to_stored().to_string();
    assert_eq!(thief.orders("/transfer", &ground.transfer(1, 1_000)), "422");
    for (from, to) in [(1, 2), (2, 1)] {
        let fields = [
            ("from", account(from)),
            ("to", account(to)),
            ("amount", "1".into()),
        ];
        assert_eq!(thief.orders("/internal-transfer", &fields), "422");
    }
    // His dated transfer, his payee, his session.
    let cancel = [("transfer", transfer)];
    assert_eq!(thief.orders("/transfers/cancel", &cancel), "422");
    let mut known = ground.transfer(2, 1_000);
    known.push(("payee", payee.clone()));
    assert_eq!(thief.orders("/transfer", &known), "422");
    thief.orders("/payees/remove", &[("payee", payee)]);
    if let Some(session) = session {
        thief.orders("/profile/sessions", &[("session", session)]);
    }
    assert!(victim.get("/payees").text().contains("ﾐﾎﾝｼﾖｳｼﾞ(ｶ"));
    let settled = "SELECT COUNT(*) FROM transfers WHERE settled_at IS NOT NULL";
    assert_eq!(ground.site.place.count(settled), 0);
    assert_eq!(ground.site.balance(customer_account(1)), 100_000);
    assert_eq!(ground.site.balance(customer_account(2)), 100_000);
    // His own code was spent on none of it.
    let confirm = thief.orders("/transfer", &ground.transfer(2, 1_000));
    assert!(
        thief
            .posts(&confirm, &[("code", &code)])
            .starts_with("/result/")
    );
    ground.close().await;
}

async fn no_spelling_of_an_address_shows_another_customers_account(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer("12345678901", 1, 777_777).await;
    ground.customer("12345678902", 2, 5_000).await;
    let mut thief = ground.signed_in("12345678902", None, "198.51.100.66");
    let account = |number| customer_account(number).to_stored().to_string();
    let (own, others) = (account(2), account(1));
    assert_eq!(thief.get(&format!("/accounts/{own}")).status, 200);
    let encoded: String = others.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for path in [
        format!("/accounts/{others}"),
        format!("/accounts/{others}/csv"),
        format!("/accounts/0{others}"),
        format!("/accounts/+{others}"),
        format!("/accounts/%20{others}"),
        format!("/accounts/{others}%00"),
        format!("/accounts/{others}.0"),
        format!("/accounts/{encoded}"),
        format!("/accounts/{own},{others}"),
        format!("/accounts/{own}%2c{others}/csv"),
        format!("/accounts/{own}/../{others}"),
        format!("/accounts/{own}%2f..%2f{others}"),
        format!("/accounts/{own}/csv?account={others}"),
        format!("/accounts/{own}?account={others}&text=%25"),
        format!("/accounts/{own}?text=%27%20OR%201%3D1%20--"),
        format!("/accounts/{own}?text=%5C%25&before=-1"),
        format!("/accounts/{own}?before=9223372036854775808"),
        format!("/accounts/{own}?from=-9999-01-01&to=9999-12-31"),
        format!("/accounts/{own}?from=0000-00-00"),
        "/accounts/1 OR 1=1".replace(' ', "%20"),
        "/accounts/-1".to_owned(),
        "/accounts/99999999999999999999".to_owned(),
        "/accounts/%EF%BC%91".to_owned(),
    ] {
        let reply = thief.get(&path);
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(reply.status < 500, "{path}: {}", reply.status);
        assert!(
            !text.contains("777,777") && !text.contains("777777"),
            "{path}"
        );
    }
    ground.close().await;
}

async fn the_staffs_pages_are_not_at_the_customers_door_and_no_session_fits_both(engine: Engine) {
    let ground = Ground::new(engine).await;
    ground.customer("12345678901", 1, 0).await;
    let customer = ground.signed_in("12345678901", None, "203.0.113.5");
    let member = ground.member(Role::Approver);
    let own: Vec<_> = bank_web::ROUTES.iter().map(|(path, _)| *path).collect();
    for (path, _) in staff_web::ROUTES {
        let address = path
            .replace("{contract}", "12345678901")
            .replace("{name}", "x");
        if own.contains(path) {
            continue;
        }
        for cookies in [&customer.cookies, &member.cookies] {
            let mut browser = ground.person("203.0.113.5");
            browser.cookies = cookies.clone();
            let reply = browser.get(&address);
            assert!(
                [404, 405].contains(&reply.status),
                "{path}: {}",
                reply.status
            );
        }
    }
    // Each session under the other's name, at the other's door.
    let mut browser = Person::at(ground.staff, "203.0.113.5");
    let session = customer.cookies[cookies::SESSION].clone();
    browser.cookies.insert(cookies::STAFF.into(), session);
    assert_eq!(told(&browser.get("/")), "/login");
    let mut browser = ground.person("203.0.113.5");
    let session = member.cookies[cookies::STAFF].clone();
    for name in [cookies::SESSION, cookies::WIZARD] {
        browser.cookies.insert(name.into(), session.clone());
    }
    assert_eq!(told(&browser.get("/top")), "/");
    assert_eq!(told(&browser.get("/loss/confirm")), "/loss");
    ground.close().await;
}
