//! The long forms: `cargo xtask soak`.

use crate::harness::{Engine, Service};
use crate::race::{TwoCopies, one_code_of_many_callers, sixty_wrong_codes};

both_engines_at_length!(
    soak_a_thousand_rounds_of_32_callers_with_one_code,
    soak_a_hundred_rounds_of_sixty_wrong_codes,
    soak_fifty_kills,
);

fn progress(what: &str, done: usize, of: usize) {
    if done.is_multiple_of((of / 10).max(1)) {
        println!("{what}: {done} of {of}");
    }
}

async fn soak_a_thousand_rounds_of_32_callers_with_one_code(engine: Engine) {
    let service = Service::new(engine);
    let shop = service.add_party("Shop");
    for round in 1..=1_000 {
        one_code_of_many_callers(&service, shop).await;
        progress("rounds", round, 1_000);
    }
    service.require_whole().await;
}

async fn soak_a_hundred_rounds_of_sixty_wrong_codes(engine: Engine) {
    let service = Service::new(engine);
    for round in 1..=100 {
        sixty_wrong_codes(&service).await;
        progress("rounds", round, 100);
    }
    service.require_whole().await;
}

async fn soak_fifty_kills(engine: Engine) {
    crate::crash::kills(engine, 50, |number| progress("kills", number + 1, 50));
}

#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_a_thousand_rounds_of_32_callers_over_two_processes_on_one_postgres() {
    let copies = TwoCopies::start();
    let mut callers = copies.callers();
    for round in 1..=1_000 {
        copies.one_code_of_many_callers(&mut callers);
        progress("rounds", round, 1_000);
    }
    copies.require_whole();
}
