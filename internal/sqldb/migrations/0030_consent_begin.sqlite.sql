-- +goose Up
-- Consent decisions as in ISO/IEC TS 27560. A decision is a new row, numbered per subject; the
-- newest about a purpose and resource is what holds. No row: no consent.
CREATE TABLE consent_record (
    tenant_id   BLOB NOT NULL,
    subject_id  BLOB NOT NULL,
    n           INTEGER NOT NULL,
    record_id   BLOB NOT NULL UNIQUE,
    purpose     TEXT NOT NULL,
    binding_id  BLOB NOT NULL, -- the camera it is about; sixteen zero bytes: the account itself
    state       TEXT NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn')),
    text_hash   TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    details     BLOB NOT NULL, -- sealed: when, in which language, how
    PRIMARY KEY (tenant_id, subject_id, n)
) STRICT;
CREATE INDEX consent_record_current ON consent_record (tenant_id, subject_id, purpose, binding_id, n);

-- A decision is never changed, only followed by another; it goes when its subject leaves.
-- +goose StatementBegin
CREATE TRIGGER consent_record_fixed BEFORE UPDATE ON consent_record
BEGIN SELECT RAISE(ABORT, 'consent records are never changed'); END;
-- +goose StatementEnd
