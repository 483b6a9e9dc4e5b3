use jiff::SignedDuration;

use crate::texts::Texts;

/// How long ago something was, in the largest unit that fits: "3 min ago".
pub(crate) fn in_words(texts: &Texts, age: SignedDuration) -> String {
    let count = |number: i64| [("count", number.into())];
    match age.as_secs() {
        i64::MIN..60 => texts.say("age-now"),
        seconds @ 60..3600 => texts.say_with("age-minutes", count(seconds / 60)),
        seconds @ 3600..86_400 => texts.say_with("age-hours", count(seconds / 3600)),
        seconds @ 86_400.. => texts.say_with("age-days", count(seconds / 86_400)),
    }
}
