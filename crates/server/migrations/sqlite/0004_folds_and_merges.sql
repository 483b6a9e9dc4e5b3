-- How far a fold has come and which runs are being merged into which, so that whoever starts anew goes on where the work was
-- left (docs/decisions/0034). Without it a service that is started more often than a fold or a merge takes would never end one.

-- Of the fold under way, if one is: the run that it writes, the newest audit row that it folds, and the last request and the
-- last credential that are folded, each in its order.
ALTER TABLE audit_fold ADD COLUMN run INTEGER;
ALTER TABLE audit_fold ADD COLUMN until INTEGER;
ALTER TABLE audit_fold ADD COLUMN request BLOB;
ALTER TABLE audit_fold ADD COLUMN credential INTEGER;

-- What a fold of schema 2 had written when it was cut short: these requests wait still, and are folded into a run.
DELETE FROM request_index WHERE position > (SELECT through FROM audit_fold);

-- The run that this one is being merged into, if any: it is none itself before it is listed.
ALTER TABLE request_run_list ADD COLUMN merged_into INTEGER;
