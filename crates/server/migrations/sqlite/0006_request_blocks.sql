-- The keys of a run in blocks, a row for some twenty to thirty of them instead of one for each (docs/decisions/0036). The
-- number of a block is 2^32 times that of its run, and its place among all that the run is cut into by the first bits of
-- the keys. Its entries are in order: 16 bytes of the key, 8 bytes of its position in the trail, the highest first.
CREATE TABLE request_blocks (
    block   INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
) STRICT;

-- Runs of before stay as they are, a row for each key, until they are merged.
ALTER TABLE request_run_list ADD COLUMN blocks INTEGER NOT NULL DEFAULT 0;

-- A fold and merges that are under way begin again, since what they write are blocks from now on; what they have written is in
-- no listed run and is removed as such.
UPDATE audit_fold SET run = NULL, until = NULL, request = NULL;
UPDATE request_run_list SET merged_into = NULL;
