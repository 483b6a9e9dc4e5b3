//! What the page may ask: `capabilities/main.json` lists the same names. No answer holds a secret (rule T5).
#![expect(
    clippy::unreachable,
    reason = "`tauri::command` writes one behind a loop that never ends"
)]

use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use tauri::{AppHandle, State};
use tauri_plugin_autostart::ManagerExt;
use zeroize::Zeroizing;

use crate::desk::Desk;
use crate::told::Told;
use crate::tray::{self, Language};
use crate::views::{CodesView, Found, HealthView, TokenView, What};

/// The desk as Tauri keeps it.
pub(crate) type Shared = Arc<Desk>;

/// A passphrase on its way from the page, wiped when dropped. The copies of the web view are out of our reach.
pub(crate) struct Typed(Zeroizing<String>);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Does the work on a thread that may block, then lets the tray icon follow.
async fn aside<T: Send + 'static>(
    app: &AppHandle,
    desk: &State<'_, Shared>,
    work: impl FnOnce(&Desk) -> Result<T, Told> + Send + 'static,
) -> Result<T, Told> {
    let desk = Arc::clone(desk);
    let outcome = tauri::async_runtime::spawn_blocking(move || work(&desk)).await;
    tray::follow(app);
    outcome.unwrap_or_else(|_| Err(Told::of("other")))
}

#[tauri::command]
pub(crate) async fn find(app: AppHandle, desk: State<'_, Shared>) -> Result<Found, Told> {
    aside(&app, &desk, Desk::find).await
}

#[tauri::command]
pub(crate) async fn choose(
    app: AppHandle,
    desk: State<'_, Shared>,
    passphrase: Typed,
) -> Result<(), Told> {
    aside(&app, &desk, move |desk| desk.choose(passphrase.0)).await
}

#[tauri::command]
pub(crate) async fn unlock(
    app: AppHandle,
    desk: State<'_, Shared>,
    passphrase: Typed,
) -> Result<(), Told> {
    aside(&app, &desk, move |desk| desk.unlock(passphrase.0)).await
}

#[tauri::command]
pub(crate) async fn register(app: AppHandle, desk: State<'_, Shared>) -> Result<TokenView, Told> {
    aside(&app, &desk, Desk::register).await
}

#[tauri::command]
pub(crate) async fn welcome(app: AppHandle, desk: State<'_, Shared>) -> Result<TokenView, Told> {
    aside(&app, &desk, Desk::welcome).await
}

#[tauri::command]
pub(crate) async fn codes(app: AppHandle, desk: State<'_, Shared>) -> Result<CodesView, Told> {
    aside(&app, &desk, Desk::codes).await
}

#[tauri::command]
pub(crate) async fn learn(app: AppHandle, desk: State<'_, Shared>) -> Result<TokenView, Told> {
    aside(&app, &desk, Desk::learn).await
}

#[tauri::command]
pub(crate) async fn copy(app: AppHandle, desk: State<'_, Shared>, what: What) -> Result<(), Told> {
    aside(&app, &desk, move |desk| desk.copy(what)).await
}

#[tauri::command]
pub(crate) async fn remove(app: AppHandle, desk: State<'_, Shared>) -> Result<(), Told> {
    aside(&app, &desk, Desk::remove).await
}

#[tauri::command]
pub(crate) async fn health(app: AppHandle, desk: State<'_, Shared>) -> Result<HealthView, Told> {
    // Where it cannot be told, the box stays empty; ticking it says more.
    let starts = app.autolaunch().is_enabled().unwrap_or(false);
    aside(&app, &desk, move |desk| desk.health(starts)).await
}

#[tauri::command]
pub(crate) async fn service(app: AppHandle, desk: State<'_, Shared>) -> Result<String, Told> {
    aside(&app, &desk, |desk| Ok(desk.service())).await
}

#[tauri::command]
pub(crate) async fn set_service(
    app: AppHandle,
    desk: State<'_, Shared>,
    address: String,
) -> Result<(), Told> {
    aside(&app, &desk, move |desk| desk.set_service(&address)).await
}

#[tauri::command]
pub(crate) async fn set_starts(
    app: AppHandle,
    desk: State<'_, Shared>,
    starts: bool,
) -> Result<(), Told> {
    let started = app.clone();
    aside(&app, &desk, move |_| tray::set_starts(&started, starts)).await
}

/// The page's language: of the tray icon and of what the service says.
#[tauri::command]
pub(crate) async fn speak(
    app: AppHandle,
    desk: State<'_, Shared>,
    language: Language,
) -> Result<(), Told> {
    tray::speak(&app, language);
    aside(&app, &desk, move |desk| {
        desk.speak(language.tag());
        Ok(())
    })
    .await
}

/// The service's guide, in the system's browser: the window shows nothing but this program's own page.
#[tauri::command]
pub(crate) async fn guide(
    app: AppHandle,
    desk: State<'_, Shared>,
    language: Language,
) -> Result<(), Told> {
    aside(&app, &desk, move |desk| {
        let guide = format!("{}/guide?lang={}", desk.service(), language.tag());
        open::that_detached(guide).map_err(|error| Told::because("other", error.to_string()))
    })
    .await
}
