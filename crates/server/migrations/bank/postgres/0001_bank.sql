-- Times are microseconds since 1970 UTC; days are numbers yyyymmdd in Japan; money is whole yen; keys of operations and
-- rows are 16 bytes (UUID version 7).

CREATE TABLE contracts (
    id                  BIGINT PRIMARY KEY,
    name                TEXT    NOT NULL,
    kana                TEXT    NOT NULL,
    language            TEXT    NOT NULL,
    mail                TEXT,
    service             BIGINT NOT NULL,
    token               TEXT    UNIQUE,
    token_since         BIGINT,
    loss_reason         BIGINT,
    login_asks_code     BIGINT NOT NULL,
    password            TEXT    NOT NULL,
    password_set_at     BIGINT NOT NULL,
    password_length     BIGINT NOT NULL,
    password_change_due BIGINT NOT NULL,
    password_expires_at BIGINT,
    opened_at           BIGINT NOT NULL,
    code_used_at        BIGINT,
    revision            BIGINT NOT NULL,
    event_count         BIGINT NOT NULL,
    event_mark          BYTEA    NOT NULL,
    CHECK ((token IS NULL) = (token_since IS NULL)),
    CHECK (token IS NULL OR loss_reason IS NULL)
);

-- The trail of a contract: rows are chained and never changed.
CREATE TABLE contract_events (
    contract BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    actor    TEXT    NOT NULL,
    word     TEXT    NOT NULL,
    details  TEXT    NOT NULL,
    address  TEXT    NOT NULL,
    mark     BYTEA    NOT NULL,
    PRIMARY KEY (contract, sequence)
);

CREATE TABLE accounts (
    id        BIGINT PRIMARY KEY,
    contract  BIGINT,
    opened_at BIGINT NOT NULL,
    lowest    BIGINT,
    balance   BIGINT NOT NULL,
    entries   BIGINT NOT NULL,
    mark      BYTEA    NOT NULL,
    CHECK (lowest IS NULL OR balance >= lowest)
);

CREATE INDEX accounts_of_contract ON accounts (contract, id) WHERE contract IS NOT NULL;

CREATE TABLE journals (
    id         BYTEA    PRIMARY KEY,
    kind       BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    reverses   BYTEA    UNIQUE,
    receipt    TEXT    NOT NULL
);

CREATE TABLE entries (
    account  BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    journal  BYTEA    NOT NULL,
    amount   BIGINT NOT NULL CHECK (amount <> 0),
    balance  BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    summary  TEXT    NOT NULL,
    mark     BYTEA    NOT NULL,
    PRIMARY KEY (account, sequence)
);

CREATE INDEX entries_of_journal ON entries (journal);
CREATE INDEX entries_by_time ON entries (account, at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is not allowed: rows are only ever added', TG_OP, TG_TABLE_NAME;
END
$$;

CREATE TRIGGER entries_hold BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_stay BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journals_hold BEFORE UPDATE OR DELETE ON journals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journals_stay BEFORE TRUNCATE ON journals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_events_hold BEFORE UPDATE OR DELETE ON contract_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER contract_events_stay BEFORE TRUNCATE ON contract_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE operations (
    key        BYTEA    PRIMARY KEY,
    contract   BIGINT NOT NULL,
    session    BYTEA    NOT NULL,
    kind       TEXT    NOT NULL,
    payload    TEXT,
    attempt    BIGINT NOT NULL,
    state      BIGINT NOT NULL,
    shown_at   BIGINT NOT NULL,
    settled_at BIGINT,
    outcome    TEXT,
    secret     BYTEA
);

CREATE INDEX operations_by_time ON operations (shown_at);

CREATE TABLE transfers (
    key         BYTEA    PRIMARY KEY,
    contract    BIGINT NOT NULL,
    source      BIGINT NOT NULL,
    bank        TEXT    NOT NULL,
    branch      TEXT    NOT NULL,
    kind        BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    name        TEXT    NOT NULL,
    amount      BIGINT NOT NULL,
    fee         BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    state       BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    reason      TEXT,
    receipt     TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    settled_at  BIGINT
);

CREATE INDEX transfers_of_contract ON transfers (contract, key);
CREATE INDEX transfers_due ON transfers (day, key) WHERE state = 0;

CREATE TABLE limit_changes (
    id           BYTEA    PRIMARY KEY,
    contract     BIGINT NOT NULL,
    amount       BIGINT NOT NULL,
    effective_on BIGINT NOT NULL,
    requested_at BIGINT NOT NULL
);

CREATE INDEX limit_changes_of_contract ON limit_changes (contract, id);

CREATE TABLE daily_usage (
    contract BIGINT NOT NULL,
    day      BIGINT NOT NULL,
    used     BIGINT NOT NULL,
    PRIMARY KEY (contract, day)
);

CREATE TABLE payees (
    id       BYTEA    PRIMARY KEY,
    contract BIGINT NOT NULL,
    bank     TEXT    NOT NULL,
    branch   TEXT    NOT NULL,
    kind     BIGINT NOT NULL,
    number   BIGINT NOT NULL,
    name     TEXT    NOT NULL,
    added_at BIGINT NOT NULL,
    UNIQUE (contract, bank, branch, kind, number)
);

CREATE TABLE sessions (
    key        BYTEA    PRIMARY KEY,
    contract   BIGINT NOT NULL,
    stage      TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ended_at   BIGINT,
    ending     BIGINT,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    replaced   BIGINT NOT NULL
);

CREATE INDEX sessions_of_contract ON sessions (contract, created_at);
CREATE INDEX sessions_by_time ON sessions (seen_at);

CREATE TABLE sign_ins (
    id       BYTEA    PRIMARY KEY,
    contract BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    outcome  BIGINT NOT NULL,
    address  TEXT    NOT NULL,
    agent    TEXT    NOT NULL
);

CREATE INDEX sign_ins_of_contract ON sign_ins (contract, id);

-- How fast passwords may be tried: a row a lane, named by a hash.
CREATE TABLE sign_in_lanes (
    lane         BYTEA    PRIMARY KEY,
    failures     BIGINT NOT NULL,
    closed_until BIGINT NOT NULL,
    used_at      BIGINT NOT NULL
);

CREATE INDEX sign_in_lanes_by_time ON sign_in_lanes (used_at);

CREATE TABLE notices (
    id         BYTEA    PRIMARY KEY,
    contract   BIGINT NOT NULL,
    event      TEXT    NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX notices_of_contract ON notices (contract, id);

-- Mails are written with their event and sent by whoever holds the lease.
CREATE TABLE mail_outbox (
    id           BYTEA    PRIMARY KEY,
    contract     BIGINT NOT NULL,
    address      TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    created_at   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    sent_at      BIGINT,
    given_up_at  BIGINT,
    last_error   TEXT
);

CREATE INDEX mail_outbox_due ON mail_outbox (next_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- What the bank still has to tell the token service: stops and releases, done with a key until they are answered.
CREATE TABLE token_commands (
    id         BYTEA    PRIMARY KEY,
    contract   BIGINT NOT NULL,
    token      TEXT    NOT NULL,
    command    TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    done_at    BIGINT,
    answer     TEXT
);

CREATE INDEX token_commands_due ON token_commands (next_at) WHERE done_at IS NULL;

CREATE TABLE staff (
    name             TEXT    PRIMARY KEY,
    display_name     TEXT    NOT NULL,
    role             TEXT    NOT NULL,
    password         TEXT    NOT NULL,
    password_due     BIGINT NOT NULL,
    token            TEXT    UNIQUE,
    enrolment_until  BIGINT,
    active           BIGINT NOT NULL,
    added_at         BIGINT NOT NULL
);

CREATE TABLE staff_sessions (
    key        BYTEA    PRIMARY KEY,
    staff      TEXT    NOT NULL,
    stage      TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ended_at   BIGINT,
    address    TEXT    NOT NULL,
    attempt    BIGINT NOT NULL,
    secret     BYTEA    NOT NULL
);

-- What two persons do: one asks, another decides (rule F5).
CREATE TABLE approvals (
    id           BYTEA    PRIMARY KEY,
    kind         TEXT    NOT NULL,
    contract     BIGINT NOT NULL,
    subject      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    asked_by     TEXT    NOT NULL,
    asked_at     BIGINT NOT NULL,
    state        BIGINT NOT NULL,
    decided_by   TEXT,
    decided_at   BIGINT,
    outcome      TEXT,
    CHECK (decided_by IS NULL OR decided_by <> asked_by)
);

CREATE INDEX approvals_open ON approvals (state, id);
