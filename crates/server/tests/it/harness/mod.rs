//! What every test stands on: a fresh database of either engine, a service in process or a real one, tokens, a client.

mod bank;
mod browser;
mod client;
mod mail_server;
mod place;
mod server;
mod service;
mod soft_hsm;
mod token;

pub(crate) use bank::{BankSite, customer_account, open_contract};
pub(crate) use browser::Browser;
pub(crate) use client::{Client, Party, Reply};
pub(crate) use mail_server::MailServer;
pub(crate) use place::{Engine, Place, apart};
pub(crate) use server::{Outcome, Server, Site, run_program};
pub(crate) use service::{START, Service, relation, second};
pub(crate) use soft_hsm::{PIN, SoftHsm, write_private};
pub(crate) use token::{Beginning, Token, fresh_key, now_step, timed_key};

/// Requests that wait in memory before they are folded: few, so that a test sees a fold.
pub(crate) const GENERATION: usize = 8_192;

/// SQLite: how many requests are folded, or being so.
pub(crate) const FOLDED: &str = "SELECT COALESCE(SUM(LENGTH(entries)), 0) / 24 FROM request_blocks";

/// Runs a story to its end.
pub(crate) fn run(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap()
        .block_on(story);
}

/// Makes a test of each story for each engine. A story that is not listed is dead code, which the lints refuse.
macro_rules! both_engines {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $story() {
                    crate::harness::run(super::$story(crate::harness::Engine::Sqlite));
                }
            )+
        }

        mod postgres {
            $(
                #[test]
                fn $story() {
                    crate::harness::run(super::$story(crate::harness::Engine::Postgres));
                }
            )+
        }
    };
}

/// As [`both_engines`], for stories of minutes.
macro_rules! both_engines_at_length {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                #[ignore = "long: cargo xtask soak"]
                fn $story() {
                    crate::harness::run(super::$story(crate::harness::Engine::Sqlite));
                }
            )+
        }

        mod postgres {
            $(
                #[test]
                #[ignore = "long: cargo xtask soak"]
                fn $story() {
                    crate::harness::run(super::$story(crate::harness::Engine::Postgres));
                }
            )+
        }
    };
}
