//! A backup that is made under load is restored elsewhere, and all of it is whole.

use std::path::{Path, PathBuf};
use std::process::Command;

use warifu::database::Location;

use super::crash::{
    Customer, Progress, Started, configure, prepare, receipt, result, start, transfers,
    until_killed,
};
use crate::harness::{Client, Engine, Place, run_program};

both_engines!(what_was_backed_up_under_load_is_whole_elsewhere);

async fn what_was_backed_up_under_load_is_whole_elsewhere(engine: Engine) {
    let (tokens, bank) = (Place::new(engine), Place::of_bank(engine));
    let folder = tokens.folder.path();
    let location = match engine {
        Engine::Sqlite => Location::Sqlite(tokens.data().join("bank.db")),
        Engine::Postgres => bank.location.clone(),
    };
    let customers = prepare(&tokens, &location);
    let config = configure(engine, folder, &tokens, &bank);
    let before = until_killed(start(&config), &customers, 30);
    let elsewhere = [Place::empty(engine), Place::empty(engine)];
    let copy = folder.join("copy");
    let server = start(&config);
    let (address, progress) = (server.bank.unwrap(), Progress::default());
    std::thread::scope(|scope| {
        for customer in &customers {
            let progress = &progress;
            scope.spawn(move || transfers(Client::new(address), customer, progress));
        }
        while progress.answers() < 10 {
            std::thread::yield_now();
        }
        let begun = progress.answers();
        match engine {
            Engine::Sqlite => backup(&config, &copy),
            Engine::Postgres => dump(&tokens, &bank, &elsewhere, &copy),
        }
        assert!(progress.answers() > begun, "nobody worked");
        server.kill();
    });
    let restored = configuration_of_the_copy(engine, &tokens, &elsewhere, &copy);
    for command in [&["verify"][..], &["audit", "verify"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_warifu"));
        program.arg("--config").arg(&restored).args(command);
        run_program(&mut program).require_success();
    }
    let server = start(&restored);
    require_receipts(&mut Client::new(server.bank.unwrap()), &customers, &before);
    assert!(server.stop().success());
}

/// SQLite: the program's own command.
fn backup(config: &Path, copy: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warifu"));
    command.arg("--config").arg(config).arg("backup").arg(copy);
    run_program(&mut command).require_success();
}

/// PostgreSQL: first the checkpoints, then the token service, then the bank, as docs/operating.md says.
fn dump(tokens: &Place, bank: &Place, elsewhere: &[Place; 2], copy: &Path) {
    std::fs::create_dir(copy).unwrap();
    let checkpoints = "audit-checkpoints.jsonl";
    std::fs::copy(tokens.data().join(checkpoints), copy.join(checkpoints)).unwrap();
    for (from, to) in [tokens, bank].into_iter().zip(elsewhere) {
        let file = to.folder.path().join("dump");
        let mut dump = Command::new("pg_dump");
        dump.args(["--format=custom", "--file"]).arg(&file);
        run_program(dump.arg("--dbname").arg(from.url())).require_success();
        let mut restore = Command::new("pg_restore");
        restore.args(["--exit-on-error", "--no-owner", "--dbname", to.url()]);
        run_program(restore.arg(&file)).require_success();
    }
}

fn configuration_of_the_copy(
    engine: Engine,
    tokens: &Place,
    [new_tokens, new_bank]: &[Place; 2],
    copy: &Path,
) -> PathBuf {
    let config = configure(engine, copy, new_tokens, new_bank);
    let text = std::fs::read_to_string(&config).unwrap();
    let data = new_tokens.data();
    let text = text.replace(data.to_str().unwrap(), copy.to_str().unwrap());
    let keys = tokens.data().join("master.key");
    let text = format!("{text}[keys]\nfile = '{}'\n", keys.display());
    std::fs::write(&config, text).unwrap();
    config
}

/// Whatever was shown before the backup was begun is in it.
fn require_receipts(client: &mut Client, customers: &[Customer], before: &[Vec<Started>]) {
    let mut seen = 0;
    for (customer, all) in customers.iter().zip(before) {
        for one in all.iter().filter(|one| one.receipt.is_some()) {
            let told = result(client, customer, &one.key).unwrap();
            assert_eq!(receipt(&told), one.receipt);
            seen += 1;
        }
    }
    assert!(seen > 0);
}
