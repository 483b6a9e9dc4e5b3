-- Times are microseconds since 1970 UTC; IDs of credentials are the number of CredentialId::to_stored.

CREATE TABLE seal_keys (
    version     INTEGER PRIMARY KEY,
    check_value BLOB    NOT NULL,
    adopted_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE service_secrets (
    name        TEXT    PRIMARY KEY,
    sealed      BLOB    NOT NULL,
    key_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE relying_parties (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    key_hash   BLOB    NOT NULL UNIQUE,
    added_at   INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE credentials (
    id               INTEGER PRIMARY KEY,
    state            INTEGER NOT NULL,
    stop_reason      INTEGER,
    stopped_by       INTEGER,
    stopped_at       INTEGER,
    algorithm        INTEGER NOT NULL,
    digits           INTEGER NOT NULL,
    period           INTEGER NOT NULL,
    sealed           BLOB    NOT NULL,
    key_version      INTEGER NOT NULL,
    last_step        INTEGER NOT NULL,
    last_accepted_at INTEGER,
    drift            INTEGER NOT NULL,
    provisioned_at   INTEGER NOT NULL
) STRICT;

-- A row only where wrong codes count: none means none.
CREATE TABLE credential_failures (
    credential INTEGER NOT NULL,
    party      INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    PRIMARY KEY (credential, party)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    position    INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,
    credential  INTEGER,
    party       INTEGER,
    detail      INTEGER NOT NULL,
    request     BLOB,
    fingerprint BLOB,
    note        TEXT    NOT NULL,
    mark        BLOB    NOT NULL
) STRICT;

CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'audit rows are never removed');
END;

CREATE TRIGGER audit_rows_hold BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'audit rows are never changed');
END;

CREATE TABLE audit_streams (
    stream   INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    mark     BLOB    NOT NULL
) STRICT;

-- Where each request stands in the audit trail. Random keys would cost every commit a page of their own, so the
-- newest rows wait in memory and are folded in here in the order of the key (docs/decisions/0006).
CREATE TABLE request_index (
    request  BLOB    PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE request_fold (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    through INTEGER NOT NULL
) STRICT;

INSERT INTO request_fold (one, through) VALUES (1, 0);

CREATE TABLE provision_throttle (
    address  TEXT    PRIMARY KEY,
    clear_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
