//! The tray icon, driven over the session bus by its menu (com.canonical.dbusmenu), as a desktop's panel does.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::child::{Running, wait_for};
use crate::machine::Machine;
use crate::service::TokenService;

const MENU: &str = "/org/ayatana/NotificationItem/tray_icon_tray_app_tray/Menu";

/// The menu of the one program on this machine's bus.
struct Tray<'a>(&'a Machine);

impl Tray<'_> {
    fn busctl(&self, words: &[&str]) -> Option<String> {
        let mut command = self.0.command("busctl");
        let output = command
            .args(["--user", "--json=short", "--"])
            .args(words)
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Calls a method of the menu on the one of the program's connections that has it.
    fn call(&self, words: &[&str]) -> Option<String> {
        let names: Value = serde_json::from_str(&self.busctl(&["list"])?).ok()?;
        let ours = names
            .as_array()?
            .iter()
            .filter(|one| one["process"] == "warifu-desktop");
        let unique = ours
            .filter_map(|one| one["name"].as_str())
            .filter(|name| name.starts_with(':'));
        unique.into_iter().find_map(|name| {
            let mut call = vec!["call", name, MENU, "com.canonical.dbusmenu"];
            call.extend_from_slice(words);
            self.busctl(&call)
        })
    }

    /// The entry with this label: its number and whether it can be chosen.
    fn entry(&self, label: &str) -> Option<(i64, bool)> {
        let layout = self.call(&["GetLayout", "iias", "0", "-1", "0"])?;
        let layout: Value = serde_json::from_str(&layout).ok()?;
        let entries = layout["data"][1][2].as_array()?.clone();
        entries.iter().find_map(|entry| {
            let entry = &entry["data"];
            let has_label = entry[1]["label"]["data"] == label;
            let enabled = entry[1]["enabled"]["data"] != false;
            has_label.then(|| (entry[0].as_i64().unwrap_or_default(), enabled))
        })
    }

    fn wait_for(&self, label: &str) -> i64 {
        wait_for(&format!("the entry {label}"), || {
            let (number, enabled) = self.entry(label)?;
            enabled.then_some(number)
        })
    }

    fn choose(&self, label: &str) {
        let number = self.wait_for(label).to_string();
        let called = self.call(&["Event", "isvu", &number, "clicked", "s", "", "0"]);
        assert!(called.is_some(), "{label}");
    }
}

/// The program's windows that can be seen.
fn windows(machine: &Machine) -> Vec<String> {
    let mut search = machine.command("xdotool");
    search.args(["search", "--onlyvisible", "--class", "warifu-desktop"]);
    let output = search.output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

fn undriven(machine: &Machine, words: &[&str]) -> Running {
    let mut command: Command = machine.command(&Machine::program());
    command
        .env_remove("TAURI_AUTOMATION")
        .env_remove("TAURI_WEBVIEW_AUTOMATION");
    Running::start(
        command
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn the_tray_icon_copies_with_no_window_and_a_second_start_brings_the_window() {
    let service = TokenService::start();
    let machine = Machine::with_key_store();
    machine.set_service(&service.address);
    let window = machine.open();
    window.wait_for_screen("welcome");
    let id = window.characters("welcome-id");
    window.press("ok");
    window.wait_for_screen("token");
    drop(window);

    // The language was chosen in the window, and is remembered.
    let mut program = undriven(&machine, &["--in-tray"]);
    let tray = Tray(&machine);
    tray.wait_for("セキュリティコードをコピー");
    assert_eq!(windows(&machine), Vec::<String>::new());
    tray.choose("トークンIDをコピー");
    wait_for("the ID on the clipboard", || {
        (machine.clipboard() == id).then_some(())
    });
    tray.choose("セキュリティコードをコピー");
    let code = wait_for("a code on the clipboard", || {
        Some(machine.clipboard()).filter(|text| text.len() == 6)
    });
    assert_eq!(service.verdict(&id, &code), "accepted");

    let second = machine.start_again();
    assert!(second.status.success(), "{second:?}");
    wait_for("the window", || {
        (windows(&machine).len() == 1).then_some(())
    });

    tray.choose("終了");
    wait_for("the program's end", || program.has_ended().then_some(()));
    assert_eq!(
        machine.clipboard(),
        "",
        "what was copied goes with the program"
    );
}
