-- +goose Up
-- A copy of everything about a person: asked for, made, over. What it holds is sealed under a key of
-- its own; here are random ids, states, sizes and coarse times. Of the link only a hash is kept.
CREATE TABLE takeaway_export (
    tenant_id    bytea    NOT NULL CHECK (length(tenant_id) = 16),
    id           bytea    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject_id   bytea    NOT NULL CHECK (length(subject_id) = 16),
    token_sha256 bytea    NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    state        text    NOT NULL CHECK (state IN ('preparing', 'ready', 'ended')),
    why          text    NOT NULL,
    language     text    NOT NULL,
    created_ms   bigint NOT NULL,
    ready_ms     bigint NOT NULL,
    ended_ms     bigint NOT NULL,
    expires_ms   bigint NOT NULL,
    whole_ms     bigint NOT NULL,
    size         bigint NOT NULL,
    total        bigint NOT NULL,
    key_id       bytea,
    wrapped      bytea,
    frozen       bigint NOT NULL,
    index_at     bigint NOT NULL
);
CREATE INDEX takeaway_export_subject ON takeaway_export (tenant_id, subject_id, created_ms);
