//! A text on the clipboard for half a minute, and off it again.

use std::fmt;
use std::time::Duration;

use arboard::Clipboard as Arboard;
use zeroize::Zeroizing;

/// What was copied is wiped after this time, if it is still there.
pub const WIPE_AFTER: Duration = Duration::from_secs(30);

/// The system's clipboard, as far as the token needs it.
pub trait Clipboard {
    /// Puts `text` there.
    ///
    /// # Errors
    /// When the system refuses, in its words.
    fn put(&mut self, text: &str) -> Result<(), String>;

    /// The text that is there.
    fn text(&mut self) -> Option<Zeroizing<String>>;

    /// Empties it.
    fn clear(&mut self);
}

/// Something of the token's on the clipboard, to be wiped again.
pub struct Held<C: Clipboard> {
    clipboard: C,
    text: Zeroizing<String>,
}

impl<C: Clipboard> Held<C> {
    /// Puts `text` there.
    ///
    /// # Errors
    /// When the system refuses, in its words.
    pub fn put(mut clipboard: C, text: Zeroizing<String>) -> Result<Self, String> {
        clipboard.put(&text)?;
        Ok(Self { clipboard, text })
    }

    /// Wipes it, unless the user has copied something else since.
    pub fn wipe(mut self) {
        if self.clipboard.text().as_ref() == Some(&self.text) {
            self.clipboard.clear();
        }
    }
}

impl<C: Clipboard> fmt::Debug for Held<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(..)")
    }
}

impl fmt::Debug for DesktopClipboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DesktopClipboard(..)")
    }
}

/// The clipboard of this desktop session. On X11 and Wayland what was put there lives as long as
/// this value does.
pub struct DesktopClipboard(Arboard);

impl DesktopClipboard {
    /// The clipboard of this session.
    ///
    /// # Errors
    /// When there is none, in the system's words.
    pub fn new() -> Result<Self, String> {
        Arboard::new().map(Self).map_err(|error| error.to_string())
    }
}

impl Clipboard for DesktopClipboard {
    fn put(&mut self, text: &str) -> Result<(), String> {
        set(&mut self.0, text).map_err(|error| error.to_string())
    }

    fn text(&mut self) -> Option<Zeroizing<String>> {
        self.0.get_text().ok().map(Zeroizing::new)
    }

    fn clear(&mut self) {
        // Where clearing is refused nothing more can be done.
        let _ = self.0.clear();
    }
}

/// With the hint that keeps it out of clipboard managers' histories, where the platform has one.
#[cfg(all(unix, not(target_os = "macos")))]
fn set(clipboard: &mut Arboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux;
    clipboard.set().exclude_from_history().text(text)
}

#[cfg(target_os = "macos")]
fn set(clipboard: &mut Arboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtApple;
    clipboard.set().exclude_from_history().text(text)
}

#[cfg(windows)]
fn set(clipboard: &mut Arboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtWindows;
    clipboard
        .set()
        .exclude_from_history()
        .exclude_from_cloud()
        .text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    struct Paper(Rc<RefCell<Option<String>>>);

    impl Clipboard for Paper {
        fn put(&mut self, text: &str) -> Result<(), String> {
            *self.0.borrow_mut() = Some(text.to_owned());
            Ok(())
        }

        fn text(&mut self) -> Option<Zeroizing<String>> {
            self.0.borrow().clone().map(Zeroizing::new)
        }

        fn clear(&mut self) {
            *self.0.borrow_mut() = None;
        }
    }

    fn held(paper: &Paper) -> Held<Paper> {
        Held::put(paper.clone(), Zeroizing::new("123456".to_owned())).unwrap()
    }

    #[test]
    fn a_copied_code_is_wiped() {
        let paper = Paper::default();
        let held = held(&paper);
        assert_eq!(paper.0.borrow().as_deref(), Some("123456"));
        held.wipe();
        assert_eq!(*paper.0.borrow(), None);
    }

    #[test]
    fn what_the_user_copied_since_stays() {
        let paper = Paper::default();
        let held = held(&paper);
        *paper.0.borrow_mut() = Some("a letter".to_owned());
        held.wipe();
        assert_eq!(paper.0.borrow().as_deref(), Some("a letter"));
    }
}
