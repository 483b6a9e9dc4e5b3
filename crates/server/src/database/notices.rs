//! What PostgreSQL says beside its answers.
//!
//! A commit whose wait for its standby is cancelled is answered as done, with a warning alone: "the transaction has
//! already committed locally, but might not have been replicated to the standby"
//! (<https://www.postgresql.org/docs/15/warm-standby.html#SYNCHRONOUS-REPLICATION-HA>).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::Config;
use postgres::error::Severity;

/// Whether a connection's server warned of something.
#[derive(Default)]
pub(super) struct Notices(Arc<AtomicBool>);

impl Notices {
    /// Of the connection that is about to be made.
    pub(super) fn of(config: &mut Config) -> Self {
        let notices = Self::default();
        let warned = Arc::clone(&notices.0);
        config.notice_callback(move |notice| {
            let (code, message) = (notice.code().code(), notice.message());
            if notice.parsed_severity() == Some(Severity::Warning) {
                warned.store(true, Ordering::Release);
                tracing::warn!(code, message, "PostgreSQL warns");
            } else {
                tracing::debug!(code, message, "PostgreSQL says");
            }
        });
        notices
    }

    /// What was said until now counts no more.
    pub(super) fn forget(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether there was a warning since.
    pub(super) fn warned(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
