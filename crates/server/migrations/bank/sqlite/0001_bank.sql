-- Times are microseconds since 1970 UTC; days are numbers yyyymmdd in Japan; money is whole yen; keys of operations and
-- rows are 16 bytes (UUID version 7).

CREATE TABLE contracts (
    id                  INTEGER PRIMARY KEY,
    name                TEXT    NOT NULL,
    kana                TEXT    NOT NULL,
    language            TEXT    NOT NULL,
    mail                TEXT,
    service             INTEGER NOT NULL,
    token               TEXT    UNIQUE,
    token_since         INTEGER,
    loss_reason         INTEGER,
    login_asks_code     INTEGER NOT NULL,
    password            TEXT    NOT NULL,
    password_set_at     INTEGER NOT NULL,
    password_length     INTEGER NOT NULL,
    password_change_due INTEGER NOT NULL,
    password_expires_at INTEGER,
    opened_at           INTEGER NOT NULL,
    code_used_at        INTEGER,
    revision            INTEGER NOT NULL,
    event_count         INTEGER NOT NULL,
    event_mark          BLOB    NOT NULL,
    CHECK ((token IS NULL) = (token_since IS NULL)),
    CHECK (token IS NULL OR loss_reason IS NULL)
) STRICT;

-- The trail of a contract: rows are chained and never changed.
CREATE TABLE contract_events (
    contract INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    word     TEXT    NOT NULL,
    details  TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    mark     BLOB    NOT NULL,
    PRIMARY KEY (contract, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id        INTEGER PRIMARY KEY,
    contract  INTEGER,
    opened_at INTEGER NOT NULL,
    lowest    INTEGER,
    balance   INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    mark      BLOB    NOT NULL,
    CHECK (lowest IS NULL OR balance >= lowest)
) STRICT;

CREATE INDEX accounts_of_contract ON accounts (contract, id) WHERE contract IS NOT NULL;

CREATE TABLE journals (
    id         BLOB    PRIMARY KEY,
    kind       INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    reverses   BLOB    UNIQUE,
    receipt    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    account  INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    journal  BLOB    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount <> 0),
    balance  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    summary  TEXT    NOT NULL,
    mark     BLOB    NOT NULL,
    PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_of_journal ON entries (journal);
CREATE INDEX entries_by_time ON entries (account, at);

CREATE TRIGGER entries_hold BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never removed'); END;
CREATE TRIGGER journals_hold BEFORE UPDATE ON journals BEGIN SELECT RAISE(ABORT, 'journals are never changed'); END;
CREATE TRIGGER journals_stay BEFORE DELETE ON journals BEGIN SELECT RAISE(ABORT, 'journals are never removed'); END;
CREATE TRIGGER events_hold BEFORE UPDATE ON contract_events BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON contract_events BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;

CREATE TABLE operations (
    key        BLOB    PRIMARY KEY,
    contract   INTEGER NOT NULL,
    session    BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    payload    TEXT,
    attempt    INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    shown_at   INTEGER NOT NULL,
    settled_at INTEGER,
    outcome    TEXT,
    secret     BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX operations_by_time ON operations (shown_at);

CREATE TABLE transfers (
    key         BLOB    PRIMARY KEY,
    contract    INTEGER NOT NULL,
    source      INTEGER NOT NULL,
    bank        TEXT    NOT NULL,
    branch      TEXT    NOT NULL,
    kind        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    fee         INTEGER NOT NULL,
    day         INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    reason      TEXT,
    receipt     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    settled_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX transfers_of_contract ON transfers (contract, key);
CREATE INDEX transfers_due ON transfers (day, key) WHERE state = 0;

CREATE TABLE limit_changes (
    id           BLOB    PRIMARY KEY,
    contract     INTEGER NOT NULL,
    amount       INTEGER NOT NULL,
    effective_on INTEGER NOT NULL,
    requested_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX limit_changes_of_contract ON limit_changes (contract, id);

CREATE TABLE daily_usage (
    contract INTEGER NOT NULL,
    day      INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    PRIMARY KEY (contract, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE payees (
    id       BLOB    PRIMARY KEY,
    contract INTEGER NOT NULL,
    bank     TEXT    NOT NULL,
    branch   TEXT    NOT NULL,
    kind     INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (contract, bank, branch, kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    key        BLOB    PRIMARY KEY,
    contract   INTEGER NOT NULL,
    stage      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ended_at   INTEGER,
    ending     INTEGER,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    replaced   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_contract ON sessions (contract, created_at);
CREATE INDEX sessions_by_time ON sessions (seen_at);

CREATE TABLE sign_ins (
    id       BLOB    PRIMARY KEY,
    contract INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    outcome  INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    agent    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_of_contract ON sign_ins (contract, id);

-- How fast passwords may be tried: a row a lane, named by a hash.
CREATE TABLE sign_in_lanes (
    lane         BLOB    PRIMARY KEY,
    failures     INTEGER NOT NULL,
    closed_until INTEGER NOT NULL,
    used_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_lanes_by_time ON sign_in_lanes (used_at);

CREATE TABLE notices (
    id         BLOB    PRIMARY KEY,
    contract   INTEGER NOT NULL,
    event      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX notices_of_contract ON notices (contract, id);

-- Mails are written with their event and sent by whoever holds the lease.
CREATE TABLE mail_outbox (
    id           BLOB    PRIMARY KEY,
    contract     INTEGER NOT NULL,
    address      TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    sent_at      INTEGER,
    given_up_at  INTEGER,
    last_error   TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_outbox_due ON mail_outbox (next_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- What the bank still has to tell the token service: stops and releases, done with a key until they are answered.
CREATE TABLE token_commands (
    id         BLOB    PRIMARY KEY,
    contract   INTEGER NOT NULL,
    token      TEXT    NOT NULL,
    command    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    done_at    INTEGER,
    answer     TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX token_commands_due ON token_commands (next_at) WHERE done_at IS NULL;

CREATE TABLE staff (
    name             TEXT    PRIMARY KEY,
    display_name     TEXT    NOT NULL,
    role             TEXT    NOT NULL,
    password         TEXT    NOT NULL,
    password_due     INTEGER NOT NULL,
    token            TEXT    UNIQUE,
    enrolment_until  INTEGER,
    active           INTEGER NOT NULL,
    added_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff_sessions (
    key        BLOB    PRIMARY KEY,
    staff      TEXT    NOT NULL,
    stage      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ended_at   INTEGER,
    address    TEXT    NOT NULL,
    attempt    INTEGER NOT NULL,
    secret     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- What two persons do: one asks, another decides (rule F5).
CREATE TABLE approvals (
    id           BLOB    PRIMARY KEY,
    kind         TEXT    NOT NULL,
    contract     INTEGER NOT NULL,
    subject      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    asked_by     TEXT    NOT NULL,
    asked_at     INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    decided_by   TEXT,
    decided_at   INTEGER,
    outcome      TEXT,
    CHECK (decided_by IS NULL OR decided_by <> asked_by)
) STRICT, WITHOUT ROWID;

CREATE INDEX approvals_open ON approvals (state, id);
