//! The live view: the main screen of the token on a terminal (rule T2).

mod contact;
mod screen;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use warifu_token::clipboard::{DesktopClipboard, Held, WIPE_AFTER};
use warifu_token::{Edge, Token};
use zeroize::Zeroizing;

use crate::ambient::{Stopwatch, variable};
use crate::app::App;
use crate::error::CliError;
use crate::view::{Link, View, frame};
use contact::{Contacts, News};
use screen::Screen;

/// How often the screen is looked at again.
const TICK: Duration = Duration::from_millis(100);

/// How long the view has to end by itself after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// The clock was set when it moved so much more or less than time passed.
const JUMP: SignedDuration = SignedDuration::from_secs(2);

/// What the user asked for.
enum Wish {
    Quit,
    CopyCode,
    CopyId,
    Nothing,
}

struct Live<'a> {
    app: &'a App,
    token: Token,
    contacts: Contacts,
    link: Link,
    notice: Option<String>,
    held: Option<(Held<DesktopClipboard>, Stopwatch)>,
    seen: (Timestamp, Stopwatch),
}

/// Shows the token until `q`, Ctrl-C or a request to end.
pub(crate) fn run(app: &mut App, token: Token) -> Result<ExitCode, CliError> {
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    // In raw mode Ctrl-C is a key; this is for SIGTERM and SIGHUP. A second handler is never set.
    let _ = ctrlc::set_handler(move || {
        end.store(true, Ordering::Relaxed);
        // A terminal that is gone keeps crossterm's poll from ever returning: nobody sees this view any more.
        std::thread::sleep(GRACE);
        std::process::exit(1);
    });
    let service = app.service(token.service());
    let contacts = Contacts::begin(service, token.contact_keeper(), app.edge);
    let is_coloured = variable("NO_COLOR").is_none();
    let mut screen = Screen::open(is_coloured).map_err(CliError::Output)?;
    let mut live = Live {
        seen: (app.edge.now(), Stopwatch::start()),
        app,
        token,
        contacts,
        link: Link::Asking,
        notice: None,
        held: None,
    };
    let outcome = live.show(&mut screen, &ended);
    if let Some((held, _)) = live.held.take() {
        held.wipe();
    }
    drop(screen);
    outcome.map(|()| ExitCode::SUCCESS)
}

impl Live<'_> {
    fn show(&mut self, screen: &mut Screen, ended: &AtomicBool) -> Result<(), CliError> {
        while !ended.load(Ordering::Relaxed) {
            self.hear()?;
            self.watch_clock();
            self.wipe_when_due();
            let view = self.view()?;
            screen
                .draw(|width| frame(&view, width))
                .map_err(CliError::Output)?;
            match wish()? {
                Wish::Quit => return Ok(()),
                Wish::CopyCode => {
                    let code = self.token.codes(self.app.edge.now())?.code.to_string();
                    self.copy(code, "copied-code");
                }
                Wish::CopyId => self.copy(self.token.id().to_string(), "copied-id"),
                Wish::Nothing => {}
            }
        }
        Ok(())
    }

    fn view(&self) -> Result<View<'_>, CliError> {
        let codes = self.token.codes(self.app.edge.now())?;
        Ok(View {
            texts: &self.app.texts,
            id: self.token.id().grouped(),
            code: Zeroizing::new(codes.code.to_string()),
            next: Zeroizing::new(codes.next.to_string()),
            valid_for: codes.valid_for,
            seconds_left: codes.seconds_left(),
            clock_warning: self.app.clock_warning(&self.token),
            link: match self.link {
                // The age grows while the view is open.
                Link::Offline(_) => Link::Offline(self.token.contact().age(self.app.edge.now())),
                other => other,
            },
            notice: self.notice.clone(),
        })
    }

    /// What the contact thread learned since the last look (rule T6).
    fn hear(&mut self) -> Result<(), CliError> {
        while let Some(news) = self.contacts.news() {
            match news {
                News::Learned(contact) => {
                    self.token.learn(contact);
                    self.link = Link::Online;
                }
                News::Unreachable => self.link = Link::Offline(SignedDuration::ZERO),
                News::Gone => return Err(CliError::RemovedMeanwhile),
            }
        }
        Ok(())
    }

    /// Asks the service again as soon as someone has set the clock, or the machine has slept.
    fn watch_clock(&mut self) {
        let now = self.app.edge.now();
        let passed =
            SignedDuration::try_from(self.seen.1.elapsed()).unwrap_or(SignedDuration::ZERO);
        let moved = now.duration_since(self.seen.0);
        if (moved - passed).abs() > JUMP {
            self.contacts.ask_now();
        }
        self.seen = (now, Stopwatch::start());
    }

    fn copy(&mut self, text: String, told: &str) {
        let put = DesktopClipboard::new()
            .and_then(|clipboard| Held::put(clipboard, Zeroizing::new(text)));
        self.notice = Some(match put {
            Ok(held) => {
                self.held = Some((held, Stopwatch::start()));
                self.app.texts.say(told)
            }
            Err(reason) => self
                .app
                .texts
                .say_with("error-clipboard", [("reason", reason.into())]),
        });
    }

    fn wipe_when_due(&mut self) {
        if self
            .held
            .as_ref()
            .is_some_and(|(_, since)| since.elapsed() >= WIPE_AFTER)
        {
            if let Some((held, _)) = self.held.take() {
                held.wipe();
            }
            self.notice = Some(self.app.texts.say("copied-wiped"));
        }
    }
}

/// Waits one tick for a key.
fn wish() -> Result<Wish, CliError> {
    if !event::poll(TICK).map_err(CliError::Output)? {
        return Ok(Wish::Nothing);
    }
    let Event::Key(key) = event::read().map_err(CliError::Output)? else {
        return Ok(Wish::Nothing);
    };
    if key.kind == KeyEventKind::Release {
        return Ok(Wish::Nothing);
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Ok(match key.code {
        KeyCode::Char('c' | 'd') if control => Wish::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Wish::Quit,
        KeyCode::Char('c') => Wish::CopyCode,
        KeyCode::Char('i') => Wish::CopyId,
        _ => Wish::Nothing,
    })
}
