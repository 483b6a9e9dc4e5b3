-- Browsers in which a customer has signed in (rule B17): the hash of their cookie.
CREATE TABLE known_browsers (
    contract INTEGER NOT NULL,
    browser  BLOB    NOT NULL,
    used_at  INTEGER NOT NULL,
    PRIMARY KEY (contract, browser)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_browsers_by_use ON known_browsers (used_at);

-- A dated transfer leaves its reserved state once, in the transaction that books it: it needs no lease.
ALTER TABLE transfers DROP COLUMN leased_until;
