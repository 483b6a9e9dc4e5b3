//! Many at the same instant, over sockets: one code at eight orders, one order by sixteen clicks (S3, M2, M3).

use super::ground::{Ground, OWN_FORM, form, told};
use crate::bank::sign_in::PASSWORD;
use crate::harness::{Client, Engine, customer_account};

both_engines!(
    one_code_at_eight_orders_at_once_carries_out_one,
    one_code_in_eight_browsers_at_once_opens_one_session,
    sixteen_clicks_at_once_are_one_transfer,
);

const ID: &str = "12345678901";

/// Sends these forms at once through the proxy; where each led.
fn at_once(ground: &Ground, forms: &[(String, String, String)]) -> Vec<String> {
    let start = std::sync::Barrier::new(forms.len());
    std::thread::scope(|scope| {
        let sent: Vec<_> = forms
            .iter()
            .map(|(path, cookie, body)| {
                let start = &start;
                scope.spawn(move || {
                    let headers = [("X-Forwarded-For", "203.0.113.5"), ("Cookie", cookie)];
                    let headers = [&headers[..], &OWN_FORM].concat();
                    let mut client = Client::new(ground.bank);
                    client.get("/assets/nothing");
                    start.wait();
                    let reply = client.request("POST", path, &headers, body.as_bytes());
                    told(&reply.unwrap())
                })
            })
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    })
}

async fn one_code_at_eight_orders_at_once_carries_out_one(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let mut orders = Vec::new();
    for number in 0..8 {
        orders.push(victim.orders("/transfer", &ground.transfer(1, 1_000 + number)));
    }
    victim.get("/top");
    let code = ground.site.code(&token).to_string();
    let body = form(&victim.token, &[("code", &code)]);
    let forms: Vec<_> = orders
        .into_iter()
        .map(|path| (path, victim.cookie(), body.clone()))
        .collect();
    let told = at_once(&ground, &forms);
    let done = told.iter().filter(|to| to.starts_with("/result/")).count();
    let refused = told.iter().filter(|to| *to == "422").count();
    assert_eq!((done, refused), (1, 7), "{told:?}");
    let sent = "SELECT COUNT(*) FROM transfers";
    assert_eq!(ground.site.place.count(sent), 1);
    ground.close().await;
}

async fn one_code_in_eight_browsers_at_once_opens_one_session(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 0).await;
    let token = ground.site.registered(contract).await;
    let code = ground.site.code(&token).to_string();
    let mut forms = Vec::new();
    for number in 0..8 {
        let mut browser = ground.person(&format!("203.0.113.{number}"));
        let login = [("id", ID), ("password", PASSWORD)];
        assert_eq!(browser.posts("/login", &login), "/login/code");
        let key = browser.key_at("/login/code");
        let body = form(&browser.token, &[("key", &key), ("code", &code)]);
        forms.push(("/login/code".to_owned(), browser.cookie(), body));
    }
    let told = at_once(&ground, &forms);
    let inside = told.iter().filter(|to| *to == "/top").count();
    assert_eq!(inside, 1, "{told:?}");
    let open = "SELECT COUNT(*) FROM sessions WHERE stage = 'full' AND ending IS NULL";
    assert_eq!(ground.site.place.count(open), 1);
    ground.close().await;
}

async fn sixteen_clicks_at_once_are_one_transfer(engine: Engine) {
    let ground = Ground::new(engine).await;
    let contract = ground.customer(ID, 1, 100_000).await;
    let token = ground.site.registered(contract).await;
    let mut victim = ground.signed_in(ID, Some(&token), "203.0.113.5");
    let path = victim.orders("/transfer", &ground.transfer(1, 10_000));
    victim.get(&path);
    let code = ground.site.code(&token).to_string();
    let body = form(&victim.token, &[("code", &code)]);
    let forms = vec![(path.clone(), victim.cookie(), body); 16];
    let told = at_once(&ground, &forms);
    let receipt = path.replace("/confirm/", "/result/");
    assert_eq!(told, vec![receipt; 16]);
    assert_eq!(ground.site.balance(customer_account(1)), 100_000 - 10_165);
    ground.close().await;
}
