-- +goose Up
-- Which version of the policy a person agreed to, or read and did not. An answer is a new row, numbered
-- per subject, and is never changed. No row: the person was here before answers were kept.
CREATE TABLE consent_version (
    tenant_id   bytea NOT NULL,
    subject_id  bytea NOT NULL,
    n           bigint NOT NULL,
    record_id   bytea NOT NULL UNIQUE,
    policy_hash text NOT NULL,
    answer      text NOT NULL CHECK (answer IN ('agreed', 'declined')),
    details     bytea NOT NULL, -- sealed: when and how
    PRIMARY KEY (tenant_id, subject_id, n)
);

-- +goose StatementBegin
CREATE FUNCTION consent_version_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'answers to a version are never changed'; END $$;
-- +goose StatementEnd
CREATE TRIGGER consent_version_fixed BEFORE UPDATE ON consent_version
    FOR EACH ROW EXECUTE FUNCTION consent_version_fixed();
