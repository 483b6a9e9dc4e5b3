use std::process::ExitCode;

use warifu_token::{OsKeyStore, VaultError};

use crate::app::App;
use crate::error::{self, CliError};

/// `warifu-token remove [--yes]`: deletes the token, after saying what to do at the bank first (rule T8).
///
/// It needs no key: who lost the passphrase must be able to start over.
pub(crate) fn run(app: &mut App, yes: bool) -> Result<ExitCode, CliError> {
    if !app.vault.exists()? {
        return Err(VaultError::Missing.into());
    }
    let named = match app.vault.header() {
        Ok(header) => app
            .texts
            .say_with("id-line", [("id", header.credential_id.grouped().into())]),
        Err(error) => error::vault(&error, &app.texts),
    };
    app.line(&named)?;
    let advice = app.texts.say("remove-advice");
    app.line(&advice)?;
    if !yes {
        let question = app.texts.say("remove-question");
        let answer = app.ask(&question)?;
        if !matches!(answer.as_str(), "yes" | "はい") {
            return Err(CliError::NotConfirmed);
        }
    }
    let lock = app.vault.lock()?;
    if let Some(left) = warifu_token::remove(&app.vault, &lock, OsKeyStore::of_this_session)? {
        let reason = error::key_store(&left.reason, &app.texts);
        let told = app.texts.say_with(
            "remove-key-left",
            [("entry", left.entry.into()), ("reason", reason.into())],
        );
        app.note(&told)?;
    }
    let done = app.texts.say("remove-done");
    app.line(&done)?;
    Ok(ExitCode::SUCCESS)
}
