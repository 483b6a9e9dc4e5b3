//! SQLite only: which credentials may have wrong codes that count, so that a validation does not look for each.
//!
//! Few have any at a time. What is remembered holds every credential with a row, and may hold some whose row is gone or
//! was undone: for those the table is asked. It is complete since whoever inserts a row goes through the one writer.

use std::collections::HashSet;

use super::sqlite_engine::SqliteTx;
use super::sweep::Numbers;
use super::{DatabaseError, Value};

/// How many are remembered at most, some 2 MB: where more fail at once, the table is asked for each.
const MOST: usize = 65_536;

/// Credentials that may have wrong codes that count; without a set, any may.
pub(crate) struct Failing(Option<HashSet<i64, Numbers>>);

impl Failing {
    pub(crate) fn load(tx: &SqliteTx<'_>) -> Result<Self, DatabaseError> {
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        let failing: HashSet<_, _> = tx
            .query(
                "SELECT DISTINCT credential FROM credential_failures LIMIT ?1",
                &[Value::Int(most)],
                |row| row.int(0),
            )?
            .into_iter()
            .collect();
        Ok(Self((failing.len() < MOST).then_some(failing)))
    }

    pub(crate) fn may_be(&self, credential: i64) -> bool {
        self.0
            .as_ref()
            .is_none_or(|failing| failing.contains(&credential))
    }

    pub(crate) fn add(&mut self, credential: i64) {
        if let Some(failing) = &mut self.0 {
            failing.insert(credential);
            if failing.len() >= MOST {
                self.0 = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_that_was_added_may_be_failing_and_another_is_certainly_not() {
        let mut failing = Failing(Some(HashSet::default()));
        failing.add(7);
        assert!(failing.may_be(7));
        assert!(!failing.may_be(8));
    }

    #[test]
    fn where_too_many_fail_to_be_remembered_any_may() {
        let mut failing = Failing(Some(HashSet::default()));
        let most = i64::try_from(MOST).unwrap();
        (1..most).for_each(|credential| failing.add(credential));
        assert!(!failing.may_be(-1));
        failing.add(most);
        assert!(failing.may_be(-1));
    }
}
