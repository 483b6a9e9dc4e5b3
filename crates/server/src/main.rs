//! The `warifu` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    warifu::cli::run(std::env::args_os())
}
