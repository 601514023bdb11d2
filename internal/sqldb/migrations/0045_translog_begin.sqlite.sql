-- +goose Up
-- Who accessed what: one numbered chain per subject. In clear are only the number, the day and
-- digests; the details are sealed under the subject's key, and so is the key of the commitment.
CREATE TABLE translog_head (
    tenant_id   BLOB NOT NULL,
    subject_id  BLOB NOT NULL,
    seq         INTEGER NOT NULL, -- number of the newest entry
    hash        BLOB NOT NULL, -- its hash
    first_seq   INTEGER NOT NULL, -- number of the oldest entry still kept
    PRIMARY KEY (tenant_id, subject_id)
) STRICT;

CREATE TABLE translog_access (
    tenant_id  BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    seq        INTEGER NOT NULL,
    day        INTEGER NOT NULL, -- UTC day, counted from 1970-01-01
    prev       BLOB NOT NULL CHECK (length(prev) = 32),
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    details    BLOB NOT NULL, -- sealed
    PRIMARY KEY (tenant_id, subject_id, seq)
) STRICT;
CREATE INDEX translog_access_day ON translog_access (tenant_id, day);

-- An entry is never changed; it goes when its time is over or its subject leaves.
-- +goose StatementBegin
CREATE TRIGGER translog_access_fixed BEFORE UPDATE ON translog_access
BEGIN SELECT RAISE(ABORT, 'access records are never changed'); END;
-- +goose StatementEnd
