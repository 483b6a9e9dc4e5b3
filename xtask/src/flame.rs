//! `cargo xtask flame`: where the server's time goes while it validates over HTTP.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{packages, run, workspace};

/// Narrower than this part of the whole, in percent, a function is left out of the picture.
const NARROWEST: &str = "0.2";

/// `cargo xtask flame`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The picture, SVG.
    #[arg(long, default_value = "target/flame.svg")]
    out: PathBuf,
    /// Another build of `warifu` than that of this checkout; with frame pointers, or its stacks end early.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Samples the benchmark's server and draws what it did.
pub(crate) fn run(args: &Args) -> Result<()> {
    packages::for_flame_graphs()?;
    if !run::exists("inferno-flamegraph") {
        println!("installing inferno (it compiles for a minute)");
        run::checked(run::cargo().args(["install", "inferno", "--locked"]))?;
    }
    let folder = workspace::target_dir()?.join("flame");
    let [stacks, folded] = ["stacks", "folded"].map(|name| folder.join(name));
    let mut bench = run::cargo();
    bench
        .args(["bench", "--package", "warifu", "--bench", "service"])
        .arg("--target-dir")
        .arg(&folder)
        .args(["--", "--only", "http", "--rounds", "1", "--samples"])
        .arg(&stacks)
        // perf follows frame pointers; the C code beside ours leaves them out as well.
        .env("RUSTFLAGS", "-C force-frame-pointers=yes")
        .env("CFLAGS", "-fno-omit-frame-pointer");
    if let Some(program) = &args.program {
        bench.env("WARIFU_BIN", program.canonicalize().context("the program")?);
    }
    run::checked(&mut bench)?;
    let mut collapse = run::program("inferno-collapse-perf");
    run::checked(
        collapse
            .stdin(File::open(&stacks)?)
            .stdout(File::create(&folded)?),
    )?;
    let mut draw = run::program("inferno-flamegraph");
    draw.args([
        "--title",
        "warifu serve, validations over HTTP",
        "--minwidth",
        NARROWEST,
    ]);
    let out = workspace::root().join(&args.out);
    run::checked(draw.stdin(File::open(&folded)?).stdout(File::create(&out)?))?;
    println!("{}", out.display());
    Ok(())
}
