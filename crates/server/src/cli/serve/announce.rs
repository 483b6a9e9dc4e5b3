//! What the program says when it runs: where what is, and what to do next.

use super::{Listeners, Running};
use crate::cli::output::say;
use crate::config::Config;
use crate::token_api::Language;

/// In a few plain lines: what runs where, and what to do next.
pub(super) fn announce(config: &Config, listeners: &Listeners, running: &Running, made_key: bool) {
    let language = Language::of_environment();
    let line = |ja: String, en: String| {
        say(if language == Language::Japanese {
            &ja
        } else {
            &en
        });
    };
    let data = config.data_dir.display();
    if made_key {
        line(
            format!(
                "マスターキーを {data} に作りました。データベースのバックアップとは別の場所に写しを保管してください。"
            ),
            format!(
                "Made a new master key in {data}. Keep a copy of it apart from the database's backups."
            ),
        );
    }
    if let Some((pages, staff)) = &listeners.bank {
        let (pages, staff) = (pages.address, staff.address);
        line(
            format!("インターネットバンキング  http://{pages}/"),
            format!("Internet bank   http://{pages}/"),
        );
        line(
            format!("行内用                    http://{staff}/"),
            format!("Staff           http://{staff}/"),
        );
    }
    if let Some((service, metrics)) = &listeners.tokens {
        let (service, metrics) = (service.address, metrics.address);
        line(
            format!(
                "トークン（アプリ）        http://{service}/token/  （ご案内: http://{service}/guide）\nトークンサービス          http://{service}/  （API の説明: http://{service}/v1/）"
            ),
            format!(
                "Token (app)     http://{service}/token/  (how to get it: http://{service}/guide)\nToken service   http://{service}/  (its interface to read: http://{service}/v1/)"
            ),
        );
        line(
            format!("メトリクス                http://{metrics}/metrics"),
            format!("Metrics         http://{metrics}/metrics"),
        );
    }
    line(
        format!("データ                    {data}\n"),
        format!("Data            {data}\n"),
    );
    if let Some(bank) = running.bank.as_ref().filter(|bank| bank.has_samples) {
        samples(language, bank);
    }
    if let Some((service, _)) = &listeners.tokens {
        let service = service.address;
        line(
            format!(
                "トークン（別の端末で）    cargo run --release --bin warifu-token -- http://{service}"
            ),
            format!(
                "A token (another terminal)   cargo run --release --bin warifu-token -- http://{service}"
            ),
        );
    }
    line("Ctrl-C で止まります。".into(), "Ctrl-C stops it.".into());
}

/// How to log in as each of the samples.
fn samples(language: Language, _: &super::bank::RunningBank) {
    let japanese = language == Language::Japanese;
    say(if japanese {
        "見本のログイン（変更していなければ）:"
    } else {
        "Sample logins (unless changed):"
    });
    for sample in crate::bank_sample::CONTRACTS {
        let (id, password) = (sample.id, sample.password);
        say(&if japanese {
            format!(
                "  契約者 {}   契約者ID {id}  パスワード {password}",
                sample.name
            )
        } else {
            format!("  Customer {}   ID {id}  password {password}", sample.name)
        });
    }
    for staff in crate::bank_sample::STAFF {
        let (name, password) = (staff.name, staff.password);
        say(&if japanese {
            format!(
                "  担当者 {}   {name}  パスワード {password}  （はじめにトークンを登録します）",
                staff.display
            )
        } else {
            format!(
                "  Staff {}   {name}  password {password}  (registers a token at the first login)",
                staff.display
            )
        });
    }
    say("");
}
