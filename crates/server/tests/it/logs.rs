//! No log tells a secret, at whatever filter.

use std::fs;

use data_encoding::BASE64URL_NOPAD;

use crate::harness::{Engine, Server, Site, Token, fresh_key, now_step};
use crate::keys::{contains, spellings};

both_engines!(the_fullest_log_tells_no_secret);

const PASSWORD: &str = "Perilous-Password";

async fn the_fullest_log_tells_no_secret(engine: Engine) {
    let site = Site::with(engine, "", "trace", "");
    if engine == Engine::Postgres {
        // A password in the connection string; the test cluster asks for none and takes any.
        let text = fs::read_to_string(&site.config).unwrap();
        let text = text.replacen("postgres@", &format!("postgres:{PASSWORD}@"), 1);
        assert!(text.contains(PASSWORD));
        fs::write(&site.config, text).unwrap();
    }
    let key = site.add_party("Bank");
    let server = site.serve();
    let token = server.client().token();
    let codes = ask_everything(&server, &key, &token);
    let commands = [
        ["key", "new"],
        ["key", "rotate"],
        ["key", "list"],
        ["audit", "verify"],
    ];
    for command in commands {
        site.warifu(&command).require_success();
    }
    // Now the server meets a secret under a key that it has to read first.
    let mut bank = server.party(&key);
    let met = bank.validate(token.id, &fresh_key(), &codes[0]);
    assert_eq!(met.unwrap().status, 200);
    assert!(server.stop().success());

    let log = fs::read_to_string(site.config.with_extension("log")).unwrap();
    assert!(log.lines().count() > 15 && log.contains("DEBUG"), "{log}");
    let master = fs::read_to_string(site.key_file()).unwrap();
    assert_eq!(master.lines().count(), 2);
    let masters = master.lines().map(|line| {
        let (_, key) = line.split_once(':').unwrap();
        BASE64URL_NOPAD.decode(key.as_bytes()).unwrap()
    });
    for secret in masters.chain([token.secret.to_vec()]) {
        for spelling in spellings(&secret) {
            assert!(!contains(log.as_bytes(), &spelling));
        }
    }
    for code in codes {
        for quoted in [
            format!("\"{code}"),
            format!("{code}\\\""),
            format!(" {code} "),
        ] {
            assert!(!log.contains(&quoted), "{quoted}");
        }
    }
    assert!(!log.contains(&key["warifu_".len()..]));
    assert!(!log.contains(PASSWORD));
}

/// Every command, with every kind of answer that it is easy to come by; gives the codes that were sent.
fn ask_everything(server: &Server, key: &str, token: &Token) -> Vec<String> {
    let mut bank = server.party(key);
    let step = now_step();
    let mut codes: Vec<_> = (-1..=6)
        .map(|offset| token.text(step.offset(offset)))
        .collect();
    codes.push(token.wrong_code(step).to_string());
    for number in [8, 0, 1, 1, 7] {
        let reply = bank.validate(token.id, &fresh_key(), &codes[number]);
        assert_eq!(reply.unwrap().status, 200);
    }
    let (first, second) = (&codes[4], &codes[5]);
    let pair = format!(r#"{{"first_code":"{first}","second_code":"{second}"}}"#);
    // Refusals are where a careless program says too much.
    let broken = format!(r#"{{"code":"{first}x","purpose":"{key}"}}"#);
    for (verb, body, status) in [
        ("resync", pair.as_str(), 200),
        ("stop", r#"{"reason":"lost"}"#, 200),
        ("enable", "{}", 200),
        ("unlock", "{}", 200),
        ("validate", &broken, 422),
        ("validate", &broken[..20], 400),
    ] {
        let reply = bank.post(token.id, verb, &fresh_key(), body).unwrap();
        assert_eq!(reply.status, status, "{verb} {body}");
    }
    assert_eq!(bank.status(token.id).status, 200);
    let mut stranger = server.party(&format!("{key}x"));
    assert_eq!(stranger.status(token.id).status, 401);
    codes
}
