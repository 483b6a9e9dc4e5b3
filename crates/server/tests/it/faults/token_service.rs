//! A token service that is slow or gone: the bank says so in words, nothing is consumed, what needs no code goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use tokio::sync::watch;
use warifu::ambient::SystemEntropy;
use warifu::bank::{BankError, Confirmed, Given, Visitor};
use warifu::http::{Admission, Doors, Listener, serve};
use warifu::metrics::Metrics;
use warifu::otp_link::{HttpLink, LinkError, OtpLink};
use warifu::token_api::{Api, router};
use warifu::web::cookies;
use warifu_bank::contract::ContractId;
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::otp_policy::{OtpVerifier as _, Verdict};
use warifu_bank::session::Stage;
use warifu_bank::uid::Uid;
use warifu_wire::ValidateAnswer;

use super::door::{Door, Mode};
use crate::bank::transfer::to_other_bank;
use crate::harness::{BankSite, Engine, Token, customer_account};

both_engines!(
    a_token_service_that_gives_no_answer_is_told_in_words_and_the_same_form_goes_on_later,
    what_it_heard_but_could_not_answer_is_settled_by_the_same_form_with_either_code,
    a_crowd_at_a_token_service_that_hangs_keeps_nobody_else_waiting,
    what_is_logged_of_a_token_service_that_is_gone_names_nobody,
);

/// A bank whose token service is reached over a way that may fail.
struct Apart {
    site: BankSite,
    door: Door,
    api_key: String,
    _running: watch::Sender<bool>,
}

impl Apart {
    async fn new(engine: Engine) -> Self {
        let mut site = BankSite::new(engine).await;
        let api_key = super::known_party(&site.service.place, site.now());
        let (running, stopping) = watch::channel(false);
        let api = Api {
            service: site.service.running(),
            metrics: Arc::new(Metrics::default()),
            entropy: Arc::new(SystemEntropy),
            trusted_proxies: Vec::new(),
            admission: Admission::new(64),
            stopping: stopping.clone(),
        };
        let any = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind("token_service", any).await.unwrap();
        let door = Door::to(listener.address);
        let drain = Duration::from_secs(1);
        let doors = Doors::new(256, 256);
        tokio::spawn(serve(
            listener,
            router(Arc::new(api)),
            doors,
            drain,
            stopping,
        ));
        site.start_with(link(&door, &api_key)).await;
        Self {
            site,
            door,
            api_key,
            _running: running,
        }
    }

    /// A customer with a token, and a session.
    async fn customer(&self) -> (ContractId, Token) {
        let contract = self.site.contract("12345678901", 1, 100_000);
        let token = self.site.registered(contract).await;
        (contract, token)
    }

    fn order(&self) -> Order {
        Order::Transfer(to_other_bank(1_000, 165, jst::day(self.site.now())))
    }

    async fn confirm(
        &self,
        visitor: &Visitor,
        key: Uid,
        code: &str,
    ) -> Result<Confirmed, BankError> {
        let given = Given {
            code: Some(code.to_owned().into()),
            ..Given::default()
        };
        self.site
            .bank()
            .confirm(visitor, OrderKind::Transfer, key, given)
            .await
    }

    fn balance(&self) -> i64 {
        self.site.balance(customer_account(1))
    }
}

fn link(door: &Door, key: &str) -> OtpLink {
    OtpLink::Http(HttpLink::new(
        &format!("http://{}", door.address),
        key.to_owned().into(),
    ))
}

/// All the ways in which it gives no answer.
const NO_ANSWERS: [Mode; 8] = [
    Mode::Silent,
    Mode::HangsUp,
    Mode::Babbles,
    Mode::Garbage,
    Mode::Status(500),
    Mode::Status(502),
    Mode::Status(503),
    Mode::Status(404),
];

async fn a_token_service_that_gives_no_answer_is_told_in_words_and_the_same_form_goes_on_later(
    engine: Engine,
) {
    let apart = Apart::new(engine).await;
    let site = &apart.site;
    let (contract, token) = apart.customer().await;
    let secret = site.cookie(contract, Stage::Full);
    let visitor = Visitor {
        session: site.session(secret.key()),
        address: "192.0.2.1".into(),
    };
    let key = site.show(&visitor, &apart.order()).await;
    let (path, code) = (format!("/confirm/{key}"), site.code(&token).to_string());
    let admission = Admission::new(1);
    let mut browser = site
        .browser_among(&admission)
        .with(cookies::SESSION, &secret);
    for mode in NO_ANSWERS {
        apart.door.set(mode);
        let (mut other, mut english) = (browser.clone(), browser.clone());
        let told = if mode == Mode::Silent {
            let form = [("code", code.as_str())];
            let mut under_way = std::pin::pin!(browser.post(&path, &form));
            let mut seen = false;
            loop {
                tokio::select! {
                    // Else the other may be in the only place when this one comes.
                    biased;
                    told = &mut under_way => break (told, seen),
                    // While one waits for it, the only place is another's.
                    top = other.get("/top") => seen |= top.status == StatusCode::OK,
                }
                tokio::task::yield_now().await;
            }
        } else {
            (browser.post(&path, &[("code", &code)]).await, true)
        };
        let (told, seen) = told;
        assert!(seen, "{mode:?}");
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{mode:?}");
        assert_eq!(told.header("retry-after"), "5");
        for words in [
            "ワンタイムパスワードを確認できません",
            "お手続きは行われていません",
            "通常どおりご利用いただけます",
        ] {
            assert!(told.body.contains(words), "{mode:?}: {}", told.body);
        }
        assert!(!told.body.contains(&code));
        if mode == Mode::HangsUp {
            let told = english_post(&mut english, &path, &code).await;
            assert!(
                told.contains("One-time passwords cannot be checked"),
                "{told}"
            );
            assert!(told.contains("Nothing was carried out"), "{told}");
        }
        assert_eq!(apart.balance(), 100_000);
    }
    apart.door.set(Mode::Open);
    for _ in 0..2 {
        let done = browser.post(&path, &[("code", &code)]).await;
        assert_eq!(done.told(), format!("/result/{key}"));
    }
    assert_eq!(apart.balance(), 100_000 - 1_165);
    assert_eq!(admission.inside(), 0);
}

async fn english_post(browser: &mut crate::harness::Browser, path: &str, code: &str) -> String {
    let form = crate::harness::Browser::form_token();
    let body = format!("form={form}&code={code}");
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "same-origin"),
        ("accept-language", "en"),
    ];
    let answer = browser
        .send(Method::POST, path, &headers, body.into_bytes())
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    answer.body
}

async fn what_it_heard_but_could_not_answer_is_settled_by_the_same_form_with_either_code(
    engine: Engine,
) {
    let apart = Apart::new(engine).await;
    let (contract, token) = apart.customer().await;
    let visitor = apart.site.visitor(contract, Stage::Full);
    for (round, fresh) in [false, true].into_iter().enumerate() {
        let key = apart.site.show(&visitor, &apart.order()).await;
        let code = apart.site.code(&token).to_string();
        apart.door.set(Mode::KeepsAnswers);
        let lost = apart.confirm(&visitor, key, &code).await;
        assert!(matches!(lost, Err(BankError::TokenService(_))), "{lost:?}");
        apart.door.set(Mode::Open);
        let code = if fresh {
            apart.site.next_code();
            apart.site.code(&token).to_string()
        } else {
            code
        };
        for _ in 0..2 {
            let done = apart.confirm(&visitor, key, &code).await.unwrap();
            assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
        }
        let sent = i64::try_from(round).unwrap() + 1;
        assert_eq!(apart.balance(), 100_000 - sent * 1_165);
        apart.site.next_code();
    }
    apart.site.service.require_whole().await;
}

async fn a_crowd_at_a_token_service_that_hangs_keeps_nobody_else_waiting(engine: Engine) {
    let apart = Apart::new(engine).await;
    let (contract, token) = apart.customer().await;
    let secret = apart.site.cookie(contract, Stage::Full);
    let visitor = Visitor {
        session: apart.site.session(secret.key()),
        address: "192.0.2.1".into(),
    };
    let mut keys = Vec::new();
    for _ in 0..80 {
        keys.push(apart.site.show(&visitor, &apart.order()).await);
    }
    apart.door.set(Mode::Silent);
    let code = apart.site.code(&token).to_string();
    let admission = Admission::new(2);
    let browser = apart
        .site
        .browser_among(&admission)
        .with(cookies::SESSION, &secret);
    let crowd: Vec<_> = keys
        .iter()
        .map(|key| {
            let (path, code, mut browser) =
                (format!("/confirm/{key}"), code.clone(), browser.clone());
            tokio::spawn(async move {
                loop {
                    let answer = browser.post(&path, &[("code", &code)]).await;
                    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                    // Two at once come in; who found no place tries again.
                    if !answer.body.contains("混み合って") {
                        return answer.body;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut other = browser.clone();
    let mut seen = 0;
    while !crowd.iter().all(tokio::task::JoinHandle::is_finished) {
        let top = other.get("/top").await;
        // The places are taken for moments only.
        seen += u32::from(top.status == StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for one in crowd {
        assert!(
            one.await
                .unwrap()
                .contains("ワンタイムパスワードを確認できません")
        );
    }
    assert!(seen > 10, "{seen} pages were seen meanwhile");
    assert_eq!(apart.balance(), 100_000);
    assert_eq!(admission.inside(), 0);
}

async fn what_is_logged_of_a_token_service_that_is_gone_names_nobody(engine: Engine) {
    let apart = Apart::new(engine).await;
    let (_, token) = apart.customer().await;
    let link = link(&apart.door, &apart.api_key);
    let (id, code) = (token.id.to_string(), apart.site.code(&token).to_string());
    let id = id.parse().unwrap();
    for (mode, words) in [
        (Mode::Silent, "cannot be reached: timeout"),
        (Mode::HangsUp, "cannot be reached: "),
        (Mode::Babbles, "cannot be reached: "),
        (Mode::Garbage, "an answer of another version"),
        (Mode::Status(502), "cannot be reached: status 502"),
        (Mode::Status(403), "refused the bank's request: status 403"),
    ] {
        apart.door.set(mode);
        let error: LinkError = link
            .validate(&id, &code, "transfer", "named-once")
            .await
            .unwrap_err();
        // The page that failed has this as the cause in its line of the log.
        let line = error.to_string();
        assert!(line.contains(words), "{mode:?}: {line}");
        for secret in [id.as_str(), &code, &apart.api_key, "named-once"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    apart.door.set(Mode::Open);
    let verdict = link.validate(&id, &code, "transfer", "named-once").await;
    assert_eq!(verdict.unwrap(), Verdict::Answer(ValidateAnswer::Accepted));
}
