//! The `warifu` program.

use std::process::ExitCode;

/// A validation asks for some forty small pieces of memory; the system's allocator took a fifth of its time
/// (docs/decisions/0029).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    warifu::cli::run(std::env::args_os())
}
