use std::process::ExitCode;

use warifu_token::{Edge, Header, KeySlot, OsKeyStore, Service, Token, measure};

use crate::app::App;
use crate::error::{self, CliError};
use crate::{age, unlock};

/// Bits of a file's permissions that let others in.
const OTHERS: u32 = 0o077;

/// `warifu-token doctor`: what is well and what is not. Exit code 1 when the token cannot be used
/// or others can read its vault; a service out of reach is no illness (rule T3).
pub(crate) fn run(app: &mut App) -> Result<ExitCode, CliError> {
    let version = app.texts.say_with(
        "doctor-version",
        [("version", env!("CARGO_PKG_VERSION").into())],
    );
    app.line(&version)?;
    let path = app.vault.path().display().to_string();
    let place = app.texts.say_with("doctor-vault", [("path", path.into())]);
    app.line(&place)?;
    let header = match app.vault.header() {
        Ok(header) => header,
        Err(error) => return ill(app, &error::vault(&error, &app.texts)),
    };
    let is_private = permissions(app)?;
    let id = app
        .texts
        .say_with("id-line", [("id", header.credential_id.grouped().into())]);
    app.line(&id)?;
    key(app, &header)?;
    let token = match unlock::open(app) {
        Ok(token) => token,
        Err(error) => return ill(app, &error.say(&app.texts)),
    };
    clock(app, &token)?;
    service(app, token)?;
    Ok(if is_private {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn ill(app: &mut App, what: &str) -> Result<ExitCode, CliError> {
    let fault = app.texts.say_with("doctor-fault", [("what", what.into())]);
    app.line(&fault)?;
    Ok(ExitCode::FAILURE)
}

fn permissions(app: &mut App) -> Result<bool, CliError> {
    // Where there are no permission bits (Windows) the folder of the user's profile protects the file.
    let Some(mode) = app.vault.mode()? else {
        return Ok(true);
    };
    let is_private = mode & OTHERS == 0;
    let key = if is_private {
        "doctor-permissions"
    } else {
        "doctor-permissions-loose"
    };
    let told = app
        .texts
        .say_with(key, [("mode", format!("{mode:04o}").into())]);
    app.line(&told)?;
    Ok(is_private)
}

fn key(app: &mut App, header: &Header) -> Result<(), CliError> {
    let told = match &header.key {
        KeySlot::OsKeyStore { .. } => app
            .texts
            .say_with("doctor-key-os", [("store", OsKeyStore::name().into())]),
        KeySlot::Passphrase {
            memory_kib,
            passes,
            lanes,
            ..
        } => app.texts.say_with(
            "doctor-key-passphrase",
            [
                ("mebibytes", (*memory_kib / 1024).into()),
                ("passes", (*passes).into()),
                ("lanes", (*lanes).into()),
            ],
        ),
    };
    app.line(&told)
}

fn clock(app: &mut App, token: &Token) -> Result<(), CliError> {
    let contact = token.contact();
    let now = app.edge.now();
    let ago = age::in_words(&app.texts, contact.age(now));
    let told = app.texts.say_with(
        "doctor-contact",
        [
            ("ago", ago.into()),
            (
                "at",
                contact.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
            ),
        ],
    );
    app.line(&told)?;
    let offset = format!("{:+.1}", contact.offset().as_secs_f64());
    let told = app
        .texts
        .say_with("doctor-offset", [("seconds", offset.into())]);
    app.line(&told)?;
    if contact.was_set_back(now) {
        let told = app.texts.say("clock-set-back");
        app.line(&told)?;
    }
    Ok(())
}

/// Asks the service for its time, says what came of it, and remembers it (rule T6).
fn service(app: &mut App, mut token: Token) -> Result<(), CliError> {
    let service = app.service(token.service());
    let asked = app.edge.now();
    let address = token.service().to_string();
    let answer = match service.time() {
        Ok(answer) => answer,
        Err(error) => {
            let reason = error::service(&error, &app.texts);
            let told = app.texts.say_with(
                "doctor-service-away",
                [("address", address.into()), ("reason", reason.into())],
            );
            return app.line(&told);
        }
    };
    let measured = measure(asked, answer.service_time, app.edge.now());
    let milliseconds = i64::try_from(measured.round_trip.as_millis()).unwrap_or(i64::MAX);
    let told = app.texts.say_with(
        "doctor-service",
        [
            ("address", address.into()),
            ("milliseconds", milliseconds.into()),
        ],
    );
    app.line(&told)?;
    token.learn(measured.contact);
    // That another instance is just writing is no matter: it learned the same.
    token.contact_keeper().keep(measured.contact, &app.edge)?;
    let told = match app.clock_warning(&token) {
        Some(warning) => warning,
        None => app.texts.say("doctor-clock-right"),
    };
    app.line(&told)
}
