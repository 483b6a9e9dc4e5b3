//! Lists the page's commands for Tauri, so that each needs a permission (`capabilities/main.json`), and makes the address
//! that is built in known to cargo.

/// The commands of `src/commands.rs`.
const COMMANDS: &[&str] = &[
    "choose",
    "codes",
    "copy",
    "find",
    "guide",
    "health",
    "learn",
    "register",
    "remove",
    "service",
    "set_service",
    "set_starts",
    "speak",
    "unlock",
    "welcome",
];

fn main() {
    println!("cargo:rerun-if-env-changed=WARIFU_TOKEN_SERVICE");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) =
        tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
    {
        println!("cargo::error={error:#}");
    }
}
