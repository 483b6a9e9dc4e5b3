//! The log: for people on a terminal, JSON otherwise; on standard error, so that standard output is for answers.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, LogConfig, LogFormat};

/// Starts the log.
///
/// # Errors
/// When the filter is none, or a log was started before.
pub fn start(config: &LogConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|error| ConfigError::Value(format!("log.filter {:?}: {error}", config.filter)))?;
    let human = match config.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    };
    // Of a line that cannot be written nobody can be told: trying to, on the same standard error, would be a panic in
    // whichever thread had something to say, and a full disk is when many have.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let started = if human {
        tracing_subscriber::registry()
            .with(filter)
            .with(lines.with_target(false))
            .try_init()
    } else {
        tracing_subscriber::registry()
            .with(filter)
            .with(lines.json().flatten_event(true))
            .try_init()
    };
    started.map_err(|error| ConfigError::Value(format!("the log cannot be started: {error}")))
}
