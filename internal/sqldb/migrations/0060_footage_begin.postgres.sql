-- +goose Up
-- One row per segment: random ids, when it begins, how long and how large it is, and its wrapped
-- key. Everything else about it is sealed inside the object. summed says that the hour's sealed
-- summary has it; rows that no summary has are few and are read themselves.
CREATE TABLE footage_segment (
    tenant_id   bytea   NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  bytea   NOT NULL CHECK (length(binding_id) = 16),
    profile     smallint NOT NULL,
    start_ms    bigint  NOT NULL,
    id          bytea   NOT NULL CHECK (length(id) = 16),
    subject_id  bytea   NOT NULL CHECK (length(subject_id) = 16),
    duration_ms bigint  NOT NULL,
    bytes       bigint  NOT NULL,
    key_id      bytea   NOT NULL CHECK (length(key_id) = 16),
    wrapped     bytea   NOT NULL,
    closed      smallint NOT NULL, -- in order; 0: a crash or an error ended it
    summed      smallint NOT NULL,
    PRIMARY KEY (tenant_id, binding_id, profile, start_ms, id)
);
CREATE UNIQUE INDEX footage_segment_by_id ON footage_segment (id);
CREATE INDEX footage_segment_by_subject ON footage_segment (tenant_id, subject_id);
CREATE INDEX footage_segment_loose ON footage_segment (tenant_id, binding_id, profile, start_ms) WHERE summed = 0;

-- One sealed summary per camera and hour, and one more for each start of the program within it.
CREATE TABLE footage_hour (
    tenant_id   bytea   NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  bytea   NOT NULL CHECK (length(binding_id) = 16),
    hour        bigint  NOT NULL, -- since 1970, UTC
    id          bytea   NOT NULL CHECK (length(id) = 16),
    subject_id  bytea   NOT NULL CHECK (length(subject_id) = 16),
    summary     bytea   NOT NULL,
    PRIMARY KEY (tenant_id, binding_id, hour, id)
);
CREATE INDEX footage_hour_by_subject ON footage_hour (tenant_id, subject_id);

-- One row per camera that ever recorded.
CREATE TABLE footage_camera (
    tenant_id   bytea   NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  bytea   NOT NULL CHECK (length(binding_id) = 16),
    subject_id  bytea   NOT NULL CHECK (length(subject_id) = 16),
    first_ms    bigint  NOT NULL,
    expired_ms  bigint  NOT NULL, -- what lies before was let go
    PRIMARY KEY (tenant_id, binding_id)
);
CREATE INDEX footage_camera_by_subject ON footage_camera (tenant_id, subject_id);

-- Objects whose row is gone and whose bytes are still to be unlinked.
CREATE TABLE footage_garbage (
    tenant_id   bytea   NOT NULL CHECK (length(tenant_id) = 16),
    id          bytea   NOT NULL CHECK (length(id) = 16),
    subject_id  bytea   NOT NULL CHECK (length(subject_id) = 16),
    object      text    NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
