-- +goose Up
-- Which version of the policy a person agreed to, or read and did not. An answer is a new row, numbered
-- per subject, and is never changed. No row: the person was here before answers were kept.
CREATE TABLE consent_version (
    tenant_id   BLOB NOT NULL,
    subject_id  BLOB NOT NULL,
    n           INTEGER NOT NULL,
    record_id   BLOB NOT NULL UNIQUE,
    policy_hash TEXT NOT NULL,
    answer      TEXT NOT NULL CHECK (answer IN ('agreed', 'declined')),
    details     BLOB NOT NULL, -- sealed: when and how
    PRIMARY KEY (tenant_id, subject_id, n)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER consent_version_fixed BEFORE UPDATE ON consent_version
BEGIN SELECT RAISE(ABORT, 'answers to a version are never changed'); END;
-- +goose StatementEnd
