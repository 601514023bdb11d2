-- +goose Up
-- Who accessed what: one numbered chain per subject. In clear are only the number, the day and
-- digests; the details are sealed under the subject's key, and so is the key of the commitment.
CREATE TABLE translog_head (
    tenant_id   bytea NOT NULL,
    subject_id  bytea NOT NULL,
    seq         bigint NOT NULL, -- number of the newest entry
    hash        bytea NOT NULL, -- its hash
    first_seq   bigint NOT NULL, -- number of the oldest entry still kept
    PRIMARY KEY (tenant_id, subject_id)
);

CREATE TABLE translog_access (
    tenant_id  bytea NOT NULL,
    subject_id bytea NOT NULL,
    seq        bigint NOT NULL,
    day        bigint NOT NULL, -- UTC day, counted from 1970-01-01
    prev       bytea NOT NULL CHECK (length(prev) = 32),
    commitment bytea NOT NULL CHECK (length(commitment) = 32),
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    details    bytea NOT NULL, -- sealed
    PRIMARY KEY (tenant_id, subject_id, seq)
);
CREATE INDEX translog_access_day ON translog_access (tenant_id, day);

-- An entry is never changed; it goes when its time is over or its subject leaves.
-- +goose StatementBegin
CREATE FUNCTION translog_access_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'access records are never changed'; END $$;
-- +goose StatementEnd
CREATE TRIGGER translog_access_fixed BEFORE UPDATE ON translog_access
    FOR EACH ROW EXECUTE FUNCTION translog_access_fixed();
