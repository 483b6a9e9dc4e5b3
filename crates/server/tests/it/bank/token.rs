//! B2–B7, B18: registration, change of token, stop of use, loss.

use jiff::SignedDuration;
use warifu::bank::{Confirmed, Given, Visitor};
use warifu_bank::contract::ContractId;
use warifu_bank::operation::{Order, OrderKind, Outcome, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::session::{Stage, Wizard};
use warifu_bank::uid::Uid;
use warifu_oath::Code;

use crate::harness::{BankSite, Engine, Token};

both_engines!(
    a_token_of_another_contract_is_refused_before_its_code_is_spent,
    a_contract_that_has_a_token_is_led_to_the_change,
    two_contracts_at_once_never_get_one_token,
    a_change_needs_the_old_code_and_swaps_both_tokens_in_one_moment,
    a_change_that_was_begun_elsewhere_or_long_ago_is_refused,
    without_a_token_login_is_by_password_and_money_stays,
    the_customers_own_stop_takes_power_away_at_once_and_only_a_release_gives_it_back,
    a_registration_says_until_when_transfers_are_capped_and_is_told_by_mail,
    a_token_that_nobody_knows_is_refused,
    a_bank_whose_token_service_is_another_process_works_the_same,
);

fn registration(token: &Token) -> Order {
    Order::Registration {
        token: token.id.to_string(),
    }
}

impl BankSite {
    /// The token is ordered beside its code, as on the page.
    async fn typed(&self, visitor: &Visitor, order: Order, code: Code) -> Confirmed {
        let kind = order.kind();
        let key = self
            .bank()
            .show(visitor, kind, None)
            .await
            .unwrap()
            .unwrap()
            .key;
        let given = Given {
            order: Some(order),
            code: Some(code.to_string().into()),
            ..Given::default()
        };
        self.bank()
            .confirm(visitor, kind, key, given)
            .await
            .unwrap()
    }

    /// The old token's code is given.
    async fn begun(&self, visitor: &Visitor, old: &Token) -> Uid {
        let key = self.show(visitor, &Order::TokenChangeBegin).await;
        let code = self.code(old);
        let confirmed = self
            .confirm(visitor, OrderKind::TokenChangeBegin, key, Some(code))
            .await;
        assert!(matches!(confirmed, Confirmed::Done(..)), "{confirmed:?}");
        key
    }

    fn events(&self, contract: ContractId) -> Vec<String> {
        let events = self.place.with(|connection| {
            connection.read(|tx| warifu::bank_store::event::before(tx, contract, i64::MAX, 99))
        });
        events
            .unwrap()
            .into_iter()
            .map(|event| event.word)
            .collect()
    }
}

fn outcome(confirmed: &Confirmed) -> &Outcome {
    match confirmed {
        Confirmed::Done(_, outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

const REGISTRATION: Stage = Stage::Wizard(Wizard::Registration);
const CHANGE: Stage = Stage::Wizard(Wizard::TokenChange);

async fn a_token_of_another_contract_is_refused_before_its_code_is_spent(engine: Engine) {
    let site = BankSite::new(engine).await;
    let first = site.contract("12345678901", 1, 0);
    let second = site.contract("12345678902", 2, 0);
    let token = site.registered(first).await;
    let visitor = site.visitor(second, REGISTRATION);
    let code = site.code(&token);
    let refused = site
        .typed(&visitor, registration(&token), code.clone())
        .await;
    assert_eq!(refused, Confirmed::Refused(Refusal::TokenTaken));
    // The code was not looked at: its owner can still use it.
    site.signed_in(first, Some(code)).await;
}

async fn a_contract_that_has_a_token_is_led_to_the_change(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    site.registered(contract).await;
    let other = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let code = site.code(&other);
    let refused = site.typed(&visitor, registration(&other), code).await;
    assert_eq!(refused, Confirmed::Refused(Refusal::AlreadyRegistered));
}

async fn two_contracts_at_once_never_get_one_token(engine: Engine) {
    let site = BankSite::new(engine).await;
    let token = site.service.token().await;
    let contracts = [
        site.contract("12345678901", 1, 0),
        site.contract("12345678902", 2, 0),
    ];
    let mut shown = Vec::new();
    for (offset, contract) in (-1..=0).zip(contracts) {
        let visitor = site.visitor(contract, REGISTRATION);
        let bank = site.bank();
        // Each has a right code of its own.
        let code = token.code(site.service.step().offset(offset));
        let order = registration(&token);
        let key = site.show(&visitor, &order).await;
        shown.push(async move {
            let given = Given {
                code: Some(code.to_string().into()),
                ..Given::default()
            };
            bank.confirm(&visitor, OrderKind::Registration, key, given)
                .await
                .unwrap()
        });
    }
    // Both pages are there before either is sent.
    let tasks: Vec<_> = shown.into_iter().map(tokio::spawn).collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(matches!(task.await.unwrap(), Confirmed::Done(..)));
    }
    assert_eq!(done, 1);
    assert_eq!(
        site.place
            .count("SELECT COUNT(*) FROM contracts WHERE token IS NOT NULL"),
        1
    );
}

async fn a_change_needs_the_old_code_and_swaps_both_tokens_in_one_moment(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let old = site.registered(contract).await;
    let new = site.service.token().await;
    let visitor = site.visitor(contract, CHANGE);
    let change = |begun: String| Order::TokenChange {
        token: new.id.to_string(),
        begun,
    };
    let early = site
        .typed(&visitor, change(String::new()), site.code(&new))
        .await;
    assert_eq!(early, Confirmed::Refused(Refusal::ChangeNotBegun));
    let begun = site.begun(&visitor, &old).await;
    site.next_code();
    // Until the new one is registered, the old one works.
    site.signed_in(contract, Some(site.code(&old))).await;
    let swapped = site
        .typed(&visitor, change(begun.to_string()), site.code(&new))
        .await;
    assert!(outcome(&swapped).caution_until.is_some());
    site.next_code();
    let half = site.visitor(contract, Stage::AwaitingCode);
    let key = site.show(&half, &Order::Login).await;
    let refused = site
        .confirm(&half, OrderKind::Login, key, Some(site.code(&old)))
        .await;
    assert!(
        matches!(refused, Confirmed::Code(CodeRefusal::Wrong { .. })),
        "{refused:?}"
    );
    site.signed_in(contract, Some(site.code(&new))).await;
    // The same proof of the old token changes nothing again.
    site.next_code();
    let third = site.service.token().await;
    let again = Order::TokenChange {
        token: third.id.to_string(),
        begun: begun.to_string(),
    };
    let refused = site.typed(&visitor, again, site.code(&third)).await;
    assert_eq!(refused, Confirmed::Refused(Refusal::ChangeNotBegun));
}

async fn a_change_that_was_begun_elsewhere_or_long_ago_is_refused(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let old = site.registered(contract).await;
    let new = site.service.token().await;
    let here = site.visitor(contract, CHANGE);
    let begun = site.begun(&here, &old).await.to_string();
    let elsewhere = site.visitor(contract, CHANGE);
    let change = Order::TokenChange {
        token: new.id.to_string(),
        begun,
    };
    let refused = site
        .typed(&elsewhere, change.clone(), site.code(&new))
        .await;
    assert_eq!(refused, Confirmed::Refused(Refusal::ChangeNotBegun));
    site.service.clock.advance(600);
    let refused = site.typed(&here, change, site.code(&new)).await;
    assert_eq!(refused, Confirmed::Refused(Refusal::ChangeNotBegun));
}

async fn without_a_token_login_is_by_password_and_money_stays(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 10_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Wizard(Wizard::StopUse));
    let key = site.show(&visitor, &Order::StopUse).await;
    let stopped = site
        .confirm(&visitor, OrderKind::StopUse, key, Some(site.code(&token)))
        .await;
    outcome(&stopped);
    let visitor = site.signed_in(contract, None).await;
    for order in [
        Order::LimitChange { to: 1 },
        Order::LoginSetting { asks: false },
    ] {
        let shown = site
            .bank()
            .show(&visitor, order.kind(), Some(order))
            .await
            .unwrap();
        assert_eq!(shown.unwrap_err(), Refusal::NeedsRegistration);
    }
    // The same token may be registered again.
    site.next_code();
    let visitor = site.visitor(contract, REGISTRATION);
    outcome(
        &site
            .typed(&visitor, registration(&token), site.code(&token))
            .await,
    );
}

async fn the_customers_own_stop_takes_power_away_at_once_and_only_a_release_gives_it_back(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 10_000);
    let token = site.registered(contract).await;
    let elsewhere = site.signed_in(contract, Some(site.code(&token))).await;
    let wizard = site.visitor(contract, Stage::Wizard(Wizard::Loss));
    let stop = Order::LossStop { stolen: true };
    let key = site.show(&wizard, &stop).await;
    outcome(&site.confirm(&wizard, OrderKind::LossStop, key, None).await);
    // Whoever was signed in is out, and the token is stopped at the token service as well.
    let found = site.session(elsewhere.key());
    assert!(found.ending.is_some());
    site.next_code();
    let visitor = site.visitor(contract, REGISTRATION);
    let refused = site
        .typed(&visitor, registration(&token), site.code(&token))
        .await;
    assert_eq!(refused, Confirmed::Refused(Refusal::NeedsRelease));
    assert_eq!(site.bank().tell_token_service().await.unwrap(), 1);
    let status = site.service.status(site.service.bank, &token).await;
    assert_eq!(status.stop_reason, Some(warifu_wire::StopReason::Stolen));
    assert!(site.events(contract).contains(&"loss-stopped".to_owned()));
}

async fn a_registration_says_until_when_transfers_are_capped_and_is_told_by_mail(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let done = site
        .typed(&visitor, registration(&token), site.code(&token))
        .await;
    let day = SignedDuration::from_hours(24);
    let until = site.now().checked_add(day).unwrap().as_microsecond();
    assert_eq!(outcome(&done).caution_until, Some(until));
    assert_eq!(site.place.count("SELECT COUNT(*) FROM mail_outbox"), 1);
    assert_eq!(site.place.count("SELECT COUNT(*) FROM notices"), 1);
}

async fn a_token_that_nobody_knows_is_refused(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let strange = Order::Registration {
        token: "WRWA00000000".into(),
    };
    let refused = site.typed(&visitor, strange, site.code(&token)).await;
    assert_eq!(refused, Confirmed::Code(CodeRefusal::Unknown));
}

async fn a_bank_whose_token_service_is_another_process_works_the_same(engine: Engine) {
    let tokens = crate::harness::Site::new(engine);
    let key = tokens.add_party("bank");
    let server = tokens.serve();
    let mut site = BankSite::new(engine).await;
    site.start_with(warifu::otp_link::OtpLink::Http(
        warifu::otp_link::HttpLink::new(&format!("http://{}", server.address), key.into()),
    ))
    .await;
    let contract = site.contract("12345678901", 1, 0);
    let token = server.client().token();
    let visitor = site.visitor(contract, REGISTRATION);
    // The other process has the machine's own time.
    let code = token.code(crate::harness::now_step());
    let wrong = token.wrong_code(crate::harness::now_step());
    let order = registration(&token);
    let operation = site.show(&visitor, &order).await;
    let confirm = |code| site.confirm(&visitor, OrderKind::Registration, operation, Some(code));
    let refused = Confirmed::Code(CodeRefusal::Wrong { tries_left: 4 });
    assert_eq!(confirm(wrong).await, refused);
    outcome(&confirm(code.clone()).await);
    outcome(&confirm(code).await);
}
