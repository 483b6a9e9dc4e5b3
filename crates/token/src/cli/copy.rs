use std::process::ExitCode;
use std::sync::mpsc;

use warifu_token::Edge;
use warifu_token::clipboard::{DesktopClipboard, Held, WIPE_AFTER};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::CopyWhat;
use crate::error::CliError;
use crate::unlock;

/// `warifu-token copy [code|id]`: onto the clipboard, and off it again after [`WIPE_AFTER`].
pub(crate) fn run(app: &mut App, what: CopyWhat) -> Result<ExitCode, CliError> {
    let token = unlock::open(app)?;
    let clipboard = DesktopClipboard::new().map_err(CliError::Clipboard)?;
    // Computed after the passphrase was typed: what is copied is the code of this moment.
    let (text, told) = match what {
        CopyWhat::Code => (token.codes(app.edge.now())?.code.to_string(), "copied-code"),
        CopyWhat::Id => (token.id().to_string(), "copied-id"),
    };
    let warning = app.clock_warning(&token);
    // Ctrl-C and a request to end wake the wait below, which then wipes.
    let (end, ended) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = end.send(());
    })
    .map_err(|error| CliError::Clipboard(error.to_string()))?;
    let held = Held::put(clipboard, Zeroizing::new(text)).map_err(CliError::Clipboard)?;
    let told = app.texts.say(told);
    let said = app.line(&told);
    if let Some(warning) = warning {
        let _ = app.note(&warning);
    }
    let _ = ended.recv_timeout(WIPE_AFTER);
    held.wipe();
    said.map(|()| ExitCode::SUCCESS)
}
