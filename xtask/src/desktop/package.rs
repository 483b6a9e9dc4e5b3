//! A Debian package of the desktop program, by dpkg's own tools: they know the libraries' packages and versions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{notices, run, workspace};

const NAME: &str = "warifu-desktop";
const CONTROL: &str = include_str!("../../templates/desktop.control");
const ENTRY: &str = include_str!("../../templates/warifu-desktop.desktop");

/// The library of the tray icon is looked for at run time, so dpkg-shlibdeps does not see it.
const TRAY: &str = "libayatana-appindicator3-1";

/// Builds the program and packs it.
pub(crate) fn make() -> Result<()> {
    run::checked(super::cargo("build").arg("--release"))?;
    let metadata = workspace::metadata_of(workspace::DESKTOP)?;
    let text = |pointer: &str| {
        let value = metadata
            .pointer(pointer)
            .and_then(serde_json::Value::as_str);
        value.with_context(|| format!("cargo metadata without {pointer}"))
    };
    let program = Path::new(text("/target_directory")?)
        .join("release")
        .join(NAME);
    let version = text("/packages/0/version")?;
    let architecture = run::captured(run::program("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();

    let folder = workspace::target_dir()?.join("desktop");
    let tree = folder.join("tree");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    lay_out(&tree, &program)?;
    let control = CONTROL
        .replace("{version}", version)
        .replace("{architecture}", architecture)
        .replace("{size}", &kibibytes(&tree)?.to_string())
        .replace(
            "{depends}",
            &format!("{}, {TRAY}", libraries(&folder, &program)?),
        );
    write(&tree.join("DEBIAN/control"), &control)?;

    let package = folder.join(format!("{NAME}_{version}_{architecture}.deb"));
    let mut pack = run::program("dpkg-deb");
    pack.args(["--root-owner-group", "--build"]);
    run::checked(pack.arg(&tree).arg(&package))?;
    let size = fs::metadata(&package)?.len();
    println!("{}: {:.1} MB", package.display(), size as f64 / 1e6);
    Ok(())
}

/// Program, menu entry, icons, licences and other people's notices where Debian wants them.
fn lay_out(tree: &Path, program: &Path) -> Result<()> {
    let web = workspace::root().join("apps/web-token");
    let icons = tree.join("usr/share/icons/hicolor");
    for (from, to) in [
        (program.to_owned(), tree.join("usr/bin").join(NAME)),
        (
            web.join("mark.svg"),
            icons.join(format!("scalable/apps/{NAME}.svg")),
        ),
        (
            web.join("icon-192.png"),
            icons.join(format!("192x192/apps/{NAME}.png")),
        ),
        (
            web.join("icon-512.png"),
            icons.join(format!("512x512/apps/{NAME}.png")),
        ),
    ] {
        make_folder_of(&to)?;
        fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
    }
    write(
        &tree.join(format!("usr/share/applications/{NAME}.desktop")),
        ENTRY,
    )?;
    write(
        &tree.join(format!("usr/share/doc/{NAME}/copyright")),
        &notices::copyright(&workspace::metadata_of_all(workspace::DESKTOP)?, &[])?,
    )
}

/// The packages of the libraries that the program is linked with, as a control file names them.
fn libraries(folder: &Path, program: &Path) -> Result<String> {
    // dpkg-shlibdeps wants a source package's folder around it; an empty one does.
    let source = folder.join("source");
    write(&source.join("debian/control"), "")?;
    let mut shlibdeps = run::program("dpkg-shlibdeps");
    shlibdeps.current_dir(&source).arg("-O").arg(program);
    let said = run::captured(&mut shlibdeps)?;
    let found = said.trim().strip_prefix("shlibs:Depends=");
    match found {
        Some(packages) if packages.contains("libwebkit2gtk") => Ok(packages.to_owned()),
        _ => bail!("dpkg-shlibdeps found no WebKitGTK: {said}"),
    }
}

pub(crate) fn kibibytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes.div_ceil(1024))
}

pub(crate) fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().context("a path with no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    make_folder_of(path)?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
