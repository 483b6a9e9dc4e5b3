//! The program with a clock that a test moves: what takes a day takes a word. Browser tests run their long stories on it.
//!
//! `clocked CONFIG` reads lines of standard input: `+30` moves the clock 30 seconds forward. It ends with its input.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use warifu::ambient::{Clock, SystemClock};
use warifu::cli::serve::{Wanted, run};
use warifu::config::Config;

/// The machine's clock, so many seconds ahead.
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        let now = SystemClock.now();
        now.checked_add(ahead).unwrap_or(now)
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of the tests"
)]
fn main() -> ExitCode {
    let config = std::env::args_os().nth(1).map(PathBuf::from);
    let config = match Config::load(config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let ahead = Arc::new(Ahead(AtomicI64::new(0)));
    let moved = Arc::clone(&ahead);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Ok(seconds) = line.trim().trim_start_matches('+').parse::<i64>() {
                moved.0.fetch_add(seconds, Ordering::SeqCst);
                println!("moved {seconds}");
            }
        }
        std::process::exit(0);
    });
    let clock: Arc<dyn Clock> = ahead;
    run(&config, Wanted::default(), &clock).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
