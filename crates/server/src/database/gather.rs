use super::{DatabaseError, Tx};

/// Commands that are worth more in company: those that wait are run together in one transaction.
pub trait Gather: Send + Sync + 'static {
    /// One command.
    type Item: Send + 'static;
    /// What one command comes to.
    type Answer: Send + 'static;

    /// SQLite: has the writer remember what the first commands would otherwise wait for. Run once, before any of them.
    ///
    /// # Errors
    /// [`DatabaseError`] of the engine: then the first commands try again.
    fn prepare(&self, _tx: &mut Tx<'_>) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// Runs the commands, in order, and gives as many answers.
    ///
    /// # Errors
    /// Undoes all of them.
    fn run(
        &self,
        tx: &mut Tx<'_>,
        items: &[Self::Item],
    ) -> Result<Vec<Self::Answer>, DatabaseError>;
}
