-- +goose Up
-- Leaves of the privacy log: those that wait to be entered and those that were, with their place. They are about nobody.
CREATE TABLE privlog_leaf (
    tenant_id bytea   NOT NULL CHECK (length(tenant_id) = 16),
    id        bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind      text    NOT NULL,
    leaf      bytea   NOT NULL,
    idx       bigint,  -- in the log; none while it waits
    log       text     -- which log: the fingerprint of its key
);
CREATE INDEX privlog_leaf_waiting ON privlog_leaf (tenant_id, log, id);
ALTER TABLE consent_record ADD COLUMN leaf_id bytea;
