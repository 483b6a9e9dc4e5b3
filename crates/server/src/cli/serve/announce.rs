//! What the program says when it runs: where what is, and what to do next.

use std::net::SocketAddr;

use fast_qr::{ECL, QRBuilder};

use super::{Listeners, Running};
use crate::cli::output::say;
use crate::config::Config;
use crate::lan::Lan;
use crate::token_api::Language;

/// In a few plain lines: what runs where, and what to do next.
pub(super) fn announce(
    config: &Config,
    listeners: &Listeners,
    running: &Running,
    made_key: bool,
    lan: Option<&Lan>,
) {
    // What people open: on the local network this machine's address there.
    let at = |address: SocketAddr| match lan {
        Some(lan) => format!("https://{}:{}", lan.address, address.port()),
        None => format!("http://{address}"),
    };
    let language = Language::of_environment();
    let japanese = language == Language::Japanese;
    let line = |ja: String, en: String| say(if japanese { &ja } else { &en });
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
        let (pages, staff) = (at(pages.address), at(staff.address));
        line(
            format!("インターネットバンキング  {pages}/"),
            format!("Internet bank   {pages}/"),
        );
        line(
            format!("行内用                    {staff}/"),
            format!("Staff           {staff}/"),
        );
    }
    if let Some(service) = &listeners.tokens {
        let service = at(service.address);
        line(
            format!(
                "トークン（アプリ）        {service}/token/  （ご案内: {service}/guide）\nトークンサービス          {service}/  （API の説明: {service}/v1/）"
            ),
            format!(
                "Token (app)     {service}/token/  (how to get it: {service}/guide)\nToken service   {service}/  (its interface to read: {service}/v1/)"
            ),
        );
    }
    let metrics = listeners.metrics.address;
    line(
        format!("メトリクス                http://{metrics}/metrics"),
        format!("Metrics         http://{metrics}/metrics"),
    );
    line(
        format!("データ                    {data}\n"),
        format!("Data            {data}\n"),
    );
    if let Some(bank) = running.bank.as_ref().filter(|bank| bank.has_samples) {
        samples(language, bank);
    }
    // The terminal's token trusts what the system trusts, which is not this authority.
    if let (Some(service), None) = (&listeners.tokens, lan) {
        let service = at(service.address);
        line(
            format!(
                "トークン（別の端末で）    cargo run --release --bin warifu-token -- {service}"
            ),
            format!(
                "A token (another terminal)   cargo run --release --bin warifu-token -- {service}"
            ),
        );
    }
    if let Some(lan) = lan {
        trust(config, lan, &line);
    }
    line("Ctrl-C で止まります。".into(), "Ctrl-C stops it.".into());
}

/// How a phone on the local network comes in.
fn trust(config: &Config, lan: &Lan, line: &dyn Fn(String, String)) {
    let (page, fingerprint) = (lan.page_address(config), lan.fingerprint());
    line(
        format!(
            "\n注意: このネットワークの誰でも、上の見本のパスワードでログインできます。試すときだけお使いください。\n\nスマートフォンで次のQRコード（{page}）を読み取り、認証局を登録してください。\n認証局の SHA-256: {fingerprint}\n"
        ),
        format!(
            "\nBeware: everybody on this network can log in with the sample passwords above. For trying only.\n\nRead this QR code ({page}) with the phone, and trust the authority there.\nIts SHA-256: {fingerprint}\n"
        ),
    );
    if let Ok(code) = QRBuilder::new(page).ecl(ECL::M).build() {
        say(&code.to_str());
    }
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
