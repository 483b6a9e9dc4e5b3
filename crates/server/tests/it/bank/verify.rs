//! M5: what was written down is recomputed, and any difference is found.

use warifu::bank_verify::{Report, verify};
use warifu_bank::jst;
use warifu_bank::operation::{Order, OrderKind};
use warifu_bank::session::Stage;

use crate::harness::{BankSite, Engine};

both_engines!(
    a_days_work_is_clean,
    any_change_behind_the_banks_back_is_found,
    nothing_to_verify_is_a_failure,
);

impl BankSite {
    pub(super) fn verify(&self) -> Report {
        self.place.with(verify).unwrap()
    }

    /// What the triggers would refuse is possible after this.
    fn disarm(&self) {
        self.place.meddle(match self.place.engine {
            Engine::Sqlite => {
                "DROP TRIGGER entries_hold; DROP TRIGGER entries_stay; DROP TRIGGER journals_hold;
                 DROP TRIGGER journals_stay; DROP TRIGGER events_hold; DROP TRIGGER events_stay"
            }
            Engine::Postgres => {
                "DROP TRIGGER entries_hold ON entries; DROP TRIGGER journals_hold ON journals;
                 DROP TRIGGER contract_events_hold ON contract_events"
            }
        });
    }
}

/// Two transfers, a change of limit and what a registration leaves.
async fn a_day(engine: Engine) -> BankSite {
    let site = BankSite::new(engine).await;
    let contract = site.contract("12345678901", 1, 100_000);
    site.contract("12345678902", 2, 0);
    let token = site.registered(contract).await;
    let visitor = site.visitor(contract, Stage::Full);
    let today = jst::day(site.now());
    for order in [
        Order::Transfer(super::transfer::to_other_bank(1_000, 165, today)),
        Order::Transfer(super::transfer::to_other_bank(2_000, 165, today)),
        Order::LimitChange { to: 50_000 },
    ] {
        let kind: OrderKind = order.kind();
        let key = site.show(&visitor, &order).await;
        let done = site
            .confirm(&visitor, kind, key, Some(site.code(&token)))
            .await;
        assert!(
            matches!(done, warifu::bank::Confirmed::Done(..)),
            "{done:?}"
        );
        site.next_code();
    }
    site
}

async fn a_days_work_is_clean(engine: Engine) {
    let site = a_day(engine).await;
    let report = site.verify();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(
        (report.journals, report.entries, report.accounts),
        (3, 8, 5)
    );
    assert_eq!((report.contracts, report.events), (2, 4));
    assert!(report.is_clean());
}

async fn any_change_behind_the_banks_back_is_found(engine: Engine) {
    let site = a_day(engine).await;
    for change in [
        "UPDATE entries SET amount = amount + 1 WHERE sequence = 1",
        "DELETE FROM entries",
        "DELETE FROM journals",
        "UPDATE contract_events SET details = 'x'",
        "DELETE FROM contract_events",
    ] {
        let refused = site.place.try_to_meddle(change);
        assert!(refused.is_err(), "{change}");
    }
    site.disarm();
    let customer = "account > 1000";
    let cases = [
        format!(
            "UPDATE entries SET amount = amount - 1, balance = balance - 1 WHERE {customer} AND sequence = 2"
        ),
        format!("UPDATE entries SET summary = 'x' WHERE {customer} AND sequence = 1"),
        format!("DELETE FROM entries WHERE {customer} AND sequence = 3"),
        format!("DELETE FROM entries WHERE {customer} AND sequence = 1"),
        "UPDATE accounts SET balance = balance + 1 WHERE id = 1".into(),
        "DELETE FROM journals WHERE kind = 1".into(),
        "UPDATE transfers SET state = 2".into(),
        "UPDATE daily_usage SET used = used + 1".into(),
        "DELETE FROM daily_usage".into(),
        "UPDATE contract_events SET details = 'x' WHERE sequence = 2".into(),
        "DELETE FROM contract_events WHERE sequence = 4".into(),
        "DELETE FROM contract_events WHERE sequence = 1".into(),
    ];
    let backup = |sql: &str| site.place.meddle(sql);
    for case in &cases {
        // Each on the same state: what was changed is put back from copies.
        for table in [
            "entries",
            "accounts",
            "journals",
            "transfers",
            "daily_usage",
            "contract_events",
        ] {
            backup(&format!(
                "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
            ));
        }
        site.place.meddle(case);
        let report = site.verify();
        assert!(
            !report.is_clean() && !report.faults.is_empty(),
            "not found: {case}"
        );
        for table in [
            "entries",
            "accounts",
            "journals",
            "transfers",
            "daily_usage",
            "contract_events",
        ] {
            backup(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            ));
        }
        assert!(site.verify().is_clean(), "not put back after: {case}");
    }
}

async fn nothing_to_verify_is_a_failure(engine: Engine) {
    let place = crate::harness::Place::of_bank(engine);
    assert!(!place.with(verify).unwrap().is_clean());
}
