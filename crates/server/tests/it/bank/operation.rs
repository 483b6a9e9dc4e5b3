//! B10, M3: an operation is settled once, and a code is good for one operation.

use warifu::bank::Confirmed;
use warifu_bank::operation::{Order, OrderKind, Refusal};
use warifu_bank::otp_policy::CodeRefusal;
use warifu_bank::session::{Stage, Wizard};

use crate::harness::{BankSite, Engine};

both_engines!(
    a_registration_is_settled_once_and_answers_the_same_again,
    a_form_that_is_sent_many_times_at_once_has_one_answer_whatever_it_changes,
    a_wrong_code_leaves_the_page_open_and_says_how_many_tries_are_left,
    five_wrong_codes_make_the_operation_void,
    a_page_that_was_open_too_long_is_void,
    another_session_cannot_confirm_an_operation,
);

const REGISTRATION: Stage = Stage::Wizard(Wizard::Registration);

async fn a_registration_is_settled_once_and_answers_the_same_again(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    let code = site.code(&token);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (bank, visitor, code) = (site.bank(), visitor.clone(), code.clone());
            tokio::spawn(async move {
                let given = warifu::bank::Given {
                    code: Some(code.to_string().into()),
                    ..Default::default()
                };
                bank.confirm(&visitor, OrderKind::Registration, key, given)
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert!(matches!(answers[0], Confirmed::Done(..)), "{answers:?}");
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(site.place.count("SELECT COUNT(*) FROM contract_events"), 1);
}

/// What the first one changed is no reason to refuse the second: a look between the two saw the operation open and the
/// contract changed.
async fn a_form_that_is_sent_many_times_at_once_has_one_answer_whatever_it_changes(engine: Engine) {
    let site = BankSite::new(engine).await;
    for round in 0..12 {
        let contract = site.contract(&format!("123456789{round:02}"), round + 1, 0);
        let token = site.service.token().await;
        let visitor = site.visitor(contract, REGISTRATION);
        let order = Order::Registration {
            token: token.id.to_string(),
        };
        let key = site.show(&visitor, &order).await;
        // Every other round the order is typed beside the code.
        let typed = (round % 2 == 0).then_some(order);
        let code = site.code(&token);
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (bank, visitor) = (site.bank(), visitor.clone());
                let given = warifu::bank::Given {
                    order: typed.clone(),
                    code: Some(code.to_string().into()),
                    ..Default::default()
                };
                tokio::spawn(async move {
                    bank.confirm(&visitor, OrderKind::Registration, key, given)
                        .await
                        .unwrap()
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert!(matches!(answers[0], Confirmed::Done(..)), "{answers:?}");
        let alike = answers.iter().all(|answer| *answer == answers[0]);
        assert!(alike, "round {round}: {answers:?}");
    }
}

async fn a_wrong_code_leaves_the_page_open_and_says_how_many_tries_are_left(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    let wrong = token.wrong_code(site.service.step());
    let confirm = |code| site.confirm(&visitor, OrderKind::Registration, key, code);
    assert_eq!(confirm(None).await, Confirmed::Code(CodeRefusal::NotACode));
    let refused = Confirmed::Code(CodeRefusal::Wrong { tries_left: 4 });
    assert_eq!(confirm(Some(wrong)).await, refused);
    assert!(matches!(
        confirm(Some(site.code(&token))).await,
        Confirmed::Done(..)
    ));
}

async fn five_wrong_codes_make_the_operation_void(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    let wrong: Vec<_> = token.wrong_codes(site.service.step()).take(5).collect();
    let confirm = |code| site.confirm(&visitor, OrderKind::Registration, key, code);
    for code in &wrong {
        assert!(matches!(
            confirm(Some(code.clone())).await,
            Confirmed::Code(_)
        ));
    }
    // The fifth locked the token, and the customer is told of it at once (B14).
    let told = "SELECT COUNT(*) FROM mail_outbox WHERE event LIKE '%token_locked%'";
    assert_eq!(site.place.count(told), 1);
    let void = Confirmed::Refused(Refusal::TooManyTries);
    assert_eq!(confirm(Some(site.code(&token))).await, void);
}

async fn a_page_that_was_open_too_long_is_void(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    site.service.clock.advance(600);
    let code = site.code(&token);
    let answer = site
        .confirm(&visitor, OrderKind::Registration, key, Some(code))
        .await;
    assert_eq!(answer, Confirmed::Refused(Refusal::Expired));
}

async fn another_session_cannot_confirm_an_operation(engine: Engine) {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 0);
    let stranger = site.contract("12345678902", 2, 0);
    let token = site.service.token().await;
    let visitor = site.visitor(contract, REGISTRATION);
    let order = Order::Registration {
        token: token.id.to_string(),
    };
    let key = site.show(&visitor, &order).await;
    for other in [contract, stranger] {
        let other = site.visitor(other, REGISTRATION);
        let code = site.code(&token);
        let answer = site
            .confirm(&other, OrderKind::Registration, key, Some(code))
            .await;
        assert_eq!(answer, Confirmed::Gone);
    }
}
