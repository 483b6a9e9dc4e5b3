//! What one person writes for another to read: no letter in it that is not seen, or that turns the others around.

/// Whether a text has one to `longest` characters, and only such as are seen: no control, no line break, no direction mark,
/// nothing that Unicode lets a program ignore (Default_Ignorable_Code_Point, with the separators of lines and the marks of
/// annotations).
#[must_use]
pub fn is_plain(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count())
        && !text.trim().is_empty()
        && !text
            .chars()
            .any(|letter| letter.is_control() || is_unseen(letter))
}

/// Whether a letter is not seen where it stands.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_taken_and_what_is_not_is_refused() {
        for text in [
            "本人からの電話",
            "見本 花子",
            "Mihon-O'Hara Anna",
            "髙﨑（株）",
        ] {
            assert!(is_plain(text, 30), "{text}");
        }
        for text in [
            "",
            " 　 ",
            "a\u{202e}b",
            "見本\u{200b}",
            "a\nb",
            "a\u{2028}b",
            "\u{3164}",
            "a\u{e0041}",
            "\u{feff}a",
        ] {
            assert!(!is_plain(text, 30), "{text:?}");
        }
        assert!(is_plain(&"あ".repeat(30), 30));
        assert!(!is_plain(&"あ".repeat(31), 30));
    }
}
