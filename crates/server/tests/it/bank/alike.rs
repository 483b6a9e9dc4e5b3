//! B17: an ID that nobody has, a wrong password and a stopped contract answer alike, and take the same time.

use warifu::ambient::stopwatch;
use warifu::bank::{Caller, SignIn};
use warifu::bank_store::contract;
use warifu_bank::contract::Service;

use crate::harness::{BankSite, Engine};

both_engines!(
    an_unknown_id_a_wrong_password_and_a_stopped_contract_have_one_answer,
    the_sixth_wrong_password_waits_whether_the_id_exists_or_not,
    thirty_two_wrong_passwords_at_once_are_looked_at_five_times,
    the_owners_usual_address_is_not_held_up_by_strangers,
    asking_again_while_strangers_keep_an_id_closed_closes_nothing_else,
);

mod at_length {
    use super::soak_what_is_refused_takes_the_same_time;

    both_engines_at_length!(soak_what_is_refused_takes_the_same_time);
}

const PASSWORD: &str = "a password of its owner";

/// `12345678901` is open, `12345678902` stopped, and `12345678903` nobody's.
async fn site(engine: Engine) -> BankSite {
    let site = BankSite::new(engine).await;
    let hash = site.bank().hash_password(PASSWORD).await.unwrap();
    let open = site.contract("12345678901", 1, 0);
    let stopped = site.contract("12345678902", 2, 0);
    let now = site.now();
    site.place
        .with(|connection| {
            connection.transaction(|tx| {
                for id in [open, stopped] {
                    contract::set_password(tx, id, &hash, 23, None, now)?;
                }
                let (from, to) = (Service::Open, Service::EmergencyStopped);
                assert!(contract::set_service(tx, stopped, from, to)?);
                Ok(())
            })
        })
        .unwrap();
    site
}

fn caller(address: &str) -> Caller {
    Caller {
        address: address.into(),
        agent: "test".into(),
    }
}

async fn tried(site: &BankSite, id: &str, password: &str, address: &str) -> SignIn {
    site.bank()
        .sign_in(id, password, None, &caller(address))
        .await
        .unwrap()
}

/// What is refused: ID and password.
const REFUSED: [(&str, &str); 3] = [
    ("12345678903", PASSWORD),
    ("12345678901", "a password of a stranger"),
    ("12345678902", PASSWORD),
];

async fn an_unknown_id_a_wrong_password_and_a_stopped_contract_have_one_answer(engine: Engine) {
    let site = site(engine).await;
    for (id, password) in REFUSED.into_iter().chain([("no id at all", PASSWORD)]) {
        let answer = tried(&site, id, password, "192.0.2.1").await;
        assert!(matches!(answer, SignIn::Wrong), "{id}: {answer:?}");
    }
    let answer = tried(&site, "12345678901", PASSWORD, "192.0.2.1").await;
    assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
}

async fn the_sixth_wrong_password_waits_whether_the_id_exists_or_not(engine: Engine) {
    let site = site(engine).await;
    for (id, password) in REFUSED {
        for _ in 0..5 {
            assert!(matches!(
                tried(&site, id, password, "192.0.2.1").await,
                SignIn::Wrong
            ));
        }
        let answer = tried(&site, id, password, "192.0.2.1").await;
        assert!(matches!(answer, SignIn::Wait(30)), "{id}: {answer:?}");
    }
    site.service.clock.advance(30);
    let answer = tried(&site, "12345678901", PASSWORD, "192.0.2.1").await;
    assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
    // A right password clears the way.
    let answer = tried(&site, "12345678901", "wrong", "192.0.2.1").await;
    assert!(matches!(answer, SignIn::Wrong));
}

async fn thirty_two_wrong_passwords_at_once_are_looked_at_five_times(engine: Engine) {
    let site = site(engine).await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let bank = site.bank();
            tokio::spawn(async move {
                bank.sign_in("12345678901", "wrong", None, &caller("192.0.2.1"))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut looked_at = 0;
    for task in tasks {
        looked_at += usize::from(matches!(task.await.unwrap(), SignIn::Wrong));
    }
    assert_eq!(looked_at, 5);
}

async fn the_owners_usual_address_is_not_held_up_by_strangers(engine: Engine) {
    let site = site(engine).await;
    let answer = tried(&site, "12345678901", PASSWORD, "192.0.2.1").await;
    assert!(matches!(answer, SignIn::Begun(..)));
    for stranger in 0..30 {
        tried(
            &site,
            "12345678901",
            "wrong",
            &format!("198.51.100.{stranger}"),
        )
        .await;
    }
    let answer = tried(&site, "12345678901", PASSWORD, "203.0.113.9").await;
    assert!(
        matches!(answer, SignIn::Wait(_)),
        "a stranger's address: {answer:?}"
    );
    let answer = tried(&site, "12345678901", PASSWORD, "192.0.2.1").await;
    assert!(
        matches!(answer, SignIn::Begun(..)),
        "the owner's: {answer:?}"
    );
    site.service.clock.advance(600);
    let answer = tried(&site, "12345678901", PASSWORD, "203.0.113.9").await;
    assert!(
        matches!(answer, SignIn::Begun(..)),
        "ten minutes later: {answer:?}"
    );
}

async fn soak_what_is_refused_takes_the_same_time(engine: Engine) {
    let site = site(engine).await;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..500 {
        for (kind, (id, password)) in REFUSED.into_iter().enumerate() {
            // Each begins with clear lanes.
            site.service.clock.advance(25 * 3600);
            let begun = stopwatch();
            let answer = tried(&site, id, password, "192.0.2.1").await;
            times[kind].push(begun.elapsed().as_micros());
            assert!(matches!(answer, SignIn::Wrong));
        }
    }
    let medians = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    println!("medians of 500 tries, µs: {medians:?}");
    assert!((most - least) * 20 <= *least, "{medians:?}");
}

async fn asking_again_while_strangers_keep_an_id_closed_closes_nothing_else(engine: Engine) {
    let site = site(engine).await;
    for stranger in 0..20 {
        let address = format!("198.51.100.{stranger}");
        let answer = tried(&site, "12345678901", "wrong", &address).await;
        assert!(matches!(answer, SignIn::Wrong));
    }
    site.service.clock.advance(20);
    for _ in 0..6 {
        let answer = tried(&site, "12345678901", PASSWORD, "203.0.113.9").await;
        assert!(matches!(answer, SignIn::Wait(10)), "{answer:?}");
    }
    site.service.clock.advance(10);
    let answer = tried(&site, "12345678901", PASSWORD, "203.0.113.9").await;
    assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
}
