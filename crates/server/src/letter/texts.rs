//! What the letter says. Both languages stand on one page, so these are no translations of each other to choose from.

use jiff::civil::Date;

use super::{Kind, Letter};

/// The texts of one letter.
pub(super) struct Texts {
    /// The title, also of the document.
    pub(super) title: &'static str,
    /// What comes before the box.
    pub(super) opening: [&'static str; 2],
    /// The rows of the box: label in Japanese and in English.
    pub(super) labels: [(&'static str, &'static str); 3],
    /// Until when, in Japanese.
    pub(super) until: String,
    /// How to read and type what is in the box.
    pub(super) hint: &'static str,
    /// What to do, one after the other.
    pub(super) steps: [&'static str; 4],
    /// What to beware of.
    pub(super) warnings: [String; 4],
    /// The summary in English.
    pub(super) english: String,
}

/// Above the steps.
pub(super) const STEPS: &str = "お手続きの流れ";

/// Above the warnings.
pub(super) const WARNINGS: &str = "ご注意";

/// Above the summary.
pub(super) const ENGLISH: &str = "Summary in English";

/// Above the bank's phone.
pub(super) const CONTACT: &str = "お問い合わせ";

const HINT: &str = "パスワードは半角の英小文字と数字です。見間違いを防ぐため、数字の 0・1 と英字の l・o は使っていません。\
    ハイフン（-）も入力してください。契約者IDの空白は入力不要です。";

const OPENED_STEPS: [&str; 4] = [
    "パソコンまたはスマートフォンで、当行インターネットバンキングのログイン画面を開いてください。",
    "上記の契約者IDと初回ログインパスワードを入力し、「ログイン」を押してください。",
    "画面の案内に沿って、お客さまご自身でお決めになるパスワードに変更してください。次回からはそのパスワードでログインします。",
    "トークン（ワンタイムパスワードを表示するアプリ）をご用意のうえ、ログイン画面の「ワンタイムパスワードの利用登録はこちら」から\
     利用登録を行ってください。お振込みなどのお取引は、利用登録の後にご利用いただけます。",
];

const REISSUED_STEPS: [&str; 4] = [
    "パソコンまたはスマートフォンで、当行インターネットバンキングのログイン画面を開いてください。",
    "上記の契約者IDとログインパスワードを入力し、「ログイン」を押してください。ワンタイムパスワードの入力画面が表示された場合は、\
     お使いのトークンに表示されている6桁の数字を入力してください。",
    "画面の案内に沿って、お客さまご自身でお決めになるパスワードに変更してください。次回からはそのパスワードでログインします。",
    "トークンの利用登録がお済みでない場合は、トークンをご用意のうえ、ログイン画面の「ワンタイムパスワードの利用登録はこちら」から\
     利用登録を行ってください。お済みの場合、改めての登録は不要です。",
];

/// The texts of a letter.
pub(super) fn of(letter: &Letter<'_>) -> Texts {
    let until = format!("{}まで", in_japanese(letter.expires_on));
    let warnings = [
        "当行の担当者がパスワードやワンタイムパスワードをお尋ねすることは、決してありません。"
            .to_owned(),
        format!("{until}にログインされない場合、このパスワードは無効となり、再発行が必要です。"),
        "パスワードを変更された後は、この書面を裁断するなど、確実に破棄してください。".to_owned(),
        "開封された形跡がある場合や、お心当たりのない場合は、ログインせずに当行へご連絡ください。"
            .to_owned(),
    ];
    let opened = letter.kind == Kind::Opened;
    Texts {
        title: if opened {
            "インターネットバンキング 初回パスワードのご案内"
        } else {
            "パスワード再発行のご案内"
        },
        opening: [
            "平素より格別のお引き立てを賜り、厚く御礼申し上げます。",
            if opened {
                "このたびはインターネットバンキングをお申し込みいただき、誠にありがとうございます。お客さまの契約者IDと\
                 初回ログインパスワードを、下記のとおりご案内いたします。"
            } else {
                "お申し出により、インターネットバンキングのログインパスワードを再発行いたしました。これまでのパスワードは\
                 ご利用いただけません。下記のパスワードでログインし、新しいパスワードに変更してください。"
            },
        ],
        labels: [
            ("契約者ID（利用者番号）", "Contract ID"),
            if opened {
                ("初回ログインパスワード", "First login password")
            } else {
                ("ログインパスワード（再発行）", "Reissued login password")
            },
            ("有効期限", "Valid through"),
        ],
        until,
        hint: HINT,
        steps: if opened { OPENED_STEPS } else { REISSUED_STEPS },
        warnings,
        english: in_english(letter),
    }
}

/// 2026年11月24日
pub(super) fn in_japanese(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

fn in_english(letter: &Letter<'_>) -> String {
    let bank = letter.bank.name_en;
    let until = letter.expires_on.strftime("%-d %B %Y");
    let (what, token) = match letter.kind {
        Kind::Opened => (
            format!(
                "Your contract ID and first password for {bank} internet banking are in the box above."
            ),
            "Then get the token app and register it with \"ワンタイムパスワードの利用登録はこちら\" (one-time password registration) on \
             the login page; transfers are open to you after that.",
        ),
        Kind::Reissued => (
            format!(
                "Your login password for {bank} internet banking was reissued and is in the box above; the old one no longer works."
            ),
            "If no token is registered yet, get the token app and register it with \"ワンタイムパスワードの利用登録はこちら\" \
             (one-time password registration) on the login page.",
        ),
    };
    format!(
        "{what} Open the login page, log in with both, and choose a password of your own when you are asked. {token} \
         Type the hyphens too; the digits 0 and 1 and the letters l and o are not used. The password is valid through {until} \
         (Japan time) unless it is changed before. Our staff never ask for a password or a one-time password. Destroy this \
         letter after the change. Questions: {phone} ({hours}).",
        phone = letter.bank.phone,
        hours = letter.bank.hours_en,
    )
}
