//! S8: master keys that a hardware security module wrapped (PKCS#11).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use data_encoding::BASE64URL_NOPAD;

use crate::harness::{
    Engine, PIN, Server, Site, SoftHsm, Token, fresh_key, now_step, write_private,
};
use crate::keys::{contains, spellings};

both_engines!(
    a_key_in_an_hsm_wraps_the_master_keys_and_they_change_beside_a_running_service,
    a_running_service_goes_on_when_its_hsm_is_gone_and_starts_again_when_it_is_back,
    what_is_wrong_with_an_hsm_is_said_in_words,
    a_key_that_can_be_taken_out_of_an_hsm_or_wrapped_nothing_is_refused,
    a_pin_or_a_wrapped_key_that_is_wrong_is_said_in_words,
    a_wrong_pin_is_tried_once_by_a_running_service,
    keys_in_the_clear_are_wrapped_and_neither_they_nor_the_pin_lie_about,
);

fn place(engine: Engine, filter: &str) -> (Site, SoftHsm) {
    let site = Site::with(engine, "", filter, "");
    let hsm = SoftHsm::new(site.place.folder.path());
    let text = fs::read_to_string(&site.config).unwrap();
    fs::write(&site.config, text + &hsm.section()).unwrap();
    (site, hsm)
}

fn add_party(site: &Site, hsm: &SoftHsm) -> String {
    let added = hsm.warifu(site, &["relying-party", "add", "Bank"]);
    added.require_success().stdout.trim_end().to_owned()
}

fn require_accepted(server: &Server, key: &str, token: &Token, offset: i64) {
    let code = token.text(now_step().offset(offset));
    let reply = server.party(key).validate(token.id, &fresh_key(), &code);
    let result = reply.unwrap().result();
    // The machine's clock may go on to the next step in between.
    assert!(
        result == "accepted" || result == "resync_needed",
        "{result}"
    );
}

async fn a_key_in_an_hsm_wraps_the_master_keys_and_they_change_beside_a_running_service(
    engine: Engine,
) {
    let (site, hsm) = place(engine, "info");
    let list = hsm.warifu(&site, &["relying-party", "list"]);
    list.require_failure(&["no AES key", "`master`", "warifu key hsm-new"]);
    assert!(!site.key_file().exists());

    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    hsm.warifu(&site, &["key", "hsm-new"])
        .require_failure(&["already"]);
    let key = add_party(&site, &hsm);
    let server = hsm.serve(&site);
    let old = server.client().token();
    require_accepted(&server, &key, &old, -1);

    for version in 2..=3 {
        hsm.warifu(&site, &["key", "new"]).require_success();
        let rotated = hsm.warifu(&site, &["key", "rotate"]).require_success();
        assert!(rotated.stdout.contains(&format!("master key {version}")));
        // The running service reads the new key from the module, for a new token and for an old one.
        let new = server.client().token();
        require_accepted(&server, &key, &new, 0);
    }
    require_accepted(&server, &key, &old, 0);
    for stale in [
        "SELECT COUNT(*) FROM credentials WHERE key_version <> 3",
        "SELECT COUNT(*) FROM service_secrets WHERE key_version <> 3",
    ] {
        assert_eq!(site.place.count(stale), 0);
    }
    let text = fs::read_to_string(site.key_file()).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(text.lines().all(|line| line.contains(":hsm:")), "{text}");

    let listed = hsm.warifu(&site, &["key", "list"]).require_success();
    assert_eq!(listed.stdout.matches("taken into use").count(), 3);
    assert!(server.stop().success());

    // The wrapping key changes too: the old one opens what it wrapped as long as it is named.
    let config = fs::read_to_string(&site.config).unwrap();
    let newer = "key = 'newer'\nolder_keys = ['master']";
    fs::write(&site.config, config.replace("key = 'master'", newer)).unwrap();
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    hsm.warifu(&site, &["key", "new"]).require_success();
    hsm.warifu(&site, &["key", "rotate"]).require_success();
    let text = fs::read_to_string(site.key_file()).unwrap();
    write_private(&site.key_file(), text.lines().last().unwrap());
    fs::write(
        &site.config,
        config.replace("key = 'master'", "key = 'newer'"),
    )
    .unwrap();
    let verified = hsm.warifu(&site, &["audit", "verify"]).require_success();
    assert!(verified.stdout.contains("is whole"), "{verified:?}");
}

async fn a_running_service_goes_on_when_its_hsm_is_gone_and_starts_again_when_it_is_back(
    engine: Engine,
) {
    let (site, hsm) = place(engine, "info");
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    let key = add_party(&site, &hsm);
    let server = hsm.serve(&site);
    let token = server.client().token();
    hsm.unplug(true);
    require_accepted(&server, &key, &token, -1);
    let new = server.client().token();
    require_accepted(&server, &key, &new, 0);
    let words = ["no token labelled `warifu`", "it has none"];
    hsm.warifu(&site, &["key", "new"]).require_failure(&words);
    assert!(server.stop().success());
    hsm.warifu(&site, &["serve"]).require_failure(&words);
    hsm.unplug(false);
    let server = hsm.serve(&site);
    require_accepted(&server, &key, &token, 0);
}

/// Each command that needs the keys ends with these words, and never with the PIN.
fn require_refusal(site: &Site, hsm: &SoftHsm, words: &[&str]) {
    for command in [&["serve"][..], &["audit", "verify"], &["key", "list"]] {
        // No checkpoint is there yet; a file of none will do to come as far as the key.
        fs::write(site.checkpoints(), "").unwrap();
        let outcome = hsm.warifu(site, command);
        outcome.require_failure(words);
        assert!(!outcome.stderr.contains(PIN) && !outcome.stdout.contains(PIN));
    }
}

async fn what_is_wrong_with_an_hsm_is_said_in_words(engine: Engine) {
    let (site, hsm) = place(engine, "info");
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    add_party(&site, &hsm);
    let right = fs::read_to_string(&site.config).unwrap();
    let refused = |config: &str, words: &[&str]| {
        assert_ne!(config, right, "{words:?}");
        fs::write(&site.config, config).unwrap();
        require_refusal(&site, &hsm, words);
        fs::write(&site.config, &right).unwrap();
    };
    let module = SoftHsm::module();
    refused(
        &right.replace(module, "/nowhere/module.so"),
        &["cannot load the PKCS#11 module /nowhere/module.so"],
    );
    refused(
        &right.replace(module, "libm.so.6"),
        &[
            "cannot load the PKCS#11 module libm.so.6",
            "C_GetFunctionList",
        ],
    );
    refused(
        &right.replace("token = 'warifu'", "token = 'other'"),
        &["no token labelled `other`", "it has `warifu`"],
    );
    refused(
        &right.replace("key = 'master'", "key = 'other'"),
        &["no AES key labelled `other`", "hsm-new"],
    );
    let pin_line = format!("pin_file = '{}'", hsm.pin_file().display());
    refused(
        &right.replace(&pin_line, "pin_environment = 'WARIFU_IT_NO_PIN'"),
        &["WARIFU_IT_NO_PIN", "not set"],
    );
    refused(
        &right.replace(&pin_line, ""),
        &["keys.pkcs11", "pin_file or pin_environment"],
    );
    let section = hsm.section();
    refused(
        &right.replace(&section, ""),
        &[
            "master key 1",
            "wrapped by a hardware security module",
            "[keys.pkcs11]",
        ],
    );
    assert!(hsm.serve(&site).stop().success());
}

async fn a_key_that_can_be_taken_out_of_an_hsm_or_wrapped_nothing_is_refused(engine: Engine) {
    let (site, hsm) = place(engine, "info");
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    add_party(&site, &hsm);
    let right = fs::read_to_string(&site.config).unwrap();
    let keygen = ["--keygen", "--key-type", "AES:32"];
    hsm.tool(&[&keygen[..], &["--label", "loose", "--extractable"]].concat());
    hsm.tool(&[&keygen[..], &["--label", "another", "--sensitive"]].concat());
    for (key, words) in [
        ("loose", ["`loose`", "taken out of its token"]),
        (
            "another",
            ["master key 1", "not wrapped by the key `another`"],
        ),
    ] {
        let config = right.replace("key = 'master'", &format!("key = '{key}'"));
        assert_ne!(config, right);
        fs::write(&site.config, config).unwrap();
        require_refusal(&site, &hsm, &words);
    }
}

async fn a_pin_or_a_wrapped_key_that_is_wrong_is_said_in_words(engine: Engine) {
    let (site, hsm) = place(engine, "info");
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    add_party(&site, &hsm);
    let refused = |words: &[&str]| require_refusal(&site, &hsm, words);
    let keys = fs::read_to_string(site.key_file()).unwrap();
    let pin = hsm.pin_file();
    write_private(&pin, "1111");
    refused(&["token `warifu` refuses the PIN"]);
    write_private(&pin, PIN);
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&["PIN file", "chmod 600"]);
    fs::remove_file(&pin).unwrap();
    refused(&["cannot read the PIN file"]);
    write_private(&pin, PIN);
    let clear = format!("2:{}\n", BASE64URL_NOPAD.encode(&[7; 32]));
    write_private(&site.key_file(), &(keys.clone() + &clear));
    refused(&["master key 2", "in the clear", "warifu key wrap"]);
    // A wrapped key is of its version alone, and no character of it can be changed.
    write_private(&site.key_file(), &keys.replacen("1:hsm:", "2:hsm:", 1));
    refused(&["master key 2", "was changed"]);
    let mut changed = keys.trim_end().to_owned();
    let last = changed.pop();
    changed.push(if last == Some('A') { 'B' } else { 'A' });
    write_private(&site.key_file(), &changed);
    refused(&["master key 1", "was changed"]);
    write_private(&site.key_file(), &keys);
    assert!(hsm.serve(&site).stop().success());
}

async fn a_wrong_pin_is_tried_once_by_a_running_service(engine: Engine) {
    let (site, hsm) = place(engine, "info");
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    let key = add_party(&site, &hsm);
    let server = hsm.serve(&site);
    let token = server.client().token();
    hsm.warifu(&site, &["key", "new"]).require_success();
    hsm.warifu(&site, &["key", "rotate"]).require_success();

    write_private(&hsm.pin_file(), "1111");
    let code = token.text(now_step());
    let ask = || server.party(&key).validate(token.id, &fresh_key(), &code);
    assert!(ask().unwrap().status >= 500);
    // Even the right PIN is not tried before somebody looked at it and started the service again.
    write_private(&hsm.pin_file(), PIN);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(ask().unwrap().status >= 500);
    assert!(server.log().contains("refuses the PIN"));
    assert!(server.stop().success());
    let server = hsm.serve(&site);
    require_accepted(&server, &key, &token, 0);
}

async fn keys_in_the_clear_are_wrapped_and_neither_they_nor_the_pin_lie_about(engine: Engine) {
    let (site, hsm) = place(engine, "trace");
    let masters = [[0xa7; 32], [0x5c; 32]];
    let lines = (1..)
        .zip(masters)
        .map(|(version, key)| format!("{version}:{}\n", BASE64URL_NOPAD.encode(&key)));
    fs::create_dir_all(&site.data).unwrap();
    write_private(&site.key_file(), &lines.collect::<String>());
    hsm.warifu(&site, &["key", "hsm-new"]).require_success();
    hsm.warifu(&site, &["key", "wrap"]).require_success();
    let again = hsm.warifu(&site, &["key", "wrap"]).require_success();
    assert!(again.stdout.contains("already"), "{again:?}");
    let key = add_party(&site, &hsm);
    let server = hsm.serve(&site);
    let token = server.client().token();
    require_accepted(&server, &key, &token, 0);
    hsm.warifu(&site, &["key", "new"]).require_success();
    hsm.warifu(&site, &["key", "rotate"]).require_success();
    server.client().token();
    server.kill();

    let mut texts = fs::read(site.config.with_extension("log")).unwrap();
    assert!(contains(&texts, b"DEBUG"), "the fullest log");
    for entry in fs::read_dir(&site.data).unwrap() {
        texts.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(contains(&texts, b":hsm:"), "the search finds what is there");
    for secret in masters
        .iter()
        .map(<[u8; 32]>::as_slice)
        .chain([PIN.as_bytes()])
    {
        for spelling in spellings(secret) {
            assert!(!contains(&texts, &spelling));
        }
    }
}
