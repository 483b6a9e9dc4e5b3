//! More requests than can be in work: a page in words at once, nothing consumed, and the staff still work.

use axum::http::{Method, StatusCode};
use warifu::bank::Visitor;
use warifu::http::Admission;
use warifu::web::cookies;
use warifu_bank::jst;
use warifu_bank::operation::Order;
use warifu_bank::session::Stage;

use super::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, customer_account};

both_engines!(
    one_request_too_many_reads_a_page_in_words_and_nothing_is_consumed,
    while_customers_are_turned_away_the_staff_work_and_pages_stay_readable,
);

async fn one_request_too_many_reads_a_page_in_words_and_nothing_is_consumed(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    let token = site.registered(contract).await;
    let secret = site.cookie(contract, Stage::Full);
    let visitor = Visitor {
        session: site.session(secret.key()),
        address: "192.0.2.1".into(),
    };
    let order = Order::Transfer(to_other_bank(1_000, 165, jst::day(site.now())));
    let key = site.show(&visitor, &order).await;
    let code = site.code(&token).to_string();

    let admission = Admission::new(1);
    let mut browser = site
        .browser_among(&admission)
        .with(cookies::SESSION, &secret);
    let place = admission.enter().unwrap();
    let path = format!("/confirm/{key}");
    let answer = browser.post(&path, &[("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "2");
    assert!(answer.body.contains("混み合って"), "{}", answer.body);
    assert!(!answer.header("content-security-policy").is_empty());
    assert!(!answer.body.contains(&code));
    assert_eq!(site.balance(customer_account(1)), 100_000);
    let english = [("accept-language", "en")];
    let answer = browser
        .send(Method::GET, "/top", &english, Vec::new())
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("Very busy"), "{}", answer.body);
    assert_eq!(admission.turned_away(), 2);

    drop(place);
    let answer = browser.post(&path, &[("code", &code)]).await;
    assert_eq!(answer.told(), format!("/result/{key}"));
    assert_eq!(site.balance(customer_account(1)), 100_000 - 1_165);
    assert_eq!(admission.inside(), 0);
}

async fn while_customers_are_turned_away_the_staff_work_and_pages_stay_readable(engine: Engine) {
    let site = BankSite::new(engine).await;
    let admission = Admission::new(1);
    let _place = admission.enter().unwrap();
    let mut browser = site.browser_among(&admission);
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    let (_, rest) = page.body.split_once("href=\"/assets/").unwrap();
    let (style, _) = rest.split_once('"').unwrap();
    let style = browser.get(&format!("/assets/{style}")).await;
    assert_eq!(style.status, StatusCode::OK);
    let mut staff = site.staff_browser_among(&admission);
    assert_eq!(staff.get("/login").await.status, StatusCode::OK);
}
