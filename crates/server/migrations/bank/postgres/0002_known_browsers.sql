-- Browsers in which a customer has signed in (rule B17): the hash of their cookie.
CREATE TABLE known_browsers (
    contract BIGINT NOT NULL,
    browser  BYTEA  NOT NULL,
    used_at  BIGINT NOT NULL,
    PRIMARY KEY (contract, browser)
);

CREATE INDEX known_browsers_by_use ON known_browsers (used_at);

-- A dated transfer leaves its reserved state once, in the transaction that books it: it needs no lease.
ALTER TABLE transfers DROP COLUMN leased_until;
