//! The live view as data: what is known ([`View`]) becomes lines of styled text, with no terminal.

mod digits;
mod frame;
mod wrap;

pub(crate) use wrap::wrap;

use jiff::SignedDuration;
use zeroize::Zeroizing;

use crate::texts::Texts;

pub(crate) use frame::frame;

/// The next code is shown in the last seconds of the running one.
pub(crate) const NEXT_WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// All that the live view shows (rule T2).
pub(crate) struct View<'a> {
    pub(crate) texts: &'a Texts,
    /// The token's ID, grouped.
    pub(crate) id: String,
    /// The 6 digits of the running code.
    pub(crate) code: Zeroizing<String>,
    /// The 6 digits of the next one.
    pub(crate) next: Zeroizing<String>,
    /// How long the running code is still good.
    pub(crate) valid_for: SignedDuration,
    /// The same in whole seconds, rounded up.
    pub(crate) seconds_left: u8,
    /// What is to be said of the device's clock (rule T6).
    pub(crate) clock_warning: Option<String>,
    /// How the last contact with the service went.
    pub(crate) link: Link,
    /// What the last key press did.
    pub(crate) notice: Option<String>,
}

/// How the contact with the service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Asked, not answered yet.
    Asking,
    /// The last question was answered.
    Online,
    /// It was not; the last answer is so old.
    Offline(SignedDuration),
}

/// One line of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pub(crate) spans: Vec<Span>,
}

/// A piece of a line in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: Zeroizing<String>,
    pub(crate) look: Look,
}

/// How a piece looks. Where colours are off, the words alone must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Strong,
    Quiet,
    /// The code and its bar while there is time.
    Fresh,
    /// The same in the last seconds.
    Ending,
    Warning,
}

impl Line {
    fn of(look: Look, text: impl Into<String>) -> Self {
        Self {
            spans: vec![Span {
                text: Zeroizing::new(text.into()),
                look,
            }],
        }
    }

    fn and(mut self, look: Look, text: impl Into<String>) -> Self {
        self.spans.push(Span {
            text: Zeroizing::new(text.into()),
            look,
        });
        self
    }
}

#[cfg(test)]
mod tests;
