//! What the token service keeps, and the only place that says so in SQL.
//!
//! Every function takes an open transaction. Locks are taken in one order: the throttle's row, credentials by
//! ascending ID, and the audit stream last.

pub mod audit;
pub mod credential;
pub mod failures;
pub mod folded;
pub mod party;
pub mod request;
pub mod seal_key;
pub mod service_secret;
pub mod settle;
pub mod throttle;
pub mod validation;

use crate::database::Migration;

/// The schema of the token service.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "token_service",
        sqlite: include_str!("../../migrations/sqlite/0001_token_service.sql"),
        postgres: include_str!("../../migrations/postgres/0001_token_service.sql"),
    },
    Migration {
        number: 2,
        name: "spent_steps",
        sqlite: include_str!("../../migrations/sqlite/0002_spent_steps.sql"),
        postgres: include_str!("../../migrations/postgres/0002_spent_steps.sql"),
    },
    Migration {
        number: 3,
        name: "request_runs",
        sqlite: include_str!("../../migrations/sqlite/0003_request_runs.sql"),
        postgres: include_str!("../../migrations/postgres/0003_request_runs.sql"),
    },
    Migration {
        number: 4,
        name: "folds_and_merges",
        sqlite: include_str!("../../migrations/sqlite/0004_folds_and_merges.sql"),
        postgres: include_str!("../../migrations/postgres/0004_folds_and_merges.sql"),
    },
    Migration {
        number: 5,
        name: "spent_sweep",
        sqlite: include_str!("../../migrations/sqlite/0005_spent_sweep.sql"),
        postgres: include_str!("../../migrations/postgres/0005_spent_sweep.sql"),
    },
    Migration {
        number: 6,
        name: "request_blocks",
        sqlite: include_str!("../../migrations/sqlite/0006_request_blocks.sql"),
        postgres: include_str!("../../migrations/postgres/0006_request_blocks.sql"),
    },
    Migration {
        number: 7,
        name: "timed_requests",
        sqlite: include_str!("../../migrations/sqlite/0007_timed_requests.sql"),
        postgres: include_str!("../../migrations/postgres/0007_timed_requests.sql"),
    },
];
