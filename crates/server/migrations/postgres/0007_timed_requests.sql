-- From here on a request is stored with the second that its key tells before its digest, if it tells one (docs/decisions/0038).
-- A copy of before would not find what is stored so, and judge the request again: none may be connected. Only such are called 'warifu'.
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM audit) AND EXISTS (
        SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'warifu'
    ) THEN
        RAISE EXCEPTION 'copies of a version before are connected: stop every copy, then migrate' USING ERRCODE = 'object_in_use';
    END IF;
END $$;
-- A row here says that there are requests from before, which are looked for by their digest alone.
CREATE TABLE requests_without_time (yes BOOLEAN PRIMARY KEY CHECK (yes));
INSERT INTO requests_without_time SELECT TRUE WHERE EXISTS (SELECT 1 FROM audit);
