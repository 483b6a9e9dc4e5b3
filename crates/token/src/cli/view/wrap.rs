use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Never at the beginning of a line of Japanese text (JIS X 4051, 行頭禁則).
const NOT_FIRST: &str = "。、，．・：；？！」』）〉》】ーぁぃぅぇぉっゃゅょァィゥェォッャュョ";

/// Columns of a text on a terminal: two for each full-width character (Unicode Annex 11).
pub(super) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Breaks `text` into lines of at most `width` columns: at a space where the words are Latin,
/// anywhere else where they are Japanese, but no line begins with a closing mark.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for character in text.chars() {
        if columns(&line) + character.width().unwrap_or(0) > width && !line.is_empty() {
            let carried = carry(&mut line, character);
            lines.push(line.trim_end().to_owned());
            line = carried;
            if character == ' ' && line.is_empty() {
                continue;
            }
        }
        line.push(character);
    }
    lines.push(line);
    lines
}

/// What of the full line goes to the next one, before `next` does.
fn carry(line: &mut String, next: char) -> String {
    let at = if next.is_ascii_graphic() {
        // Within a Latin word: from its beginning, unless it fills the whole line.
        line.rfind(|character: char| !character.is_ascii_graphic())
            .and_then(|place| Some(place + line.get(place..)?.chars().next()?.len_utf8()))
    } else if NOT_FIRST.contains(next) {
        line.char_indices()
            .next_back()
            .map(|(place, _)| place)
            .filter(|place| *place > 0)
    } else {
        None
    };
    at.map(|at| line.split_off(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_words_stay_whole_and_japanese_breaks_anywhere() {
        assert_eq!(
            wrap("keep the token apart", 10),
            ["keep the", "token", "apart"]
        );
        assert_eq!(
            wrap("端末の時計を合わせる", 8),
            ["端末の時", "計を合わ", "せる"]
        );
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn no_line_begins_with_a_closing_mark() {
        assert_eq!(
            wrap("時計を、合わせる。", 6),
            ["時計", "を、合", "わせ", "る。"]
        );
    }
}
