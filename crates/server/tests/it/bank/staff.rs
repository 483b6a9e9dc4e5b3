//! F1–F5: the staff.

use warifu::bank::staff::{Decided, Member, NewContract, StaffCode, StaffSignIn};
use warifu::bank::{Caller, Confirmed, SignIn};
use warifu::bank_store::{journal, staff};
use warifu_bank::contract::{ContractId, LossReason, TokenStanding};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::session::{BrowserSecret, SessionKey, Stage, Wizard};
use warifu_bank::staff::{ApprovalKind, Role};
use warifu_bank::uid::Uid;
use warifu_bank::yen::Yen;

use crate::harness::{BankSite, Engine, customer_account};

both_engines!(
    staff_sign_in_with_name_password_and_always_a_code,
    a_contract_is_opened_once_however_often_its_form_is_sent_and_its_password_must_be_changed,
    a_contract_is_found_by_id_name_and_token,
    one_step_stops_the_token_the_sessions_and_the_open_transfers,
    what_takes_two_is_never_decided_by_who_asked_nor_twice,
    a_release_lets_a_new_token_be_registered,
    a_booking_is_reversed_once,
    an_emergency_stop_is_lifted_by_two,
    an_auditor_changes_nothing,
);

fn member(name: &str, role: Role) -> Member {
    Member {
        name: name.into(),
        display_name: name.into(),
        role,
        session: SessionKey([0; 32]),
        address: "192.0.2.9".into(),
    }
}

fn teller() -> Member {
    member("teller", Role::Teller)
}

fn approver() -> Member {
    member("approver", Role::Approver)
}

fn caller() -> Caller {
    Caller {
        address: "192.0.2.9".into(),
        agent: "test".into(),
        browser: BrowserSecret::from_random(zeroize::Zeroizing::new([9; 32])).key(),
    }
}

async fn asked(site: &BankSite, kind: ApprovalKind, contract: ContractId, subject: String) -> Uid {
    let reason = "確認済み".to_owned();
    let bank = site.bank();
    assert!(
        bank.ask_approval(&teller(), kind, contract, subject, reason)
            .await
            .unwrap()
    );
    bank.approvals().await.unwrap()[0].id
}

async fn staff_sign_in_with_name_password_and_always_a_code(engine: Engine) {
    let site = BankSite::new(engine).await;
    let bank = site.bank();
    let hash = bank.hash_password("a long staff password").await.unwrap();
    let (now, day) = (site.now(), jiff::SignedDuration::from_hours(24));
    let until = now.checked_add(day).unwrap();
    site.place
        .with(|connection| {
            connection.transaction(|tx| {
                let new = staff::New {
                    name: "teller",
                    display_name: "見本 窓口",
                    role: "teller",
                    password: &hash,
                    password_due: false,
                    enrolment_until: until,
                };
                staff::insert(tx, &new, now)
            })
        })
        .unwrap();
    let begin = |password: &'static str| {
        let bank = site.bank();
        async move {
            bank.staff_sign_in("teller", password, &caller())
                .await
                .unwrap()
        }
    };
    assert!(matches!(begin("wrong").await, StaffSignIn::Wrong));
    let StaffSignIn::Begun(half) = begin("a long staff password").await else {
        panic!()
    };
    assert!(
        bank.member(&half, "192.0.2.9").await.unwrap().is_none(),
        "no code was given"
    );
    assert_eq!(bank.staff_needs_token(&half).await.unwrap(), Some(true));
    let token = site.service.token().await;
    let id = Some(token.id.to_string().parse().unwrap());
    let code = site.code(&token).to_string();
    let StaffCode::Done(full) = bank.staff_code(&half, id, &code, &caller()).await.unwrap() else {
        panic!()
    };
    let member = bank.member(&full, "192.0.2.9").await.unwrap().unwrap();
    assert_eq!(
        (member.name.as_str(), member.role),
        ("teller", Role::Teller)
    );
    // From now on it is this token, whatever is typed.
    site.next_code();
    let StaffSignIn::Begun(half) = begin("a long staff password").await else {
        panic!()
    };
    assert_eq!(bank.staff_needs_token(&half).await.unwrap(), Some(false));
    let other = site.service.token().await;
    let id = Some(other.id.to_string().parse().unwrap());
    let code = site.code(&other).to_string();
    let refused = bank.staff_code(&half, id, &code, &caller()).await.unwrap();
    assert!(matches!(refused, StaffCode::Code(_)), "{refused:?}");
    // A new login ends the old session.
    let code = site.code(&token).to_string();
    let done = bank
        .staff_code(&half, None, &code, &caller())
        .await
        .unwrap();
    assert!(matches!(done, StaffCode::Done(_)), "{done:?}");
    assert!(bank.member(&full, "192.0.2.9").await.unwrap().is_none());
}

async fn a_contract_is_opened_once_however_often_its_form_is_sent_and_its_password_must_be_changed(
    engine: Engine,
) {
    let site = BankSite::new(engine).await;
    let bank = site.bank();
    let new = NewContract {
        key: bank.uid(),
        name: "見本 次郎".into(),
        kana: "ﾐﾎﾝ ｼﾞﾛｳ".into(),
        language: "ja",
        mail: None,
        branch: 101,
        deposit: Some(Yen(50_000)),
    };
    let opened = bank
        .open_contract(&teller(), new.clone())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        bank.open_contract(&teller(), new)
            .await
            .unwrap()
            .unwrap()
            .is_none()
    );
    assert_eq!(site.place.count("SELECT COUNT(*) FROM contracts"), 1);
    assert_eq!(site.place.count("SELECT COUNT(*) FROM journals"), 1);
    let view = bank.contract_view(opened.id).await.unwrap().unwrap();
    assert_eq!(view.accounts[0].balance, Yen(50_000));
    let sign_in = bank
        .sign_in(&opened.id.to_string(), &opened.password, None, &caller())
        .await
        .unwrap();
    assert!(
        matches!(sign_in, SignIn::Begun(_, Stage::AwaitingNewPassword)),
        "{sign_in:?}"
    );
    // A printed password runs out, and then answers as a wrong one.
    site.service.clock.advance(32 * 24 * 3600);
    let late = bank
        .sign_in(&opened.id.to_string(), &opened.password, None, &caller())
        .await;
    assert!(matches!(late.unwrap(), SignIn::Wrong));
    let again = bank
        .reissue_password(&teller(), opened.id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let sign_in = bank
        .sign_in(&opened.id.to_string(), &again.password, None, &caller())
        .await;
    assert!(matches!(
        sign_in.unwrap(),
        SignIn::Begun(_, Stage::AwaitingNewPassword)
    ));
}

async fn a_contract_is_found_by_id_name_and_token(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    site.contract("12345678902", 2, 0);
    let token = site.registered(contract).await;
    let bank = site.bank();
    for (typed, found) in [
        ("1234 5678 901", 1),
        (token.id.to_string().as_str(), 1),
        ("花子", 2),
        ("ﾊﾅｺ", 2),
        ("12345678909", 0),
        ("%", 0),
        ("", 0),
    ] {
        assert_eq!(
            bank.find_contracts(typed).await.unwrap().len(),
            found,
            "{typed}"
        );
    }
}

async fn one_step_stops_the_token_the_sessions_and_the_open_transfers(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 50_000);
    let token = site.registered(contract).await;
    let visitor = site.signed_in(contract, Some(site.code(&token))).await;
    site.next_code();
    let mut order = super::transfer::to_other_bank(1_000, 165, jst::day(site.now()));
    order.date = jst::next_day(order.date).unwrap();
    let key = site.show(&visitor, &Order::Transfer(order)).await;
    let done = site
        .confirm(&visitor, OrderKind::Transfer, key, Some(site.code(&token)))
        .await;
    assert!(matches!(done, Confirmed::Done(..)), "{done:?}");
    let asked_by = || "本人からの電話".to_owned();
    let bank = site.bank();
    assert!(
        bank.stop_token(&teller(), contract, LossReason::Lost, asked_by())
            .await
            .unwrap()
    );
    assert!(
        !bank
            .stop_token(&teller(), contract, LossReason::Lost, asked_by())
            .await
            .unwrap()
    );
    assert!(site.session(visitor.key()).ending.is_some());
    assert_eq!(
        site.place
            .count("SELECT COUNT(*) FROM transfers WHERE state = 2"),
        1
    );
    assert_eq!(site.place.count("SELECT COUNT(*) FROM token_commands"), 1);
    // A theft overrules a loss.
    assert!(
        bank.stop_token(&teller(), contract, LossReason::Stolen, asked_by())
            .await
            .unwrap()
    );
    let view = bank.contract_view(contract).await.unwrap().unwrap();
    let standing = TokenStanding::AwaitingRelease {
        reason: LossReason::Stolen,
    };
    assert_eq!(view.stored.contract.token, standing);
    assert!(
        view.events
            .iter()
            .any(|event| event.details == "本人からの電話")
    );
}

async fn what_takes_two_is_never_decided_by_who_asked_nor_twice(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let bank = site.bank();
    let reason = LossReason::Lost;
    bank.stop_token(&teller(), contract, reason, "本人".into())
        .await
        .unwrap();
    let id = asked(&site, ApprovalKind::Release, contract, String::new()).await;
    assert_eq!(
        bank.decide(&teller(), id, true).await.unwrap(),
        Decided::NotYours
    );
    let himself = member("teller", Role::Approver);
    assert_eq!(
        bank.decide(&himself, id, true).await.unwrap(),
        Decided::NotYours
    );
    let deciders: Vec<_> = (0..8)
        .map(|number| {
            let (bank, who) = (
                site.bank(),
                member(&format!("approver{number}"), Role::Approver),
            );
            tokio::spawn(async move { bank.decide(&who, id, true).await.unwrap() })
        })
        .collect();
    let mut done = 0;
    for decider in deciders {
        done += usize::from(decider.await.unwrap() == Decided::Done);
    }
    assert_eq!(done, 1);
    let words = "SELECT COUNT(*) FROM contract_events WHERE word = 'released'";
    assert_eq!(site.place.count(words), 1);
    // What cannot be done stays open.
    let id = asked(&site, ApprovalKind::Release, contract, String::new()).await;
    assert_eq!(
        bank.decide(&approver(), id, true).await.unwrap(),
        Decided::NotPossible
    );
    assert_eq!(
        bank.decide(&approver(), id, false).await.unwrap(),
        Decided::Done
    );
}

async fn a_release_lets_a_new_token_be_registered(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    site.registered(contract).await;
    let bank = site.bank();
    bank.stop_token(&teller(), contract, LossReason::Stolen, "本人".into())
        .await
        .unwrap();
    let visitor = site.visitor(contract, Stage::Wizard(Wizard::Registration));
    let token = site.service.token().await;
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let shown = bank
        .show(&visitor, OrderKind::Registration, Some(order))
        .await
        .unwrap();
    assert_eq!(shown.unwrap_err(), Refusal::NeedsRelease);
    let id = asked(&site, ApprovalKind::Release, contract, String::new()).await;
    assert_eq!(
        bank.decide(&approver(), id, true).await.unwrap(),
        Decided::Done
    );
    site.registered(contract).await;
}

async fn a_booking_is_reversed_once(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 50_000);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let order = super::transfer::to_other_bank(1_000, 165, jst::day(site.now()));
    let key = site.show(&visitor, &Order::Transfer(order)).await;
    site.confirm(&visitor, OrderKind::Transfer, key, Some(site.code(&token)))
        .await;
    assert_eq!(site.balance(customer_account(1)), 48_835);
    let bank = site.bank();
    for decided in [Decided::Done, Decided::NotPossible] {
        let id = asked(&site, ApprovalKind::Reverse, contract, key.to_string()).await;
        assert_eq!(bank.decide(&approver(), id, true).await.unwrap(), decided);
    }
    assert_eq!(site.balance(customer_account(1)), 50_000);
    // Another contract's booking is not this one's to reverse.
    let other = site.contract("12345678902", 2, 0);
    let id = asked(&site, ApprovalKind::Reverse, other, key.to_string()).await;
    assert_eq!(
        bank.decide(&approver(), id, true).await.unwrap(),
        Decided::NotPossible
    );
    let kept = site
        .place
        .with(|connection| connection.read(|tx| journal::postings(tx, key)));
    assert_eq!(kept.unwrap().len(), 3, "the booking itself stays as it was");
}

async fn an_emergency_stop_is_lifted_by_two(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let visitor = site.visitor(contract, Stage::Full);
    let key = site.show(&visitor, &Order::EmergencyStop).await;
    let stopped = site
        .confirm(&visitor, OrderKind::EmergencyStop, key, None)
        .await;
    assert!(matches!(stopped, Confirmed::Done(..)));
    let refused = site
        .bank()
        .show(&visitor, OrderKind::Login, Some(Order::Login))
        .await
        .unwrap();
    assert_eq!(refused.unwrap_err(), Refusal::ServiceStopped);
    let id = asked(
        &site,
        ApprovalKind::LiftEmergencyStop,
        contract,
        String::new(),
    )
    .await;
    assert_eq!(
        site.bank().decide(&approver(), id, true).await.unwrap(),
        Decided::Done
    );
    assert!(
        site.bank()
            .show(&visitor, OrderKind::Login, Some(Order::Login))
            .await
            .unwrap()
            .is_ok()
    );
}

async fn an_auditor_changes_nothing(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let auditor = member("auditor", Role::Auditor);
    let bank = site.bank();
    let reason = LossReason::Lost;
    assert!(
        !bank
            .stop_token(&auditor, contract, reason, "本人".into())
            .await
            .unwrap()
    );
    let kind = ApprovalKind::Release;
    let asks = bank
        .ask_approval(&auditor, kind, contract, String::new(), "x".into())
        .await;
    assert!(!asks.unwrap());
    assert!(
        bank.reissue_password(&auditor, contract)
            .await
            .unwrap()
            .unwrap()
            .is_none()
    );
    let deposited = bank
        .deposit(&auditor, contract, bank.uid(), customer_account(1), Yen(1))
        .await;
    assert!(!deposited.unwrap());
    assert_eq!(site.place.count("SELECT COUNT(*) FROM contract_events"), 0);
}
