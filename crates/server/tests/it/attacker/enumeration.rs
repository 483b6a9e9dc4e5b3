//! Which IDs, names, keys and accounts exist is told by no answer: not by its status, its headers, its cookies, its size
//! or a byte of it (B17). What the clock tells is measured by `soak_what_is_refused_takes_the_same_time`.

use jiff::SignedDuration;
use warifu::bank_store::{contract, staff};
use warifu_bank::contract::Service;
use warifu_bank::operation::Order;
use warifu_bank::session::Stage;

use super::ground::{Ground, Person};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Engine, Reply, customer_account};

both_engines!(
    no_byte_of_an_answer_at_the_login_page_tells_which_id_exists,
    no_byte_of_an_answer_at_the_staffs_door_tells_which_name_exists,
    what_is_another_customers_answers_like_what_is_nobodys,
);

/// An answer as an attacker compares it: everything but what is new in each.
fn seen(reply: &Reply, typed: &str, token: &str) -> String {
    let own = reply.header("x-request-id").unwrap_or_default().to_owned();
    let headers: Vec<_> = reply
        .headers()
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let body = reply.text().replace(typed, "TYPED").replace(token, "TOKEN");
    let body = body.replace(&own, "NUMBER");
    format!("{} {headers:?} {body}", reply.status)
}

fn require_alike(answers: &[(String, String)], at: &str) {
    let (_, first) = &answers[0];
    for (who, answer) in answers {
        assert_eq!(answer, first, "{at}: {who}");
    }
}

async fn no_byte_of_an_answer_at_the_login_page_tells_which_id_exists(engine: Engine) {
    let ground = Ground::new(engine).await;
    let day = SignedDuration::from_hours(24);
    ground.customer("12345678901", 1, 0).await;
    let stopped = ground.customer("12345678902", 2, 0).await;
    ground.site.with_password("12345678903", 3, Some(day)).await;
    let with_token = ground.customer("12345678904", 4, 0).await;
    ground.site.registered(with_token).await;
    let set = ground.site.place.with(|connection| {
        connection.transaction(|tx| {
            contract::set_service(tx, stopped, Service::Open, Service::EmergencyStopped)
        })
    });
    assert!(set.unwrap());
    ground.site.service.clock.advance(24 * 60 * 60);
    let tries = [
        ("12345678909", PASSWORD, "nobody's"),
        ("12345678901", "no such password..", "a wrong password"),
        ("12345678904", "no such password..", "with a token"),
        ("12345678902", PASSWORD, "stopped"),
        ("12345678903", PASSWORD, "a first password that expired"),
        ("abcdefghijk", PASSWORD, "no ID"),
    ];
    let doors = ["/login", "/registration", "/stop-use", "/token-change"];
    for (address, path) in doors.into_iter().enumerate() {
        let mut answers = Vec::new();
        // One more than five, so that the wait is compared too.
        for number in 0..6 {
            for (id, password, who) in tries {
                let lane = format!("198.51.{address}.{}", id.as_bytes()[10]);
                let mut script = ground.person(&lane);
                script.get("/");
                let token = script.token.clone();
                let reply = script.post(path, &[("id", id), ("password", password)]);
                assert_eq!(reply.status, if number < 5 { 422 } else { 429 }, "{who}");
                answers.push((who.to_owned(), seen(&reply, id, &token)));
            }
            require_alike(&answers, path);
            answers.clear();
        }
        // The strangers' lane of each ID begins anew.
        ground.site.service.clock.advance(25 * 60 * 60);
    }
    ground.close().await;
}

async fn no_byte_of_an_answer_at_the_staffs_door_tells_which_name_exists(engine: Engine) {
    let ground = Ground::new(engine).await;
    let hash = ground
        .site
        .bank()
        .hash_password("a long staff password")
        .await;
    let (hash, now) = (hash.unwrap(), ground.site.now());
    let add = |tx: &mut warifu::database::Tx<'_>| {
        let new = staff::New {
            name: "teller",
            display_name: "見本 窓口",
            role: "teller",
            password: &hash,
            password_due: false,
            enrolment_until: now,
        };
        staff::insert(tx, &new, now)
    };
    let added = ground
        .site
        .place
        .with(|connection| connection.transaction(add));
    added.unwrap();
    for number in 0..6 {
        let mut answers = Vec::new();
        for name in ["teller", "nobody", "TELLER"] {
            let mut script =
                Person::at(ground.staff, &format!("198.51.100.{}", name.as_bytes()[0]));
            script.address = format!(
                "198.51.{}.1",
                name.bytes().map(u32::from).sum::<u32>() % 250
            );
            script.get("/login");
            let token = script.token.clone();
            let fields = [("name", name), ("password", "no such password")];
            let reply = script.post("/login", &fields);
            assert_eq!(reply.status, if number < 5 { 422 } else { 429 }, "{name}");
            answers.push((name.to_owned(), seen(&reply, name, &token)));
        }
        require_alike(&answers, "the staff's door");
    }
    ground.close().await;
}

async fn what_is_another_customers_answers_like_what_is_nobodys(engine: Engine) {
    let ground = Ground::new(engine).await;
    let first = ground.customer("12345678901", 1, 100_000).await;
    ground.customer("12345678902", 2, 100_000).await;
    ground.site.registered(first).await;
    let owner = ground.site.visitor(first, Stage::Full);
    let order = Order::LimitChange { to: 1_000 };
    let others = ground.site.show(&owner, &order).await.to_string();
    let nobodys = ground.site.bank().uid().to_string();
    let account = |number| customer_account(number).to_stored().to_string();
    let (known, unknown) = (account(1), account(9_999));
    let mut script = ground.signed_in("12345678902", None, "198.51.100.1");
    script.get("/top");
    let token = script.token.clone();
    for (path, other, nobody) in [
        ("/confirm/{}", &others, &nobodys),
        ("/result/{}", &others, &nobodys),
        ("/accounts/{}", &known, &unknown),
        ("/accounts/{}/csv", &known, &unknown),
    ] {
        let mut answers = Vec::new();
        for value in [other, nobody] {
            let reply = script.get(&path.replace("{}", value));
            assert_eq!(reply.status, 404, "{path}");
            answers.push((value.clone(), seen(&reply, value, &token)));
        }
        require_alike(&answers, path);
    }
    for (path, field, other, nobody) in [
        ("/payees/remove", "payee", &others, &nobodys),
        ("/transfers/cancel", "transfer", &others, &nobodys),
        ("/internal-transfer", "from", &known, &unknown),
        ("/transfer", "payee", &others, &nobodys),
        ("/transfer", "from", &known, &unknown),
    ] {
        let mut answers = Vec::new();
        for value in [other, nobody] {
            let mut fields = ground.transfer(2, 1_000);
            fields.retain(|(name, _)| *name != field);
            fields.push((field, value.clone()));
            if path == "/internal-transfer" {
                fields.push(("to", account(2)));
            }
            let fields: Vec<_> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let reply = script.post(path, &fields);
            answers.push((value.clone(), seen(&reply, value, &token)));
        }
        require_alike(&answers, path);
    }
    ground.close().await;
}
