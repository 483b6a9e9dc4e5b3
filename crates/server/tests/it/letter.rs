//! The letter with a first password (rule F2): what is on the page, read back by poppler, which shares no code with it.

use std::io::ErrorKind;
use std::process::Command;

use jiff::civil::date;
use warifu::bank::BankSettings;
use warifu::letter::{BankOnPaper, Kind, Letter, LetterError, Part, render};
use warifu_bank::contract::ContractId;
use warifu_bank::first_password::{ALPHABET, first_password};
use zeroize::Zeroizing;

const RANDOM: [u8; 16] = *b"sixteen letters.";

/// Characters of names that the JIS standards have under another form or not at all, rare ones that they have, and two that
/// share a glyph.
const RARE: &str = "髙﨑𠮷邉邊濵德塚𠮟亜橳丼〜～";

fn bank() -> BankOnPaper<'static> {
    BankOnPaper {
        name: "割符銀行",
        name_en: "Warifu Bank",
        address: &["〒100-0000 東京都千代田区見本町1丁目2番3号"],
        phone: "0120-000-000",
        hours: "平日 9:00～17:00",
        hours_en: "Weekdays 9:00–17:00",
    }
}

fn letter<'a>(customer_name: &'a str, password: &'a Zeroizing<String>) -> Letter<'a> {
    Letter {
        bank: bank(),
        customer_name,
        contract_id: "12345678901".parse::<ContractId>().unwrap(),
        password,
        issued_on: date(2026, 11, 24),
        expires_on: date(2026, 12, 24),
        kind: Kind::Opened,
    }
}

/// What one of poppler's programs says of a PDF.
fn poppler(program: &str, options: &[&str], pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.pdf");
    std::fs::write(&file, pdf).unwrap();
    let mut command = Command::new(program);
    command.args(options).arg(&file);
    if program == "pdftotext" {
        command.arg("-");
    }
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("{program} is not installed; get it by `apt-get install poppler-utils`")
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{program}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn text_of(letter: &Letter<'_>) -> String {
    poppler(
        "pdftotext",
        &["-layout", "-enc", "UTF-8"],
        &render(letter).unwrap(),
    )
}

/// Without white space, which tells of the setting alone.
fn run_together(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_letter_of_a_new_contract_shows_id_password_and_what_to_do() {
    let password = first_password(&RANDOM);
    let text = text_of(&letter("見本 太郎", &password));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let ends = |shown: &str| lines.iter().any(|line| line.ends_with(shown));
    assert!(ends("1234 5678 901"), "{text}");
    assert!(ends(password.as_str()), "{text}");
    assert!(ends("2026年11月24日"), "{text}");
    let text = run_together(&text);
    for shown in [
        "見本太郎様",
        "割符銀行",
        "インターネットバンキング初回パスワードのご案内",
        "初回ログインパスワード",
        "2026年12月24日まで",
        "ワンタイムパスワードの利用登録はこちら",
        "お尋ねすることは、決してありません",
        "受付時間平日9:00～17:00",
        "validthrough24December2026",
        "WarifuBank",
    ] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
}

#[test]
fn the_letter_of_a_new_password_says_that_the_old_one_is_gone() {
    let password = first_password(&RANDOM);
    let text = text_of(&Letter {
        kind: Kind::Reissued,
        ..letter("見本 太郎", &password)
    });
    let text = run_together(&text);
    assert!(text.contains("パスワード再発行のご案内"));
    assert!(text.contains("これまでのパスワードはご利用いただけません"));
    assert!(text.contains("theoldonenolongerworks"));
    assert!(text.contains(password.as_str()));
    assert!(!text.contains("初回"));
}

#[test]
fn the_letter_is_one_tagged_a4_page_without_author() {
    let password = first_password(&RANDOM);
    let pdf = render(&letter("見本 太郎", &password)).unwrap();
    assert!(pdf.len() < 200_000, "{} bytes", pdf.len());
    let about = poppler("pdfinfo", &["-isodates"], &pdf);
    let told = |name: &str| {
        let mut lines = about.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| (key == name).then(|| value.trim().to_owned()))
    };
    let told_as =
        |name: &str, value: &str| assert_eq!(told(name).as_deref(), Some(value), "{about}");
    told_as("Pages", "1");
    told_as("Page size", "595.28 x 841.89 pts (A4)");
    told_as("Title", "インターネットバンキング 初回パスワードのご案内");
    told_as("Tagged", "yes");
    assert_eq!(told("Author"), None);
    assert_eq!(told("Creator"), None);
}

#[test]
fn the_same_letter_is_the_same_bytes() {
    let password = first_password(&RANDOM);
    let letter = letter("見本 太郎", &password);
    assert_eq!(*render(&letter).unwrap(), *render(&letter).unwrap());
    let later = Letter {
        issued_on: date(2026, 11, 25),
        ..letter
    };
    assert_ne!(*render(&letter).unwrap(), *render(&later).unwrap());
}

#[test]
fn a_name_of_thirty_kanji_is_printed_whole() {
    let password = first_password(&RANDOM);
    let name = "見本漢字名".repeat(6);
    for kind in [Kind::Opened, Kind::Reissued] {
        let letter = Letter {
            kind,
            ..letter(&name, &password)
        };
        assert!(run_together(&text_of(&letter)).contains(&format!("{name}様")));
    }
}

#[test]
fn rare_kanji_of_names_and_every_letter_of_a_password_are_printed() {
    let alphabet = std::str::from_utf8(ALPHABET).unwrap();
    let password = Zeroizing::new(alphabet.to_owned());
    let text = text_of(&letter(RARE, &password));
    assert!(run_together(&text).contains(&format!("{RARE}様")), "{text}");
    assert!(text.contains(alphabet), "{text}");
}

#[test]
fn a_character_that_the_font_lacks_is_named() {
    let password = first_password(&RANDOM);
    // A picture, a joining mark (half of a decomposed が), a selector of forms, a line's end, a letter of another script.
    for lacking in ['😀', '\u{3099}', '\u{e0100}', '\n', 'ก'] {
        let name = format!("見本か{lacking}太郎");
        let refused = render(&letter(&name, &password));
        assert_eq!(refused.err(), Some(LetterError::Unprintable(lacking)));
    }
    let told = LetterError::Unprintable('😀').to_string();
    assert_eq!(told, "the letter's font has no '😀' (U+1F600)");
    let mut elsewhere = letter("見本 太郎", &password);
    elsewhere.bank.hours = "☏ 9:00";
    assert_eq!(
        render(&elsewhere).err(),
        Some(LetterError::Unprintable('☏'))
    );
}

#[test]
fn the_bank_that_is_configured_by_default_can_write_letters() {
    let password = first_password(&RANDOM);
    let settings = BankSettings::default();
    let text = text_of(&Letter {
        bank: BankOnPaper::from(&settings),
        ..letter("見本 太郎", &password)
    });
    assert!(
        text.contains(&settings.name.ja) && text.contains(&settings.phone),
        "{text}"
    );
}

#[test]
fn what_has_no_room_is_named() {
    let password = first_password(&RANDOM);
    let name = "見本".repeat(50);
    let refused = render(&letter(&name, &password)).err();
    assert_eq!(refused, Some(LetterError::NoRoom(Part::CustomerName)));
    let mut tall = letter("見本 太郎", &password);
    tall.bank.address = &["見本町"; 20];
    assert_eq!(render(&tall).err(), Some(LetterError::NoRoom(Part::Page)));
    let mut wide = letter("見本 太郎", &password);
    let hours = "平日 9:00～17:00、".repeat(20);
    wide.bank.hours = &hours;
    assert_eq!(render(&wide).err(), Some(LetterError::NoRoom(Part::Bank)));
}

#[test]
fn neither_debug_output_nor_an_error_shows_the_password() {
    let password = first_password(&RANDOM);
    let letter_of_it = letter("見本 太郎", &password);
    let shown = format!("{letter_of_it:?}");
    assert!(shown.contains("Opened"), "{shown}");
    for group in password.split('-').chain(["見本"]) {
        assert!(!shown.contains(group), "{shown}");
    }
    for odd in ["", "pass word", "パスワード"] {
        let odd = Zeroizing::new(odd.to_owned());
        let refused = render(&letter("見本 太郎", &odd));
        assert_eq!(refused.err(), Some(LetterError::Password));
    }
}
