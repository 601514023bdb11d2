-- +goose Up
-- Consent decisions as in ISO/IEC TS 27560. A decision is a new row, numbered per subject; the
-- newest about a purpose and resource is what holds. No row: no consent.
CREATE TABLE consent_record (
    tenant_id   bytea NOT NULL,
    subject_id  bytea NOT NULL,
    n           bigint NOT NULL,
    record_id   bytea NOT NULL UNIQUE,
    purpose     text NOT NULL,
    binding_id  bytea NOT NULL, -- the camera it is about; sixteen zero bytes: the account itself
    state       text NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn')),
    text_hash   text NOT NULL,
    policy_hash text NOT NULL,
    details     bytea NOT NULL, -- sealed: when, in which language, how
    PRIMARY KEY (tenant_id, subject_id, n)
);
CREATE INDEX consent_record_current ON consent_record (tenant_id, subject_id, purpose, binding_id, n);

-- A decision is never changed, only followed by another; it goes when its subject leaves.
-- +goose StatementBegin
CREATE FUNCTION consent_record_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'consent records are never changed'; END $$;
-- +goose StatementEnd
CREATE TRIGGER consent_record_fixed BEFORE UPDATE ON consent_record
    FOR EACH ROW EXECUTE FUNCTION consent_record_fixed();
