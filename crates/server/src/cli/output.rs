//! What the command line says: answers on standard output, everything else on standard error.

use std::io::Write as _;

/// One line of an answer.
pub(super) fn say(line: &str) {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// One line that is not the answer: progress, advice.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Why there is no answer.
pub(super) fn problem(line: &str) {
    note(&format!("warifu: {line}"));
}
