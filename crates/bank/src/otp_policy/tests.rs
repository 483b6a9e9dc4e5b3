use jiff::Timestamp;

use super::*;
use crate::account::{AccountId, AccountKind};
use crate::contract::LossReason;
use crate::operation::OrderKind;
use crate::transfer::{Payee, TransferOrder};

const OLD: &str = "WRMA12345678";
const NEW: &str = "WRCB87654321";

fn contract(token: TokenStanding, login_asks_code: bool) -> Contract {
    Contract {
        id: "12345678901".parse().unwrap(),
        service: Service::Open,
        token,
        login_asks_code,
        password_change_due: false,
        password_expires_at: None,
    }
}

fn in_use() -> TokenStanding {
    TokenStanding::InUse {
        token: OLD.parse().unwrap(),
        since: Timestamp::UNIX_EPOCH,
    }
}

fn released() -> TokenStanding {
    TokenStanding::AwaitingRelease {
        reason: LossReason::Stolen,
    }
}

fn transfer(amount: i64) -> Order {
    Order::Transfer(TransferOrder {
        from: AccountId::from_stored(10_110_000_001).unwrap(),
        to: Payee {
            bank: "0001".into(),
            branch: "001".into(),
            kind: AccountKind::Ordinary,
            number: "1234567".parse().unwrap(),
            name: "ﾐﾎﾝ".into(),
        },
        amount,
        fee: 0,
        date: jiff::civil::date(2026, 11, 24),
        remember: false,
    })
}

fn order(kind: OrderKind) -> Order {
    match kind {
        OrderKind::Login => Order::Login,
        OrderKind::Registration => Order::Registration { token: NEW.into() },
        OrderKind::StopUse => Order::StopUse,
        OrderKind::TokenChangeBegin => Order::TokenChangeBegin,
        OrderKind::TokenChange => Order::TokenChange {
            token: NEW.into(),
            begun: String::new(),
        },
        OrderKind::LoginSetting => Order::LoginSetting { asks: false },
        OrderKind::Transfer => transfer(1_000),
        OrderKind::TransferCancel => Order::TransferCancel {
            transfer: String::new(),
        },
        OrderKind::InternalTransfer => Order::InternalTransfer {
            from: AccountId::from_stored(10_110_000_001).unwrap(),
            to: AccountId::from_stored(10_140_000_001).unwrap(),
            amount: 1,
        },
        OrderKind::LimitChange => Order::LimitChange { to: 1 },
        OrderKind::PasswordChange => Order::PasswordChange,
        OrderKind::MailChange => Order::MailChange { to: None },
        OrderKind::LossStop => Order::LossStop { stolen: true },
        OrderKind::EmergencyStop => Order::EmergencyStop,
    }
}

/// What is asked, in a word.
fn asked(kind: OrderKind, contract: &Contract) -> String {
    match demand(&order(kind), contract) {
        Demand::Nothing(_) => "nothing".into(),
        Demand::Code(challenge) => challenge.token().to_string(),
        Demand::Refused(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn with_a_token_every_operation_on_money_and_settings_asks_its_code_whatever_the_login_setting() {
    for login_asks_code in [true, false] {
        let contract = contract(in_use(), login_asks_code);
        for kind in OrderKind::ALL {
            let expected = match kind {
                OrderKind::Login if !login_asks_code => "nothing",
                OrderKind::InternalTransfer | OrderKind::LossStop | OrderKind::EmergencyStop => {
                    "nothing"
                }
                OrderKind::Registration => "AlreadyRegistered",
                OrderKind::TokenChange => NEW,
                _ => OLD,
            };
            assert_eq!(asked(kind, &contract), expected, "{kind:?}");
        }
    }
}

#[test]
fn without_a_token_money_stays_and_login_is_by_password() {
    for (standing, refusal) in [
        (TokenStanding::None, "NeedsRegistration"),
        (released(), "NeedsRelease"),
    ] {
        let contract = contract(standing.clone(), true);
        for kind in OrderKind::ALL {
            let expected = match kind {
                OrderKind::Login
                | OrderKind::PasswordChange
                | OrderKind::InternalTransfer
                | OrderKind::LossStop
                | OrderKind::EmergencyStop => "nothing",
                OrderKind::Registration if standing == TokenStanding::None => NEW,
                _ => refusal,
            };
            assert_eq!(asked(kind, &contract), expected, "{kind:?}");
        }
    }
}

#[test]
fn a_stopped_contract_may_do_nothing_but_report_a_loss() {
    for service in [Service::EmergencyStopped, Service::Closed] {
        let contract = Contract {
            service,
            ..contract(in_use(), true)
        };
        for kind in OrderKind::ALL {
            let expected = if kind == OrderKind::LossStop {
                "nothing"
            } else {
                "ServiceStopped"
            };
            assert_eq!(asked(kind, &contract), expected, "{kind:?}");
        }
    }
}

fn challenge(order: &Order, contract: &Contract) -> Challenge {
    match demand(order, contract) {
        Demand::Code(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proof_is_good_for_one_order_of_one_contract_and_the_token_that_gave_it() {
    let contract = contract(in_use(), true);
    let proof = challenge(&transfer(1_000), &contract)
        .settle(ValidateAnswer::Accepted, 0)
        .unwrap();
    assert!(proof.covers(&contract, &transfer(1_000)));
    assert!(!proof.covers(&contract, &transfer(1_001)));
    assert!(!proof.covers(&contract, &Order::StopUse));
    let other = Contract {
        id: "12345678902".parse().unwrap(),
        ..contract.clone()
    };
    assert!(!proof.covers(&other, &transfer(1_000)));
    let changed = Contract {
        token: TokenStanding::InUse {
            token: NEW.parse().unwrap(),
            since: Timestamp::UNIX_EPOCH,
        },
        ..contract.clone()
    };
    assert!(!proof.covers(&changed, &transfer(1_000)));
    let stopped = Contract {
        token: released(),
        ..contract
    };
    assert!(!proof.covers(&stopped, &transfer(1_000)));
}

#[test]
fn only_an_acceptance_is_a_proof() {
    let contract = contract(in_use(), true);
    for (answer, refusal) in [
        (
            ValidateAnswer::Rejected { tries_left: 2 },
            CodeRefusal::Wrong { tries_left: 2 },
        ),
        (
            ValidateAnswer::Replayed,
            CodeRefusal::Used { wait_seconds: 29 },
        ),
        (ValidateAnswer::Locked, CodeRefusal::Locked),
        (ValidateAnswer::Stopped, CodeRefusal::Stopped),
        (ValidateAnswer::ResyncNeeded, CodeRefusal::ClockOff),
    ] {
        let settled = challenge(&transfer(1), &contract).settle(answer, 1_800_000_001);
        assert_eq!(settled.unwrap_err(), refusal);
    }
}

#[test]
fn the_next_code_comes_in_one_to_thirty_seconds() {
    assert_eq!(seconds_to_next_code(1_800_000_000), 30);
    assert_eq!(seconds_to_next_code(1_800_000_029), 1);
}
