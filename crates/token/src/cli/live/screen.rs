use std::io::{self, Stdout, Write};
use std::panic;

use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue};

use crate::view::{Line, Look};

/// The terminal in raw mode on its other screen; dropped, it is as it was.
pub(super) struct Screen {
    out: Stdout,
    is_coloured: bool,
    drawn: (Vec<Line>, (u16, u16)),
}

impl Screen {
    pub(super) fn open(is_coloured: bool) -> io::Result<Self> {
        // A panic must not leave the terminal raw, and its message belongs on the first screen.
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore();
            told(info);
        }));
        terminal::enable_raw_mode()?;
        // From here on dropping the value restores, also when the next line fails.
        let mut screen = Self {
            out: io::stdout(),
            is_coloured,
            drawn: (Vec::new(), (0, 0)),
        };
        execute!(screen.out, EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }

    /// Draws what `frame` makes of the width, if it is not on the screen already.
    pub(super) fn draw(&mut self, frame: impl FnOnce(u16) -> Vec<Line>) -> io::Result<()> {
        let size = terminal::size()?;
        let drawn = (frame(size.0), size);
        if drawn == self.drawn {
            return Ok(());
        }
        queue!(self.out, BeginSynchronizedUpdate)?;
        // After a change of size the terminal may have wrapped old lines anywhere.
        if drawn.1 != self.drawn.1 {
            queue!(self.out, Clear(ClearType::All))?;
        }
        for (line, row) in drawn.0.iter().zip(0..size.1) {
            queue!(self.out, cursor::MoveTo(0, row))?;
            self.print(line)?;
            queue!(self.out, Clear(ClearType::UntilNewLine))?;
        }
        let below = u16::try_from(drawn.0.len()).unwrap_or(u16::MAX);
        if below < size.1 {
            queue!(
                self.out,
                cursor::MoveTo(0, below),
                Clear(ClearType::FromCursorDown)
            )?;
        }
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()?;
        self.drawn = drawn;
        Ok(())
    }

    fn print(&mut self, line: &Line) -> io::Result<()> {
        for span in &line.spans {
            let (attribute, colour) = style(span.look);
            if let Some(attribute) = attribute {
                queue!(self.out, SetAttribute(attribute))?;
            }
            if let Some(colour) = colour.filter(|_| self.is_coloured) {
                queue!(self.out, SetForegroundColor(colour))?;
            }
            queue!(
                self.out,
                Print(span.text.as_str()),
                SetAttribute(Attribute::Reset)
            )?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // On the way out; where the terminal is gone there is nothing to restore.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = terminal::disable_raw_mode();
}

/// Only the terminal's own sixteen colours, which its user has chosen, on a light ground or a dark one.
fn style(look: Look) -> (Option<Attribute>, Option<Color>) {
    match look {
        Look::Plain => (None, None),
        Look::Strong => (Some(Attribute::Bold), None),
        Look::Quiet => (Some(Attribute::Dim), None),
        Look::Fresh => (None, Some(Color::DarkCyan)),
        Look::Ending => (None, Some(Color::DarkYellow)),
        Look::Warning => (Some(Attribute::Bold), Some(Color::DarkRed)),
    }
}
