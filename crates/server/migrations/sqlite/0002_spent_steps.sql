-- From here on an accepted code's audit row holds the step that it spent, and the credential's own row follows when many
-- are folded in (docs/decisions/0023). A program that does not know this must not open the database: it would take a
-- spent code again.
ALTER TABLE request_fold RENAME TO audit_fold;
