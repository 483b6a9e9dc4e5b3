-- From here on a request is stored with the second that its key tells before its digest, if it tells one (docs/decisions/0038).
-- A row here says that there are requests from before, which are looked for by their digest alone.
CREATE TABLE requests_without_time (yes BOOLEAN PRIMARY KEY CHECK (yes));
INSERT INTO requests_without_time SELECT TRUE WHERE EXISTS (SELECT 1 FROM audit);
