-- The step that an accepted code spent comes to its credential's row in a sweep of its own, slower than requests are folded
-- (docs/decisions/0035): of each part of the credentials, the newest audit row of which they know everything. An older program
-- would not read the rows between this and the fold's mark, and would take their codes again, so it must not open the database.
CREATE TABLE spent_sweep (
    part    INTEGER PRIMARY KEY,
    through INTEGER NOT NULL
) STRICT;

-- What a fold had done to credentials beyond its mark is done again, which changes nothing.
INSERT INTO spent_sweep (part, through)
    WITH RECURSIVE parts (part) AS (SELECT 0 UNION ALL SELECT part + 1 FROM parts WHERE part < 2047)
    SELECT part, through FROM parts, audit_fold;

ALTER TABLE audit_fold DROP COLUMN credential;
