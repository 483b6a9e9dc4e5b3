use super::{DatabaseError, Tx};

/// Commands that are worth more in company: those that wait are run together in one transaction.
pub trait Gather: Send + Sync + 'static {
    /// One command.
    type Item: Send + 'static;
    /// What one command comes to.
    type Answer: Send + 'static;

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

/// For a database whose commands all stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct GatherOnly;

impl Gather for GatherOnly {
    type Item = ();
    type Answer = ();

    fn run(&self, _: &mut Tx<'_>, items: &[()]) -> Result<Vec<()>, DatabaseError> {
        Ok(items.to_vec())
    }
}
