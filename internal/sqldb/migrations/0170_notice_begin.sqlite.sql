-- +goose Up
-- What people must be told, in the operator's words, and how far telling each person is.
CREATE TABLE notice_notice (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind        TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    declared_ms INTEGER NOT NULL,
    known_ms    INTEGER NOT NULL,
    ends_ms     INTEGER NOT NULL,
    erases_ms   INTEGER NOT NULL,
    reported_ms INTEGER NOT NULL,
    reference   TEXT    NOT NULL,
    public      INTEGER NOT NULL,
    words       TEXT    NOT NULL,
    days        INTEGER NOT NULL,
    last_day    INTEGER NOT NULL
) STRICT;
CREATE TABLE notice_told (
    tenant_id  BLOB NOT NULL CHECK (length(tenant_id) = 16),
    notice_id  BLOB NOT NULL CHECK (length(notice_id) = 16),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    state      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, notice_id, subject_id)
) STRICT;
CREATE INDEX notice_told_subject ON notice_told (tenant_id, subject_id);
