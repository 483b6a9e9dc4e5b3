//! What a server does whose PostgreSQL is not what it was: a standby, one that ended its connections, one that acknowledged what
//! no standby has. A whole cluster that loses machines is `cargo xtask failover`.

use std::time::Duration;

use warifu::database::{Connection, DatabaseError, Tx};

use crate::harness::{Engine, Place, Site, fresh_key, now_step, run};

#[test]
fn a_server_that_only_reads_is_no_place_to_serve_from_but_its_trail_can_be_verified() {
    let place = Place::new(Engine::Postgres);
    let name = place.url().rsplit_once('/').unwrap().1.to_owned();
    place.meddle(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));
    crate::harness::apart(|| {
        let refused = Connection::open(&place.location, 2048).err().unwrap();
        assert!(refused.to_string().contains("PostgreSQL"), "{refused}");
        let mut reader = Connection::open_reader(&place.location).unwrap();
        let found = reader
            .read(|tx| tx.query_one("SELECT COUNT(*) FROM audit", &[], |row| row.int(0)))
            .unwrap();
        assert_eq!(found, Some(0));
    });
}

/// A commit whose wait for its standby is cancelled is answered with a warning; any other warning of a commit will do here.
#[test]
fn a_commit_that_is_answered_with_a_warning_is_not_taken_for_done() {
    let place = Place::empty(Engine::Postgres);
    place.meddle(
        "CREATE TABLE things (name TEXT);
         CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.name = 'warning' THEN RAISE WARNING 'not replicated'; ELSE RAISE NOTICE 'well'; END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER say AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION say();",
    );
    let insert = |name: &str| {
        let sql = match name {
            "warning" => "INSERT INTO things VALUES ('warning')",
            _ => "INSERT INTO things VALUES ('notice')",
        };
        place.with(|connection| connection.transaction(|tx| tx.execute(sql, &[])))
    };
    assert_eq!(insert("notice").unwrap(), 1);
    let doubtful = insert("warning");
    assert!(
        matches!(doubtful, Err(DatabaseError::Unconfirmed)),
        "{doubtful:?}"
    );
    assert_eq!(insert("notice").unwrap(), 1);
    // Nobody knows whether it stays; here it does.
    assert_eq!(place.count("SELECT COUNT(*) FROM things"), 3);
}

/// Without a number of its own and something in the log, a transaction waits for no standby.
#[test]
fn what_is_told_again_waits_for_the_standby_like_the_commit_that_did_it() {
    const NUMBER: &str =
        "SELECT COALESCE(pg_current_xact_id_if_assigned()::TEXT::BIGINT, 0)::BIGINT";
    const LOG: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::BIGINT";
    let place = Place::empty(Engine::Postgres);
    place.with(|connection| {
        connection
            .read(|tx| {
                assert_eq!(one(tx, NUMBER)?, 0);
                let before = one(tx, LOG)?;
                tx.confirm()?;
                assert!(one(tx, NUMBER)? > 0);
                assert!(one(tx, LOG)? > before);
                Ok(())
            })
            .unwrap();
    });
}

fn one(tx: &mut Tx<'_>, sql: &'static str) -> Result<i64, DatabaseError> {
    Ok(tx.query_one(sql, &[], |row| row.int(0))?.unwrap())
}

#[test]
fn connections_that_died_while_nobody_used_them_cost_no_request() {
    run(async {
        let site = Site::new(Engine::Postgres);
        let key = site.add_party("Bank");
        let server = site.serve();
        let token = server.client().token();
        let mut party = server.party(&key);
        let spent = party
            .validate(token.id, &fresh_key(), &token.text(now_step()))
            .unwrap();
        assert_eq!(spent.status, 200, "{}", spent.text());
        for _ in 0..3 {
            site.place.meddle(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            // As long as it takes to count as idle.
            std::thread::sleep(Duration::from_millis(1_200));
            for _ in 0..8 {
                let wrong = token.wrong_code(now_step()).to_string();
                let answer = party.validate(token.id, &fresh_key(), &wrong).unwrap();
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert_eq!(party.status(token.id).status, 200);
            }
        }
    });
}
