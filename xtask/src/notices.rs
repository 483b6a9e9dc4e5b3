//! What a package says of other people's work: every crate it is built from, with its licence and the texts it brings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

const OPENING: &str = "Warifu is licensed under Apache-2.0 OR MIT, at your choice.

It is built with these crates, each under the licence beside it. On Debian systems the Apache License 2.0 is
in /usr/share/common-licenses/Apache-2.0, the Mozilla Public License 2.0 in MPL-2.0 beside it, and the GPL and the
LGPL, which some offer as one choice of several (none is used under them), in GPL-2 and LGPL-2.1. All are used unchanged.
Sources: https://crates.io/crates/NAME/VERSION.

";

/// The text of a package's `copyright`, from what `cargo metadata` says of everything that it is built from, and what else of
/// other people's is in it: its name, and the file of the repository with its licence.
pub(crate) fn copyright(metadata: &Value, beside: &[(&str, &str)]) -> Result<String> {
    let mut text = OPENING.to_owned();
    let mut crates = BTreeMap::new();
    let mut notices: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let all = metadata.pointer("/packages").and_then(Value::as_array);
    for package in all.context("cargo metadata without packages")? {
        let field = |name: &str| package.get(name).and_then(Value::as_str);
        // What is not from a registry is ours.
        if field("source").is_none() {
            continue;
        }
        let (Some(name), Some(version), Some(manifest)) =
            (field("name"), field("version"), field("manifest_path"))
        else {
            bail!("a crate without name, version or place");
        };
        for notice in licence_texts(Path::new(manifest))? {
            notices.entry(notice).or_default().insert(name);
        }
        let licence = field("license").unwrap_or("see its sources");
        crates.insert(format!("{name} {version}"), licence);
    }
    for (name, licence) in crates {
        text.push_str(&format!("  {name}: {licence}\n"));
    }
    for (notice, names) in notices {
        let names = Vec::from_iter(names).join(", ");
        text.push_str(&format!("\n--- {names} ---\n\n{notice}\n"));
    }
    for (name, file) in beside.iter().chain(&[("Warifu", "LICENSE-MIT")]) {
        let licence = fs::read_to_string(workspace::root().join(file))
            .with_context(|| format!("the licence of {name}"))?;
        text.push_str(&format!("\n--- {name} ---\n\n{}\n", licence.trim()));
    }
    Ok(text)
}

/// The licences and notices of a crate, those of what it bundles among them.
fn licence_texts(manifest: &Path) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    let mut folders = vec![
        manifest
            .parent()
            .context("a manifest without a folder")?
            .to_owned(),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            }
            if !kind.is_file() || !speaks_of_licences(&entry.path()) {
                continue;
            }
            // What is no text says nothing here.
            let Ok(text) = fs::read_to_string(entry.path()) else {
                continue;
            };
            texts.insert(without_common_terms(&text));
        }
    }
    Ok(texts)
}

/// A text without terms that every Debian system has and lintian wants nobody to repeat: those of the Apache License 2.0 and of
/// the GPL, which begin and end with these words. What stands around them stays: a copyright, or another licence in the same file.
fn without_common_terms(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, terms)) = rest.split_once("TERMS AND CONDITIONS FOR ") {
        kept.push_str(before);
        kept.push_str("(its terms are in /usr/share/common-licenses)");
        rest = terms
            .split_once("END OF TERMS AND CONDITIONS")
            .map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

/// By its name; code about licences is not meant.
fn speaks_of_licences(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default();
    let name = name.to_string_lossy().to_ascii_lowercase();
    ["licen", "copying", "copyright", "notice"]
        .iter()
        .any(|word| name.starts_with(word))
        && ![".rs", ".c", ".h", ".js", ".py"]
            .iter()
            .any(|code| name.ends_with(code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `cargo metadata` of one crate from a registry, with these files beside its manifest, and one of ours.
    fn metadata(folder: &Path, files: &[(&str, &str)]) -> Value {
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        json!({ "packages": [
            {
                "name": "selectors",
                "version": "0.38.0",
                "license": "MPL-2.0",
                "source": "registry+https://github.com/rust-lang/crates.io-index",
                "manifest_path": folder.join("Cargo.toml"),
            },
            {
                "name": "warifu-desktop",
                "version": "0.1.0",
                "license": "Apache-2.0 OR MIT",
                "source": null,
                "manifest_path": "Cargo.toml",
            },
        ]})
    }

    #[test]
    fn each_crate_of_others_is_named_with_licence_version_and_what_it_wants_said() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("LICENSE", "Licence of the sample\n"),
            ("NOTICE.md", "Notice of the sample\n"),
            ("README.md", "Not asked for\n"),
        ];
        let text = copyright(&metadata(folder.path(), &files), &[]).unwrap();
        assert!(text.contains("  selectors 0.38.0: MPL-2.0\n"), "{text}");
        for said in ["Licence of the sample", "Notice of the sample"] {
            assert!(text.contains(&format!("--- selectors ---\n\n{said}\n")));
        }
        assert!(!text.contains("Not asked for"));
        assert!(!text.contains("warifu-desktop"));
        assert!(text.contains("--- Warifu ---"));
    }

    #[test]
    fn what_a_crate_bundles_and_what_we_do_is_said_too() {
        let folder = tempfile::tempdir().unwrap();
        let bundled = folder.path().join("c_src/allocator");
        fs::create_dir_all(&bundled).unwrap();
        fs::write(bundled.join("LICENSE"), "Licence of the allocator\n").unwrap();
        fs::write(bundled.join("license.rs"), "pub enum Licence {}\n").unwrap();
        let font = ("Font", "crates/server/assets/fonts/OFL.txt");
        let text = copyright(&metadata(folder.path(), &[]), &[font]).unwrap();
        assert!(text.contains("--- selectors ---\n\nLicence of the allocator\n"));
        assert!(!text.contains("pub enum"));
        assert!(text.contains("\n--- Font ---\n"));
        assert!(text.contains("SIL OPEN FONT LICENSE"));
    }

    #[test]
    fn licences_that_every_system_has_are_not_repeated_and_what_stands_around_them_stays() {
        let folder = tempfile::tempdir().unwrap();
        let apache = fs::read_to_string(workspace::root().join("LICENSE-APACHE")).unwrap();
        let gpl = "TERMS AND CONDITIONS FOR COPYING, DISTRIBUTION AND MODIFICATION\n0. Sample\nEND OF TERMS AND CONDITIONS";
        let both = format!("Copyright of the sample\n{apache}\nAnother licence\n{gpl}\nEnd\n");
        let text = copyright(&metadata(folder.path(), &[("LICENSE", &both)]), &[]).unwrap();
        for said in ["Copyright of the sample", "Another licence", "End"] {
            assert!(text.contains(&format!("\n{said}\n")), "{said}: {text}");
        }
        for left_out in ["Grant of Patent License", "0. Sample"] {
            assert!(!text.contains(left_out), "{left_out}: {text}");
        }
        assert!(text.contains("/usr/share/common-licenses/Apache-2.0"));
    }

    #[test]
    fn a_crate_without_a_place_is_an_error_and_not_left_out() {
        let nowhere = json!({ "packages": [{ "name": "a", "source": "registry" }] });
        assert!(copyright(&nowhere, &[]).is_err());
    }
}
