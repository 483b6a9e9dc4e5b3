//! `warifu-token`: the Warifu token on the command line (rule T4).

mod age;
mod ambient;
mod app;
mod args;
mod copy;
mod doctor;
mod error;
mod live;
mod remove;
mod show;
mod start;
mod texts;
mod unlock;
mod view;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use warifu_token::session;

use app::App;
use args::{Args, Command};
use error::CliError;
use texts::{Language, Texts};

fn main() -> ExitCode {
    session::forbid_core_dumps();
    let words: Vec<OsString> = std::env::args_os().collect();
    let language = Language::choose(args::language_of(&words).as_deref(), ambient::variable);
    let texts = Texts::new(language);
    let args = match args::parse(&texts, &words) {
        Ok(args) => args,
        // Help and version come this way too; clap knows which stream and which exit code.
        Err(told) => {
            let _ = told.print();
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    let Some(vault) = args.vault.clone().or_else(session::default_vault) else {
        return told(&CliError::NoHome, &texts);
    };
    let mut app = App::new(texts, vault, args.passphrase_file.clone());
    run(&mut app, args).unwrap_or_else(|error| told(&error, &app.texts))
}

fn run(app: &mut App, args: Args) -> Result<ExitCode, CliError> {
    match args.command {
        None => start::run(app, args.service_url.as_deref(), args.key_store),
        Some(Command::Show { json }) => show::run(app, json),
        Some(Command::Copy { what }) => copy::run(app, what),
        Some(Command::Doctor) => doctor::run(app),
        Some(Command::Remove { yes }) => remove::run(app, yes),
    }
}

fn told(error: &CliError, texts: &Texts) -> ExitCode {
    if !error.is_closed_pipe() {
        // Where even this cannot be written, the exit code still speaks.
        let _ = writeln!(io::stderr(), "warifu-token: {}", error.say(texts));
    }
    ExitCode::from(error.exit_code())
}
