-- +goose Up
-- When a camera was reached, when not and why, for a week and only where its owner agreed. What was
-- is sealed under a key of the day; in clear are random ids and the day.
CREATE TABLE report_state (
    tenant_id  BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    binding_id BLOB    NOT NULL CHECK (length(binding_id) = 16),
    subject_id BLOB    NOT NULL CHECK (length(subject_id) = 16),
    day        INTEGER NOT NULL,
    state      BLOB    NOT NULL
) STRICT;
CREATE INDEX report_state_camera ON report_state (tenant_id, binding_id, day);
CREATE INDEX report_state_subject ON report_state (tenant_id, subject_id);
