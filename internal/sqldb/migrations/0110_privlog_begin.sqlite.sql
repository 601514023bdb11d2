-- +goose Up
-- Leaves of the privacy log: those that wait to be entered and those that were, with their place. They are about nobody.
CREATE TABLE privlog_leaf (
    tenant_id BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind      TEXT    NOT NULL,
    leaf      BLOB    NOT NULL,
    idx       INTEGER, -- in the log; none while it waits
    log       TEXT     -- which log: the fingerprint of its key
) STRICT;
CREATE INDEX privlog_leaf_waiting ON privlog_leaf (tenant_id, log, id);
ALTER TABLE consent_record ADD COLUMN leaf_id BLOB;
