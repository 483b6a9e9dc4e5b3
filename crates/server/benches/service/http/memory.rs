//! What the server keeps in memory while it works.

use std::fmt;

use serde::Serialize;

use crate::round::real;

/// The server's resident memory over its validations.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Memory {
    /// KiB after the warm-up.
    pub(crate) start_kib: u64,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    validations: u64,
    kib: u64,
}

impl Memory {
    /// What it is after so many validations.
    pub(crate) fn add(&mut self, validations: u64, kib: u64) {
        self.samples.push(Sample { validations, kib });
    }

    /// The largest sample, MiB.
    pub(crate) fn largest_mib(&self) -> f64 {
        self.largest(|_| true) / 1024.0
    }

    /// The largest sample of the second half beside that of the first.
    pub(crate) fn growth(&self) -> f64 {
        let half = self.samples.last().map_or(0, |last| last.validations) / 2;
        self.largest(|validations| validations > half)
            / self.largest(|validations| validations <= half)
    }

    fn largest(&self, of: impl Fn(u64) -> bool) -> f64 {
        let samples = self.samples.iter().filter(|sample| of(sample.validations));
        real(samples.map(|sample| sample.kib).max().unwrap_or_default())
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib| real(kib) / 1024.0;
        write!(
            f,
            "the server's resident memory: {:.1} MiB after the warm-up",
            mib(self.start_kib)
        )?;
        let middle = self.samples.get(self.samples.len() / 2);
        for sample in middle.into_iter().chain(self.samples.last()) {
            write!(
                f,
                ", {:.1} after {} validations",
                mib(sample.kib),
                sample.validations
            )?;
        }
        write!(f, ", largest {:.1}", self.largest_mib())
    }
}
