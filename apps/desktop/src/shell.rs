//! The window and the process around the page.

use std::process::ExitCode;
use std::sync::Arc;

use tauri::{
    App, AppHandle, Manager, RunEvent, Url, WebviewUrl, WebviewWindowBuilder, WindowEvent,
};
use warifu_token::{OsKeyStore, Vault, session};

use crate::commands::{self, Shared};
use crate::desk::Desk;
use crate::page::Page;
use crate::tray;

/// The one window; `capabilities/main.json` names it too.
const WINDOW: &str = "main";

/// How the system starts the program by itself: in the tray, with no window.
const IN_TRAY: &str = "--in-tray";

/// Runs the program to its end.
pub(crate) fn run() -> ExitCode {
    if !has_display() {
        return failed(
            "there is no display here for its window; `warifu-token` shows the same token in a terminal",
        );
    }
    let Some(vault) = vault() else {
        return failed("there is no folder for the token on this computer");
    };
    let desk: Shared = Arc::new(Desk::new(vault, OsKeyStore::of_this_session));
    let built = tauri::Builder::default()
        // First of all: a second start must not get as far as a window or the vault.
        .plugin(tauri_plugin_single_instance::init(
            |app, _words, _folder| show(app),
        ))
        .plugin(tauri_plugin_autostart::Builder::new().arg(IN_TRAY).build())
        .manage(desk)
        .invoke_handler(tauri::generate_handler![
            commands::choose,
            commands::codes,
            commands::copy,
            commands::find,
            commands::guide,
            commands::health,
            commands::learn,
            commands::register,
            commands::remove,
            commands::service,
            commands::set_service,
            commands::set_starts,
            commands::speak,
            commands::unlock,
            commands::welcome,
        ])
        .setup(|app| {
            tray::build(app.handle())?;
            open_window(app)?;
            Ok(())
        })
        .on_window_event(|window, event| {
            // Closing puts it away; the tray icon and a second start bring it back, and the tray's menu ends it.
            if let WindowEvent::CloseRequested { api, .. } = event
                && window.hide().is_ok()
            {
                api.prevent_close();
            }
        })
        .build(tauri::generate_context!(assets = Page));
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if let RunEvent::Exit = event {
                    app.state::<Shared>().copied.wipe(None);
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error.to_string()),
    }
}

/// Can a window be opened? GTK would end the program with a panic where nobody says which display.
fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["WAYLAND_DISPLAY", "DISPLAY"]
            .into_iter()
            .any(|name| std::env::var_os(name).is_some_and(|display| !display.is_empty()))
}

/// The vault of the command line too: one person at one computer has one token.
fn vault() -> Option<Vault> {
    let named = std::env::var_os("WARIFU_TOKEN_VAULT").filter(|path| !path.is_empty());
    named
        .map(Into::into)
        .or_else(session::default_vault)
        .map(Vault::at)
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn failed(why: &str) -> ExitCode {
    eprintln!("warifu-desktop: {why}");
    ExitCode::FAILURE
}

fn open_window(app: &App) -> tauri::Result<()> {
    let in_tray = std::env::args_os().any(|word| word == IN_TRAY);
    WebviewWindowBuilder::new(app, WINDOW, WebviewUrl::default())
        .title("Warifu")
        .inner_size(460.0, 780.0)
        .min_inner_size(340.0, 480.0)
        .visible(!in_tray)
        .on_navigation(is_our_page)
        .build()?;
    Ok(())
}

/// The window goes nowhere else, whatever a link or a script says.
fn is_our_page(url: &Url) -> bool {
    let host = url.host_str();
    match url.scheme() {
        "tauri" => host == Some("localhost"),
        // The form that custom schemes have on Windows.
        "http" | "https" => cfg!(windows) && host == Some("tauri.localhost"),
        _ => false,
    }
}

/// Brings the window to the front.
pub(crate) fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        // Whichever of these the desktop refuses, the others help.
        let _ = window.show();
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
}

pub(crate) fn set_title(app: &AppHandle, title: &str) {
    if let Some(window) = app.get_webview_window(WINDOW) {
        let _ = window.set_title(title);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_our_page_and_no_other() {
        let goes = |url: &str| is_our_page(&url.parse().unwrap());
        assert!(goes("tauri://localhost/#health"));
        for url in [
            "https://bank.example/",
            "http://127.0.0.1:8081/token/",
            "tauri://elsewhere/",
            "file:///etc/passwd",
            "data:text/html,x",
            "about:blank",
        ] {
            assert!(!goes(url), "{url}");
        }
    }

    #[test]
    fn the_capability_lists_the_commands_and_nothing_else() {
        let capability = include_str!("../capabilities/main.json");
        let granted: Vec<String> = capability
            .split("\"allow-")
            .skip(1)
            .filter_map(|part| part.split('"').next())
            .map(|name| name.replace('-', "_"))
            .collect();
        let here = include_str!("shell.rs");
        let list = here.split("generate_handler![").nth(1).unwrap();
        let commands: Vec<&str> = list
            .split(']')
            .next()
            .unwrap()
            .lines()
            .filter_map(|line| line.trim().strip_prefix("commands::"))
            .map(|name| name.trim_end_matches(','))
            .collect();
        assert_eq!(granted, commands);
        assert!(!capability.contains("core:") && !capability.contains("default"));
    }
}
