//! The tray icon: show the window, copy, start with the system, quit.

use std::sync::Arc;

use serde::Deserialize;
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Wry};
use tauri_plugin_autostart::ManagerExt;

use crate::commands::Shared;
use crate::shell;
use crate::told::Told;
use crate::views::What;

const ICON: Image<'_> = tauri::include_image!("../web-token/icon-192.png");

/// The language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Ja,
    En,
}

/// The words of the menu.
struct Words {
    title: &'static str,
    show: &'static str,
    copy_code: &'static str,
    copy_id: &'static str,
    starts: &'static str,
    quit: &'static str,
}

const JA: Words = Words {
    title: "Warifu トークン",
    show: "トークンを表示",
    copy_code: "セキュリティコードをコピー",
    copy_id: "トークンIDをコピー",
    starts: "パソコンの起動時に開始する",
    quit: "終了",
};

const EN: Words = Words {
    title: "Warifu token",
    show: "Show the token",
    copy_code: "Copy the security code",
    copy_id: "Copy the token ID",
    starts: "Start with the computer",
    quit: "Quit",
};

impl Language {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    fn words(self) -> &'static Words {
        match self {
            Self::Ja => &JA,
            Self::En => &EN,
        }
    }
}

/// The entries that change.
struct Entries {
    show: MenuItem<Wry>,
    copy_code: MenuItem<Wry>,
    copy_id: MenuItem<Wry>,
    starts: CheckMenuItem<Wry>,
    quit: MenuItem<Wry>,
}

/// Puts the icon there. Where the desktop has no tray this changes nothing: opening the program again shows its window.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<()> {
    let entry = |id: &str, text, enabled| MenuItem::with_id(app, id, text, enabled, None::<&str>);
    let starts = app.autolaunch().is_enabled().unwrap_or(false);
    let entries = Entries {
        show: entry("show", JA.show, true)?,
        copy_code: entry("copy-code", JA.copy_code, false)?,
        copy_id: entry("copy-id", JA.copy_id, false)?,
        starts: CheckMenuItem::with_id(app, "starts", JA.starts, true, starts, None::<&str>)?,
        quit: entry("quit", JA.quit, true)?,
    };
    let menu = Menu::with_items(
        app,
        &[
            &entries.show,
            &entries.copy_code,
            &entries.copy_id,
            &PredefinedMenuItem::separator(app)?,
            &entries.starts,
            &entries.quit,
        ],
    )?;
    TrayIconBuilder::with_id("tray")
        .icon(ICON)
        .tooltip(JA.title)
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    app.manage(entries);
    Ok(())
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "show" => shell::show(app),
        "copy-code" => copy(app, What::Code),
        "copy-id" => copy(app, What::Id),
        "starts" => {
            let entries = app.state::<Entries>();
            let wanted = entries.starts.is_checked().unwrap_or(false);
            if set_starts(app, wanted).is_err() {
                let _ = entries.starts.set_checked(!wanted);
            }
        }
        "quit" => app.exit(0),
        _ => {}
    }
}

/// Off the window's thread: the clipboard may keep us waiting. Nobody is there to be told of a failure.
fn copy(app: &AppHandle, what: What) {
    let desk = Arc::clone(&app.state::<Shared>());
    tauri::async_runtime::spawn_blocking(move || desk.copy(what));
}

/// The menu in the page's language.
pub(crate) fn speak(app: &AppHandle, language: Language) {
    let Some(entries) = app.try_state::<Entries>() else {
        return;
    };
    let words = language.words();
    // An entry that keeps its old word still does its work.
    let _ = entries.show.set_text(words.show);
    let _ = entries.copy_code.set_text(words.copy_code);
    let _ = entries.copy_id.set_text(words.copy_id);
    let _ = entries.starts.set_text(words.starts);
    let _ = entries.quit.set_text(words.quit);
    if let Some(tray) = app.tray_by_id("tray") {
        let _ = tray.set_tooltip(Some(words.title));
    }
    shell::set_title(app, words.title);
}

/// Copying is offered while there is an opened token.
pub(crate) fn follow(app: &AppHandle) {
    let Some(entries) = app.try_state::<Entries>() else {
        return;
    };
    let is_open = app.state::<Shared>().is_open();
    for entry in [&entries.copy_code, &entries.copy_id] {
        if entry.is_enabled().is_ok_and(|enabled| enabled != is_open) {
            let _ = entry.set_enabled(is_open);
        }
    }
}

/// Starting with the system, or not, by the choice in the menu or on the page.
pub(crate) fn set_starts(app: &AppHandle, starts: bool) -> Result<(), Told> {
    let manager = app.autolaunch();
    let done = if starts {
        manager.enable()
    } else {
        manager.disable()
    };
    done.map_err(|error| Told::because("other", error.to_string()))?;
    if let Some(entries) = app.try_state::<Entries>() {
        let _ = entries.starts.set_checked(starts);
    }
    Ok(())
}
