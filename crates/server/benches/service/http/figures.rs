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
    /// The server's memory.
    pub(crate) memory: Memory,
    /// Bytes of an audit row on the disk, afterwards.
    pub(crate) audit_row_bytes: f64,
}

impl HttpFigures {
    pub(crate) fn new(credentials: u32, connections: usize) -> Self {
        Self {
            bare: Series::new(format!("HTTP, bare answer, {connections} connections")),
            validate: Series::new(format!(
                "HTTP, {credentials} credentials, {connections} connections"
            )),
            memory: Memory::default(),
            audit_row_bytes: 0.0,
        }
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
