//! Pairs of ID and password that leaked elsewhere, tried by the hundred: what is gained, and how long owners are held up
//! (B17, B18).

use std::collections::BTreeMap;

use warifu::bank_store::contract;
use warifu_bank::contract::Service;

use super::ground::{Ground, Person};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Engine, Token, customer_account};

both_engines!(
    of_five_hundred_leaked_pairs_the_right_ones_move_no_yen_and_hold_no_owner_up,
    a_stolen_password_without_a_token_moves_the_capped_amount_at_most_and_its_owner_is_told,
    one_address_tries_sixty_ids_and_waits,
    an_id_that_is_tried_from_everywhere_costs_its_owner_ten_minutes_at_most,
);

/// How many addresses the attacker has.
const ADDRESSES: usize = 20;
const PAIRS: usize = 500;

fn id_of(number: usize) -> String {
    format!("123456{number:05}")
}

/// The first ten of the leaked IDs exist: one whose login asks for a code, which its token gives; one whose does not; one
/// without a token; one that is stopped; and six whose passwords did not leak.
async fn owners(ground: &Ground) -> Token {
    let site = &ground.site;
    let mut made = Vec::new();
    for number in 0..10 {
        let account = u32::try_from(number + 1).unwrap();
        made.push(ground.customer(&id_of(number), account, 1_000_000).await);
    }
    let token = site.registered(made[0]).await;
    site.registered(made[1]).await;
    let set = site.place.with(|connection| {
        connection.transaction(|tx| {
            contract::set_login_asks_code(tx, made[1], false)?;
            let (from, to) = (Service::Open, Service::EmergencyStopped);
            contract::set_service(tx, made[3], from, to)
        })
    });
    assert!(set.unwrap());
    token
}

/// The passwords of the first four leaked; everybody else has another one.
fn leaked(number: usize) -> String {
    match number {
        0..4 => PASSWORD.to_owned(),
        _ => format!("leaked password {number}"),
    }
}

/// The attacker tries every pair, four addresses at a time; who got in where, with which browser.
fn stuff(ground: &Ground) -> BTreeMap<usize, (String, Person)> {
    let mut found = BTreeMap::new();
    for round in 0..ADDRESSES / 4 {
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..4)
                .map(|lane| {
                    let address = round * 4 + lane;
                    scope.spawn(move || {
                        let address_text = format!("198.51.100.{address}");
                        let mut got = Vec::new();
                        for number in (address..PAIRS).step_by(ADDRESSES) {
                            // Another browser each time, as scripts do.
                            let mut script = ground.person(&address_text);
                            let (id, password) = (id_of(number), leaked(number));
                            let fields = [("id", id.as_str()), ("password", password.as_str())];
                            let told = script.posts("/login", &fields);
                            got.push((number, (told, script)));
                        }
                        got
                    })
                })
                .collect();
            for lane in lanes {
                found.extend(lane.join().unwrap());
            }
        });
    }
    found
}

async fn of_five_hundred_leaked_pairs_the_right_ones_move_no_yen_and_hold_no_owner_up(
    engine: Engine,
) {
    let ground = Ground::new(engine).await;
    let token = owners(&ground).await;
    // The owners have been here before, each at home.
    let mut homes = Vec::new();
    for number in 4..7 {
        homes.push(ground.signed_in(&id_of(number), None, "203.0.113.5"));
    }
    let mut found = stuff(&ground);
    assert_eq!(found.len(), PAIRS);
    let mut told = BTreeMap::new();
    for (number, (to, _)) in &found {
        told.entry(to.as_str())
            .or_insert_with(Vec::new)
            .push(*number);
    }
    // The stopped contract's right password looks wrong as well.
    assert_eq!(told["/login/code"], [0]);
    assert_eq!(told["/top"], [1, 2]);
    assert_eq!(told["422"].len(), PAIRS - 3);
    // What is gained: where login asks for a code, not even a balance.
    let (_, half) = found.get_mut(&0).unwrap();
    for path in ["/top", "/profile", "/transfer", "/accounts/1010000000001"] {
        assert_eq!(half.get(path).header("location"), Some("/"), "{path}");
    }
    let key = half.key_at("/login/code");
    for code in ["000000", "", "12345", "１２３４５６"] {
        let fields = [("key", key.as_str()), ("code", code)];
        assert_eq!(half.posts("/login/code", &fields), "422");
    }
    // Where it does not, balances, but no transfer without a code, and none at all without a token.
    let (_, inside) = found.get_mut(&1).unwrap();
    assert_eq!(inside.get("/top").status, 200);
    let confirm = inside.orders("/transfer", &ground.transfer(2, 1_000));
    assert!(confirm.starts_with("/confirm/"), "{confirm}");
    assert_eq!(inside.posts(&confirm, &[("code", "")]), "422");
    let (_, inside) = found.get_mut(&2).unwrap();
    assert_eq!(
        inside.orders("/transfer", &ground.transfer(3, 1_000)),
        "422"
    );
    for number in 1..=10 {
        assert_eq!(ground.site.balance(customer_account(number)), 1_000_000);
    }
    // Nobody is held up: neither at home nor in a browser and at an address that are new.
    for (number, home) in (4..7).zip(&mut homes) {
        let id = id_of(number);
        let fields = [("id", id.as_str()), ("password", PASSWORD)];
        assert_eq!(home.posts("/login", &fields), "/top");
        let mut away = ground.person("203.0.113.77");
        assert_eq!(away.posts("/login", &fields), "/top");
    }
    ground.site.next_code();
    ground.signed_in(&id_of(0), Some(&token), "203.0.113.6");
    ground.close().await;
}

async fn a_stolen_password_without_a_token_moves_the_capped_amount_at_most_and_its_owner_is_told(
    engine: Engine,
) {
    let ground = Ground::new(engine).await;
    ground.customer(&id_of(2), 3, 1_000_000).await;
    let stranger_token = ground.site.service.token().await;
    let mut thief = ground.person("198.51.100.1");
    let id = id_of(2);
    let fields = [("id", id.as_str()), ("password", PASSWORD)];
    assert_eq!(thief.posts("/registration", &fields), "/registration/token");
    let key = thief.key_at("/registration/token");
    let (code, token) = (
        ground.site.code(&stranger_token),
        stranger_token.id.to_string(),
    );
    let code = code.to_string();
    let fields = [("key", key.as_str()), ("token", &token), ("code", &code)];
    let done = thief.posts("/registration/token", &fields);
    assert!(done.starts_with("/registration/result/"), "{done}");
    ground.site.next_code();
    // The owner is told at once, before a yen moves.
    let mails = "SELECT COUNT(*) FROM mail_outbox";
    assert_eq!(ground.site.place.count(mails), 1);
    let mut thief = ground.signed_in(&id, Some(&stranger_token), "198.51.100.1");
    let mut moved = 0;
    for amount in [500_000, 100_001, 99_000, 100_000, 1_000, 1] {
        let confirm = thief.orders("/transfer", &ground.transfer(3, amount));
        if confirm == "422" {
            continue;
        }
        let code = ground.site.code(&stranger_token).to_string();
        let done = thief.posts(&confirm, &[("code", &code)]);
        if done.starts_with("/result/") {
            moved += amount;
        }
        ground.site.next_code();
    }
    assert_eq!(moved, 100_000);
    // A higher limit and another mail address do not get around it on this day.
    assert!(
        thief
            .orders("/limit", &[("to", "5000000".into())])
            .starts_with("/confirm/")
    );
    assert_eq!(thief.orders("/transfer", &ground.transfer(3, 1)), "422");
    assert!(ground.site.balance(customer_account(3)) >= 1_000_000 - 100_000 - 3 * 330);
    // The owner stops it with ID and password alone (B7).
    let mut owner = ground.person("203.0.113.5");
    let fields = [("id", id.as_str()), ("password", PASSWORD)];
    assert_eq!(owner.posts("/loss", &fields), "/loss/confirm");
    ground.close().await;
}

async fn one_address_tries_sixty_ids_and_waits(engine: Engine) {
    let ground = Ground::new(engine).await;
    let mut statuses = Vec::new();
    let mut waits = Vec::new();
    for number in 0..66 {
        let mut script = ground.person("2001:db8:1:2::1");
        // Another address of the same network each time.
        script.address = format!("2001:db8:1:2::{number:x}");
        let id = id_of(number);
        let fields = [("id", id.as_str()), ("password", "leaked")];
        let reply = script.post("/login", &fields);
        statuses.push(reply.status);
        waits.extend(reply.header("retry-after").map(str::to_owned));
    }
    assert!(statuses[..60].iter().all(|status| *status == 422));
    assert!(statuses[60..].iter().all(|status| *status == 429));
    assert!(waits.iter().all(|wait| wait == "30"), "{waits:?}");
    // The neighbour network is another customer.
    let mut neighbour = ground.person("2001:db8:1:3::1");
    let fields = [("id", "12345600000"), ("password", "leaked")];
    assert_eq!(neighbour.posts("/login", &fields), "422");
    ground.close().await;
}

async fn an_id_that_is_tried_from_everywhere_costs_its_owner_ten_minutes_at_most(engine: Engine) {
    let ground = Ground::new(engine).await;
    let id = id_of(1);
    ground.customer(&id, 1, 0).await;
    let right = [("id", id.as_str()), ("password", PASSWORD)];
    let mut home = ground.signed_in(&id, None, "203.0.113.5");
    let mut looked_at = 0;
    for number in 0..60 {
        let mut script = ground.person(&format!("198.51.{number}.1"));
        let wrong = [("id", id.as_str()), ("password", "guessed")];
        looked_at += usize::from(script.posts("/login", &wrong) == "422");
    }
    assert_eq!(looked_at, 20);
    assert_eq!(home.posts("/login", &right), "/top");
    let mut away = ground.person("203.0.113.77");
    let reply = away.post("/login", &right);
    assert_eq!(reply.status, 429);
    let wait: i64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    ground.site.service.clock.advance(600);
    assert_eq!(away.posts("/login", &right), "/top");
    ground.close().await;
}
