//! Something of the token's on the clipboard, for half a minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use warifu_token::clipboard::{DesktopClipboard, Held, WIPE_AFTER};
use zeroize::Zeroizing;

use crate::told::Told;

/// What was copied last and is still to be wiped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copied(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    /// Which copying it was: an older one's half minute wipes no newer one.
    number: u64,
    held: Option<Held<DesktopClipboard>>,
}

impl Copied {
    /// Copies, and wipes after half a minute what the customer has not replaced by then.
    pub(crate) fn copy(&self, text: Zeroizing<String>) -> Result<(), Told> {
        let no_clipboard = |said| Told::because("clipboard", said);
        let clipboard = DesktopClipboard::new().map_err(no_clipboard)?;
        let held = Held::put(clipboard, text).map_err(no_clipboard)?;
        let mut last = self.last();
        last.number = last.number.wrapping_add(1);
        last.held = Some(held);
        let (copied, number) = (self.clone(), last.number);
        drop(last);
        thread::spawn(move || {
            thread::sleep(WIPE_AFTER);
            copied.wipe(Some(number));
        });
        Ok(())
    }

    /// Wipes now; with a number only if nothing was copied since.
    pub(crate) fn wipe(&self, number: Option<u64>) {
        let mut last = self.last();
        if number.is_none_or(|number| number == last.number)
            && let Some(held) = last.held.take()
        {
            drop(last);
            held.wipe();
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
