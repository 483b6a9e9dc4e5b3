//! B17: an ID that nobody has, a wrong password and a stopped contract answer alike, and take the same time.

use warifu::ambient::stopwatch;
use warifu::bank::{Caller, SignIn};
use warifu::bank_store::contract;
use warifu_bank::contract::Service;
use warifu_bank::session::BrowserSecret;
use zeroize::Zeroizing;

use crate::harness::{BankSite, Engine};

both_engines!(
    an_unknown_id_a_wrong_password_and_a_stopped_contract_have_one_answer,
    the_sixth_wrong_password_waits_whether_the_id_exists_or_not,
    thirty_two_wrong_passwords_at_once_are_looked_at_five_times,
    the_owners_usual_address_is_not_held_up_by_strangers,
    asking_again_while_strangers_keep_an_id_closed_closes_nothing_else,
    a_browser_in_which_the_customer_signed_in_is_held_up_by_nobody_else,
    a_known_browser_has_five_tries_of_its_own,
    a_browser_is_known_for_the_contract_that_signed_in_there_and_for_a_year,
    of_many_browsers_the_last_twenty_are_known,
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
    caller_with(address, 0)
}

/// Somebody with the browser of this number.
fn caller_with(address: &str, browser: u8) -> Caller {
    Caller {
        address: address.into(),
        agent: "test".into(),
        browser: BrowserSecret::from_random(Zeroizing::new([browser; 32])).key(),
    }
}

async fn tried(site: &BankSite, id: &str, password: &str, address: &str) -> SignIn {
    tried_with(site, id, password, &caller(address)).await
}

async fn tried_with(site: &BankSite, id: &str, password: &str, caller: &Caller) -> SignIn {
    site.bank()
        .sign_in(id, password, None, caller)
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
    let owner = caller_with("192.0.2.1", 7);
    let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
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

/// Strangers at every lane that they reach: their own addresses', and the owner's.
async fn crowd(site: &BankSite, owners_address: &str) {
    for stranger in 0..30 {
        let address = format!("198.51.100.{stranger}");
        tried(site, "12345678901", "wrong", &address).await;
        tried(site, "12345678901", "wrong", owners_address).await;
    }
    // The rest of what one address may try over all IDs.
    for id in 20..80 {
        tried(site, &format!("123456780{id}"), "wrong", owners_address).await;
    }
}

async fn a_browser_in_which_the_customer_signed_in_is_held_up_by_nobody_else(engine: Engine) {
    let site = site(engine).await;
    let owner = caller_with("192.0.2.1", 7);
    let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
    assert!(matches!(answer, SignIn::Begun(..)));
    for address in ["192.0.2.1", "203.0.113.9"] {
        crowd(&site, address).await;
        let stranger = tried(&site, "12345678901", PASSWORD, address).await;
        assert!(matches!(stranger, SignIn::Wait(_)), "{stranger:?}");
        let owner = caller_with(address, 7);
        let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
        assert!(matches!(answer, SignIn::Begun(..)), "{address}: {answer:?}");
    }
}

async fn a_known_browser_has_five_tries_of_its_own(engine: Engine) {
    let site = site(engine).await;
    let owner = caller_with("192.0.2.1", 7);
    let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
    assert!(matches!(answer, SignIn::Begun(..)));
    for number in 0..5 {
        let moved = caller_with(&format!("203.0.113.{number}"), 7);
        let answer = tried_with(&site, "12345678901", "wrong", &moved).await;
        assert!(matches!(answer, SignIn::Wrong), "{answer:?}");
    }
    let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
    assert!(matches!(answer, SignIn::Wait(30)), "{answer:?}");
    site.service.clock.advance(30);
    let answer = tried_with(&site, "12345678901", PASSWORD, &owner).await;
    assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
}

async fn a_browser_is_known_for_the_contract_that_signed_in_there_and_for_a_year(engine: Engine) {
    let site = site(engine).await;
    let owner = caller_with("192.0.2.1", 7);
    // A wrong password makes nobody known.
    tried_with(&site, "12345678901", "wrong", &owner).await;
    assert_eq!(site.place.count(KNOWN), 0);
    tried_with(&site, "12345678901", PASSWORD, &owner).await;
    assert_eq!(site.place.count(KNOWN), 1);
    // The lanes of another contract are those of a stranger: the address's and the pair's among them.
    let lanes = "SELECT COUNT(*) FROM sign_in_lanes";
    let before = site.place.count(lanes);
    tried_with(&site, "12345678902", "wrong", &owner).await;
    assert_eq!(
        site.place.count(lanes) - before,
        2,
        "the pair and the strangers"
    );
    let moved = caller_with("203.0.113.9", 7);
    site.service.clock.advance(365 * 24 * 3600);
    crowd(&site, "198.51.100.200").await;
    let answer = tried_with(&site, "12345678901", PASSWORD, &moved).await;
    assert!(matches!(answer, SignIn::Wait(_)), "{answer:?}");
    site.bank().tidy_up().await.unwrap();
    assert_eq!(site.place.count(KNOWN), 0);
}

const KNOWN: &str = "SELECT COUNT(*) FROM known_browsers";

async fn of_many_browsers_the_last_twenty_are_known(engine: Engine) {
    let site = site(engine).await;
    for browser in 1..=22 {
        let caller = caller_with("192.0.2.1", browser);
        let answer = tried_with(&site, "12345678901", PASSWORD, &caller).await;
        assert!(matches!(answer, SignIn::Begun(..)), "{answer:?}");
        site.service.clock.advance(1);
    }
    assert_eq!(site.place.count(KNOWN), 20);
    crowd(&site, "192.0.2.1").await;
    for (browser, known) in [(2, false), (3, true)] {
        let caller = caller_with("203.0.113.9", browser);
        let answer = tried_with(&site, "12345678901", PASSWORD, &caller).await;
        assert_eq!(matches!(answer, SignIn::Begun(..)), known, "{browser}");
    }
}
