//! S9: one row for everything, and no change of it goes unseen.

use warifu::store::audit;
use warifu_credentials::audit::{Event, Kind};
use warifu_credentials::checkpoint::Checkpoint;
use warifu_wire::{StopReason, ValidateAnswer};

use crate::harness::{Engine, Service, fresh_key};

both_engines!(
    every_command_writes_exactly_one_row,
    any_changed_column_is_found,
    a_removed_row_is_found_wherever_it_stood,
    rows_that_change_places_are_found,
    a_renumbered_row_is_found,
    an_added_row_is_found,
    a_cut_tail_is_found_also_when_the_head_is_rolled_back,
    a_tail_written_anew_by_the_service_itself_does_not_hide_the_old_one,
    a_changed_or_foreign_checkpoint_is_found,
    nothing_to_verify_is_a_failure,
    the_trail_is_whole_after_many_writers_at_once,
    a_trail_of_several_pages_is_followed_to_its_end,
);

/// A trail of every kind of row.
async fn mixed(service: &Service) {
    let token = service.token().await;
    let (bank, now) = (service.bank, service.step());
    service.check(&token, token.wrong_code(now)).await;
    service.check(&token, token.code(now)).await;
    service.check(&token, token.code(now)).await;
    let (first, second) = (now.offset(4), now.offset(5));
    service
        .resync(&token, token.code(first), token.code(second))
        .await;
    service.stop(bank, &token, StopReason::Lost).await;
    service.enable(bank, &token).await;
    service.unlock(bank, &token).await;
}

async fn every_command_writes_exactly_one_row(engine: Engine) {
    let service = Service::new(engine);
    let before = service.require_whole().await;
    mixed(&service).await;
    assert_eq!(service.require_whole().await, before + 8);
    let kinds = |kind: i64| {
        let sql: &'static str = format!("SELECT COUNT(*) FROM audit WHERE kind = {kind}").leak();
        service.place.count(sql)
    };
    // Opened, provisioned, validated, resynchronised, stopped, enabled, unlocked, added.
    let counts: Vec<_> = (1..=8).map(kinds).collect();
    assert_eq!(counts, [1, 1, 3, 1, 1, 1, 1, 1]);
    let token = service.token().await;
    for reason in [StopReason::Lost, StopReason::Lost] {
        // Also a step that changes nothing was asked for.
        service.stop(service.bank, &token, reason).await;
    }
    assert_eq!(service.require_whole().await, before + 11);
    let purposes = "SELECT COUNT(*) FROM audit WHERE kind = 3 AND note = 'login'";
    assert_eq!(service.place.count(purposes), 3);
}

/// Undoes what a test did to the rows, so that one trail serves many.
fn keep_a_copy(service: &Service) {
    service.place.disarm();
    service.place.meddle(
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_heads AS SELECT * FROM audit_streams",
    );
}

fn restore(service: &Service) {
    service.place.meddle(
        "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
         DELETE FROM audit_streams; INSERT INTO audit_streams SELECT * FROM kept_heads",
    );
}

/// What verification says, whether in its report or by refusing a value.
fn faults(service: &Service, checkpoints: &[Checkpoint]) -> Vec<String> {
    match service.verify(checkpoints) {
        Ok(report) => report.faults,
        Err(error) => vec![error.to_string()],
    }
}

/// Does each of these to a whole trail, one at a time; each must be found.
async fn require_found(service: &Service, statements: &[String]) {
    service.require_whole().await;
    let checkpoint = [service.checkpoint().await];
    keep_a_copy(service);
    for sql in statements {
        service.place.meddle(sql);
        let found = faults(service, &checkpoint);
        assert!(!found.is_empty(), "not found: {sql}");
        restore(service);
        assert_eq!(faults(service, &checkpoint), Vec::<String>::new());
    }
}

async fn any_changed_column_is_found(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let (bytes, other) = match engine {
        Engine::Sqlite => ("zeroblob", "x'00112233445566778899aabbccddeeff'"),
        Engine::Postgres => ("", "'\\x00112233445566778899aabbccddeeff'::BYTEA"),
    };
    let zeros = |length: usize| match engine {
        Engine::Sqlite => format!("{bytes}({length})"),
        Engine::Postgres => format!("decode(repeat('00', {length}), 'hex')"),
    };
    let validated = "WHERE kind = 3";
    let opened = "WHERE kind = 1";
    let changes = [
        format!("at = at + 1 {validated}"),
        format!("at = -at {validated}"),
        format!("kind = 4 {validated}"),
        format!("kind = 99 {validated}"),
        format!("outcome = 2 {validated} AND outcome = 1"),
        format!("outcome = 1 {validated} AND outcome = 2"),
        format!("outcome = 99 {validated}"),
        format!("credential = credential + 1 {validated}"),
        format!("credential = NULL {validated}"),
        format!("credential = 0 {opened}"),
        format!("credential = -1 {opened}"),
        format!("party = party + 1 {validated}"),
        format!("party = NULL {validated}"),
        format!("party = 0 {opened}"),
        format!("party = -1 {opened}"),
        format!("detail = detail + 1 {validated}"),
        format!("detail = -1 {opened}"),
        format!("request = {other} {validated} AND outcome = 1"),
        format!("request = NULL {validated}"),
        format!("request = {} {opened}", zeros(16)),
        format!("request = {} {opened}", zeros(0)),
        format!("fingerprint = {other} {validated}"),
        format!("fingerprint = NULL {validated}"),
        format!("fingerprint = {} {opened}", zeros(16)),
        format!("note = 'transfer' {validated}"),
        format!("note = '' {validated}"),
        format!("note = ' ' {opened}"),
        format!("mark = {} {validated}", zeros(32)),
        format!("mark = {} {validated}", zeros(31)),
        format!("mark = (SELECT mark FROM audit {opened}) WHERE kind = 8"),
    ]
    .map(|change| format!("UPDATE audit SET {change}"));
    require_found(&service, &changes).await;
}

async fn a_removed_row_is_found_wherever_it_stood(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let remove = |what: &str| format!("DELETE FROM audit WHERE {what}");
    let first = remove("position = (SELECT MIN(position) FROM audit)");
    let last = remove("position = (SELECT MAX(position) FROM audit)");
    let (middle, most, all) = (remove("kind = 4"), remove("kind > 1"), remove("0 = 0"));
    let every_head = "DELETE FROM audit_streams".to_owned();
    let all_and_heads = format!("{all}; {every_head}");
    let rolled_back = format!("{all}; UPDATE audit_streams SET sequence = 0");
    let statements = [
        first,
        last,
        middle,
        most,
        all,
        every_head,
        all_and_heads,
        rolled_back,
    ];
    require_found(&service, &statements).await;
}

/// What two rows hold, exchanged, once with their marks and once without.
async fn rows_that_change_places_are_found(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let exchange = |columns: &[&str]| {
        let list: Vec<_> = columns
            .iter()
            .map(|column| {
                format!("{column} = (SELECT {column} FROM kept WHERE kept.kind = 13 - audit.kind)")
            })
            .collect();
        format!("UPDATE audit SET {} WHERE kind IN (6, 7)", list.join(", "))
    };
    // Request keys are unique on PostgreSQL, so they stay.
    let event = ["at", "kind", "outcome", "detail", "fingerprint", "note"];
    let with_mark = [&event[..], &["mark"]].concat();
    require_found(&service, &[exchange(&event), exchange(&with_mark)]).await;
}

async fn a_renumbered_row_is_found(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let last = "WHERE position = (SELECT MAX(position) FROM audit)";
    let first = "WHERE position = (SELECT MIN(position) FROM audit)";
    let statements = [
        format!("UPDATE audit SET position = position + 1 {last}"),
        format!("UPDATE audit SET position = position - 1 {first}"),
        // Into another stream.
        format!("UPDATE audit SET position = position + 281474976710656 {last}"),
    ];
    require_found(&service, &statements).await;
}

/// A row that nobody wrote: in the middle, after the end, in a stream of its own.
async fn an_added_row_is_found(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let add = |position: &str| {
        format!(
            "INSERT INTO audit SELECT {position}, at, 3, 1, credential, party, detail, NULL, NULL, note, mark
             FROM kept WHERE kind = 5"
        )
    };
    let statements = [
        add("(SELECT MAX(position) + 1 FROM kept)"),
        add("(SELECT MAX(position) + 2 FROM kept)"),
        add("(SELECT MIN(position) - 1 FROM kept)"),
        add("99 * 281474976710656 + 1"),
        add("-5"),
    ];
    require_found(&service, &statements).await;
}

async fn a_cut_tail_is_found_also_when_the_head_is_rolled_back(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let early = service.checkpoint().await;
    keep_a_copy(&service);
    mixed(&service).await;
    let late = service.checkpoint().await;
    let (rows, heads) = (
        "DELETE FROM audit WHERE position NOT IN (SELECT position FROM kept)",
        "DELETE FROM audit_streams; INSERT INTO audit_streams SELECT * FROM kept_heads",
    );
    service.place.meddle(rows);
    let both = [early.clone(), late.clone()];
    let found = faults(&service, &both);
    assert!(found.iter().any(|fault| fault.contains("cut")), "{found:?}");
    assert!(!faults(&service, &[]).is_empty());

    service.place.meddle(heads);
    // The database alone looks whole; the newer checkpoint knows better.
    assert_eq!(faults(&service, &[early]), Vec::<String>::new());
    for checkpoints in [&both[..], &[late]] {
        let found = faults(&service, checkpoints);
        assert!(found.iter().any(|fault| fault.contains("cut")), "{found:?}");
    }
}

/// The cut is covered with new, genuine rows: as many as there were, and more.
async fn a_tail_written_anew_by_the_service_itself_does_not_hide_the_old_one(engine: Engine) {
    let mut service = Service::new(engine);
    mixed(&service).await;
    keep_a_copy(&service);
    mixed(&service).await;
    let late = [service.checkpoint().await];
    restore(&service);
    service.restart();
    for _ in 0..2 {
        mixed(&service).await;
        assert!(!faults(&service, &late).is_empty());
        // Nor does a new checkpoint of the very same row hide the old one.
        let both = [late[0].clone(), service.checkpoint().await];
        assert!(!faults(&service, &both).is_empty());
    }
    service.require_whole().await;
}

async fn a_changed_or_foreign_checkpoint_is_found(engine: Engine) {
    let service = Service::new(engine);
    mixed(&service).await;
    let good = service.checkpoint().await;
    let mut later = good.clone();
    later.at = crate::harness::second(1_900_000_000);
    let mut shorter = good.clone();
    shorter.heads[0].sequence -= 1;
    let mut without = good.clone();
    without.heads.clear();
    let mut unsigned = good.clone();
    unsigned.signature.clear();
    let stranger = Service::new(engine);
    mixed(&stranger).await;
    let foreign = stranger.checkpoint().await;
    for changed in [later, shorter, without, unsigned, foreign] {
        let found = faults(&service, &[good.clone(), changed]);
        assert!(
            found.iter().any(|fault| fault.contains("signature")),
            "{found:?}"
        );
    }
    assert_eq!(faults(&service, &[good]), Vec::<String>::new());
}

async fn nothing_to_verify_is_a_failure(engine: Engine) {
    let service = Service::new(engine);
    service.require_whole().await;
    assert!(!faults(&service, &[]).is_empty(), "without a checkpoint");
    let empty = service.secrets.signer.sign(crate::harness::second(1), &[]);
    service.place.disarm();
    service
        .place
        .meddle("DELETE FROM audit; UPDATE audit_streams SET sequence = 0");
    let found = faults(&service, std::slice::from_ref(&empty));
    assert!(!found.is_empty(), "without rows");
    service.place.meddle("DELETE FROM audit_streams");
    assert!(!faults(&service, &[empty]).is_empty(), "without streams");
}

async fn the_trail_is_whole_after_many_writers_at_once(engine: Engine) {
    let service = Service::new(engine);
    let mut asked = Vec::new();
    for _ in 0..40 {
        let token = service.token().await;
        for offset in -1..=1 {
            let code = token.code(service.step().offset(offset));
            asked.push((fresh_key(), service.bank, token.clone(), code));
        }
    }
    let rows = service.require_whole().await;
    let count = u64::try_from(asked.len()).unwrap();
    let answers = service.check_at_once(asked).await;
    assert!(answers.contains(&Ok(ValidateAnswer::Accepted)));
    assert_eq!(service.require_whole().await, rows + count);
}

/// Verification reads 10,000 rows at a time: what stands behind the first page counts as well.
async fn a_trail_of_several_pages_is_followed_to_its_end(engine: Engine) {
    let service = Service::new(engine);
    let before = service.require_whole().await;
    let events: Vec<_> = (0..5_000)
        .map(|second| Event::new(crate::harness::second(second), Kind::KeyRotated))
        .collect();
    let chain = &service.secrets.chain;
    for _ in 0..5 {
        service.place.with(|connection| {
            connection
                .transaction(|tx| audit::append(tx, chain, &events))
                .unwrap();
        });
    }
    assert_eq!(service.require_whole().await, before + 25_000);
    let last = service
        .place
        .count("SELECT CAST(MAX(position) AS BIGINT) FROM audit WHERE kind = 11");
    let checkpoint = [service.checkpoint().await];
    service.place.disarm();
    for back in [0, 4_000, 12_000, 24_000] {
        let at = last - back;
        let change = |by: i64| {
            let sql = format!("UPDATE audit SET detail = detail + {by} WHERE position = {at}");
            service.place.meddle(&sql);
        };
        change(1);
        assert!(
            !faults(&service, &checkpoint).is_empty(),
            "{back} before the last"
        );
        change(-1);
        assert_eq!(faults(&service, &checkpoint), Vec::<String>::new());
    }
}
