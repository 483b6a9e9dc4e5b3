-- From here on a request is stored with the second that its key tells before its digest, if it tells one (docs/decisions/0038).
-- A row here says that there are requests from before, which are looked for by their digest alone.
-- A copy of before would not find them, and judge such a request again: none may run any more. Only those are called so.
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM audit) AND EXISTS (
        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'warifu'
    ) THEN
        RAISE EXCEPTION 'copies of a version before are connected: stop every copy, then migrate' USING ERRCODE = 'object_in_use';
    END IF;
END $$;
CREATE TABLE requests_without_time (yes BOOLEAN PRIMARY KEY CHECK (yes));
INSERT INTO requests_without_time SELECT TRUE WHERE EXISTS (SELECT 1 FROM audit);
