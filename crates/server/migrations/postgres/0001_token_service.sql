-- Times are microseconds since 1970 UTC; IDs of credentials are the number of CredentialId::to_stored.

CREATE TABLE seal_keys (
    version     BIGINT PRIMARY KEY,
    check_value BYTEA  NOT NULL,
    adopted_at  BIGINT NOT NULL
);

CREATE TABLE service_secrets (
    name        TEXT   PRIMARY KEY,
    sealed      BYTEA  NOT NULL,
    key_version BIGINT NOT NULL
);

CREATE TABLE relying_parties (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    key_hash   BYTEA  NOT NULL UNIQUE,
    added_at   BIGINT NOT NULL,
    revoked_at BIGINT
);

-- Room on each page, and no index on what a validation changes, so that updates stay on their page (HOT).
CREATE TABLE credentials (
    id               BIGINT PRIMARY KEY,
    state            BIGINT NOT NULL,
    stop_reason      BIGINT,
    stopped_by       BIGINT,
    stopped_at       BIGINT,
    algorithm        BIGINT NOT NULL,
    digits           BIGINT NOT NULL,
    period           BIGINT NOT NULL,
    sealed           BYTEA  NOT NULL,
    key_version      BIGINT NOT NULL,
    last_step        BIGINT NOT NULL,
    last_accepted_at BIGINT,
    drift            BIGINT NOT NULL,
    provisioned_at   BIGINT NOT NULL
) WITH (fillfactor = 80);

-- A row only where wrong codes count: none means none.
CREATE TABLE credential_failures (
    credential BIGINT NOT NULL,
    party      BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    PRIMARY KEY (credential, party)
);

CREATE TABLE audit (
    position    BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    kind        BIGINT NOT NULL,
    outcome     BIGINT NOT NULL,
    credential  BIGINT,
    party       BIGINT,
    detail      BIGINT NOT NULL,
    request     BYTEA,
    fingerprint BYTEA,
    note        TEXT   NOT NULL,
    mark        BYTEA  NOT NULL
);

-- Two copies of the service can never both answer one request.
CREATE UNIQUE INDEX audit_request ON audit (request) WHERE request IS NOT NULL;

CREATE FUNCTION audit_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are never changed or removed';
END
$$;

CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_rows_stay();

CREATE TABLE audit_streams (
    stream   BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    mark     BYTEA  NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE provision_throttle (
    address  TEXT   PRIMARY KEY,
    clear_at BIGINT NOT NULL
);
