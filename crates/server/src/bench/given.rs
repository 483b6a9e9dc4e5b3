//! Which code each token gave away last: kept between two runs, since the server remembers it too (rules S3, S4).
//!
//! The file lies beside the secrets' and holds none. While a run is under way it is not there under its own name: a run that
//! was killed leaves tokens of which nobody knows what they have shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use warifu_credentials::TimeStep;

use super::BenchError;
use super::steps::Given;
use crate::startup::write_private;

/// What a run holds on to until it has written what its tokens gave away.
#[derive(Debug)]
pub struct GivenFile {
    path: PathBuf,
    given: BTreeMap<u32, Given>,
}

impl GivenFile {
    /// Takes the file that belongs to these secrets; none yet: nothing was given away.
    ///
    /// # Errors
    /// When another run has it, or ended without a word.
    pub fn take(secrets: &Path) -> Result<Self, BenchError> {
        let path = secrets.with_extension("given");
        let failed = |doing, error| BenchError::File {
            doing,
            path: path.display().to_string(),
            error,
        };
        let busy = path.with_extension("given-busy");
        if busy.exists() {
            return Err(BenchError::Said(format!(
                "{}: another run is under way, or one was killed. Of a killed one nobody knows which codes its tokens showed: prepare an empty installation anew",
                busy.display()
            )));
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("cannot read", error)),
        };
        let given = text.lines().map(parse).collect::<Option<_>>();
        let given = given.ok_or_else(|| {
            BenchError::Said(format!("{} is no file of warifu bench", path.display()))
        })?;
        write_private(&busy, b"").map_err(|error| failed("cannot write", error))?;
        Ok(Self { path, given })
    }

    /// What was given away before.
    #[must_use]
    pub fn given(&self) -> &BTreeMap<u32, Given> {
        &self.given
    }

    /// Writes what was given away, and lets the next run begin.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(mut self, given: impl IntoIterator<Item = (u32, Given)>) -> Result<(), BenchError> {
        self.given.extend(given);
        let mut text = String::new();
        for (number, it) in &self.given {
            let _ = writeln!(
                text,
                "{number} {} {} {}",
                it.step.0,
                it.at.0,
                u8::from(it.taken)
            );
        }
        write_private(&self.path, text.as_bytes())
            .and_then(|()| std::fs::remove_file(self.path.with_extension("given-busy")))
            .map_err(|error| BenchError::File {
                doing: "cannot write",
                path: self.path.display().to_string(),
                error,
            })
    }
}

fn parse(line: &str) -> Option<(u32, Given)> {
    let mut words = line.split(' ');
    let number = words.next()?.parse().ok()?;
    let given = Given {
        step: TimeStep(words.next()?.parse().ok()?),
        at: TimeStep(words.next()?.parse().ok()?),
        taken: words.next()? == "1",
    };
    words.next().is_none().then_some((number, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_knows_what_the_last_one_gave_away_and_two_do_not_run_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = folder.path().join("bench-secrets.json");
        let given = |step, taken| Given {
            step: TimeStep(step),
            at: TimeStep(step - 3),
            taken,
        };
        let first = GivenFile::take(&secrets).unwrap();
        assert!(first.given().is_empty());
        let refused = GivenFile::take(&secrets).unwrap_err().to_string();
        assert!(refused.contains("another run"), "{refused}");
        first
            .put([(1, given(50, true)), (7, given(60, false))])
            .unwrap();
        let second = GivenFile::take(&secrets).unwrap();
        second.put([(7, given(61, true))]).unwrap();
        let third = GivenFile::take(&secrets).unwrap();
        let expected = [(1, given(50, true)), (7, given(61, true))];
        assert_eq!(third.given(), &BTreeMap::from(expected));
    }
}
