use std::process::ExitCode;

use serde::Serialize;
use warifu_token::Edge;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::CliError;
use crate::unlock;

/// What `show --json` prints. Names and units stay as they are: scripts rely on them.
#[derive(Serialize)]
struct Shown<'a> {
    credential_id: &'a str,
    code: &'a str,
    valid_for_seconds: u8,
    next_code: &'a str,
    /// The service's clock less the device's.
    clock_offset_seconds: f64,
}

/// `warifu-token show [--json]`: once, with no network (rule T3).
pub(crate) fn run(app: &mut App, json: bool) -> Result<ExitCode, CliError> {
    let token = unlock::open(app)?;
    let codes = token.codes(app.edge.now())?;
    let code = Zeroizing::new(codes.code.to_string());
    let next = Zeroizing::new(codes.next.to_string());
    if json {
        let shown = Shown {
            credential_id: token.id().as_str(),
            code: &code,
            valid_for_seconds: codes.seconds_left(),
            next_code: &next,
            clock_offset_seconds: token.contact().offset().as_secs_f64(),
        };
        let text = serde_json::to_string(&shown).map_err(|error| CliError::Output(error.into()))?;
        app.line(&text)?;
    } else {
        let texts = &app.texts;
        let lines = [
            texts.say_with("id-line", [("id", token.id().grouped().into())]),
            texts.say_with("code-line", [("code", code.as_str().into())]),
            texts.say_with("seconds-line", [("seconds", codes.seconds_left().into())]),
            texts.say_with("next-line", [("code", next.as_str().into())]),
        ];
        for line in lines {
            app.line(&line)?;
        }
    }
    if let Some(warning) = app.clock_warning(&token) {
        app.note(&warning)?;
    }
    Ok(ExitCode::SUCCESS)
}
