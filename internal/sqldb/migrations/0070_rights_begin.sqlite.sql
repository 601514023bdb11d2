-- +goose Up
-- A goodbye on its way, and afterwards its receipt. It names people and cameras by their random
-- identifiers, and only until it is done: then subject, binding and probes are emptied.
CREATE TABLE rights_goodbye (
    tenant_id     BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    token_sha256  BLOB    NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    what          TEXT    NOT NULL,
    subject_id    BLOB    CHECK (length(subject_id) = 16),
    binding_id    BLOB    CHECK (length(binding_id) = 16),
    purpose       TEXT    NOT NULL,
    step          TEXT    NOT NULL,
    tries         INTEGER NOT NULL,
    requested_ms  INTEGER NOT NULL,
    expires_ms    INTEGER NOT NULL,
    probes        BLOB,
    receipt       TEXT    NOT NULL
) STRICT;
CREATE INDEX rights_goodbye_step ON rights_goodbye (step);

-- Which tombstones of keys.db this database has been told of. A database restored from a backup
-- lacks the newer ones, so their sweep happens again before anything is served.
CREATE TABLE rights_replayed (
    tenant_id    BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    tombstone_id BLOB    NOT NULL PRIMARY KEY CHECK (length(tombstone_id) = 16),
    at_ms        INTEGER NOT NULL
) STRICT;
