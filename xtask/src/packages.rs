//! The programs that the tests need beside Rust, and how to get them on Debian and Ubuntu.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{postgres, run};

/// The oldest Node.js whose test runner the browser tests are written for.
const OLDEST_NODE: u32 = 20;

/// One program and the Debian package that brings it.
struct Need {
    package: &'static str,
    what: &'static str,
    present: fn() -> bool,
}

const RUST_TESTS: [Need; 5] = [
    Need {
        package: "postgresql",
        what: "PostgreSQL 15 or newer",
        present: || postgres::programs().is_ok(),
    },
    Need {
        package: "oathtool",
        what: "oathtool, an independent TOTP to compare with",
        present: || run::exists("oathtool"),
    },
    Need {
        package: "poppler-utils",
        what: "pdftotext and pdfinfo, to read the bank's letters back",
        present: || run::exists("pdftotext") && run::exists("pdfinfo"),
    },
    Need {
        package: "softhsm2",
        what: "SoftHSM, a hardware security module made of software",
        present: || run::exists("softhsm2-util"),
    },
    Need {
        package: "opensc",
        what: "pkcs11-tool, another program at the same module",
        present: || run::exists("pkcs11-tool"),
    },
];

const FLAME_GRAPHS: [Need; 1] = [Need {
    package: "linux-perf",
    what: "perf, which takes the samples",
    present: || run::exists("perf"),
}];

const FAILOVER: [Need; 9] = [
    Need {
        package: "postgresql",
        what: "PostgreSQL 15 or newer",
        present: || postgres::programs().is_ok(),
    },
    Need {
        package: "patroni",
        what: "Patroni",
        present: || run::exists("patroni"),
    },
    Need {
        package: "python3-etcd",
        what: "Patroni's way to etcd",
        present: || has_python_module("etcd"),
    },
    Need {
        package: "etcd-server",
        what: "etcd",
        present: || run::exists("etcd"),
    },
    Need {
        package: "haproxy",
        what: "HAProxy",
        present: || Path::new(HAPROXY).is_file(),
    },
    Need {
        package: "iproute2",
        what: "ip and bridge, for networks of our own",
        present: || run::exists("ip") && run::exists("bridge"),
    },
    Need {
        package: "util-linux",
        what: "setpriv, unshare and nsenter",
        present: || {
            ["setpriv", "unshare", "nsenter"]
                .iter()
                .all(|it| run::exists(it))
        },
    },
    Need {
        package: "mount",
        what: "mount",
        present: || run::exists("mount"),
    },
    Need {
        package: "procps",
        what: "kill",
        present: || run::exists("kill"),
    },
];

/// HAProxy, which is not in every user's path.
pub(crate) const HAPROXY: &str = "/usr/sbin/haproxy";

/// Debian's own Python, for which its packages are; another may stand before it in the path.
fn has_python_module(name: &str) -> bool {
    run::captured(run::program("/usr/bin/python3").args(["-c", &format!("import {name}")])).is_ok()
}

const BROWSER_TESTS: [Need; 5] = [
    Need {
        package: "oathtool",
        what: "oathtool, an independent TOTP to compare with",
        present: || run::exists("oathtool"),
    },
    Need {
        package: "curl",
        what: "curl, for the examples on the page",
        present: || run::exists("curl"),
    },
    Need {
        package: "chromium",
        what: "Chromium",
        present: || chromium().is_some(),
    },
    Need {
        package: "nodejs",
        what: "Node.js 20 or newer",
        present: node_is_recent,
    },
    Need {
        package: "npm",
        what: "npm",
        present: || run::exists("npm"),
    },
];

const DESKTOP_BUILD: [Need; 4] = [
    Need {
        package: "pkg-config",
        what: "pkg-config",
        present: || run::exists("pkg-config"),
    },
    Need {
        package: "libwebkit2gtk-4.1-dev",
        what: "WebKitGTK 4.1 with its headers",
        present: || has_library("webkit2gtk-4.1"),
    },
    Need {
        package: "libayatana-appindicator3-dev",
        what: "the library of the tray icon",
        present: || has_library("ayatana-appindicator3-0.1"),
    },
    Need {
        package: "dpkg-dev",
        what: "dpkg-shlibdeps, to make the package",
        present: || run::exists("dpkg-shlibdeps"),
    },
];

const DESKTOP_TESTS: [Need; 8] = [
    Need {
        package: "webkit2gtk-driver",
        what: "WebKitWebDriver",
        present: || run::exists("WebKitWebDriver"),
    },
    Need {
        package: "xvfb",
        what: "Xvfb, a screen that nobody sees",
        present: || run::exists("Xvfb"),
    },
    Need {
        package: "xclip",
        what: "xclip, to look at the clipboard",
        present: || run::exists("xclip"),
    },
    Need {
        package: "xdotool",
        what: "xdotool, to look for windows",
        present: || run::exists("xdotool"),
    },
    Need {
        package: "dbus",
        what: "dbus-daemon, a session bus",
        present: || run::exists("dbus-daemon"),
    },
    Need {
        package: "systemd",
        what: "busctl, to choose from the tray icon's menu",
        present: || run::exists("busctl"),
    },
    Need {
        package: "gnome-keyring",
        what: "GNOME Keyring, a key store",
        present: || run::exists("gnome-keyring-daemon"),
    },
    Need {
        package: "fonts-noto-cjk",
        what: "Japanese letters for the pictures",
        present: has_japanese_font,
    },
];

fn has_library(name: &str) -> bool {
    run::captured(run::program("pkg-config").args(["--exists", name])).is_ok()
}

fn has_japanese_font() -> bool {
    let said = run::captured(run::program("fc-list").args([":lang=ja", "family"]));
    said.is_ok_and(|families| !families.trim().is_empty())
}

/// The Chromium that the browser tests drive: the one that `CHROMIUM` names, or the installed one.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| run::find(name))
}

fn node_is_recent() -> bool {
    let said = run::captured(run::program("node").arg("--version")).unwrap_or_default();
    let major = said.trim().trim_start_matches('v').split('.').next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= OLDEST_NODE)
}

/// Makes sure that what the Rust tests need is there.
pub(crate) fn for_rust_tests() -> Result<()> {
    ensure(&RUST_TESTS)
}

/// Makes sure that what takes samples of a program is there.
pub(crate) fn for_flame_graphs() -> Result<()> {
    ensure(&FLAME_GRAPHS)
}

/// Makes sure that what a cluster that fails over needs is there.
pub(crate) fn for_failover() -> Result<()> {
    ensure(&FAILOVER)
}

/// Makes sure that what the browser tests need is there.
pub(crate) fn for_browser_tests() -> Result<()> {
    ensure(&BROWSER_TESTS)
}

/// Makes sure that what the desktop program is built with is there.
pub(crate) fn for_desktop_build() -> Result<()> {
    ensure(&DESKTOP_BUILD)
}

/// Makes sure that what the desktop program is driven with is there.
pub(crate) fn for_desktop_tests() -> Result<()> {
    ensure(&DESKTOP_TESTS)
}

fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.present)()).collect();
    for need in needs {
        let state = if (need.present)() { "here" } else { "missing" };
        println!("{}: {state}", need.what);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install(&packages)?;
    for need in missing {
        if !(need.present)() {
            bail!(
                "{} was installed, but {} is still not found",
                need.package,
                need.what
            );
        }
    }
    Ok(())
}

fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(", ");
    if !run::exists("apt-get") {
        bail!("please install these, named here as on Debian: {names}");
    }
    let sudo = !is_root()?;
    if sudo && !run::exists("sudo") {
        bail!("please install (not root, and no sudo here): {names}");
    }
    println!("installing with apt-get: {names}");
    apt(sudo, &["update"])?;
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend_from_slice(packages);
    apt(sudo, &words)
}

fn apt(sudo: bool, words: &[&str]) -> Result<()> {
    let mut command = run::program(if sudo { "sudo" } else { "env" });
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
        .args(words)
        .stdin(std::process::Stdio::null());
    run::checked(&mut command)
}

/// Are we the super-user?
pub(crate) fn is_root() -> Result<bool> {
    let id = run::captured(run::program("id").arg("-u")).context("who am I")?;
    Ok(id.trim() == "0")
}
