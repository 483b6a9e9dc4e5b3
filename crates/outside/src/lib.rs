//! Everything that reads bytes from outside, as functions that no bytes may break (docs/decisions/0032).
//!
//! Each function reads its bytes as the product does and holds what came of it to what must be true of it. `fuzz` hands
//! them to libFuzzer; the test `corpus` runs them over the corpus in `fuzz/corpus` and thousands of mutations of it.

mod api;
mod bank;
mod files;
mod oath;
mod token;

/// A fuzz target: its name, which is that of its file in `fuzz/fuzz_targets` and of its folder in `fuzz/corpus`, and what
/// it does with bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics when something is not as it must be.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 11] = [
    target("api_body", api::body),
    target("api_head", api::head),
    target("bank_form", bank::form),
    target("bank_typed", bank::typed),
    target("checkpoint", files::checkpoint),
    target("configuration", files::configuration),
    target("key_source", files::key_source),
    target("oath_base32", oath::base32),
    target("oath_ocra_suite", oath::ocra_suite),
    target("oath_otpauth_uri", oath::otpauth_uri),
    target("token_reads", token::reads),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Runs the target of that name; panics when there is none.
pub fn run(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|target| target.name == name);
    assert!(found.is_some(), "no target is called {name}");
    if let Some(target) = found {
        (target.run)(bytes);
    }
}

/// The first line and what follows it.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => bytes
            .split_at_checked(end + 1)
            .map_or((bytes, &[]), |(line, rest)| {
                (line.strip_suffix(b"\n").unwrap_or(line), rest)
            }),
        None => (bytes, &[]),
    }
}
