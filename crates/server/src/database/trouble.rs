//! Whether the database takes writes: what `/readyz` says beyond "it can be read".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{DatabaseError, Tx};

/// How long the question whether the database is there waits for an answer: balancers give up soon after.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The newest trouble with writes, until one is seen to succeed.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<AtomicBool>);

/// What a question looks at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Reads what every request needs.
    pub read: fn(&mut Tx<'_>) -> Result<(), DatabaseError>,
    /// Writes something that changes nothing; done only after a write failed, and until one succeeds.
    pub write: fn(&mut Tx<'_>) -> Result<(), DatabaseError>,
}

/// One question at a time is with the database: on one that hangs they would take every connection.
#[derive(Debug, Clone)]
pub(super) struct Turn(Arc<Semaphore>);

impl Default for Turn {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Turn {
    /// To be held by the question itself, so that it ends with it and not with who waits for the answer.
    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit, DatabaseError> {
        Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map_err(|_| DatabaseError::Gone)
    }
}

impl Trouble {
    /// Notes an error, if it is one of the store and not of what was asked of it.
    pub(super) fn met(&self, error: &DatabaseError) {
        if error.of_the_store() && !self.0.swap(true, Ordering::AcqRel) {
            tracing::error!(
                %error,
                "the database takes no writes: what is not durable is answered 503; /readyz says so until a write succeeds"
            );
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// A write succeeded.
    pub(super) fn over(&self) {
        if self.0.swap(false, Ordering::AcqRel) {
            tracing::info!("the database takes writes again");
        }
    }
}
