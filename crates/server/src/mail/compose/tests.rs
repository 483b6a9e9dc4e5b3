use jiff::civil::date;

use super::*;
use crate::mail::texts::source;

const RECEIPT: &str = "20261124-7K3M9-QX2VD";
const LANGUAGES: [Language; 2] = [Language::Japanese, Language::English];

/// The sample after this one. A new event does not compile until it has a sample.
fn after(event: Option<&Event>) -> Option<Event> {
    let receipt = || RECEIPT.to_owned();
    let until = 1_800_000_000_000_000;
    Some(match event {
        None => Event::Registered {
            caution_until: until,
            cap: 100_000,
        },
        Some(Event::Registered { .. }) => Event::UseStopped,
        Some(Event::UseStopped) => Event::TokenChanged {
            caution_until: until,
            cap: 100_000,
        },
        Some(Event::TokenChanged { .. }) => Event::LossStopped { by_bank: true },
        Some(Event::LossStopped { by_bank: true }) => Event::LossStopped { by_bank: false },
        Some(Event::LossStopped { by_bank: false }) => Event::Released,
        Some(Event::Released) => Event::LoginSettingChanged { asks: true },
        Some(Event::LoginSettingChanged { asks: true }) => {
            Event::LoginSettingChanged { asks: false }
        }
        Some(Event::LoginSettingChanged { asks: false }) => Event::TransferSent {
            receipt: receipt(),
            amount: 1_234_567,
        },
        Some(Event::TransferSent { .. }) => Event::TransferReserved {
            receipt: receipt(),
            amount: 1_234_567,
            date: date(2026, 12, 9),
        },
        Some(Event::TransferReserved { .. }) => Event::TransferCancelled { receipt: receipt() },
        Some(Event::TransferCancelled { .. }) => not_sent(NotSent::ShortOfFunds),
        Some(Event::TransferNotSent { reason, .. }) => match reason {
            NotSent::ShortOfFunds => not_sent(NotSent::OverLimit),
            NotSent::OverLimit => not_sent(NotSent::NoSuchPayee),
            NotSent::NoSuchPayee => not_sent(NotSent::Stopped),
            NotSent::Stopped => Event::InternalTransferDone {
                receipt: receipt(),
                amount: 1_234_567,
            },
        },
        Some(Event::InternalTransferDone { .. }) => Event::LimitChanged {
            to: 2_000_000,
            effective_on: date(2026, 12, 9),
        },
        Some(Event::LimitChanged { .. }) => Event::PasswordChanged,
        Some(Event::PasswordChanged) => Event::PasswordReissued,
        Some(Event::PasswordReissued) => Event::MailAddressChanged,
        Some(Event::MailAddressChanged) => Event::TokenLocked,
        Some(Event::TokenLocked) => Event::TokenUnlocked,
        Some(Event::TokenUnlocked) => Event::EmergencyStopped,
        Some(Event::EmergencyStopped) => Event::EmergencyLifted,
        Some(Event::EmergencyLifted) => Event::Reversed { receipt: receipt() },
        Some(Event::Reversed { .. }) => return None,
    })
}

fn not_sent(reason: NotSent) -> Event {
    Event::TransferNotSent {
        receipt: RECEIPT.to_owned(),
        reason,
    }
}

fn samples() -> Vec<Event> {
    std::iter::successors(after(None), |event| after(Some(event))).collect()
}

fn written(event: &Event, language: Language) -> Composed {
    let at = "2026-11-24T15:04:05Z".parse().unwrap();
    compose(event, language, &BankSettings::default(), at)
}

/// What a text about an event must hold, by language.
fn figures(event: &Event) -> Vec<[&'static str; 2]> {
    let until = ["2027年1月15日 17時00分00秒", "15 January 2027, 17:00:00"];
    let day = ["2026年12月9日", "9 December 2026"];
    let sum = ["1,234,567円", "1,234,567 yen"];
    let cap = ["100,000円", "100,000 yen"];
    match event {
        Event::Registered { .. } | Event::TokenChanged { .. } => vec![until, cap],
        Event::TransferSent { .. } | Event::InternalTransferDone { .. } => vec![[RECEIPT; 2], sum],
        Event::TransferReserved { .. } => vec![[RECEIPT; 2], sum, day],
        Event::TransferCancelled { .. }
        | Event::TransferNotSent { .. }
        | Event::Reversed { .. } => vec![[RECEIPT; 2]],
        Event::LimitChanged { .. } => vec![["2,000,000円", "2,000,000 yen"], day],
        _ => Vec::new(),
    }
}

#[test]
fn every_event_is_told_in_both_languages_with_its_time_and_all_its_figures() {
    let mut bodies = Vec::new();
    for event in samples() {
        for (place, language) in LANGUAGES.into_iter().enumerate() {
            let mail = written(&event, language);
            let at = ["2026年11月25日 0時04分05秒", "25 November 2026, 00:04:05"];
            for figure in figures(&event).into_iter().chain([at]) {
                assert!(
                    mail.body.contains(figure[place]),
                    "{}: {}",
                    figure[place],
                    mail.body
                );
            }
            let whole = format!("{}{}", mail.subject, mail.body);
            assert!(!whole.contains(['{', '}', '\u{2068}']), "{whole}");
            assert!(
                !whole.contains("-subject") && !whole.contains("-body"),
                "{whole}"
            );
            assert!(!mail.subject.contains(char::is_control), "{}", mail.subject);
            bodies.push(mail.body);
        }
    }
    let told = bodies.len();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), told, "two events are told alike");
}

#[test]
fn no_text_is_left_without_an_event() {
    let words: Vec<_> = samples().iter().map(Event::word).collect();
    let texts: Vec<_> = source(Language::Japanese)
        .lines()
        .filter_map(|line| line.split_once("-body = ").map(|(word, _)| word))
        .collect();
    for word in &texts {
        assert!(words.contains(word), "{word}");
    }
    for word in words {
        assert!(texts.contains(&word), "{word}");
    }
}

#[test]
fn no_mail_holds_a_link_or_an_address() {
    for event in samples() {
        for language in LANGUAGES {
            let mail = written(&event, language);
            let whole = format!("{}{}", mail.subject, mail.body).to_lowercase();
            for mark in ["http", "www", "://", "mailto:", "@", ".jp", ".com", "<"] {
                assert!(!whole.contains(mark), "{mark}: {whole}");
            }
        }
    }
}

#[test]
fn every_mail_says_how_to_stop_it_and_that_mails_hold_no_links() {
    for event in samples() {
        for (language, said) in [
            (
                Language::Japanese,
                [
                    "リンク（接続先のアドレス）を載せることはありません",
                    "平日 9:00～17:00",
                    "割符銀行",
                ],
            ),
            (
                Language::English,
                [
                    "Mails of this bank never hold links",
                    "Weekdays 9:00–17:00",
                    "Warifu Bank",
                ],
            ),
        ] {
            let mail = written(&event, language);
            for words in said
                .into_iter()
                .chain(["0120-000-000", "トークンの紛失・盗難"])
            {
                assert!(mail.body.contains(words), "{words}: {}", mail.body);
            }
            assert!(mail.subject.contains(said[2]), "{}", mail.subject);
        }
    }
}

#[test]
fn a_mail_reads_as_a_bank_writes() {
    let mail = written(&not_sent(NotSent::ShortOfFunds), Language::Japanese);
    assert_eq!(
        mail.subject,
        "【割符銀行】予約振込を行うことができませんでした"
    );
    let head = "いつも割符銀行をご利用いただき、ありがとうございます。

ご予約の振込を、次の理由により行うことができませんでした。お金は引き落としておりません。
理由：お支払口座の残高が不足しているため
改めて振り込まれる場合は、もう一度お手続きください。

日時：2026年11月25日 0時04分05秒（日本時間）
受付番号：20261124-7K3M9-QX2VD

■ お心当たりがない場合
";
    assert!(mail.body.starts_with(head), "{}", mail.body);
    let mail = written(&Event::LossStopped { by_bank: false }, Language::English);
    assert_eq!(mail.subject, "[Warifu Bank] Your token was stopped");
    let foot = "\n--\nWarifu Bank\nPhone 0120-000-000 (Weekdays 9:00–17:00)\n";
    assert!(mail.body.ends_with(foot), "{}", mail.body);
}

#[test]
fn every_event_is_read_back_as_it_was_stored() {
    for event in samples() {
        assert_eq!(Event::from_stored(&event.to_stored()), Some(event));
    }
}

#[test]
fn the_top_page_tells_the_same_without_the_frame() {
    for event in samples() {
        for language in LANGUAGES {
            let (told, mail) = (tell(&event, language), written(&event, language));
            assert!(mail.subject.ends_with(&told.headline), "{told:?}");
            assert!(mail.body.contains(&told.text), "{told:?}");
            let has_receipt = event.to_stored().contains(RECEIPT);
            assert_eq!(told.receipt.as_deref(), has_receipt.then_some(RECEIPT));
        }
    }
}
