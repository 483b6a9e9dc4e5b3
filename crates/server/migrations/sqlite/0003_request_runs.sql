-- Where each request stands in the audit trail, from now on in runs: each is written once, in the order of its keys, so that
-- neighbours share a page however long the trail is; eight of a tier become one of the next (docs/decisions/0034). A run is
-- one when it is listed; rows of others are what a merge left behind, or what a crash cut short, and are removed.
-- request_index stays as it is: the oldest of them all.
CREATE TABLE request_runs (
    run      INTEGER NOT NULL,
    request  BLOB    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (run, request)
) STRICT, WITHOUT ROWID;

CREATE TABLE request_run_list (
    run  INTEGER PRIMARY KEY,
    tier INTEGER NOT NULL
) STRICT;

-- For each slice of a run, by the first bits of its keys: which keys are certainly not in it.
CREATE TABLE request_filters (
    run   INTEGER NOT NULL,
    slice INTEGER NOT NULL,
    bits  BLOB    NOT NULL,
    PRIMARY KEY (run, slice)
) STRICT, WITHOUT ROWID;
