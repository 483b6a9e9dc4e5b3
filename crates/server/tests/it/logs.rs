//! No log tells a secret, at whatever filter.

use std::fs;

use data_encoding::BASE64URL_NOPAD;

use crate::harness::{Engine, Site, fresh_key, now_step};
use crate::keys::{contains, spellings};

both_engines!(the_fullest_log_tells_no_secret);

async fn the_fullest_log_tells_no_secret(engine: Engine) {
    let site = Site::with(engine, "", "trace", "");
    if engine == Engine::Postgres {
        // A password in the connection string; the test cluster asks for none and takes any.
        let text = fs::read_to_string(&site.config).unwrap();
        let text = text.replacen("postgres@", "postgres:Perilous-Password@", 1);
        assert!(text.contains("Perilous-Password"));
        fs::write(&site.config, text).unwrap();
    }
    let key = site.add_party("Bank");
    let server = site.serve();
    let mut bank = server.party(&key);
    let token = server.client().token();
    let step = now_step();
    let wrong = token.wrong_code(step).to_string();
    let codes: Vec<_> = (-1..=6)
        .map(|offset| token.text(step.offset(offset)))
        .collect();
    for code in [&wrong, &codes[0], &codes[1], &codes[1], &codes[6]] {
        bank.validate(token.id, &fresh_key(), code)
            .unwrap()
            .result();
    }
    let pair = format!(
        r#"{{"first_code":"{}","second_code":"{}"}}"#,
        codes[4], codes[5]
    );
    for (verb, body) in [
        ("resync", pair.as_str()),
        ("stop", r#"{"reason":"lost"}"#),
        ("enable", "{}"),
        ("unlock", "{}"),
    ] {
        bank.post(token.id, verb, &fresh_key(), body)
            .unwrap()
            .result();
    }
    assert_eq!(bank.status(token.id).status, 200);
    // Refusals are where a careless program says too much.
    let broken = format!(r#"{{"code":"{}x","purpose":"{key}"}}"#, codes[1]);
    assert_eq!(
        bank.post(token.id, "validate", "k", &broken)
            .unwrap()
            .status,
        422
    );
    assert_eq!(
        bank.post(token.id, "validate", "k", &broken[..20])
            .unwrap()
            .status,
        400
    );
    let almost = format!("Bearer {key}x");
    let headers = [("Authorization", almost.as_str())];
    let refused = server
        .client()
        .request("GET", "/v1/credentials/x", &headers, b"");
    assert_eq!(refused.unwrap().status, 401);
    for command in [
        ["key", "new"],
        ["key", "rotate"],
        ["key", "list"],
        ["audit", "verify"],
    ] {
        site.warifu(&command).require_success();
    }
    let next = token.text(step.offset(6));
    bank.validate(token.id, &fresh_key(), &next)
        .unwrap()
        .result();

    assert!(server.stop().success());
    let log = fs::read_to_string(site.config.with_extension("log")).unwrap();
    assert!(log.lines().count() > 15 && log.contains("DEBUG"), "{log}");
    let master = fs::read_to_string(site.key_file()).unwrap();
    let masters = master.lines().map(|line| {
        let (_, key) = line.split_once(':').unwrap();
        BASE64URL_NOPAD.decode(key.as_bytes()).unwrap()
    });
    for secret in masters.chain([token.secret.to_vec()]) {
        for spelling in spellings(&secret) {
            assert!(!contains(log.as_bytes(), &spelling));
        }
    }
    let quoted = |code: &String| {
        [
            format!("\"{code}\""),
            format!("\\\"{code}"),
            format!(" {code} "),
        ]
    };
    for code in codes.iter().chain([&wrong]).flat_map(quoted) {
        assert!(!log.contains(&code), "{code}");
    }
    assert!(!log.contains(&key) && !log.contains(&key["warifu_".len()..]));
    assert!(!log.contains("Perilous-Password"));
}
