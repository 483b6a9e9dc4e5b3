//! Programs that a test starts, and that end with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What is waited for at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running program, killed when dropped.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let shown = command.get_program().to_string_lossy().into_owned();
        Self(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{shown}: {error}")),
        )
    }

    /// The programs that it started, by their number.
    pub(crate) fn children(&self) -> Vec<u32> {
        let number = self.0.id();
        let path = format!("/proc/{number}/task/{number}/children");
        let listed = fs::read_to_string(path).unwrap_or_default();
        listed
            .split_whitespace()
            .filter_map(|number| number.parse().ok())
            .collect()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Starts it and reads the first line that it prints.
    pub(crate) fn with_first_line(command: &mut Command) -> (Self, String) {
        let mut running = Self::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let output = running.0.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        (running, line.trim().to_owned())
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().port()
}

/// Asks again until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends a program that another one started, and waits for its end.
pub(crate) fn end(number: u32) {
    let is_there = || {
        // What has ended and was not asked for yet is a zombie.
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    if is_there() {
        let _ = Command::new("kill")
            .args(["-KILL", &number.to_string()])
            .status();
    }
    let start = Instant::now();
    while is_there() && start.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
}
