use std::process::ExitCode;

use warifu_token::{Keeper, Lock, OsKeyStore, ServiceAddress, Token, first_start};
use warifu_wire::Platform;

use crate::app::App;
use crate::args::KeyStoreChoice;
use crate::error::CliError;
use crate::view::wrap;
use crate::{live, unlock};

/// `warifu-token [SERVICE_URL]`: the first start where there is no token, else the live view (rule T1).
pub(crate) fn run(
    app: &mut App,
    service_url: Option<&str>,
    key_store: Option<KeyStoreChoice>,
) -> Result<ExitCode, CliError> {
    let address = service_url.map(str::parse::<ServiceAddress>).transpose()?;
    let (token, is_new) = match (app.vault.exists()?, &address) {
        (true, _) => (unlock::open(app)?, false),
        (false, None) => return Err(CliError::NoAddress),
        (false, Some(address)) => begin(app, address, key_store)?,
    };
    if let Some(given) = address.filter(|given| given != token.service()) {
        return Err(CliError::OtherService {
            registered: token.service().to_string(),
            given: given.to_string(),
        });
    }
    if is_new {
        welcome(app, &token)?;
    }
    if App::is_interactive() {
        return live::run(app, token);
    }
    if !is_new {
        let id = app
            .texts
            .say_with("id-line", [("id", token.id().grouped().into())]);
        app.line(&id)?;
        let hint = app.texts.say("hint-show");
        app.note(&hint)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Registers, unless another instance did so while this one waited for the lock (rule T5).
fn begin(
    app: &mut App,
    address: &ServiceAddress,
    key_store: Option<KeyStoreChoice>,
) -> Result<(Token, bool), CliError> {
    let lock = wait_for_lock(app)?;
    if app.vault.exists()? {
        drop(lock);
        return Ok((unlock::open(app)?, false));
    }
    let service = app.service(address);
    let register = |app: &App, keeper: &Keeper<'_>| {
        first_start(
            &app.vault,
            &lock,
            keeper,
            (address, &service),
            Platform::Cli,
            &app.edge,
        )
    };
    let token = match choose_store(app, key_store)? {
        Some(store) => register(app, &Keeper::OsKeyStore(&store)),
        None => register(app, &Keeper::Passphrase(&unlock::new_passphrase(app)?)),
    };
    Ok((token?, true))
}

fn wait_for_lock(app: &mut App) -> Result<Lock, CliError> {
    if let Some(lock) = app.vault.try_lock()? {
        return Ok(lock);
    }
    let waiting = app.texts.say("waiting-for-lock");
    app.note(&waiting)?;
    Ok(app.vault.lock()?)
}

/// The operating system's key store, or nothing where a passphrase shall do, which is said.
fn choose_store(
    app: &mut App,
    choice: Option<KeyStoreChoice>,
) -> Result<Option<OsKeyStore>, CliError> {
    // Who brings a passphrase file means it.
    if choice == Some(KeyStoreChoice::Passphrase)
        || (choice.is_none() && app.passphrase_file.is_some())
    {
        return Ok(None);
    }
    let found =
        OsKeyStore::of_this_session().and_then(|store| store.check(&app.edge).map(|()| store));
    match found {
        Ok(store) => Ok(Some(store)),
        Err(error) if choice == Some(KeyStoreChoice::Os) => Err(error.into()),
        Err(_) => {
            let told = app.texts.say("key-store-fallback");
            app.note(&told)?;
            Ok(None)
        }
    }
}

/// The welcome screen: what this is, the ID, the advice of rule T7, and one OK (rule T1).
fn welcome(app: &mut App, token: &Token) -> Result<(), CliError> {
    let texts = &app.texts;
    let mut lines = vec![
        String::new(),
        texts.say("welcome-title"),
        String::new(),
        texts.say("welcome-done"),
        texts.say_with("id-line", [("id", token.id().grouped().into())]),
        String::new(),
        texts.say("welcome-next"),
        texts.say("advice"),
    ];
    lines.extend(app.clock_warning(token));
    // A script gets whole lines; on a terminal no word is broken.
    let width = App::is_interactive()
        .then(|| crossterm::terminal::size().ok())
        .flatten()
        .map_or(usize::MAX, |(columns, _)| usize::from(columns));
    for line in lines.iter().flat_map(|line| wrap(line, width)) {
        app.line(&line)?;
    }
    if App::is_interactive() {
        app.line("")?;
        let ok = app.texts.say("welcome-ok");
        app.ask(&ok)?;
    }
    Ok(())
}
