-- +goose Up
-- A goodbye on its way, and afterwards its receipt. It names people and cameras by their random
-- identifiers, and only until it is done: then subject, binding and probes are emptied.
CREATE TABLE rights_goodbye (
    tenant_id     bytea   NOT NULL CHECK (length(tenant_id) = 16),
    id            bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    token_sha256  bytea   NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    what          text    NOT NULL,
    subject_id    bytea   CHECK (length(subject_id) = 16),
    binding_id    bytea   CHECK (length(binding_id) = 16),
    purpose       text    NOT NULL,
    step          text    NOT NULL,
    tries         integer NOT NULL,
    requested_ms  bigint  NOT NULL,
    expires_ms    bigint  NOT NULL,
    probes        bytea,
    receipt       text    NOT NULL
);
CREATE INDEX rights_goodbye_step ON rights_goodbye (step);

-- Which tombstones of keys.db this database has been told of. A database restored from a backup
-- lacks the newer ones, so their sweep happens again before anything is served.
CREATE TABLE rights_replayed (
    tenant_id    bytea   NOT NULL CHECK (length(tenant_id) = 16),
    tombstone_id bytea   NOT NULL PRIMARY KEY CHECK (length(tombstone_id) = 16),
    at_ms        bigint  NOT NULL
);
