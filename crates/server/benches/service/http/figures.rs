use std::fmt;

use serde::Serialize;

use super::memory::Memory;
use crate::round::Series;

/// What the rounds over HTTP came to.
#[derive(Debug, Serialize)]
pub(crate) struct HttpFigures {
    /// `GET /v1/time`.
    pub(crate) bare: Series,
    /// Validations.
    pub(crate) validate: Series,
    /// Validations by a server with more credentials, but in a quick run.
    pub(crate) many: Option<Series>,
    /// The server's memory.
    pub(crate) memory: Memory,
    /// Bytes of an audit row on the disk, afterwards.
    pub(crate) audit_row_bytes: f64,
}

impl HttpFigures {
    pub(crate) fn new(credentials: u32, many: Option<u32>, connections: usize) -> Self {
        let validations = |credentials: u32| {
            Series::new(format!(
                "HTTP, {credentials} credentials, {connections} connections"
            ))
        };
        Self {
            bare: Series::new(format!("HTTP, bare answer, {connections} connections")),
            validate: validations(credentials),
            many: many.map(validations),
            memory: Memory::default(),
            audit_row_bytes: 0.0,
        }
    }

    /// All rounds.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Series> {
        [&self.bare, &self.validate].into_iter().chain(&self.many)
    }
}

impl fmt::Display for HttpFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "HTTP: {:.0} bytes an audit row on the disk, its index included\n{}",
            self.audit_row_bytes, self.memory
        )
    }
}
