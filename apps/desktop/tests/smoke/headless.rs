//! Started where no window can be.

use std::process::Command;

use crate::machine::Machine;

#[test]
fn without_a_display_it_says_so_and_where_the_token_can_be_seen() {
    let home = tempfile::tempdir().unwrap();
    for display in [None, Some("")] {
        let mut program = Command::new(Machine::program());
        program.env_clear().env("HOME", home.path());
        if let Some(display) = display {
            program
                .env("DISPLAY", display)
                .env("WAYLAND_DISPLAY", display);
        }
        let output = program.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("there is no display here"), "{said}");
        assert!(said.contains("warifu-token"), "{said}");
    }
}
