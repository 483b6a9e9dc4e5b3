use super::wrap::columns;
use super::*;
use crate::texts::Language;

fn view(texts: &Texts, valid_for_ms: i64) -> View<'_> {
    View {
        texts,
        id: "WRCA 1234 5674".to_owned(),
        code: Zeroizing::new("012345".to_owned()),
        next: Zeroizing::new("678901".to_owned()),
        valid_for: SignedDuration::from_millis(valid_for_ms),
        seconds_left: u8::try_from((valid_for_ms + 999) / 1000).unwrap(),
        clock_warning: None,
        link: Link::Online,
        notice: None,
    }
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        for span in &line.spans {
            text.push_str(&span.text);
        }
        text.push('\n');
    }
    text
}

fn looks(lines: &[Line]) -> Vec<Look> {
    lines
        .iter()
        .flat_map(|line| line.spans.iter().map(|span| span.look))
        .collect()
}

#[test]
fn the_screen_shows_id_code_seconds_and_advice() {
    let texts = Texts::new(Language::English);
    let screen = text(&frame(&view(&texts, 17_000), 80));
    for expected in ["WRCA 1234 5674", "17 s", "smartphone", "q"] {
        assert!(screen.contains(expected), "{expected} in\n{screen}");
    }
    assert!(
        !screen.contains("678 901"),
        "the next code is not yet to be seen\n{screen}"
    );
}

#[test]
fn large_digits_are_drawn_with_blocks() {
    let rows = digits::large("123456");
    assert_eq!(
        rows,
        [
            " ▄██  ▄█▀█▄ ▄█▀█▄     ▄██ ██▀▀▀ ▄█▀▀ ",
            "  ██    ▄█▀   ▄█▀   ▄█▀██ ▀▀▀█▄ ██▀█▄",
            "  ██  ▄█▀   ▄▄ ██   ▀▀▀██ ▄▄ ██ ██ ██",
            " ▀▀▀▀ ▀▀▀▀▀  ▀▀▀       ▀▀  ▀▀▀   ▀▀▀ ",
        ]
    );
}

#[test]
fn the_next_code_appears_in_the_last_ten_seconds_and_nothing_jumps() {
    let texts = Texts::new(Language::Japanese);
    let before = frame(&view(&texts, 10_001), 80);
    let after = frame(&view(&texts, 10_000), 80);
    assert!(!text(&before).contains("678 901"));
    assert!(text(&after).contains("678 901"));
    assert_eq!(before.len(), after.len());
    assert!(looks(&before).contains(&Look::Fresh) && !looks(&before).contains(&Look::Ending));
    assert!(looks(&after).contains(&Look::Ending) && !looks(&after).contains(&Look::Fresh));
}

#[test]
fn the_bar_shrinks_with_the_time_left() {
    let texts = Texts::new(Language::English);
    let full_columns = |ms| {
        text(&frame(&view(&texts, ms), 80))
            .lines()
            .filter(|line| line.contains(" s"))
            .flat_map(str::chars)
            .filter(|c| *c == '█')
            .count()
    };
    let bars: Vec<usize> = [30_000, 20_000, 10_000, 500]
        .into_iter()
        .map(full_columns)
        .collect();
    assert!(
        bars.is_sorted_by(|longer, shorter| longer > shorter),
        "{bars:?}"
    );
    assert_eq!(bars.last(), Some(&0));
}

#[test]
fn no_line_is_wider_than_the_terminal_in_either_language() {
    for language in [Language::Japanese, Language::English] {
        let texts = Texts::new(language);
        for width in 12..=120 {
            for ms in [30_000, 9_999, 1] {
                let mut view = view(&texts, ms);
                view.clock_warning = Some(texts.clock_off(SignedDuration::from_secs(-95)));
                view.notice = Some(texts.say("copied-code"));
                view.link = Link::Offline(SignedDuration::from_hours(70));
                for line in text(&frame(&view, width)).lines() {
                    assert!(columns(line) <= usize::from(width), "{width}: {line}");
                }
            }
        }
    }
}

#[test]
fn forty_columns_are_enough_for_large_digits() {
    let texts = Texts::new(Language::Japanese);
    assert!(text(&frame(&view(&texts, 30_000), 40)).contains("▀▀▀▀▀"));
    assert!(text(&frame(&view(&texts, 30_000), 38)).contains("012 345"));
}

#[test]
fn a_wrong_clock_is_told_on_the_screen() {
    let texts = Texts::new(Language::Japanese);
    let mut view = view(&texts, 30_000);
    view.clock_warning = Some(texts.clock_off(SignedDuration::from_secs(95)));
    let lines = frame(&view, 80);
    assert!(looks(&lines).contains(&Look::Warning));
    assert!(text(&lines).contains("95"));
}
