//! The live view on a terminal of the test's own (a pseudo-terminal, pty(7)).

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};

use crate::rig::Rig;
use crate::test_service::{Mood, TestService};

/// So long a text may take to appear before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What leaves the alternate screen (xterm control sequences, DECSET 1049).
const BACK: &str = "\u{1b}[?1049l";

struct Terminal {
    keys: File,
    line: File,
    written: Receiver<Vec<u8>>,
    seen: String,
    child: Child,
}

impl Terminal {
    /// Runs the program on a terminal of 80 columns.
    fn run(rig: &Rig, args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        let child = rig
            .command(args)
            .stdin(line.try_clone().unwrap())
            .stdout(line.try_clone().unwrap())
            .stderr(line.try_clone().unwrap())
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let mut screen = keys.try_clone().unwrap();
        let (tell, written) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keys,
            line,
            written,
            seen: String::new(),
            child,
        }
    }

    /// Reads until `text` is there; what came before it counts as seen.
    fn wait_for(&mut self, text: &str) {
        let mut bytes = Vec::new();
        loop {
            let so_far = format!("{}{}", self.seen, String::from_utf8_lossy(&bytes));
            if let Some(place) = so_far.find(text) {
                self.seen = so_far[place + text.len()..].to_owned();
                return;
            }
            match self.written.recv_timeout(PATIENCE) {
                Ok(more) => bytes.extend(more),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no {text:?} in {so_far:?}")
                }
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end, and for the terminal to be as it was.
    fn ends_well(mut self) {
        self.wait_for(BACK);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        assert!(
            modes.contains(rustix::termios::LocalModes::ICANON | rustix::termios::LocalModes::ECHO)
        );
    }
}

#[test]
fn the_first_start_leads_over_one_ok_to_the_live_view_and_q_ends_it() {
    let (rig, service) = (Rig::new(), TestService::willing());
    let mut terminal = Terminal::run(&rig, &[&service.url]);
    terminal.wait_for("WRCA 1234 5670");
    terminal.wait_for("[ OK ]");
    terminal.press("\r");
    terminal.wait_for("WRCA 1234 5670");
    terminal.wait_for("Security code");
    terminal.wait_for("The time is checked with the service");
    terminal.press("q");
    terminal.ends_well();
    assert_eq!(
        service.requests(),
        ["POST /v1/credentials HTTP/1.1", "GET /v1/time HTTP/1.1"]
    );
}

#[test]
fn the_live_view_works_offline_says_so_quietly_and_tells_the_clock_warning() {
    let (rig, service) = (Rig::new(), TestService::start(95, Mood::Willing));
    rig.run(&[&service.url]);
    service.stop();
    let mut terminal = Terminal::run(&rig, &[]);
    terminal.wait_for("WRCA 1234 5670");
    terminal.wait_for("s slow");
    terminal.wait_for("Offline");
    // Ctrl-C, which is a key in raw mode.
    terminal.press("\u{3}");
    terminal.ends_well();
}

#[test]
fn a_token_that_is_removed_meanwhile_leaves_the_screen_and_does_not_come_back() {
    let (rig, service) = (Rig::new(), TestService::willing());
    rig.run(&[&service.url]);
    let held = service.hold_time();
    let mut terminal = Terminal::run(&rig, &[]);
    terminal.wait_for("Asking the service");
    assert_eq!(rig.run(&["remove", "--yes"]).code, 0);
    drop(held);
    terminal.wait_for(BACK);
    terminal.wait_for("removed or replaced meanwhile");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(1));
    assert!(!rig.vault().exists());
}
