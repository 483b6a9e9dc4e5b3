//! The program as a customer meets it, driven over WebDriver in a window that nobody sees: `cargo xtask desktop test`.
//!
//! It needs Xvfb, WebKitWebDriver, xclip, xdotool, busctl, a session bus with GNOME Keyring, and a `warifu` (`WARIFU_BIN`).
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    reason = "no rule of the product lives here: a test reads the clock and the environment itself"
)]

#[cfg(test)]
mod child;
#[cfg(test)]
mod headless;
#[cfg(test)]
mod keyless;
#[cfg(test)]
mod keystore;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod service;
#[cfg(test)]
mod tray;
#[cfg(test)]
mod window;
