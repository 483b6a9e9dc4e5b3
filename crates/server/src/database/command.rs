//! What waits in the queues of a database.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::{DatabaseError, Gather, Tx};

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, DatabaseError>>;

/// One thing to do.
pub(super) enum Command<G: Gather> {
    Gather(G::Item, Reply<G::Answer>),
    Work(Box<dyn Work>),
}

/// A command that stands alone: run in a transaction, answered after its end.
pub(super) trait Work: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), DatabaseError>;
    /// `end` is how the transaction ended.
    fn answer(self: Box<Self>, end: Result<(), DatabaseError>);
}

/// [`Work`] made of a closure.
pub(super) struct Task<F, T> {
    pub(super) work: Option<F>,
    pub(super) result: Option<T>,
    pub(super) reply: Reply<T>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, DatabaseError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        let work = self.work.take().ok_or(DatabaseError::Gone)?;
        // A panic is this command's fault alone; the others of its group go on.
        self.result =
            Some(catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(DatabaseError::Gone))?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), DatabaseError>) {
        let Self { result, reply, .. } = *self;
        let result = end.and_then(|()| result.ok_or(DatabaseError::Gone));
        // Nobody may wait any more; the work is done all the same.
        let _ = reply.send(result);
    }
}
