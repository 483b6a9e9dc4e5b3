-- How many attempts of an operation were begun: each is counted once in the lane of new tokens (rule B17).
ALTER TABLE operations ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
