-- From here on a request is stored with the second that its key tells before its digest, if it tells one (docs/decisions/0038).
-- Runs and what waits for them have the digest alone, so that nothing is changed here; the number keeps older programs away.
SELECT 1;
