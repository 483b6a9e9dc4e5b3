//! `cargo xtask simulate`: the plan for 100 million customers (docs/scale.md) played with its worst days.
//!
//! It knows nothing of the product's code: it plays the rules that the plan would need on top of it, with an adversary, and
//! a judge who sees more than any cell does. The same seed plays the same.

mod codes;
mod load;
mod plan;
mod random;
mod transfers;

use anyhow::{Result, bail};
use clap::Subcommand;

use codes::Standby;
use load::Day;
use plan::{Plan, grouped};

/// `cargo xtask simulate`
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Cells and regions for 100 million customers: days of load, moves, the loss of a region, transfers between cells.
    Scale {
        /// Plays the same for the same seed.
        #[arg(long, default_value_t = 5)]
        seed: u64,
    },
}

/// Prints the tables of docs/scale.md, and fails when the plan does not hold.
pub(crate) fn run(args: &Args) -> Result<()> {
    let What::Scale { seed } = args.what;
    let plan = Plan::default();
    println!("Seed {seed}.\n\n| plan | |\n|---|---|");
    for (name, value) in plan.lines() {
        println!("| {name} | {value} |");
    }
    let faults = [days(&plan, seed), codes(seed), transfers(seed)].concat();
    if faults.is_empty() {
        println!("\nThe plan holds.");
        return Ok(());
    }
    for fault in &faults {
        println!("{fault}");
    }
    bail!("the plan does not hold")
}

fn days(plan: &Plan, seed: u64) -> Vec<String> {
    println!(
        "\n| day | logins | most in a second | busiest cell | longest wait | told 503 | in cells | last 503 after the fault |\n\
         |---|---|---|---|---|---|---|---|"
    );
    let mut faults = Vec::new();
    for (day, name) in [
        (Day::Usual, "usual"),
        (Day::Busy, "busiest of the year"),
        (
            Day::CopiesLost,
            "busiest, a copy lost in every cell at the peak",
        ),
        (Day::PrimaryLost, "busiest, a primary lost at the peak"),
        (Day::RegionLost, "busiest, a region lost at the peak"),
        (Day::HotSlots, "busiest, four slots a hundred times as busy"),
    ] {
        let outcome = load::play(plan, day, seed);
        let until = if outcome.refused > 0.5 {
            format!("{} s", outcome.until_well)
        } else {
            "–".into()
        };
        let busiest = if day == Day::HotSlots {
            format!(
                "{:.0} %, moved: {:.0} %",
                100.0 * outcome.busiest_before,
                100.0 * outcome.busiest
            )
        } else {
            format!("{:.0} %", 100.0 * outcome.busiest)
        };
        println!(
            "| {name} | {} | {} | {busiest} | {:.2} s | {} | {} | {until} |",
            grouped(outcome.asked),
            grouped(outcome.peak),
            outcome.wait,
            grouped(outcome.refused),
            outcome.refusing,
        );
        let fails = matches!(day, Day::PrimaryLost | Day::RegionLost);
        if !fails && outcome.refused > 0.5 {
            faults.push(format!("{name}: logins were told 503"));
        }
        if outcome.left > 0.5 || outcome.until_well > 600 && fails {
            faults.push(format!("{name}: it did not recover"));
        }
    }
    faults
}

fn codes(seed: u64) -> Vec<String> {
    println!(
        "\n| codes sent one to four times, a slot moved every two minutes, a region cut off after an hour | sent | accepted | \
         accepted twice | refused | 503 or no answer | rows that the other region lacks | moves |\n|---|---|---|---|---|---|---|---|"
    );
    let mut faults = Vec::new();
    for (standby, name) in [
        (Standby::Synchronous, "standby synchronous"),
        (Standby::Behind(3), "standby 3 s behind, floor at promotion"),
        (
            Standby::Behind(40),
            "standby 40 s behind, floor at promotion",
        ),
    ] {
        let outcome = codes::play(standby, codes::Fault::None, seed);
        println!("| {name} {}", codes_cells(&outcome));
        if outcome.twice > 0 {
            faults.push(format!("{name}: codes were accepted twice"));
        }
    }
    for (standby, fault, name) in [
        (
            Standby::Synchronous,
            codes::Fault::CopyBeforeClose,
            "planted: slots copied before they are closed",
        ),
        (
            Standby::Behind(3),
            codes::Fault::NoFloor,
            "planted: 3 s behind, no floor",
        ),
        (
            Standby::Behind(3),
            codes::Fault::NoLease,
            "planted: the lost primary goes on",
        ),
    ] {
        let outcome = codes::play(standby, fault, seed);
        println!("| {name} {}", codes_cells(&outcome));
        if outcome.twice == 0 {
            faults.push(format!("{name}: the judge did not see it"));
        }
    }
    faults
}

fn codes_cells(outcome: &codes::Outcome) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        outcome.sent,
        outcome.accepted,
        outcome.twice,
        outcome.refused,
        outcome.unavailable,
        outcome.forgotten,
        outcome.moves
    )
}

fn transfers(seed: u64) -> Vec<String> {
    println!(
        "\n| transfers, messages lost, doubled and late | booked | between cells | returned | messages | credited twice | \
         yen missing | yen in clearing at the end | below zero |\n|---|---|---|---|---|---|---|---|---|"
    );
    let mut faults = Vec::new();
    for (fault, name) in [
        (transfers::Fault::None, "settled by key"),
        (transfers::Fault::NoKey, "planted: credited without key"),
        (
            transfers::Fault::SentOnce,
            "planted: each message sent once",
        ),
    ] {
        let outcome = transfers::play(fault, seed);
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            outcome.booked,
            outcome.crossed,
            outcome.returned,
            outcome.messages,
            outcome.credited_twice,
            outcome.missing,
            outcome.in_clearing,
            outcome.below_zero
        );
        let whole = outcome.credited_twice == 0
            && outcome.missing == 0
            && outcome.in_clearing == 0
            && outcome.below_zero == 0;
        if whole != (fault == transfers::Fault::None) {
            faults.push(format!("{name}: not as planned"));
        }
    }
    faults
}
