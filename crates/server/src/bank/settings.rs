use warifu_bank::fee::FeeTable;
use warifu_bank::limit::LimitSettings;

/// What the bank was told at its start.
#[derive(Debug, Clone)]
pub struct BankSettings {
    /// 金融機関コード: four digits.
    pub code: String,
    /// The bank's name.
    pub name: BilingualText,
    /// Its phone for customers.
    pub phone: String,
    /// When the phone is answered.
    pub hours: BilingualText,
    /// Fees.
    pub fees: FeeTable,
    /// Limits.
    pub limits: LimitSettings,
    /// Where customers open the token, `https://…`; none: the bank's letter tells it.
    pub token_address: Option<String>,
}

/// A text of the configuration in both languages.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BilingualText {
    /// 日本語
    pub ja: String,
    /// English.
    pub en: String,
}

impl Default for BankSettings {
    fn default() -> Self {
        let text = |ja: &str, en: &str| BilingualText {
            ja: ja.into(),
            en: en.into(),
        };
        Self {
            code: "9999".into(),
            name: text("割符銀行", "Warifu Bank"),
            phone: "0120-000-000".into(),
            hours: text("平日 9:00～17:00", "Weekdays 9:00–17:00"),
            fees: FeeTable::default(),
            limits: LimitSettings::default(),
            token_address: None,
        }
    }
}
