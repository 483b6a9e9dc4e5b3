//! Where a line of Japanese or English ends.
//!
//! Japanese breaks between any two characters, English between words; what may not begin or end a line does not
//! (行頭禁則, 行末禁則 of JIS X 4051).

use super::LetterError;

/// What does not begin a line.
const NOT_FIRST: &str = "、。，．・：；？！ー々」』）〕］｝】〉》ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ～〜,.:;?!)]";

/// What does not end a line.
const NOT_LAST: &str = "「『（〔［｛【〈《([";

/// The lines of a text, none wider than `room` (in the unit of `advance`) where a break can help it.
pub(super) fn lines(
    text: &str,
    room: f32,
    advance: impl Fn(char) -> Result<f32, LetterError>,
) -> Result<Vec<&str>, LetterError> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, further) = rest.split_at(end_of_line(rest, room, &advance)?);
        lines.push(line.trim_end());
        rest = further.trim_start_matches(' ');
    }
    Ok(lines)
}

/// The byte where the first line ends: the last place to break before the room ends, or the first place after it.
fn end_of_line(
    text: &str,
    room: f32,
    advance: impl Fn(char) -> Result<f32, LetterError>,
) -> Result<usize, LetterError> {
    let mut width = 0.0;
    let mut fits = None;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != ' ' {
            width += advance(letter)?;
            if width > room
                && let Some(end) = fits
            {
                return Ok(end);
            }
        } else {
            width += advance(' ')?;
        }
        let end = at + letter.len_utf8();
        let Some((_, next)) = letters.peek() else {
            break;
        };
        if may_break(letter, *next) {
            if width > room {
                return Ok(end);
            }
            fits = Some(end);
        }
    }
    Ok(text.len())
}

fn may_break(before: char, after: char) -> bool {
    if after == ' ' || NOT_LAST.contains(before) || NOT_FIRST.contains(after) {
        return false;
    }
    before == ' ' || !(in_a_word(before) && in_a_word(after))
}

/// Latin letters, digits and what stands among them.
fn in_a_word(letter: char) -> bool {
    letter.is_ascii_graphic() || ('\u{a1}'..'\u{2e80}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Full-width characters are two wide, others one.
    fn wrapped(text: &str, room: f32) -> Vec<&str> {
        lines(text, room, |letter| {
            Ok(if letter.is_ascii() { 1.0 } else { 2.0 })
        })
        .unwrap()
    }

    #[test]
    fn japanese_breaks_between_characters_and_english_between_words() {
        assert_eq!(wrapped("銀行の取引", 6.0), ["銀行の", "取引"]);
        assert_eq!(
            wrapped("the bank never asks", 9.0),
            ["the bank", "never", "asks"]
        );
        assert_eq!(wrapped("電話0120番", 6.0), ["電話", "0120番"]);
    }

    #[test]
    fn no_line_begins_with_a_full_stop_or_ends_with_an_opening_bracket() {
        assert_eq!(wrapped("銀行へ。取引", 6.0), ["銀行", "へ。取", "引"]);
        assert_eq!(wrapped("銀行「取引」", 6.0), ["銀行", "「取", "引」"]);
    }

    #[test]
    fn nothing_is_lost_at_any_width() {
        let text = "ログイン画面の「利用登録」から、0120-000-000（平日 9:00～17:00）へ。 Log in (again)、です。。」";
        let solid = |text: &str| text.replace(' ', "");
        for room in 1..80_u8 {
            let lines = wrapped(text, f32::from(room));
            assert_eq!(solid(&lines.concat()), solid(text), "{room}");
            assert!(lines.iter().all(|line| !line.is_empty()), "{room}");
        }
    }

    #[test]
    fn what_cannot_be_broken_stands_alone() {
        assert_eq!(wrapped("a unbreakable b", 4.0), ["a", "unbreakable", "b"]);
        assert!(wrapped("", 4.0).is_empty());
    }
}
