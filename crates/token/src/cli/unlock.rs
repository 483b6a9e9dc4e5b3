use std::fs::File;
use std::io::Read;
use std::path::Path;

use warifu_token::{OpenError, OsKeyStore, Passphrase, Token, VaultError};
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::CliError;

/// How often a passphrase may be mistyped before the command ends.
const TRIES: u8 = 3;

/// No passphrase file is longer, in bytes.
const MAX_FILE: u64 = 4096;

/// Opens the vault, with the key from the key store, the passphrase file or the prompt.
pub(crate) fn open(app: &mut App) -> Result<Token, CliError> {
    let typed = app.passphrase_file.is_none();
    for _ in 1..TRIES {
        match open_once(app) {
            Err(CliError::Open(OpenError::Vault(VaultError::WrongPassphrase))) if typed => {
                let again = app.texts.say("error-wrong-passphrase");
                app.note(&again)?;
            }
            outcome => return outcome,
        }
    }
    open_once(app)
}

fn open_once(app: &App) -> Result<Token, CliError> {
    Token::open(
        &app.vault,
        || OsKeyStore::of_this_session().map_err(CliError::from),
        || passphrase(app, "passphrase-prompt"),
    )
}

/// A passphrase for a new vault: from the file, or typed twice.
pub(crate) fn new_passphrase(app: &App) -> Result<Passphrase, CliError> {
    let first = passphrase(app, "passphrase-new-prompt")?;
    if app.passphrase_file.is_none() {
        let second = passphrase(app, "passphrase-again-prompt")?;
        if !first.is_same_as(&second) {
            return Err(CliError::PassphrasesDiffer);
        }
    }
    Ok(first)
}

fn passphrase(app: &App, prompt: &str) -> Result<Passphrase, CliError> {
    let text = match &app.passphrase_file {
        Some(path) => from_file(path)?,
        None if App::can_prompt() => Zeroizing::new(
            rpassword::prompt_password(format!("{} ", app.texts.say(prompt)))
                .map_err(CliError::Output)?,
        ),
        None => return Err(OpenError::PassphraseNeeded.into()),
    };
    Ok(Passphrase::new(text)?)
}

/// The file's text, less the line end that editors put there.
fn from_file(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::with_capacity(8192));
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(CliError::PassphraseFile)?;
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
