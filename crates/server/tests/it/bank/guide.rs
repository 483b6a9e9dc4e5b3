//! T4, T7: the bank's page about the token.

use warifu::bank::BankSettings;
use warifu::web::cookies;

use crate::harness::{BankSite, Engine};

both_engines!(
    the_banks_guide_has_a_qr_code_where_a_phone_can_reach_the_token,
    who_opens_the_token_from_the_banks_page_is_led_there_and_nowhere_else,
);

async fn site(engine: Engine, token_address: Option<&str>) -> BankSite {
    let settings = BankSettings {
        token_address: token_address.map(Into::into),
        ..BankSettings::default()
    };
    BankSite::with(engine, settings).await
}

async fn the_banks_guide_has_a_qr_code_where_a_phone_can_reach_the_token(engine: Engine) {
    for (address, drawn) in [
        (Some("https://token.example/token/"), true),
        (Some("http://127.0.0.1:8081/token/"), false),
        (None, false),
    ] {
        let site = site(engine, address).await;
        let page = site.browser().get("/guide").await.page();
        assert_eq!(page.contains("<svg class=\"qr\""), drawn, "{address:?}");
        match address {
            Some(address) => assert!(page.contains(address)),
            None => assert!(!page.contains("/guide/token"), "nothing to open"),
        }
    }
}

async fn who_opens_the_token_from_the_banks_page_is_led_there_and_nowhere_else(engine: Engine) {
    let address = "https://token.example/token/";
    let site = site(engine, Some(address)).await;
    let mut browser = site.browser();
    let answer = browser
        .get("/guide/token?to=https://elsewhere.example/")
        .await;
    assert_eq!(answer.told(), address);
    // The bank's own browser says so to the bank; nothing goes to the token service but a request for its page.
    assert_eq!(browser.cookies[cookies::TOKEN_HERE], "yes");
    assert_eq!(browser.post("/guide/elsewhere", &[]).await.told(), "/guide");
    let left = browser.cookies.get(cookies::TOKEN_HERE);
    assert!(left.is_none_or(String::is_empty), "{left:?}");
}
