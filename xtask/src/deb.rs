//! `cargo xtask deb`: a Debian package of the server, by dpkg's own tools, unpacked and run before it is called done.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::desktop::package::{kibibytes, make_folder_of, write};
use crate::{notices, run, workspace};

const CONTROL: &str = include_str!("../../deploy/debian/control");

/// What is copied as it is: from the repository, to the package.
const FILES: [(&str, &str); 6] = [
    (
        "deploy/systemd/warifu.service",
        "usr/lib/systemd/system/warifu.service",
    ),
    (
        "deploy/debian/warifu.sysusers",
        "usr/lib/sysusers.d/warifu.conf",
    ),
    ("deploy/debian/warifu.toml", "etc/warifu/warifu.toml"),
    ("docs/operating.md", "usr/share/doc/warifu/operating.md"),
    (
        "deploy/prometheus/warifu.rules.yml",
        "usr/share/doc/warifu/examples/warifu.rules.yml",
    ),
    (
        "deploy/grafana/warifu.json",
        "usr/share/doc/warifu/examples/grafana.json",
    ),
];

/// What is in the program and is neither ours nor a crate: the fonts of the letter.
const FONTS: [(&str, &str); 1] = [(
    "Noto Sans CJK JP, Noto Sans Mono CJK JP",
    "crates/server/assets/fonts/OFL.txt",
)];

/// `cargo xtask deb`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Pack the debug build: fast, to look at the package itself.
    #[arg(long)]
    debug: bool,
}

/// Builds, packs, checks with lintian where it is installed, unpacks into a folder and runs what came out.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut build = run::cargo();
    build.args([
        "build",
        "--locked",
        "--package",
        "warifu",
        "--bin",
        "warifu",
    ]);
    if !args.debug {
        build.arg("--release");
    }
    run::checked(&mut build)?;
    let profile = if args.debug { "debug" } else { "release" };
    let folder = workspace::target_dir()?.join("deb");
    let tree = folder.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let program = tree.join("usr/bin/warifu");
    make_folder_of(&program)?;
    fs::copy(
        workspace::target_dir()?.join(profile).join("warifu"),
        &program,
    )?;
    run::checked(run::program("strip").arg("--strip-unneeded").arg(&program))?;
    let metadata = workspace::metadata_of_all(workspace::MANIFEST)?;
    lay_out(&tree, &metadata)?;
    let package = pack(&folder, &tree, &metadata)?;
    if run::exists("lintian") {
        let mut lintian = run::program("lintian");
        lintian.args(["--allow-root", "--fail-on", "error"]);
        // Not uploaded to Debian: no changelog in its form, and the scripts call systemctl themselves.
        let suppressed = "no-changelog,no-manual-page,maintainer-script-calls-systemctl";
        run::checked(lintian.args(["--suppress-tags", suppressed]).arg(&package))?;
    }
    try_out(&folder.join("unpacked"), &package)
}

fn lay_out(tree: &Path, metadata: &serde_json::Value) -> Result<()> {
    for (from, to) in FILES {
        let to = tree.join(to);
        make_folder_of(&to)?;
        fs::copy(workspace::root().join(from), &to).with_context(|| from.to_owned())?;
        run::checked(run::program("chmod").arg("0644").arg(&to))?;
    }
    write(&tree.join("DEBIAN/conffiles"), "/etc/warifu/warifu.toml\n")?;
    for name in ["postinst", "prerm"] {
        let to = tree.join("DEBIAN").join(name);
        fs::copy(workspace::root().join("deploy/debian").join(name), &to)?;
        run::checked(run::program("chmod").arg("0755").arg(&to))?;
    }
    write(
        &tree.join("usr/share/doc/warifu/copyright"),
        &notices::copyright(metadata, &FONTS)?,
    )
}

fn pack(folder: &Path, tree: &Path, metadata: &serde_json::Value) -> Result<PathBuf> {
    let own = metadata
        .pointer("/packages")
        .and_then(|all| all.as_array())
        .into_iter()
        .flatten()
        .find(|package| package.get("name").is_some_and(|name| name == "warifu"));
    let version = own
        .and_then(|own| own.get("version"))
        .and_then(|version| version.as_str())
        .context("cargo metadata without the version of warifu")?;
    let architecture = run::captured(run::program("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    let source = folder.join("source");
    write(&source.join("debian/control"), "")?;
    let mut libraries = run::program("dpkg-shlibdeps");
    libraries.current_dir(&source).arg("-O");
    let said = run::captured(libraries.arg(tree.join("usr/bin/warifu")))?;
    let Some(depends) = said.trim().strip_prefix("shlibs:Depends=") else {
        bail!("dpkg-shlibdeps: {said}");
    };
    let control = CONTROL
        .replace("{version}", version)
        .replace("{architecture}", architecture)
        .replace("{size}", &kibibytes(tree)?.to_string())
        .replace("{depends}", depends);
    write(&tree.join("DEBIAN/control"), &control)?;
    let package = folder.join(format!("warifu_{version}_{architecture}.deb"));
    let mut pack = run::program("dpkg-deb");
    pack.args(["--root-owner-group", "--build"]);
    run::checked(pack.arg(tree).arg(&package))?;
    println!(
        "{}: {:.1} MB",
        package.display(),
        fs::metadata(&package)?.len() as f64 / 1e6
    );
    Ok(package)
}

/// What was packed runs, and takes the configuration that it brings.
fn try_out(folder: &Path, package: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    run::checked(
        run::program("dpkg-deb")
            .arg("--extract")
            .args([package, folder]),
    )?;
    let program = folder.join("usr/bin/warifu");
    run::checked(run::program(&program).arg("--version"))?;
    let mut check = run::program(&program);
    check.args(["config", "check", "--config"]);
    run::checked(check.arg(folder.join("etc/warifu/warifu.toml")))
}
