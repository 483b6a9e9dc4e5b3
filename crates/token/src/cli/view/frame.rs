use jiff::SignedDuration;

use super::wrap::{columns, wrap};
use super::{Line, Link, Look, NEXT_WITHIN, View, digits};
use crate::age;

/// Columns left free on the left.
const MARGIN: usize = 2;

/// The bar is no longer than this, in columns: as long as the code above it.
const LONGEST_BAR: usize = digits::COLUMNS;

/// A full bar stands for one time step (RFC 6238 `X`).
const STEP: SignedDuration = SignedDuration::from_secs(30);

/// An eighth to seven eighths of a column, from the left.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The screen, from the top. No line is wider than `width` columns. What matters most comes first,
/// because a low terminal cuts the end.
pub(crate) fn frame(view: &View<'_>, width: u16) -> Vec<Line> {
    let inner = usize::from(width).saturating_sub(MARGIN).max(1);
    let texts = view.texts;
    let mut screen = Screen {
        lines: Vec::new(),
        inner,
    };
    screen.text(Look::Quiet, &texts.say("view-title"));
    screen.blank();
    screen.text(Look::Quiet, &texts.say("view-id"));
    screen.text(Look::Strong, &view.id);
    screen.blank();
    screen.text(Look::Quiet, &texts.say("view-code"));
    screen.code(view);
    screen.bar(view);
    screen.next(view);
    if let Some(warning) = &view.clock_warning {
        screen.blank();
        screen.text(Look::Warning, warning);
    }
    screen.blank();
    screen.text(Look::Plain, view.notice.as_deref().unwrap_or(""));
    screen.text(Look::Quiet, &texts.say("view-keys"));
    screen.text(Look::Quiet, &link_words(view));
    screen.blank();
    screen.text(Look::Quiet, &texts.say("advice"));
    screen.lines
}

fn look_of_time(view: &View<'_>) -> Look {
    if view.valid_for <= NEXT_WITHIN {
        Look::Ending
    } else {
        Look::Fresh
    }
}

fn link_words(view: &View<'_>) -> String {
    match view.link {
        Link::Asking => view.texts.say("link-asking"),
        Link::Online => view.texts.say("link-online"),
        Link::Offline(age) => {
            let ago = age::in_words(view.texts, age);
            view.texts.say_with("link-offline", [("ago", ago.into())])
        }
    }
}

struct Screen {
    lines: Vec<Line>,
    inner: usize,
}

impl Screen {
    fn blank(&mut self) {
        self.lines.push(Line::default());
    }

    fn text(&mut self, look: Look, text: &str) {
        for line in wrap(text, self.inner) {
            self.lines.push(self.indented().and(look, line));
        }
    }

    fn indented(&self) -> Line {
        Line::of(Look::Plain, " ".repeat(MARGIN))
    }

    /// Large where there is room, else as the text that it is.
    fn code(&mut self, view: &View<'_>) {
        let look = look_of_time(view);
        if self.inner < digits::COLUMNS {
            let (first, last) = view.code.split_at_checked(3).unwrap_or((&view.code, ""));
            self.text(look, &format!("{first} {last}"));
            return;
        }
        for row in digits::large(&view.code) {
            self.lines.push(self.indented().and(look, row));
        }
    }

    /// A bar that shrinks by eighths of a column, and the seconds beside it.
    fn bar(&mut self, view: &View<'_>) {
        let seconds = view
            .texts
            .say_with("view-seconds", [("seconds", view.seconds_left.into())]);
        let room = self
            .inner
            .saturating_sub(columns(&seconds) + 1)
            .min(LONGEST_BAR - columns(&seconds) - 1);
        if room < 4 {
            self.text(Look::Plain, &seconds);
            return;
        }
        let left = view
            .valid_for
            .as_millis()
            .clamp(0, STEP.as_millis())
            .unsigned_abs();
        let eighths =
            left * u128::try_from(room * 8).unwrap_or(0) / STEP.as_millis().unsigned_abs();
        let eighths = usize::try_from(eighths).unwrap_or(0);
        let mut filled = "█".repeat(eighths / 8);
        filled.push_str(EIGHTHS.get(eighths % 8).copied().unwrap_or(""));
        let rest = room.saturating_sub(columns(&filled));
        let line = self
            .indented()
            .and(look_of_time(view), filled)
            .and(Look::Quiet, "░".repeat(rest))
            .and(Look::Plain, format!(" {seconds}"));
        self.lines.push(line);
    }

    /// The next code in the last seconds; the line is there all the time, so that nothing jumps.
    fn next(&mut self, view: &View<'_>) {
        if view.valid_for > NEXT_WITHIN {
            self.blank();
            return;
        }
        let (first, last) = view.next.split_at_checked(3).unwrap_or((&view.next, ""));
        let code = format!("{first} {last}");
        let line = view.texts.say_with("view-next", [("code", code.into())]);
        self.text(Look::Strong, &line);
    }
}
