//! A computer with a key store: the first start asks nothing, and the next one shows the same token.

use std::fs;

use crate::child::wait_for;
use crate::machine::Machine;
use crate::service::TokenService;

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn with_a_key_store_the_first_start_asks_nothing_and_a_restart_shows_the_same_id() {
    let mut service = TokenService::start();
    let machine = Machine::with_key_store();
    machine.set_service(&service.address);

    let window = machine.open();
    window.wait_for_screen("welcome");
    let id = window.characters("welcome-id");
    window.press("ok");
    window.wait_for_screen("token");
    let first = window.code();
    assert_eq!(service.verdict(&id, &first), "accepted");
    window.script("location.hash = '#health'");
    window.wait_for_text("health-list", "Secret Service");
    window.wait_for_text("health-list", &service.address);

    // Starting with the system is a choice, and none at first.
    let starts = machine.home().join(".config/autostart");
    let entries = || fs::read_dir(&starts).map_or(0, Iterator::count);
    assert_eq!(entries(), 0);
    window.press("starts");
    wait_for("an entry to start with the system", || {
        (entries() == 1).then_some(())
    });
    let entry = fs::read_dir(&starts)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let entry = fs::read_to_string(entry).unwrap();
    assert!(
        entry.contains(&Machine::program()) && entry.contains("--in-tray"),
        "{entry}"
    );
    window.picture("health-key-store");
    window.press("starts");
    wait_for("the entry's end", || (entries() == 0).then_some(()));

    // A second start hands over to the first and ends.
    let second = machine.start_again();
    assert!(second.status.success(), "{second:?}");
    window.script("location.hash = ''");
    window.wait_for_screen("token");
    window.press("language");
    window.wait_for_text("token", "Security code");
    window.picture("token-en");
    window.press("language");
    drop(window);

    // With no service the token is the same (rule T3).
    service.pause();
    let window = machine.open();
    window.wait_for_screen("token");
    assert_eq!(window.characters("id"), id);
    window.wait_for_text("link", "オフライン");
    window.picture("offline");
    let code = window.code();
    service.resume();
    let verdict = service.verdict(&id, &code);
    assert!(
        ["accepted", "rejected"].contains(&verdict.as_str()),
        "{verdict}"
    );
    let vault = fs::read_to_string(machine.vault()).unwrap_or_default();
    assert!(!vault.contains("\"in\":\"passphrase\""));
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn where_the_service_is_away_another_address_can_be_entered_and_plain_http_cannot() {
    let service = TokenService::start();
    let machine = Machine::with_key_store();
    machine.set_service("http://127.0.0.1:9");
    let window = machine.open();
    window.wait_for_screen("failed");
    window.wait_for_text("failed-why", "接続できません");
    window.picture("away");
    window.press("other-address");
    window.wait_for_screen("address");
    for (address, refusal) in [
        ("http://token.example.com", "https:// で始まる"),
        ("token.example.com", "のような形で"),
        ("javascript:alert(1)", "のような形で"),
    ] {
        window.enter("address-field", address);
        window.press("address-go");
        window.wait_for_text("address-wrong", refusal);
    }
    window.picture("address");
    window.enter("address-field", &service.address);
    window.press("address-go");
    window.wait_for_screen("welcome");
}
