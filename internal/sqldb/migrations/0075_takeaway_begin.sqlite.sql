-- +goose Up
-- A copy of everything about a person: asked for, made, over. What it holds is sealed under a key of
-- its own; here are random ids, states, sizes and coarse times. Of the link only a hash is kept.
CREATE TABLE takeaway_export (
    tenant_id    BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject_id   BLOB    NOT NULL CHECK (length(subject_id) = 16),
    token_sha256 BLOB    NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    state        TEXT    NOT NULL CHECK (state IN ('preparing', 'ready', 'ended')),
    why          TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    ready_ms     INTEGER NOT NULL,
    ended_ms     INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    whole_ms     INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    key_id       BLOB,
    wrapped      BLOB,
    frozen       INTEGER NOT NULL,
    index_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX takeaway_export_subject ON takeaway_export (tenant_id, subject_id, created_ms);
