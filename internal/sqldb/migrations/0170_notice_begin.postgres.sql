-- +goose Up
-- What people must be told, in the operator's words, and how far telling each person is.
CREATE TABLE notice_notice (
    tenant_id   bytea   NOT NULL CHECK (length(tenant_id) = 16),
    id          bytea   NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind        text    NOT NULL,
    cause       text    NOT NULL,
    declared_ms bigint  NOT NULL,
    known_ms    bigint  NOT NULL,
    ends_ms     bigint  NOT NULL,
    erases_ms   bigint  NOT NULL,
    reported_ms bigint  NOT NULL,
    reference   text    NOT NULL,
    public      boolean NOT NULL,
    words       text    NOT NULL,
    days        bigint  NOT NULL,
    last_day    bigint  NOT NULL
);
CREATE TABLE notice_told (
    tenant_id  bytea NOT NULL CHECK (length(tenant_id) = 16),
    notice_id  bytea NOT NULL CHECK (length(notice_id) = 16),
    subject_id bytea NOT NULL CHECK (length(subject_id) = 16),
    state      text NOT NULL,
    PRIMARY KEY (tenant_id, notice_id, subject_id)
);
CREATE INDEX notice_told_subject ON notice_told (tenant_id, subject_id);
