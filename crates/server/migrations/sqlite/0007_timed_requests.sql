-- From here on a request is stored with the second that its key tells before its digest, if it tells one (docs/decisions/0038).
-- Rows up to this position are from before: what their keys tell is not known.
CREATE TABLE requests_without_time (through INTEGER NOT NULL) STRICT;
INSERT INTO requests_without_time SELECT COALESCE(MAX(position), 0) FROM audit;

-- The first and the last second that the keys of a run tell; the first is the greater where none tells one, and neither is there
-- where it is not known.
ALTER TABLE request_run_list ADD COLUMN first_second INTEGER;
ALTER TABLE request_run_list ADD COLUMN last_second INTEGER;
