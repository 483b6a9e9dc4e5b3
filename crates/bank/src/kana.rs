//! 受取人名: names in the half-width kana of Zengin records (JIS X 0201), folded from what people type.

/// Bytes of a name in a record.
pub const LONGEST: usize = 30;

/// Why a name is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRefusal {
    /// Nothing is left of it.
    Empty,
    /// No record can hold this character: kanji, for instance.
    Character(char),
    /// Longer than [`LONGEST`]; it is never cut.
    TooLong {
        /// How many bytes it has, sound marks counted.
        bytes: usize,
    },
}

/// Full-width katakana in the order of Unicode from ァ, each with what it is in half-width.
const KATAKANA: [&str; 86] = [
    "ｱ", "ｱ", "ｲ", "ｲ", "ｳ", "ｳ", "ｴ", "ｴ", "ｵ", "ｵ", "ｶ", "ｶﾞ", "ｷ", "ｷﾞ", "ｸ", "ｸﾞ", "ｹ", "ｹﾞ", "ｺ",
    "ｺﾞ", "ｻ", "ｻﾞ", "ｼ", "ｼﾞ", "ｽ", "ｽﾞ", "ｾ", "ｾﾞ", "ｿ", "ｿﾞ", "ﾀ", "ﾀﾞ", "ﾁ", "ﾁﾞ", "ﾂ", "ﾂ", "ﾂﾞ", "ﾃ",
    "ﾃﾞ", "ﾄ", "ﾄﾞ", "ﾅ", "ﾆ", "ﾇ", "ﾈ", "ﾉ", "ﾊ", "ﾊﾞ", "ﾊﾟ", "ﾋ", "ﾋﾞ", "ﾋﾟ", "ﾌ", "ﾌﾞ", "ﾌﾟ", "ﾍ", "ﾍﾞ",
    "ﾍﾟ", "ﾎ", "ﾎﾞ", "ﾎﾟ", "ﾏ", "ﾐ", "ﾑ", "ﾒ", "ﾓ", "ﾔ", "ﾔ", "ﾕ", "ﾕ", "ﾖ", "ﾖ", "ﾗ", "ﾘ", "ﾙ", "ﾚ",
    "ﾛ", "ﾜ", "ﾜ", "ｲ", "ｴ", "ｦ", "ﾝ", "ｳﾞ", "ｶ", "ｹ",
];

/// Folds what was typed and checks it: hiragana and katakana of either width, small letters, Latin of either width and
/// case, every dash. A name that is too long or holds another character is refused, never changed.
///
/// # Errors
/// [`NameRefusal`].
pub fn fold_name(typed: &str) -> Result<String, NameRefusal> {
    let mut name = String::new();
    for letter in typed.chars() {
        fold(letter, &mut name)?;
    }
    let words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    let bytes = name.chars().count();
    if name.is_empty() {
        Err(NameRefusal::Empty)
    } else if bytes > LONGEST {
        Err(NameRefusal::TooLong { bytes })
    } else {
        Ok(name)
    }
}

/// Folds a text to be searched for, without its spaces; none when it holds what no kana is, a kanji for instance.
#[must_use]
pub fn fold_search(typed: &str) -> Option<String> {
    let mut folded = String::new();
    for letter in typed.chars() {
        fold(letter, &mut folded).ok()?;
    }
    Some(folded.replace(' ', ""))
}

/// Whether a kana takes a sound mark: ガ from カ, パ from ハ.
fn takes(mark: char, before: Option<char>) -> bool {
    match (mark, before) {
        ('ﾞ', Some(letter)) => matches!(letter, 'ｶ'..='ﾄ' | 'ﾊ'..='ﾎ' | 'ｳ'),
        ('ﾟ', Some(letter)) => matches!(letter, 'ﾊ'..='ﾎ'),
        _ => false,
    }
}

fn fold(letter: char, out: &mut String) -> Result<(), NameRefusal> {
    match letter {
        'ぁ'..='ゖ' => {
            return fold(
                char::from_u32(u32::from(letter) + 0x60).unwrap_or(letter),
                out,
            );
        }
        'ァ'..='ヶ' => {
            let index = usize::try_from(u32::from(letter) - u32::from('ァ')).unwrap_or(usize::MAX);
            out.push_str(KATAKANA.get(index).copied().unwrap_or_default());
        }
        'ｧ'..='ｫ' => out.push(char::from_u32(u32::from(letter) + 0xa).unwrap_or(letter)),
        'ｬ'..='ｮ' => out.push(char::from_u32(u32::from(letter) + 0x28).unwrap_or(letter)),
        'ｯ' => out.push('ﾂ'),
        'ｦ' | 'ｱ'..='ﾝ' => out.push(letter),
        // Sound marks that stand behind their letter.
        'ﾞ' | '゛' | '\u{3099}' if takes('ﾞ', out.chars().last()) => out.push('ﾞ'),
        'ﾟ' | '゜' | '\u{309a}' if takes('ﾟ', out.chars().last()) => out.push('ﾟ'),
        'ー' | 'ｰ' | '－' | '−' | '‐' | '‑' | '–' | '—' | '―' | '-' => {
            out.push('-')
        }
        ' ' | '\u{3000}' => out.push(' '),
        '「' => out.push('｢'),
        '」' => out.push('｣'),
        '￥' | '¥' => out.push('\\'),
        '！'..='～' => return fold(crate::token_id::half_width(letter), out),
        'a'..='z' => out.push(letter.to_ascii_uppercase()),
        'A'..='Z' | '0'..='9' | '(' | ')' | '.' | '/' | ',' | '\\' | '｢' | '｣' => {
            out.push(letter)
        }
        _ => return Err(NameRefusal::Character(letter)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_folded_however_it_is_typed() {
        for typed in [
            "みほん　しょうじ（かぶ",
            "ミホン ショウジ(カブ",
            "ﾐﾎﾝ ｼｮｳｼﾞ(ｶﾌﾞ",
            " ミホン  ショウジ（カブ ",
        ] {
            assert_eq!(fold_name(typed).as_deref(), Ok("ﾐﾎﾝ ｼﾖｳｼﾞ(ｶﾌﾞ"), "{typed}");
        }
        assert_eq!(fold_name("ヴァーガ abc－９").as_deref(), Ok("ｳﾞｱ-ｶﾞ ABC-9"));
        assert_eq!(fold_name("パッキャラマド").as_deref(), Ok("ﾊﾟﾂｷﾔﾗﾏﾄﾞ"));
        assert_eq!(fold_name("か\u{3099}ハ゜").as_deref(), Ok("ｶﾞﾊﾟ"));
    }

    #[test]
    fn every_katakana_has_its_half_width_letters() {
        assert_eq!(KATAKANA[0], "ｱ");
        for (full, half) in [
            ('ア', "ｱ"),
            ('ガ', "ｶﾞ"),
            ('ッ', "ﾂ"),
            ('ヅ', "ﾂﾞ"),
            ('ト', "ﾄ"),
            ('ポ', "ﾎﾟ"),
            ('ャ', "ﾔ"),
            ('ワ', "ﾜ"),
            ('ン', "ﾝ"),
            ('ヴ', "ｳﾞ"),
            ('ヶ', "ｹ"),
        ] {
            assert_eq!(fold_name(&full.to_string()).as_deref(), Ok(half), "{full}");
        }
    }

    #[test]
    fn what_no_record_holds_is_refused_and_nothing_is_cut() {
        for (typed, letter) in [
            ("見本", '見'),
            ("ﾐﾎﾝ・ｼﾖｳｼﾞ", '・'),
            ("ﾐﾎﾝ\u{202e}", '\u{202e}'),
            ("ミホン\u{200b}", '\u{200b}'),
            ("Ａ é", 'é'),
            ("がﾞ", 'ﾞ'),
            ("ﾞﾞ", 'ﾞ'),
            ("アﾟ", 'ﾟ'),
        ] {
            assert_eq!(fold_name(typed), Err(NameRefusal::Character(letter)));
        }
        assert_eq!(fold_name(" 　 "), Err(NameRefusal::Empty));
        assert_eq!(
            fold_name(&"ガ".repeat(15)).map(|name| name.chars().count()),
            Ok(30)
        );
        assert_eq!(
            fold_name(&"ガ".repeat(16)),
            Err(NameRefusal::TooLong { bytes: 32 })
        );
    }
}
