//! What a program for a person at a machine needs of that machine.

use std::path::PathBuf;

use etcetera::app_strategy::{AppStrategy, AppStrategyArgs, choose_native_strategy};

/// `token.vault` in the folder that the platform gives to an app's data: one place, so that command
/// line and desktop program show the same token.
#[must_use]
pub fn default_vault() -> Option<PathBuf> {
    let app = AppStrategyArgs {
        top_level_domain: "io.github".to_owned(),
        author: "warifu".to_owned(),
        app_name: "warifu-token".to_owned(),
    };
    let folders = choose_native_strategy(app).ok()?;
    Some(folders.in_data_dir("token.vault"))
}

/// A crash must not leave the secret in a core file. That a system refuses is no reason to stop.
pub fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        );
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
