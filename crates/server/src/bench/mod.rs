//! `warifu bench`: a day's load on a test installation, made by whoever runs one, on his own machines.
//!
//! The load is an open loop: when each operation begins is written down beforehand (`schedule`) and nothing that the
//! server does changes it. How long an operation took is counted from that moment, so that a server that stands still
//! for a second is late for everything that was to begin in that second.

pub mod afterwards;
pub mod browser;
pub mod capacity;
pub mod client;
pub mod customers;
pub mod given;
pub mod machine;
pub mod operation;
pub mod prepare;
pub mod record;
pub mod report;
pub mod run;
pub mod sample;
pub mod schedule;
pub mod secrets;
pub mod steps;

use crate::database::DatabaseError;
use crate::startup::StartupError;

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The installation cannot be opened.
    #[error("{0}")]
    Startup(#[from] StartupError),
    /// Its database gives no answer.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// A file.
    #[error("{doing} {path}: {error}")]
    File {
        /// What was done.
        doing: &'static str,
        /// With what.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Said(String),
}

impl BenchError {
    /// In words.
    pub fn said(text: impl Into<String>) -> Self {
        Self::Said(text.into())
    }
}
