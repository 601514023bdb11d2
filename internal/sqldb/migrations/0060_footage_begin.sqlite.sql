-- +goose Up
-- One row per segment: random ids, when it begins, how long and how large it is, and its wrapped
-- key. Everything else about it is sealed inside the object. summed says that the hour's sealed
-- summary has it; rows that no summary has are few and are read themselves.
CREATE TABLE footage_segment (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    profile     INTEGER NOT NULL,
    start_ms    INTEGER NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16),
    duration_ms INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    key_id      BLOB    NOT NULL CHECK (length(key_id) = 16),
    wrapped     BLOB    NOT NULL,
    closed      INTEGER NOT NULL, -- in order; 0: a crash or an error ended it
    summed      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, binding_id, profile, start_ms, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX footage_segment_by_id ON footage_segment (id);
CREATE INDEX footage_segment_by_subject ON footage_segment (tenant_id, subject_id);
CREATE INDEX footage_segment_loose ON footage_segment (tenant_id, binding_id, profile, start_ms) WHERE summed = 0;

-- One sealed summary per camera and hour, and one more for each start of the program within it.
CREATE TABLE footage_hour (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    hour        INTEGER NOT NULL, -- since 1970, UTC
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16),
    summary     BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, binding_id, hour, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX footage_hour_by_subject ON footage_hour (tenant_id, subject_id);

-- One row per camera that ever recorded.
CREATE TABLE footage_camera (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    binding_id  BLOB    NOT NULL CHECK (length(binding_id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16),
    first_ms    INTEGER NOT NULL,
    expired_ms  INTEGER NOT NULL, -- what lies before was let go
    PRIMARY KEY (tenant_id, binding_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX footage_camera_by_subject ON footage_camera (tenant_id, subject_id);

-- Objects whose row is gone and whose bytes are still to be unlinked.
CREATE TABLE footage_garbage (
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    subject_id  BLOB    NOT NULL CHECK (length(subject_id) = 16),
    object      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
