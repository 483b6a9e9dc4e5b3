use std::process::ExitCode;

use warifu_token::{KeySlot, OsKeyStore, VaultError};

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
    // Once more, under the lock: the file that is deleted is the one whose key is deleted.
    let key = app.vault.header().ok().map(|header| header.key);
    app.vault.delete(&lock)?;
    if let Some(KeySlot::OsKeyStore { entry }) = key {
        let deleted = OsKeyStore::of_this_session().and_then(|store| store.delete(&entry));
        if let Err(error) = deleted {
            let reason = error::key_store(&error, &app.texts);
            let told = app.texts.say_with(
                "remove-key-left",
                [("entry", entry.into()), ("reason", reason.into())],
            );
            app.note(&told)?;
        }
    }
    let done = app.texts.say("remove-done");
    app.line(&done)?;
    Ok(ExitCode::SUCCESS)
}
