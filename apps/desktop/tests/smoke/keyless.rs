//! A computer with no key store: a passphrase, and nothing of a secret on the disk.

use std::thread;
use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::secrets::{Secrets, lies_below};
use crate::service::TokenService;
use crate::window::Window;

const PASSPHRASE: &str = "正しい馬の電池とホチキス";

/// Chooses the passphrase, after two tries that are refused.
fn choose(window: &Window) {
    window.wait_for_screen("choose");
    window.picture("choose");
    for (first, second, refusal) in [
        ("short", "short", "8文字以上"),
        (
            PASSPHRASE,
            "正しい馬の電池とホッチキス",
            "二つのパスフレーズが違います",
        ),
    ] {
        window.enter("choose-field", first);
        window.enter("choose-again", second);
        window.press("choose-go");
        window.wait_for_text("choose-wrong", refusal);
    }
    window.enter("choose-field", PASSPHRASE);
    window.enter("choose-again", PASSPHRASE);
    window.press("choose-go");
}

fn nothing_is_found(machine: &Machine, secrets: &Secrets, id: &str) {
    let (found, searched) = secrets.found_below(machine.home());
    assert_eq!(found, Vec::<std::path::PathBuf>::new());
    // The search reaches the vault, whose header names the token.
    assert!(
        searched > 3 && lies_below(machine.home(), id),
        "{searched} files"
    );
    println!("searched {searched} files of the customer's home: no secret in clear");
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn without_a_key_store_it_asks_for_a_passphrase_and_never_writes_a_clear_secret() {
    let service = TokenService::start();
    let machine = Machine::without_key_store();
    machine.set_service(&service.address);

    let window = machine.open();
    choose(&window);
    window.wait_for_screen("welcome");
    window.picture("welcome");
    let id = window.characters("welcome-id");
    window.press("ok");
    window.wait_for_screen("token");
    assert_eq!(window.characters("id"), id);
    let code = window.code();
    window.picture("token");
    assert_eq!(service.verdict(&id, &code), "accepted");

    window.press("copy-code");
    window.wait_for_text("said", "コピーしました");
    let (copied, since) = (machine.clipboard(), Instant::now());
    assert_eq!(copied, code);

    let secrets = Secrets::of(&machine.vault(), PASSPHRASE);
    let shown = window.code();
    assert!(
        secrets.codes_now().contains(&shown),
        "the vault's secret makes the codes"
    );
    nothing_is_found(&machine, &secrets, &id);

    window.script("location.hash = '#health'");
    window.wait_for_text("health-list", "パスフレーズで封印");
    window.picture("health");
    window.script("location.hash = ''");
    window.wait_for_screen("token");

    let rest = Duration::from_secs(32).saturating_sub(since.elapsed());
    thread::sleep(rest);
    assert_eq!(
        machine.clipboard(),
        "",
        "after half a minute the code is off the clipboard"
    );
    drop(window);
    nothing_is_found(&machine, &secrets, &id);

    // The next start asks again, and tells a wrong passphrase.
    let window = machine.open();
    window.wait_for_screen("passphrase");
    window.picture("passphrase");
    assert_eq!(window.text("passphrase-id").replace(' ', ""), id);
    window.enter("passphrase-field", "正しくない馬の電池");
    window.press("passphrase-go");
    window.wait_for_text("passphrase-wrong", "パスフレーズが違います");
    window.picture("passphrase-wrong");
    window.enter("passphrase-field", PASSPHRASE);
    window.press("passphrase-go");
    window.wait_for_screen("token");
    assert_eq!(window.characters("id"), id);
    let shown = window.code();
    assert!(secrets.codes_now().contains(&shown));
    drop(window);
    nothing_is_found(&machine, &secrets, &id);
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn who_forgot_the_passphrase_is_told_what_to_do_at_the_bank_and_makes_a_new_token() {
    let service = TokenService::start();
    let machine = Machine::without_key_store();
    machine.set_service(&service.address);
    let window = machine.open();
    choose(&window);
    window.wait_for_screen("welcome");
    let old = window.characters("welcome-id");
    drop(window);

    let window = machine.open();
    window.wait_for_screen("passphrase");
    window.press("forgotten");
    window.wait_for_screen("over");
    window.wait_for_text("over", "トークンの紛失・盗難");
    window.picture("forgotten");
    window.press("over-new");
    window.wait_for_text("over-wrong", "チェックを入れてください");
    window.press("over-sure");
    window.press("over-new");
    choose(&window);
    window.wait_for_screen("welcome");
    assert_ne!(window.characters("welcome-id"), old);
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn the_page_reaches_no_command_but_its_own_and_no_other_address() {
    let service = TokenService::start();
    let machine = Machine::without_key_store();
    machine.set_service(&service.address);
    let window = machine.open();
    window.wait_for_screen("choose");
    for command in [
        "plugin:autostart|enable",
        "plugin:event|listen",
        "plugin:window|create",
        "plugin:webview|create_webview_window",
        "plugin:resources|close",
        "secret",
    ] {
        window.script(&format!(
            "globalThis.answer = ''; __TAURI__.core.invoke('{command}', {{}}).then(() => {{ answer = 'done'; }}, \
             (error) => {{ answer = 'refused: ' + error; }});"
        ));
        let answer = crate::child::wait_for("an answer", || {
            let answer = window.script("return answer");
            answer
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        });
        assert!(answer.starts_with("refused"), "{command}: {answer}");
    }
    window.script(&format!(
        "globalThis.answer = ''; fetch('{}/v1/time').then(() => {{ answer = 'done'; }}, () => {{ answer = 'refused'; }});",
        service.address
    ));
    crate::child::wait_for("the policy's refusal", || {
        (window.script("return answer") == "refused").then_some(())
    });
    window.script(&format!("location.href = '{}/token/'", service.address));
    thread::sleep(Duration::from_millis(500));
    let place = window.script("return location.origin");
    assert_eq!(place, "tauri://localhost");
    assert_eq!(window.screen(), "choose");
}

#[test]
#[ignore = "drives a window: cargo xtask desktop test"]
fn a_key_store_that_stays_locked_is_none_and_a_passphrase_is_asked_for() {
    let service = TokenService::start();
    let machine = Machine::with_a_locked_key_store();
    machine.set_service(&service.address);
    let window = machine.open();
    choose(&window);
    window.wait_for_screen("welcome");
    let id = window.characters("welcome-id");
    let secrets = Secrets::of(&machine.vault(), PASSPHRASE);
    nothing_is_found(&machine, &secrets, &id);
}
