use std::process::ExitCode;

use super::output::{problem, say};
use crate::ambient::SystemClock;
use crate::bank_verify::verify;
use crate::config::Config;
use crate::startup::{StartupError, open_bank};

pub(super) fn run(config: &Config) -> Result<ExitCode, StartupError> {
    let report = verify(&mut open_bank(config, &SystemClock)?)?;
    for fault in &report.faults {
        problem(fault);
    }
    say(&format!(
        "{} accounts with {} entries, {} journals, {} contracts with {} events looked at; {} differences.",
        report.accounts,
        report.entries,
        report.journals,
        report.contracts,
        report.events,
        report.fault_count
    ));
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
