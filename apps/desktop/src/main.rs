//! The Warifu token as a desktop program (rule T4): the web token's page in a window, the keys in Rust.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod desk;
mod held;
mod page;
mod settings;
mod shell;
mod told;
mod tray;
mod views;

use std::process::ExitCode;

fn main() -> ExitCode {
    warifu_token::session::forbid_core_dumps();
    shell::run()
}
